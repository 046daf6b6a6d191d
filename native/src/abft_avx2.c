/* Checksums of matrix products, with AVX2. Compiled with -mavx2; called only where that runs. */
#include "integer_internal.h"

#define FOS_ABFT_EXPECT fos_abft_expect_avx2
#define FOS_ABFT_SUMS fos_abft_sums_avx2
#include "abft.inc"

#define FOS_VECTOR_BYTES 32
#define FOS_ABFT_EXPECT_I8 fos_abft_expect_i8_avx2
#define FOS_ABFT_SUMS_I32 fos_abft_sums_i32_avx2
#include "abft_integers.inc"
