/* Quantisation, eight values at a time. Compiled with -mavx2; called only where that runs. */
#include "integer_internal.h"

#define FOS_QUANTISE fos_quantise_avx2
#define FOS_DEQUANTISE fos_dequantise_avx2
#include "quantise.inc"
