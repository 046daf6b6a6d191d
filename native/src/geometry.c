/* The doors of SAR and of geometry between many points. */
#include "kernels_internal.h"

#include <math.h>

fos_status_t fos_corner_turn_c64(const float *image, size_t rows, size_t cols, const size_t *strides, float *turned)
{
    if (image == NULL || turned == NULL) { return FOS_ERR_NULL; }
    fos_tile_t tile;
    const fos_status_t status = fos_open_tile(rows, cols, strides, 2, 0, &tile);
    if (status != FOS_OK) { return status; }
    if (strides == NULL) { tile.strides[1] = rows; } /* what was a row is a column */
    if (tile.strides[1] < rows && cols > 1) { return FOS_ERR_PARAMETER; }
    fos_kernels()->imaging.corner_turn_c64(image, &tile, turned);
    return FOS_OK;
}

fos_status_t fos_matched_filter_c64(const float *signal, size_t rows, size_t cols, const size_t *strides,
                                    const float *reference, const float *window, float *scratch, size_t scratch_count,
                                    float *filtered)
{
    if (signal == NULL || reference == NULL || window == NULL || scratch == NULL || filtered == NULL) {
        return FOS_ERR_NULL;
    }
    fos_tile_t tile;
    const fos_status_t status = fos_open_tile(rows, cols, strides, 1, 1, &tile);
    if (status != FOS_OK) { return status; }
    if (scratch_count < 2 * cols) { return FOS_ERR_CAPACITY; }
    fos_kernels()->imaging.matched_filter_c64(signal, &tile, reference, window, scratch, filtered);
    return FOS_OK;
}

fos_status_t fos_backproject_c64(const float *profiles, size_t pulse_count, size_t bin_count, const fos_pulse_t *pulses,
                                 const fos_range_axis_t *axis, const double *x_m, size_t cols, const double *y_m,
                                 size_t rows, const size_t *strides, float *image)
{
    if (profiles == NULL || pulses == NULL || axis == NULL || x_m == NULL || y_m == NULL || image == NULL) {
        return FOS_ERR_NULL;
    }
    fos_tile_t given;
    fos_tile_t wanted;
    fos_status_t status = fos_open_tile(pulse_count, bin_count, strides, 1, 0, &given);
    if (status != FOS_OK) { return status; }
    status = fos_open_tile(rows, cols, strides == NULL ? NULL : strides + 1, 0, 1, &wanted);
    if (status != FOS_OK) { return status; }
    if (bin_count < 2 || !(axis->range_step_m > 0.0) || !isfinite(axis->range_step_m) ||
        !isfinite(axis->first_range_m) || !isfinite(axis->cycles_per_m)) {
        return FOS_ERR_PARAMETER;
    }
    const fos_profiles_t extent = {pulse_count, bin_count, given.strides[0]};
    fos_kernels()->imaging.backproject_c64(profiles, &extent, pulses, axis, x_m, cols, y_m, rows, image,
                                           wanted.strides[0]);
    return FOS_OK;
}

static fos_status_t check_sight(size_t point_count, double blocking_radius_km, double range_km_max)
{
    if (point_count > FOS_POINT_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    /* An infinite range is no limit; NaN and negative values are refused. */
    if (!(blocking_radius_km >= 0.0) || !isfinite(blocking_radius_km) || !(range_km_max >= 0.0)) {
        return FOS_ERR_PARAMETER;
    }
    return FOS_OK;
}

fos_status_t fos_pairs_in_sight(const double *r_km, size_t point_count, double blocking_radius_km, double range_km_max,
                                double *range_km, uint8_t *in_sight)
{
    if (r_km == NULL || in_sight == NULL) { return FOS_ERR_NULL; }
    const fos_status_t status = check_sight(point_count, blocking_radius_km, range_km_max);
    if (status != FOS_OK) { return status; }
    fos_kernels()->imaging.pairs_in_sight(r_km, point_count, blocking_radius_km, range_km_max, range_km, in_sight);
    return FOS_OK;
}

fos_status_t fos_edges_in_sight(const double *r_km, size_t point_count, const uint32_t *edges, size_t edge_count,
                                double blocking_radius_km, double range_km_max, double *range_km, uint8_t *in_sight)
{
    if (r_km == NULL || edges == NULL || range_km == NULL || in_sight == NULL) { return FOS_ERR_NULL; }
    const fos_status_t status = check_sight(point_count, blocking_radius_km, range_km_max);
    if (status != FOS_OK) { return status; }
    if (edge_count > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    for (size_t end = 0; end < 2 * edge_count; end++) {
        if (edges[end] >= point_count) { return FOS_ERR_RANGE; }
    }
    fos_kernels()->imaging.edges_in_sight(r_km, edges, edge_count, blocking_radius_km, range_km_max, range_km, in_sight);
    return FOS_OK;
}

fos_status_t fos_contact_scan(const double *r_itrf_km, size_t point_count, const fos_station_t *stations,
                              size_t station_count, double *range_km, double *elevation_sine, uint8_t *in_contact)
{
    if (r_itrf_km == NULL || stations == NULL || in_contact == NULL) { return FOS_ERR_NULL; }
    if (point_count > FOS_PIXEL_COUNT_MAX || station_count > FOS_POINT_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    if (point_count * station_count > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    fos_kernels()->imaging.contact_scan(r_itrf_km, point_count, stations, station_count, range_km, elevation_sine,
                                        in_contact);
    return FOS_OK;
}
