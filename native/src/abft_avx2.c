/* Checksums of float32 matrices, with AVX2. Compiled with -mavx2; called only where that runs. */
#include "integer_internal.h"

#define FOS_ABFT_SUMS fos_abft_sums_avx2
#define FOS_ABFT_EXPECT fos_abft_expect_avx2
#include "abft.inc"
