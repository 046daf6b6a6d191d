/* Imaging, detection, SAR and geometry with AVX2. Compiled with -mavx2; called only where that runs. */
#include "imaging_internal.h"

#include <math.h>
#include <string.h>

#include "imaging_x86.inc"
#define FOS_IMAGING_TABLE fos_imaging_avx2
#include "imaging.inc"
