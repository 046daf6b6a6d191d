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

/* One pass over a float32 matrix in panels of eight rows. column_sums[j] += sum of weight[i] * matrix[i][j] (weight NULL:
 * 1), column_squares[j] += sum of matrix[i][j]^2 (NULL: not wanted), row_sums[i] = sum of matrix[i][j]. */
#define FOS_DECLARE_ABFT(isa)                                                                                         \
    void fos_abft_sums_##isa(const float *matrix, size_t rows, size_t cols, const double *weights,                   \
                             double *column_sums, double *column_squares, double *row_sums);                          \
    void fos_abft_products_##isa(const float *matrix, size_t rows, size_t cols, const float *vector,                 \
                                 double *row_products, double *row_squares)
FOS_DECLARE_ABFT(portable);
FOS_DECLARE_ABFT(avx2);

#endif
