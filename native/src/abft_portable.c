/* Checksums of float32 matrices, for every machine. */
#include "integer_internal.h"

#define FOS_ABFT_SUMS fos_abft_sums_portable
#define FOS_ABFT_PRODUCTS fos_abft_products_portable
#include "abft.inc"
