/* The kernels that 512-bit vectors make at least 1.15 times as fast as AVX2, and what comes with them; the others wait for
 * memory, or measured slower. Compiled with AVX-512 F, BW, DQ and VL; called only where that runs. */
#include "imaging_internal.h"

#include <math.h>
#include <string.h>

#include "vectors_x86.inc"

#define COUNT_LANES 64
#include "blocks.inc"
#include "backproject.inc"
#include "classify.inc"
#include "convolve.inc"
#include "sight.inc"

void fos_imaging_use_avx512(fos_imaging_kernels_t *kernels)
{
    kernels->cloud_mask_u16 = cloud_mask_u16;
    kernels->change_classes_u16 = change_classes_u16;
    kernels->convolve_3x3_f32 = convolve_3x3_f32;
    kernels->convolve_5x5_f32 = convolve_5x5_f32;
    kernels->convolve_separable_f32 = convolve_separable_f32;
    kernels->backproject_c64 = backproject_c64;
    kernels->pairs_in_sight = pairs_in_sight;
    kernels->edges_in_sight = edges_in_sight;
    kernels->contact_scan = contact_scan;
}
