/* The doors of calibration, normalised differences, masks and exact sums. */
#include "kernels_internal.h"

fos_status_t fos_correct_radiance_u8(const uint8_t *raw_dn, const float *gain, const float *dark_dn, float *radiance,
                                     size_t pixel_count)
{
    if (raw_dn == NULL || gain == NULL || dark_dn == NULL || radiance == NULL) { return FOS_ERR_NULL; }
    if (pixel_count > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    fos_kernels()->imaging.correct_radiance_u8(raw_dn, gain, dark_dn, radiance, pixel_count);
    return FOS_OK;
}

fos_status_t fos_correct_radiance_u16(const uint16_t *raw_dn, const float *gain, const float *dark_dn,
                                      float *radiance, size_t pixel_count)
{
    if (raw_dn == NULL || gain == NULL || dark_dn == NULL || radiance == NULL) { return FOS_ERR_NULL; }
    if (pixel_count > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    fos_kernels()->imaging.correct_radiance_u16(raw_dn, gain, dark_dn, radiance, pixel_count);
    return FOS_OK;
}

fos_status_t fos_ndiff_f32(const float *a, const float *b, float *index, size_t pixel_count)
{
    if (a == NULL || b == NULL || index == NULL) { return FOS_ERR_NULL; }
    if (pixel_count > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    fos_kernels()->imaging.ndiff_f32(a, b, index, pixel_count);
    return FOS_OK;
}

fos_status_t fos_mask_above_f32(const float *index, float threshold, uint8_t *mask, size_t pixel_count,
                                uint64_t *set_count)
{
    if (index == NULL || mask == NULL || set_count == NULL) { return FOS_ERR_NULL; }
    if (pixel_count > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    if (threshold != threshold) { return FOS_ERR_PARAMETER; }
    *set_count = fos_kernels()->imaging.mask_above_f32(index, threshold, mask, pixel_count);
    return FOS_OK;
}

fos_status_t fos_mask_below_f32(const float *index, float threshold, uint8_t *mask, size_t pixel_count,
                                uint64_t *set_count)
{
    if (index == NULL || mask == NULL || set_count == NULL) { return FOS_ERR_NULL; }
    if (pixel_count > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    if (threshold != threshold) { return FOS_ERR_PARAMETER; }
    *set_count = fos_kernels()->imaging.mask_below_f32(index, threshold, mask, pixel_count);
    return FOS_OK;
}

fos_status_t fos_pack_bits(const uint8_t *mask, size_t pixel_count, uint8_t *packed, size_t packed_capacity_bytes)
{
    if (mask == NULL || packed == NULL) { return FOS_ERR_NULL; }
    if (pixel_count > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    if (packed_capacity_bytes < (pixel_count + 7) / 8) { return FOS_ERR_CAPACITY; }
    fos_kernels()->imaging.pack_bits(mask, pixel_count, packed);
    return FOS_OK;
}

fos_status_t fos_sum_fixed_f32(const float *index, size_t pixel_count, int64_t *sum_fixed, uint64_t *counted)
{
    if (index == NULL || sum_fixed == NULL || counted == NULL) { return FOS_ERR_NULL; }
    if (pixel_count > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    return fos_kernels()->imaging.sum_fixed_f32(index, pixel_count, sum_fixed, counted);
}
