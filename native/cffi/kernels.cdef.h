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
                                     size_t pixel_count);
fos_status_t fos_correct_radiance_u16(const uint16_t *raw_dn, const float *gain, const float *dark_dn,
                                      float *radiance, size_t pixel_count);
fos_status_t fos_ndiff_f32(const float *a, const float *b, float *index, size_t pixel_count);
fos_status_t fos_mask_above_f32(const float *index, float threshold, uint8_t *mask, size_t pixel_count,
                                uint64_t *set_count);
fos_status_t fos_mask_below_f32(const float *index, float threshold, uint8_t *mask, size_t pixel_count,
                                uint64_t *set_count);
fos_status_t fos_pack_bits(const uint8_t *mask, size_t pixel_count, uint8_t *packed, size_t packed_capacity_bytes);
fos_status_t fos_sum_fixed_f32(const float *index, size_t pixel_count, int64_t *sum_fixed, uint64_t *counted);
fos_status_t fos_label_regions(const uint8_t *mask, const float *index, size_t rows, size_t cols,
                               size_t pixel_count_min, uint32_t *scratch, size_t scratch_count,
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
