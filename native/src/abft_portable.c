/* Checksums of matrix products, for every machine. */
#include "integer_internal.h"

#define FOS_ABFT_EXPECT fos_abft_expect_portable
#define FOS_ABFT_SUMS fos_abft_sums_portable
#include "abft.inc"

#define FOS_VECTOR_BYTES 16
#define FOS_ABFT_EXPECT_I8 fos_abft_expect_i8_portable
#define FOS_ABFT_SUMS_I32 fos_abft_sums_i32_portable
#include "abft_integers.inc"
