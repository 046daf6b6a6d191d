/* Checksums of integer products, with AVX-512; those of float32 products are no faster with it. Called only where that runs. */
#include "integer_internal.h"

#define FOS_VECTOR_BYTES 64
#define FOS_ABFT_EXPECT_I8 fos_abft_expect_i8_avx512
#define FOS_ABFT_SUMS_I32 fos_abft_sums_i32_avx512
#include "abft_integers.inc"
