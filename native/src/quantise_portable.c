/* Quantisation for every machine. */
#include "integer_internal.h"

#define FOS_QUANTISE fos_quantise_portable
#define FOS_DEQUANTISE fos_dequantise_portable
#include "quantise.inc"
