/* The doors of imaging, detection, SAR and geometry, and their part of the table. */
#include "kernels_internal.h"

#include <math.h>
#include <string.h>

void fos_imaging_fill(fos_kernels_t *table, uint32_t features)
{
    table->imaging = fos_imaging_portable;
#ifdef FOS_HAVE_NEON
    if ((features & FOS_FEATURE_NEON_CRC) != 0) { table->imaging = fos_imaging_neon; }
#endif
#ifdef FOS_HAVE_AVX2
    if ((features & FOS_FEATURE_AVX2) != 0) { table->imaging = fos_imaging_avx2; }
#endif
#ifdef FOS_HAVE_AVX512
    if ((features & FOS_FEATURE_AVX512) != 0) { fos_imaging_use_avx512(&table->imaging); }
#endif
    (void)features;
}

#define AT(image, number) ((image) + row * tile.strides[number])

static void add_counts(uint64_t *counts, const uint64_t *found, size_t class_count)
{
    for (size_t one = 0; one < class_count; one++) { counts[one] += found[one]; }
}

fos_status_t fos_cloud_mask_u16(const uint16_t *green, const uint16_t *red, const uint16_t *nir, const uint16_t *swir,
                                const fos_scene_limits_t *limits, uint8_t *classes, size_t rows, size_t cols,
                                const size_t *strides, uint64_t *class_counts)
{
    if (green == NULL || red == NULL || nir == NULL || swir == NULL) { return FOS_ERR_NULL; }
    if (limits == NULL || classes == NULL || class_counts == NULL) { return FOS_ERR_NULL; }
    const int32_t ratios[] = {limits->snow_ratio_256, limits->cloud_ratio_256, limits->water_ratio_256};
    for (size_t ratio = 0; ratio < sizeof ratios / sizeof ratios[0]; ratio++) {
        if (ratios[ratio] < -256 || ratios[ratio] > 256) { return FOS_ERR_PARAMETER; } /* products stay in int32 */
    }
    fos_tile_t tile;
    const fos_status_t status = fos_open_runs(rows, cols, strides, 4, 1, &tile);
    if (status != FOS_OK) { return status; }
    const fos_imaging_kernels_t *const kernels = &fos_kernels()->imaging;
    memset(class_counts, 0, FOS_SCENE_CLASS_COUNT * sizeof *class_counts);
    for (size_t row = 0; row < tile.rows; row++) {
        uint64_t found[FOS_SCENE_CLASS_COUNT];
        kernels->cloud_mask_u16(AT(green, 0), AT(red, 1), AT(nir, 2), AT(swir, 3), limits, AT(classes, 4), tile.cols,
                                found);
        add_counts(class_counts, found, FOS_SCENE_CLASS_COUNT);
    }
    return FOS_OK;
}

fos_status_t fos_change_classes_u16(const uint16_t *nir_before, const uint16_t *swir_before, const uint16_t *nir_after,
                                    const uint16_t *swir_after, const float *thresholds, uint8_t *classes,
                                    size_t rows, size_t cols, const size_t *strides, uint64_t *class_counts)
{
    if (nir_before == NULL || swir_before == NULL || nir_after == NULL || swir_after == NULL) { return FOS_ERR_NULL; }
    if (thresholds == NULL || classes == NULL || class_counts == NULL) { return FOS_ERR_NULL; }
    for (size_t place = 1; place < FOS_CHANGE_THRESHOLD_COUNT; place++) {
        if (!(thresholds[place - 1] < thresholds[place])) { return FOS_ERR_PARAMETER; } /* NaN too */
    }
    fos_tile_t tile;
    const fos_status_t status = fos_open_runs(rows, cols, strides, 4, 1, &tile);
    if (status != FOS_OK) { return status; }
    const fos_imaging_kernels_t *const kernels = &fos_kernels()->imaging;
    memset(class_counts, 0, FOS_CHANGE_CLASS_COUNT * sizeof *class_counts);
    for (size_t row = 0; row < tile.rows; row++) {
        uint64_t found[FOS_CHANGE_CLASS_COUNT];
        kernels->change_classes_u16(AT(nir_before, 0), AT(swir_before, 1), AT(nir_after, 2), AT(swir_after, 3),
                                    thresholds, AT(classes, 4), tile.cols, found);
        add_counts(class_counts, found, FOS_CHANGE_CLASS_COUNT);
    }
    return FOS_OK;
}

static int all_finite(const float *taps, size_t count)
{
    for (size_t tap = 0; tap < count; tap++) {
        if (!isfinite(taps[tap])) { return 0; }
    }
    return 1;
}

static fos_status_t open_filter(size_t rows, size_t cols, const size_t *strides, fos_edge_t edge, fos_finish_t finish,
                                float limit, size_t scratch_count, size_t scratch_lines, size_t side, fos_tile_t *tile)
{
    const int edge_known = edge == FOS_EDGE_ZERO || edge == FOS_EDGE_NEAREST || edge == FOS_EDGE_MIRROR;
    const int finish_known =
        finish == FOS_FINISH_NONE || finish == FOS_FINISH_RELU || finish == FOS_FINISH_THRESHOLD;
    if (!edge_known || !finish_known || isnan(limit)) { return FOS_ERR_PARAMETER; }
    const fos_status_t status = fos_open_tile(rows, cols, strides, 1, 1, tile);
    if (status != FOS_OK) { return status; }
    return scratch_count < scratch_lines * (cols + side - 1) ? FOS_ERR_CAPACITY : FOS_OK;
}

fos_status_t fos_convolve_f32(const float *image, size_t rows, size_t cols, const size_t *strides, const float *taps,
                              size_t side, fos_edge_t edge, fos_finish_t finish, float limit, float *scratch,
                              size_t scratch_count, float *filtered)
{
    if (image == NULL || taps == NULL || scratch == NULL || filtered == NULL) { return FOS_ERR_NULL; }
    if (side != 3 && side != 5) { return FOS_ERR_PARAMETER; }
    fos_tile_t tile;
    const fos_status_t status =
        open_filter(rows, cols, strides, edge, finish, limit, scratch_count, side, side, &tile);
    if (status != FOS_OK) { return status; }
    if (!all_finite(taps, side * side)) { return FOS_ERR_PARAMETER; }
    if (rows == 0 || cols == 0) { return FOS_OK; }
    const fos_filter_t filter = {edge, finish, limit};
    const fos_imaging_kernels_t *const kernels = &fos_kernels()->imaging;
    (side == 3 ? kernels->convolve_3x3_f32 : kernels->convolve_5x5_f32)(image, &tile, taps, &filter, scratch,
                                                                        filtered);
    return FOS_OK;
}

fos_status_t fos_convolve_separable_f32(const float *image, size_t rows, size_t cols, const size_t *strides,
                                        const float *row_taps, const float *col_taps, size_t side, fos_edge_t edge,
                                        fos_finish_t finish, float limit, float *scratch, size_t scratch_count,
                                        float *filtered)
{
    if (image == NULL || row_taps == NULL || col_taps == NULL || scratch == NULL || filtered == NULL) {
        return FOS_ERR_NULL;
    }
    if (side != 3 && side != 5 && side != 7) { return FOS_ERR_PARAMETER; }
    fos_tile_t tile;
    const fos_status_t status =
        open_filter(rows, cols, strides, edge, finish, limit, scratch_count, side + 1, side, &tile);
    if (status != FOS_OK) { return status; }
    if (!all_finite(row_taps, side) || !all_finite(col_taps, side)) { return FOS_ERR_PARAMETER; }
    if (rows == 0 || cols == 0) { return FOS_OK; }
    const fos_filter_t filter = {edge, finish, limit};
    fos_kernels()->imaging.convolve_separable_f32(image, &tile, row_taps, col_taps, side, &filter, scratch,
                                                  filtered);
    return FOS_OK;
}

fos_status_t fos_cfar_u16(const uint16_t *image_dn, size_t rows, size_t cols, const size_t *strides,
                          const fos_cfar_limits_t *limits, double *scratch, size_t scratch_count, uint8_t *mask,
                          uint64_t *set_count)
{
    if (image_dn == NULL || limits == NULL || scratch == NULL || mask == NULL || set_count == NULL) {
        return FOS_ERR_NULL;
    }
    if (limits->train_radius > FOS_WINDOW_RADIUS_MAX || limits->guard_radius >= limits->train_radius ||
        !(limits->deviations_squared >= 0.0) || !isfinite(limits->deviations_squared)) {
        return FOS_ERR_PARAMETER;
    }
    fos_tile_t tile;
    const fos_status_t status = fos_open_tile(rows, cols, strides, 1, 1, &tile);
    if (status != FOS_OK) { return status; }
    if (cols > FOS_COLS_MAX) { return FOS_ERR_TOO_LARGE; }
    if (scratch_count < 9 * (cols + 2 * (size_t)limits->train_radius + 1)) { return FOS_ERR_CAPACITY; }
    *set_count = fos_kernels()->imaging.cfar_u16(image_dn, &tile, limits, scratch, mask);
    return FOS_OK;
}

fos_status_t fos_hotspot_u16(const uint16_t *thermal_dn, size_t rows, size_t cols, const size_t *strides,
                             const fos_hotspot_limits_t *limits, double *scratch, size_t scratch_count, uint8_t *mask,
                             uint64_t *set_count)
{
    if (thermal_dn == NULL || limits == NULL || scratch == NULL || mask == NULL || set_count == NULL) {
        return FOS_ERR_NULL;
    }
    if (limits->radius == 0 || limits->radius > FOS_WINDOW_RADIUS_MAX || limits->candidate_dn_min == 0 ||
        limits->valid_count_min == 0 || !isfinite(limits->delta_dn) || !(limits->deviations_squared >= 0.0) ||
        !isfinite(limits->deviations_squared)) {
        return FOS_ERR_PARAMETER;
    }
    fos_tile_t tile;
    const fos_status_t status = fos_open_tile(rows, cols, strides, 1, 1, &tile);
    if (status != FOS_OK) { return status; }
    if (cols > FOS_COLS_MAX) { return FOS_ERR_TOO_LARGE; }
    if (scratch_count < 6 * (cols + 2 * (size_t)limits->radius + 1)) { return FOS_ERR_CAPACITY; }
    *set_count = fos_kernels()->imaging.hotspot_u16(thermal_dn, &tile, limits, scratch, mask);
    return FOS_OK;
}
