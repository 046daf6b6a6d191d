/* What Python may call: the declarations of include/flightos_kernels.h that cffi can read (no preprocessor). */
typedef enum {
    FOS_OK,
    FOS_ERR_NULL,
    FOS_ERR_TOO_LARGE,
    FOS_ERR_CAPACITY,
    FOS_ERR_RANGE,
    FOS_ERR_PARAMETER,
    FOS_ERR_UNSUPPORTED,
    FOS_ERR_CORRUPT,
    FOS_ERR_UNCORRECTABLE,
    ...
} fos_status_t;

typedef struct {
    int64_t first_pixel_index;
    int64_t pixel_count;
    int64_t row_sum;
    int64_t col_sum;
    int64_t row_min;
    int64_t row_max;
    int64_t col_min;
    int64_t col_max;
    int64_t index_sum_fixed;
} fos_region_t;

#define FOS_ABI_VERSION ...
#define FOS_FIXED_POINT_BITS ...

int32_t fos_abi_version(void);
const char *fos_status_name(fos_status_t status);
const char *fos_isa_name(void);
fos_status_t fos_isa_select(const char *name);
fos_status_t fos_dispatch_verify(void);
void fos_dispatch_renew(void);

fos_status_t fos_correct_radiance_u8(const uint8_t *raw_dn, const float *gain, const float *dark_dn, float *radiance,
                                     size_t rows, size_t cols, const size_t *strides);
fos_status_t fos_correct_radiance_u16(const uint16_t *raw_dn, const float *gain, const float *dark_dn,
                                      float *radiance, size_t rows, size_t cols, const size_t *strides);
fos_status_t fos_ndiff_f32(const float *a, const float *b, float *index, size_t rows, size_t cols,
                           const size_t *strides);
fos_status_t fos_mask_above_f32(const float *index, float threshold, uint8_t *mask, size_t rows, size_t cols,
                                const size_t *strides, uint64_t *set_count);
fos_status_t fos_mask_below_f32(const float *index, float threshold, uint8_t *mask, size_t rows, size_t cols,
                                const size_t *strides, uint64_t *set_count);
fos_status_t fos_pack_bits(const uint8_t *mask, size_t pixel_count, uint8_t *packed, size_t packed_capacity_bytes);
fos_status_t fos_sum_fixed_f32(const float *index, size_t rows, size_t cols, const size_t *strides,
                               int64_t *sum_fixed, uint64_t *counted);
size_t fos_label_scratch_count(size_t rows, size_t cols);
fos_status_t fos_label_regions(const uint8_t *mask, const float *index, size_t rows, size_t cols,
                               const size_t *strides, size_t pixel_count_min, uint32_t *scratch, size_t scratch_count,
                               fos_region_t *regions, size_t region_capacity, size_t *region_count);

uint16_t fos_crc16(uint16_t previous, const uint8_t *data, size_t byte_count);
uint32_t fos_crc32c(uint32_t previous, const uint8_t *data, size_t byte_count);

typedef struct {
    uint32_t bits_per_sample;
    uint32_t block_size;
    uint32_t interval_blocks;
    uint32_t flags;
} fos_ccsds121_parameters_t;

size_t fos_ccsds121_encoded_bytes_max(const fos_ccsds121_parameters_t *parameters, size_t sample_count);
fos_status_t fos_ccsds121_encode(const uint8_t *samples, size_t sample_count,
                                 const fos_ccsds121_parameters_t *parameters, uint8_t *encoded,
                                 size_t encoded_capacity_bytes, size_t *encoded_bytes);
fos_status_t fos_ccsds121_decode(const uint8_t *encoded, size_t encoded_bytes,
                                 const fos_ccsds121_parameters_t *parameters, uint8_t *samples, size_t sample_count,
                                 size_t samples_capacity_bytes, size_t *samples_bytes);

typedef struct {
    uint64_t bad_count;
    uint64_t saturated_count;
} fos_calibration_counts_t;

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

typedef enum { FOS_EDGE_ZERO, FOS_EDGE_NEAREST, FOS_EDGE_MIRROR, ... } fos_edge_t;
typedef enum { FOS_FINISH_NONE, FOS_FINISH_RELU, FOS_FINISH_THRESHOLD, ... } fos_finish_t;

typedef struct {
    uint32_t guard_radius;
    uint32_t train_radius;
    uint16_t dn_min;
    double deviations_squared;
} fos_cfar_limits_t;

typedef struct {
    uint32_t radius;
    uint16_t candidate_dn_min;
    uint16_t absolute_dn_min;
    uint32_t valid_count_min;
    double delta_dn;
    double deviations_squared;
} fos_hotspot_limits_t;

typedef struct {
    double antenna_x_m;
    double antenna_y_m;
    double antenna_z_m;
    double range_to_centre_m;
} fos_pulse_t;

typedef struct {
    double first_range_m;
    double range_step_m;
    double cycles_per_m;
} fos_range_axis_t;

typedef struct {
    double r_itrf_km[3];
    double zenith_itrf_unit[3];
    double elevation_sine_min;
} fos_station_t;

fos_status_t fos_calibrate_u16(const uint16_t *raw_dn, const float *gain, const float *dark_dn, uint16_t saturation_dn,
                               float fill, float *radiance, uint8_t *flags, size_t rows, size_t cols,
                               const size_t *strides, fos_calibration_counts_t *counts);
fos_status_t fos_ndiff_u16(const uint16_t *a, const uint16_t *b, float *index, size_t rows, size_t cols,
                           const size_t *strides);
fos_status_t fos_ndiff_mask_f32(const float *a, const float *b, float threshold, float *index, uint8_t *mask,
                                size_t rows, size_t cols, const size_t *strides, uint64_t *set_count);
fos_status_t fos_ndiff_mask_u16(const uint16_t *a, const uint16_t *b, float threshold, float *index, uint8_t *mask,
                                size_t rows, size_t cols, const size_t *strides, uint64_t *set_count);
fos_status_t fos_cloud_mask_u16(const uint16_t *green, const uint16_t *red, const uint16_t *nir, const uint16_t *swir,
                                const fos_scene_limits_t *limits, uint8_t *classes, size_t rows, size_t cols,
                                const size_t *strides, uint64_t *class_counts);
fos_status_t fos_change_classes_u16(const uint16_t *nir_before, const uint16_t *swir_before, const uint16_t *nir_after,
                                    const uint16_t *swir_after, const float *thresholds, uint8_t *classes,
                                    size_t rows, size_t cols, const size_t *strides, uint64_t *class_counts);
fos_status_t fos_convolve_f32(const float *image, size_t rows, size_t cols, const size_t *strides, const float *taps,
                              size_t side, fos_edge_t edge, fos_finish_t finish, float limit, float *scratch,
                              size_t scratch_count, float *filtered);
fos_status_t fos_convolve_separable_f32(const float *image, size_t rows, size_t cols, const size_t *strides,
                                        const float *row_taps, const float *col_taps, size_t side, fos_edge_t edge,
                                        fos_finish_t finish, float limit, float *scratch, size_t scratch_count,
                                        float *filtered);
fos_status_t fos_cfar_u16(const uint16_t *image_dn, size_t rows, size_t cols, const size_t *strides,
                          const fos_cfar_limits_t *limits, double *scratch, size_t scratch_count, uint8_t *mask,
                          uint64_t *set_count);
fos_status_t fos_hotspot_u16(const uint16_t *thermal_dn, size_t rows, size_t cols, const size_t *strides,
                             const fos_hotspot_limits_t *limits, double *scratch, size_t scratch_count, uint8_t *mask,
                             uint64_t *set_count);
fos_status_t fos_corner_turn_c64(const float *image, size_t rows, size_t cols, const size_t *strides, float *turned);
fos_status_t fos_matched_filter_c64(const float *signal, size_t rows, size_t cols, const size_t *strides,
                                    const float *reference, const float *window, float *scratch, size_t scratch_count,
                                    float *filtered);
fos_status_t fos_backproject_c64(const float *profiles, size_t pulse_count, size_t bin_count, const fos_pulse_t *pulses,
                                 const fos_range_axis_t *axis, const double *x_m, size_t cols, const double *y_m,
                                 size_t rows, const size_t *strides, float *image);
fos_status_t fos_pairs_in_sight(const double *r_km, size_t point_count, double blocking_radius_km, double range_km_max,
                                double *range_km, uint8_t *in_sight);
fos_status_t fos_edges_in_sight(const double *r_km, size_t point_count, const uint32_t *edges, size_t edge_count,
                                double blocking_radius_km, double range_km_max, double *range_km, uint8_t *in_sight);
fos_status_t fos_contact_scan(const double *r_itrf_km, size_t point_count, const fos_station_t *stations,
                              size_t station_count, double *range_km, double *elevation_sine, uint8_t *in_contact);

/* CCSDS 123 codec */
typedef struct {
    uint32_t cols;
    uint32_t rows;
    uint32_t bands;
    uint32_t sample_bits;
    uint32_t is_signed;
    uint32_t interleave_bands;
    uint32_t output_word_bytes;
    uint32_t entropy_coder;
    uint32_t bands_used;
    uint32_t is_reduced;
    uint32_t local_sum;
    uint32_t register_bits;
    uint32_t weight_bits;
    uint32_t weight_interval_log2;
    int32_t weight_exponent_first;
    int32_t weight_exponent_last;
    uint32_t error_limits_used;
    uint32_t error_absolute_max;
    uint32_t error_relative_max;
    uint32_t unary_zeros_max;
    uint32_t counter_bits;
    uint32_t counter_first_bits;
    uint32_t accumulator_first;
    uint32_t block_size;
    uint32_t interval_blocks;
    uint32_t is_restricted;
    uint32_t user_data;
    uint32_t error_absolute_bits;
    uint32_t error_relative_bits;
    int32_t limits_period_log2;
    uint32_t representative_bits;
    uint32_t representative_damping;
    uint32_t representative_offset;
    uint32_t weights_first_bits;
    uint64_t hybrid_accumulator_first;
    uint32_t tables_used;
    uint32_t tables_left_out;
    uint32_t supplementary_count;
} fos_ccsds123_parameters_t;

typedef struct {
    int64_t *values;
    size_t count;
} fos_ccsds123_table_t;

typedef struct {
    uint32_t purpose;
    uint32_t kind;
    uint32_t structure;
    uint32_t user_data;
    uint32_t integer_bits;
    uint32_t significand_bits;
    uint32_t exponent_bits;
    uint32_t exponent_bias;
    fos_ccsds123_table_t elements;
} fos_ccsds123_supplementary_t;

typedef struct {
    fos_ccsds123_table_t by_kind[8];
    fos_ccsds123_supplementary_t supplementary[15];
} fos_ccsds123_tables_t;

size_t fos_ccsds123_scratch_bytes(const fos_ccsds123_parameters_t *parameters);
size_t fos_ccsds123_encoded_bytes_max(const fos_ccsds123_parameters_t *parameters, const fos_ccsds123_tables_t *tables);

fos_status_t fos_ccsds123_encode(const uint8_t *image, size_t image_bytes, const fos_ccsds123_parameters_t *parameters,
                                 const fos_ccsds123_tables_t *tables, uint8_t *scratch, size_t scratch_bytes,
                                 uint8_t *encoded, size_t encoded_capacity_bytes, size_t *encoded_bytes);

fos_status_t fos_ccsds123_read_header(const uint8_t *encoded, size_t encoded_bytes,
                                      fos_ccsds123_parameters_t *parameters, size_t *header_bytes);

fos_status_t fos_ccsds123_read_tables(const uint8_t *encoded, size_t encoded_bytes, fos_ccsds123_tables_t *tables);

fos_status_t fos_ccsds123_decode(const uint8_t *encoded, size_t encoded_bytes, const fos_ccsds123_tables_t *tables,
                                 uint8_t *image, size_t image_capacity_bytes, uint8_t *scratch, size_t scratch_bytes,
                                 size_t *image_bytes);

/* Protection and integer kernels: include/flightos_kernels_protection.h. */
typedef struct {
    uint64_t offset_bytes;
    uint64_t length_bytes;
} fos_span_t;

typedef struct {
    uint64_t first_bit_count;
    uint64_t second_bit_count;
    uint64_t third_bit_count;
} fos_vote_faults_t;

typedef struct {
    uint64_t data_bit_count;
    uint64_t check_bit_count;
    uint64_t lost_word_count;
    uint64_t first_lost_word_index;
} fos_secded_faults_t;

typedef struct {
    size_t data_count;
    size_t parity_count;
    size_t shard_bytes;
    size_t data_stride_bytes;
    size_t parity_stride_bytes;
} fos_erasure_shape_t;

typedef struct {
    double *row_sums;
    double *row_tolerances;
    double *column_sums;
    double *column_tolerances;
} fos_abft_sums_f64_t;

typedef struct {
    uint64_t row_count;
    uint64_t column_count;
    uint64_t row_index;
    uint64_t column_index;
    uint64_t corrected_count;
} fos_abft_faults_t;

uint32_t fos_crc32c_combine(uint32_t first_crc, uint32_t second_crc, uint64_t second_byte_count);
fos_status_t fos_crc16_batch(const uint8_t *data, size_t byte_count, const fos_span_t *frames, size_t frame_count,
                             uint16_t *crcs);
fos_status_t fos_crc32c_batch(const uint8_t *data, size_t byte_count, const fos_span_t *frames, size_t frame_count,
                              uint32_t *crcs);
fos_status_t fos_vote(const uint8_t *first, const uint8_t *second, const uint8_t *third, uint8_t *voted,
                      size_t byte_count, fos_vote_faults_t *faults);
fos_status_t fos_vote_scrub(uint8_t *first, uint8_t *second, uint8_t *third, size_t byte_count,
                            fos_vote_faults_t *faults);
fos_status_t fos_secded_encode(const uint64_t *words, uint8_t *checks, size_t word_count);
fos_status_t fos_secded_check(const uint64_t *words, const uint8_t *checks, size_t word_count,
                              fos_secded_faults_t *faults);
fos_status_t fos_secded_scrub(uint64_t *words, uint8_t *checks, size_t word_count, fos_secded_faults_t *faults);
fos_status_t fos_erasure_encode(const fos_erasure_shape_t *shape, const uint8_t *data, size_t data_capacity_bytes,
                                uint8_t *parity, size_t parity_capacity_bytes);
fos_status_t fos_erasure_restore(const fos_erasure_shape_t *shape, uint8_t *data, size_t data_capacity_bytes,
                                 uint8_t *parity, size_t parity_capacity_bytes, const uint8_t *is_present);
fos_status_t fos_xor_parity(const uint8_t *data, size_t data_capacity_bytes, size_t shard_count, size_t stride_bytes,
                            size_t shard_bytes, uint8_t *parity);
fos_status_t fos_gemm_i8(const int8_t *a, const int8_t *b_transposed, size_t rows, size_t cols, size_t depth,
                         int32_t *product);
fos_status_t fos_quantise_f32_i8(const float *values, size_t channel_count, size_t channel_size, const float *scale,
                                 const int8_t *zero_point, int8_t *quantised);
fos_status_t fos_dequantise_i8_f32(const int8_t *quantised, size_t channel_count, size_t channel_size,
                                   const float *scale, const int8_t *zero_point, float *values);
fos_status_t fos_abft_expect_f32(const float *a, const float *b, size_t rows, size_t cols, size_t depth,
                                 const fos_abft_sums_f64_t *expected);
fos_status_t fos_abft_correct_f32(float *product, size_t rows, size_t cols, const fos_abft_sums_f64_t *expected,
                                  double *scratch, size_t scratch_count, fos_abft_faults_t *faults);
fos_status_t fos_abft_expect_i8(const int8_t *a, const int8_t *b_transposed, size_t rows, size_t cols, size_t depth,
                                int64_t *row_sums, int64_t *column_sums);
fos_status_t fos_abft_correct_i32(int32_t *product, size_t rows, size_t cols, const int64_t *row_sums,
                                  const int64_t *column_sums, int64_t *scratch, size_t scratch_count,
                                  fos_abft_faults_t *faults);
