/* The doors of calibration, normalised differences, masks and exact sums: arguments are checked, then every run of pixels
 * goes through the table. */
#include "kernels_internal.h"

#include <math.h>

#define AT(image, number) ((image) + row * tile.strides[number])

#define DEFINE_CORRECT_RADIANCE(suffix, count_t)                                                                      \
    fos_status_t fos_correct_radiance_##suffix(const count_t *raw_dn, const float *gain, const float *dark_dn,        \
                                               float *radiance, size_t rows, size_t cols, const size_t *strides)      \
    {                                                                                                                 \
        if (raw_dn == NULL || gain == NULL || dark_dn == NULL || radiance == NULL) { return FOS_ERR_NULL; }           \
        fos_tile_t tile;                                                                                              \
        const fos_status_t status = fos_open_runs(rows, cols, strides, 3, 1, &tile);                                  \
        if (status != FOS_OK) { return status; }                                                                      \
        const fos_imaging_kernels_t *const kernels = &fos_kernels()->imaging;                                         \
        for (size_t row = 0; row < tile.rows; row++) {                                                                \
            kernels->correct_radiance_##suffix(AT(raw_dn, 0), AT(gain, 1), AT(dark_dn, 2), AT(radiance, 3), tile.cols);\
        }                                                                                                             \
        return FOS_OK;                                                                                                \
    }
DEFINE_CORRECT_RADIANCE(u8, uint8_t)
DEFINE_CORRECT_RADIANCE(u16, uint16_t)

fos_status_t fos_calibrate_u16(const uint16_t *raw_dn, const float *gain, const float *dark_dn, uint16_t saturation_dn,
                               float fill, float *radiance, uint8_t *flags, size_t rows, size_t cols,
                               const size_t *strides, fos_calibration_counts_t *counts)
{
    if (raw_dn == NULL || gain == NULL || dark_dn == NULL || radiance == NULL || flags == NULL || counts == NULL) {
        return FOS_ERR_NULL;
    }
    fos_tile_t tile;
    const fos_status_t status = fos_open_runs(rows, cols, strides, 3, 2, &tile);
    if (status != FOS_OK) { return status; }
    const fos_imaging_kernels_t *const kernels = &fos_kernels()->imaging;
    *counts = (fos_calibration_counts_t){0, 0};
    for (size_t row = 0; row < tile.rows; row++) {
        fos_calibration_counts_t found;
        kernels->calibrate_u16(AT(raw_dn, 0), AT(gain, 1), AT(dark_dn, 2), saturation_dn, fill, AT(radiance, 3),
                               AT(flags, 4), tile.cols, &found);
        counts->bad_count += found.bad_count;
        counts->saturated_count += found.saturated_count;
    }
    return FOS_OK;
}

#define DEFINE_NDIFF(suffix, band_t)                                                                                  \
    fos_status_t fos_ndiff_##suffix(const band_t *a, const band_t *b, float *index, size_t rows, size_t cols,         \
                                    const size_t *strides)                                                            \
    {                                                                                                                 \
        if (a == NULL || b == NULL || index == NULL) { return FOS_ERR_NULL; }                                         \
        fos_tile_t tile;                                                                                              \
        const fos_status_t status = fos_open_runs(rows, cols, strides, 2, 1, &tile);                                  \
        if (status != FOS_OK) { return status; }                                                                      \
        const fos_imaging_kernels_t *const kernels = &fos_kernels()->imaging;                                         \
        for (size_t row = 0; row < tile.rows; row++) {                                                                \
            kernels->ndiff_##suffix(AT(a, 0), AT(b, 1), AT(index, 2), tile.cols);                                     \
        }                                                                                                             \
        return FOS_OK;                                                                                                \
    }                                                                                                                 \
                                                                                                                      \
    fos_status_t fos_ndiff_mask_##suffix(const band_t *a, const band_t *b, float threshold, float *index,             \
                                         uint8_t *mask, size_t rows, size_t cols, const size_t *strides,              \
                                         uint64_t *set_count)                                                         \
    {                                                                                                                 \
        if (a == NULL || b == NULL || index == NULL || mask == NULL || set_count == NULL) { return FOS_ERR_NULL; }    \
        if (isnan(threshold)) { return FOS_ERR_PARAMETER; }                                                           \
        fos_tile_t tile;                                                                                              \
        const fos_status_t status = fos_open_runs(rows, cols, strides, 2, 2, &tile);                                  \
        if (status != FOS_OK) { return status; }                                                                      \
        const fos_imaging_kernels_t *const kernels = &fos_kernels()->imaging;                                         \
        *set_count = 0;                                                                                               \
        for (size_t row = 0; row < tile.rows; row++) {                                                                \
            *set_count += kernels->ndiff_mask_##suffix(AT(a, 0), AT(b, 1), threshold, AT(index, 2), AT(mask, 3),      \
                                                       tile.cols);                                                    \
        }                                                                                                             \
        return FOS_OK;                                                                                                \
    }
DEFINE_NDIFF(f32, float)
DEFINE_NDIFF(u16, uint16_t)

typedef uint64_t mask_kernel_t(const float *, float, uint8_t *, size_t);

static fos_status_t mask_tile(mask_kernel_t *kernel, const float *index, float threshold, uint8_t *mask, size_t rows,
                              size_t cols, const size_t *strides, uint64_t *set_count)
{
    if (isnan(threshold)) { return FOS_ERR_PARAMETER; }
    fos_tile_t tile;
    const fos_status_t status = fos_open_runs(rows, cols, strides, 1, 1, &tile);
    if (status != FOS_OK) { return status; }
    *set_count = 0;
    for (size_t row = 0; row < tile.rows; row++) {
        *set_count += kernel(AT(index, 0), threshold, AT(mask, 1), tile.cols);
    }
    return FOS_OK;
}

fos_status_t fos_mask_above_f32(const float *index, float threshold, uint8_t *mask, size_t rows, size_t cols,
                                const size_t *strides, uint64_t *set_count)
{
    if (index == NULL || mask == NULL || set_count == NULL) { return FOS_ERR_NULL; }
    return mask_tile(fos_kernels()->imaging.mask_above_f32, index, threshold, mask, rows, cols, strides, set_count);
}

fos_status_t fos_mask_below_f32(const float *index, float threshold, uint8_t *mask, size_t rows, size_t cols,
                                const size_t *strides, uint64_t *set_count)
{
    if (index == NULL || mask == NULL || set_count == NULL) { return FOS_ERR_NULL; }
    return mask_tile(fos_kernels()->imaging.mask_below_f32, index, threshold, mask, rows, cols, strides, set_count);
}

fos_status_t fos_pack_bits(const uint8_t *mask, size_t pixel_count, uint8_t *packed, size_t packed_capacity_bytes)
{
    if (mask == NULL || packed == NULL) { return FOS_ERR_NULL; }
    if (pixel_count > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    if (packed_capacity_bytes < (pixel_count + 7) / 8) { return FOS_ERR_CAPACITY; }
    fos_kernels()->imaging.pack_bits(mask, pixel_count, packed);
    return FOS_OK;
}

fos_status_t fos_sum_fixed_f32(const float *index, size_t rows, size_t cols, const size_t *strides,
                               int64_t *sum_fixed, uint64_t *counted)
{
    if (index == NULL || sum_fixed == NULL || counted == NULL) { return FOS_ERR_NULL; }
    fos_tile_t tile;
    fos_status_t status = fos_open_runs(rows, cols, strides, 1, 0, &tile);
    if (status != FOS_OK) { return status; }
    const fos_imaging_kernels_t *const kernels = &fos_kernels()->imaging;
    *sum_fixed = 0;
    *counted = 0;
    for (size_t row = 0; row < tile.rows; row++) {
        int64_t row_sum_fixed;
        uint64_t row_counted;
        status = kernels->sum_fixed_f32(AT(index, 0), tile.cols, &row_sum_fixed, &row_counted);
        if (status != FOS_OK) { return status; }
        *sum_fixed += row_sum_fixed;
        *counted += row_counted;
    }
    return FOS_OK;
}
