/* flightos kernels: imaging, detection, SAR and geometry. Part of flightos_kernels.h, which says the common rules:
 * include that one. Images are rows x cols in C order; c64 is pairs of float, real then imaginary.
 */
#ifndef FLIGHTOS_KERNELS_IMAGING_H
#define FLIGHTOS_KERNELS_IMAGING_H

#define FOS_PIXEL_BAD 1u       /* gain, dark or their result is not a number */
#define FOS_PIXEL_SATURATED 2u /* the count is at or above saturation_dn */

typedef struct {
    uint64_t bad_count;
    uint64_t saturated_count;
} fos_calibration_counts_t;

/* One pass from counts to radiance: gain * (raw - dark), fill where that is NaN (a bad pixel has NaN gain), and one
 * byte of FOS_PIXEL_ flags for each pixel. fill may be NaN. */
fos_status_t fos_calibrate_u16(const uint16_t *raw_dn, const float *gain, const float *dark_dn, uint16_t saturation_dn,
                               float fill, float *radiance, uint8_t *flags, size_t rows, size_t cols,
                               const size_t *strides, fos_calibration_counts_t *counts);

/* Normalised difference of counts: (a - b) / (a + b) in float32, 0 where both are 0. */
fos_status_t fos_ndiff_u16(const uint16_t *a, const uint16_t *b, float *index, size_t rows, size_t cols,
                           const size_t *strides);

/* Normalised difference and, in the same pass, mask = 1 where it is above the threshold (not NaN), else 0. For "below",
 * swap a and b and negate the threshold: the index only changes its sign. */
fos_status_t fos_ndiff_mask_f32(const float *a, const float *b, float threshold, float *index, uint8_t *mask,
                                size_t rows, size_t cols, const size_t *strides, uint64_t *set_count);
fos_status_t fos_ndiff_mask_u16(const uint16_t *a, const uint16_t *b, float threshold, float *index, uint8_t *mask,
                                size_t rows, size_t cols, const size_t *strides, uint64_t *set_count);

/* Scene classes, the first that fits in this order: no data (a band is 0), snow, cloud, shadow, water, clear. */
#define FOS_SCENE_NO_DATA 0u
#define FOS_SCENE_CLEAR 1u
#define FOS_SCENE_CLOUD 2u
#define FOS_SCENE_SNOW 3u
#define FOS_SCENE_SHADOW 4u
#define FOS_SCENE_WATER 5u
#define FOS_SCENE_CLASS_COUNT 6u

/* Band tests in the manner of Landsat's ACCA (Irish et al. 2006), in integers: ratios are in units of 1/256, -256..256.
 * snow:   green >= snow_green_dn_min and (green - swir) / (green + swir) > snow_ratio_256
 * cloud:  red >= cloud_red_dn_min and swir >= cloud_swir_dn_min and |nir - red| / (nir + red) < cloud_ratio_256
 * shadow: nir < shadow_nir_dn_max and swir < shadow_swir_dn_max and red < shadow_red_dn_max
 * water:  (green - nir) / (green + nir) > water_ratio_256 */
typedef struct {
    int32_t snow_green_dn_min;
    int32_t snow_ratio_256;
    int32_t cloud_red_dn_min;
    int32_t cloud_swir_dn_min;
    int32_t cloud_ratio_256;
    int32_t shadow_red_dn_max;
    int32_t shadow_nir_dn_max;
    int32_t shadow_swir_dn_max;
    int32_t water_ratio_256;
} fos_scene_limits_t;

/* The class of each pixel, and how many there are of each: class_counts has FOS_SCENE_CLASS_COUNT elements. */
fos_status_t fos_cloud_mask_u16(const uint16_t *green, const uint16_t *red, const uint16_t *nir, const uint16_t *swir,
                                const fos_scene_limits_t *limits, uint8_t *classes, size_t rows, size_t cols,
                                const size_t *strides, uint64_t *class_counts);

/* Change classes of a burn: the number of thresholds at or below dNBR, 0..6; FOS_CHANGE_NO_DATA where a band is 0. */
#define FOS_CHANGE_THRESHOLD_COUNT 6u
#define FOS_CHANGE_NO_DATA 7u
#define FOS_CHANGE_CLASS_COUNT 8u

/* dNBR = NBR before - NBR after, NBR = (nir - swir) / (nir + swir) in float32 (Key and Benson 2006). The six thresholds
 * rise; class_counts has FOS_CHANGE_CLASS_COUNT elements. The difference is taken over one common denominator. */
fos_status_t fos_change_classes_u16(const uint16_t *nir_before, const uint16_t *swir_before, const uint16_t *nir_after,
                                    const uint16_t *swir_after, const float *thresholds, uint8_t *classes,
                                    size_t rows, size_t cols, const size_t *strides, uint64_t *class_counts);

typedef enum {
    FOS_EDGE_ZERO = 0,    /* pixels outside are 0 */
    FOS_EDGE_NEAREST = 1, /* a a a | a b c */
    FOS_EDGE_MIRROR = 2   /* c b | a b c: the edge pixel once */
} fos_edge_t;

typedef enum {
    FOS_FINISH_NONE = 0,
    FOS_FINISH_RELU = 1,     /* 0 where the sum is below the limit, NaN stays */
    FOS_FINISH_THRESHOLD = 2 /* 1 where the sum is above the limit, else 0; NaN gives 0 */
} fos_finish_t;

#define FOS_COLS_MAX ((size_t)32768)

/* Correlation with side x side taps (3 or 5), what image processing calls filtering: no turning of the taps. Products
 * are added in raster order of the taps, so every machine gives the same bits. Taps are finite.
 * scratch needs side * (cols + side - 1) floats. */
fos_status_t fos_convolve_f32(const float *image, size_t rows, size_t cols, const size_t *strides, const float *taps,
                              size_t side, fos_edge_t edge, fos_finish_t finish, float limit, float *scratch,
                              size_t scratch_count, float *filtered);

/* The same for taps that are a product: first along each row with row_taps, then along columns with col_taps.
 * side is 3, 5 or 7. scratch needs (side + 1) * (cols + side - 1) floats. */
fos_status_t fos_convolve_separable_f32(const float *image, size_t rows, size_t cols, const size_t *strides,
                                        const float *row_taps, const float *col_taps, size_t side, fos_edge_t edge,
                                        fos_finish_t finish, float limit, float *scratch, size_t scratch_count,
                                        float *filtered);

#define FOS_WINDOW_RADIUS_MAX 20u

/* A ring of background: the square of train_radius without the square of guard_radius, cut at the edge of the image. */
typedef struct {
    uint32_t guard_radius;     /* below train_radius */
    uint32_t train_radius;     /* 1..FOS_WINDOW_RADIUS_MAX */
    uint16_t dn_min;           /* nothing fainter is reported */
    double deviations_squared; /* k^2: how many standard deviations above the mean of the ring, squared */
} fos_cfar_limits_t;

/* Bright targets on clutter, constant false alarm rate (cell averaging with the ring's own deviation):
 * mask = 1 where n x - S > 0 and (n x - S)^2 > k^2 (n Q - S^2) in float64, with n, S, Q the count, sum and sum of
 * squares of the ring, which are exact. scratch needs 9 * (cols + 2 * train_radius + 1) doubles; cols <= FOS_COLS_MAX. */
fos_status_t fos_cfar_u16(const uint16_t *image_dn, size_t rows, size_t cols, const size_t *strides,
                          const fos_cfar_limits_t *limits, double *scratch, size_t scratch_count, uint8_t *mask,
                          uint64_t *set_count);

/* Contextual fire test after Giglio et al. (2003, 4): a candidate is a fire when it is hot whatever surrounds it, or
 * stands out of the valid background (neither candidate nor 0) of its window. */
typedef struct {
    uint32_t radius;           /* 1..FOS_WINDOW_RADIUS_MAX */
    uint16_t candidate_dn_min; /* not 0 */
    uint16_t absolute_dn_min;  /* at or above: fire */
    uint32_t valid_count_min;  /* background pixels needed for a comparison, not 0 */
    double delta_dn;           /* above the mean by more than this */
    double deviations_squared; /* and by more than k standard deviations, squared */
} fos_hotspot_limits_t;

/* scratch needs 6 * (cols + 2 * radius + 1) doubles; cols <= FOS_COLS_MAX. */
fos_status_t fos_hotspot_u16(const uint16_t *thermal_dn, size_t rows, size_t cols, const size_t *strides,
                             const fos_hotspot_limits_t *limits, double *scratch, size_t scratch_count, uint8_t *mask,
                             uint64_t *set_count);

/* Transpose of an image of c64: turned has cols rows of rows elements. Strides of image and turned, here and below, are in
 * elements of two floats. */
fos_status_t fos_corner_turn_c64(const float *image, size_t rows, size_t cols, const size_t *strides, float *turned);

/* Matched filter in the frequency domain: filtered = signal * (conj(reference) * window), each row with the same
 * reference (c64) and window (float), both of cols elements. scratch needs 2 * cols floats. */
fos_status_t fos_matched_filter_c64(const float *signal, size_t rows, size_t cols, const size_t *strides,
                                    const float *reference, const float *window, float *scratch, size_t scratch_count,
                                    float *filtered);

/* Where the antenna was at a pulse, and its distance to the point of zero delay. */
typedef struct {
    double antenna_x_m;
    double antenna_y_m;
    double antenna_z_m;
    double range_to_centre_m;
} fos_pulse_t;

/* Bin k of a range profile is at first_range_m + k * range_step_m from the point of zero delay; the phase turns
 * cycles_per_m = 2 f / c times a metre. */
typedef struct {
    double first_range_m;
    double range_step_m;
    double cycles_per_m;
} fos_range_axis_t;

/* Backprojection onto the plane z = 0: image(y, x) = sum over pulses of profile(dR) * exp(2 pi i cycles_per_m dR),
 * dR = |antenna - (x, y, 0)| - range_to_centre; the profile is interpolated linearly and 0 outside its bins. Ranges are
 * float64, samples and sums float32, added pulse by pulse; the exponential is a polynomial (error below 1e-6) that every
 * machine computes alike. profiles is c64, pulse_count rows of bin_count. Strides are those of profiles and of image. */
fos_status_t fos_backproject_c64(const float *profiles, size_t pulse_count, size_t bin_count, const fos_pulse_t *pulses,
                                 const fos_range_axis_t *axis, const double *x_m, size_t cols, const double *y_m,
                                 size_t rows, const size_t *strides, float *image);

#define FOS_POINT_COUNT_MAX ((size_t)1 << 14)

/* All pairs of points (r_km has three doubles for each): their range, and whether the straight line between them stays
 * at or outside a sphere of blocking_radius_km around the origin and is no longer than range_km_max. Both outputs are
 * point_count x point_count and symmetric; range_km may be NULL. A point is not in sight of itself.
 * point_count <= FOS_POINT_COUNT_MAX. */
fos_status_t fos_pairs_in_sight(const double *r_km, size_t point_count, double blocking_radius_km, double range_km_max,
                                double *range_km, uint8_t *in_sight);

/* The same for a list of edges, pairs of point indices. FOS_ERR_RANGE, and nothing written, when an index is outside. */
fos_status_t fos_edges_in_sight(const double *r_km, size_t point_count, const uint32_t *edges, size_t edge_count,
                                double blocking_radius_km, double range_km_max, double *range_km, uint8_t *in_sight);

typedef struct {
    double r_itrf_km[3];
    double zenith_itrf_unit[3];
    double elevation_sine_min; /* the mask */
} fos_station_t;

/* Stations x points: range, sine of the elevation above the station's horizon (no refraction; NaN at the station
 * itself), and 1 where that is at or above the mask. range_km and elevation_sine may be NULL. */
fos_status_t fos_contact_scan(const double *r_itrf_km, size_t point_count, const fos_station_t *stations,
                              size_t station_count, double *range_km, double *elevation_sine, uint8_t *in_contact);

#endif
