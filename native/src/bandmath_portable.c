/* Calibration, normalised differences, masks and exact sums in plain C.
 *
 * The loops carry no branch that gcc cannot turn into a select, so that they vectorise on every instruction set
 * (-fno-trapping-math lets it divide where the sum is 0 and drop the quotient).
 */
#include "kernels_internal.h"

#include <math.h>

void fos_correct_radiance_u8_portable(const uint8_t *restrict raw_dn, const float *restrict gain,
                                      const float *restrict dark_dn, float *restrict radiance, size_t pixel_count)
{
    for (size_t pixel = 0; pixel < pixel_count; pixel++) {
        radiance[pixel] = gain[pixel] * ((float)raw_dn[pixel] - dark_dn[pixel]);
    }
}

void fos_correct_radiance_u16_portable(const uint16_t *restrict raw_dn, const float *restrict gain,
                                       const float *restrict dark_dn, float *restrict radiance, size_t pixel_count)
{
    for (size_t pixel = 0; pixel < pixel_count; pixel++) {
        radiance[pixel] = gain[pixel] * ((float)raw_dn[pixel] - dark_dn[pixel]);
    }
}

void fos_ndiff_f32_portable(const float *restrict a, const float *restrict b, float *restrict index,
                            size_t pixel_count)
{
    for (size_t pixel = 0; pixel < pixel_count; pixel++) {
        const float sum = a[pixel] + b[pixel];
        const float quotient = (a[pixel] - b[pixel]) / sum;
        index[pixel] = sum == 0.0f ? 0.0f : quotient;
    }
}

uint64_t fos_mask_above_f32_portable(const float *restrict index, float threshold, uint8_t *restrict mask,
                                     size_t pixel_count)
{
    uint64_t set_count = 0;
    for (size_t pixel = 0; pixel < pixel_count; pixel++) {
        const uint8_t inside = index[pixel] > threshold;
        mask[pixel] = inside;
        set_count += inside;
    }
    return set_count;
}

uint64_t fos_mask_below_f32_portable(const float *restrict index, float threshold, uint8_t *restrict mask,
                                     size_t pixel_count)
{
    uint64_t set_count = 0;
    for (size_t pixel = 0; pixel < pixel_count; pixel++) {
        const uint8_t inside = index[pixel] < threshold;
        mask[pixel] = inside;
        set_count += inside;
    }
    return set_count;
}

void fos_pack_bits_portable(const uint8_t *restrict mask, size_t pixel_count, uint8_t *restrict packed)
{
    const size_t whole_bytes = pixel_count / 8;
    for (size_t byte = 0; byte < whole_bytes; byte++) {
        unsigned bits = 0;
        for (size_t bit = 0; bit < 8; bit++) {
            bits = (bits << 1) | (mask[byte * 8 + bit] != 0 ? 1u : 0u);
        }
        packed[byte] = (uint8_t)bits;
    }
    if (pixel_count % 8 != 0) {
        unsigned bits = 0;
        for (size_t pixel = whole_bytes * 8; pixel < pixel_count; pixel++) {
            bits |= (mask[pixel] != 0 ? 1u : 0u) << (7 - pixel % 8);
        }
        packed[whole_bytes] = (uint8_t)bits;
    }
}

fos_status_t fos_sum_fixed_f32_portable(const float *index, size_t pixel_count, int64_t *sum_fixed,
                                        uint64_t *counted)
{
    const double scale = (double)((int64_t)1 << FOS_FIXED_POINT_BITS);
    int64_t sum = 0;
    uint64_t valid_count = 0;
    uint64_t outside_count = 0;
    for (size_t pixel = 0; pixel < pixel_count; pixel++) {
        const float value = index[pixel];
        const int is_number = value == value;
        const int is_inside = fabsf(value) <= FOS_INDEX_ABS_MAX;
        /* Scaling by a power of two is exact in double; llrint rounds half to even, as rint does. */
        sum += llrint((double)(is_inside ? value : 0.0f) * scale);
        valid_count += (uint64_t)is_number;
        outside_count += (uint64_t)(is_number && !is_inside);
    }
    *sum_fixed = sum;
    *counted = valid_count;
    return outside_count == 0 ? FOS_OK : FOS_ERR_RANGE;
}
