/* Checksums of float32 matrices, for every machine. */
#include "integer_internal.h"

#define FOS_ABFT_SUMS fos_abft_sums_portable
#define FOS_ABFT_EXPECT fos_abft_expect_portable
#include "abft.inc"
