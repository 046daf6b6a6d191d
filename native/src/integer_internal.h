/* What the files of the integer and matrix kernels share: the functions behind the table. */
#ifndef FOS_INTEGER_INTERNAL_H
#define FOS_INTEGER_INTERNAL_H

#include "kernels_internal.h"

#include <string.h>

#define FOS_DECLARE_QUANTISE(isa)                                                                                     \
    void fos_quantise_##isa(const float *restrict values, size_t value_count, float scale, int zero_point,           \
                            int8_t *restrict quantised);                                                              \
    void fos_dequantise_##isa(const int8_t *restrict quantised, size_t value_count, float scale, int zero_point,     \
                              float *restrict values)
FOS_DECLARE_QUANTISE(portable);
FOS_DECLARE_QUANTISE(avx2);
FOS_DECLARE_QUANTISE(avx512);

#define FOS_DECLARE_GEMM(isa)                                                                                         \
    void fos_gemm_i8_##isa(const int8_t *a, const int8_t *b_transposed, size_t rows, size_t cols, size_t depth,      \
                           int32_t *product)
FOS_DECLARE_GEMM(portable);
FOS_DECLARE_GEMM(avx2);
FOS_DECLARE_GEMM(avx512);
FOS_DECLARE_GEMM(neon_dot);

/* abft_expect adds to sums that are 0 at first: those of the product's rows and columns, and as tolerances the sums of the
 * squares in a's rows and b's columns. abft_sums adds those of a matrix. */
#define FOS_DECLARE_ABFT(isa)                                                                                         \
    void fos_abft_expect_##isa(const float *a, const float *b, size_t rows, size_t cols, size_t depth,               \
                               const fos_abft_sums_f64_t *sums);                                                      \
    void fos_abft_sums_##isa(const float *matrix, size_t rows, size_t cols, double *column_sums, double *row_sums)
FOS_DECLARE_ABFT(portable);
FOS_DECLARE_ABFT(avx2);

/* abft_expect_i8 adds to sums that are 0 at first; abft_sums_i32 adds to the columns' sums and sets the rows'. */
#define FOS_DECLARE_ABFT_INTEGERS(isa)                                                                                \
    void fos_abft_expect_i8_##isa(const int8_t *a, const int8_t *b_transposed, size_t rows, size_t cols,             \
                                  size_t depth, int64_t *row_sums, int64_t *column_sums);                             \
    void fos_abft_sums_i32_##isa(const int32_t *product, size_t rows, size_t cols, int64_t *column_sums,             \
                                 int64_t *row_sums)
FOS_DECLARE_ABFT_INTEGERS(portable);
FOS_DECLARE_ABFT_INTEGERS(avx2);
FOS_DECLARE_ABFT_INTEGERS(avx512);

#endif
