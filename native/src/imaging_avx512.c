/* The kernels that 512-bit vectors make at least 1.15 times as fast as AVX2, and what comes with them; the others wait for
 * memory, or measured slower. Compiled with AVX-512 F, BW, DQ and VL; called only where that runs. */
#include "imaging_internal.h"

#include <math.h>
#include <string.h>

#include "vectors_x86.inc"

/* 64 pixels a step: bytes turned round within each eight, and those that are not 0 gathered. */
static void pack_whole_bytes(const uint8_t *restrict mask, size_t byte_count, uint8_t *restrict packed)
{
    const __m512i turned_round = _mm512_broadcast_i32x4(_mm_set_epi8(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
    size_t byte = 0;
    for (; byte + 8 <= byte_count; byte += 8) {
        const __m512i pixels = _mm512_shuffle_epi8(_mm512_loadu_si512(mask + 8 * byte), turned_round);
        const uint64_t bits = _mm512_test_epi8_mask(pixels, pixels);
        memcpy(packed + byte, &bits, sizeof bits);
    }
    const __mmask64 rest = ((__mmask64)1 << 8 * (byte_count - byte)) - 1;
    const __m512i pixels = _mm512_shuffle_epi8(_mm512_maskz_loadu_epi8(rest, mask + 8 * byte), turned_round);
    const uint64_t bits = _mm512_test_epi8_mask(pixels, pixels);
    memcpy(packed + byte, &bits, byte_count - byte);
}

#define COUNT_LANES 64
#include "blocks.inc"
#include "backproject.inc"
#include "bandmath.inc"
#include "classify.inc"
#include "convolve.inc"
#include "separable.inc"
#include "sight.inc"

void fos_imaging_use_avx512(fos_imaging_kernels_t *kernels)
{
    kernels->correct_radiance_u8 = correct_radiance_u8;
    kernels->correct_radiance_u16 = correct_radiance_u16;
    kernels->ndiff_f32 = ndiff_f32;
    kernels->ndiff_u16 = ndiff_u16;
    kernels->ndiff_mask_f32 = ndiff_mask_f32;
    kernels->ndiff_mask_u16 = ndiff_mask_u16;
    kernels->mask_above_f32 = mask_above_f32;
    kernels->mask_below_f32 = mask_below_f32;
    kernels->pack_bits = pack_bits;
    kernels->sum_fixed_f32 = sum_fixed_f32;
    kernels->calibrate_u16 = calibrate_u16;
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
