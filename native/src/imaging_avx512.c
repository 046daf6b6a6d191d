/* Imaging, detection, SAR and geometry with 512-bit vectors. Compiled with AVX-512 F, BW, DQ and VL; called only where that runs. */
#include "imaging_internal.h"

#include <math.h>
#include <string.h>

#include "imaging_x86.inc"
#define FOS_IMAGING_TABLE fos_imaging_avx512
#include "imaging.inc"
