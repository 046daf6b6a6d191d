/* Imaging, detection, SAR and geometry for 64-bit ARM: NEON is its baseline, so plain C is enough. */
#include "imaging_internal.h"

#include <math.h>
#include <string.h>

#include "imaging_plain.inc"
#define COUNT_LANES 16
#define FOS_IMAGING_TABLE fos_imaging_neon
#include "imaging.inc"
