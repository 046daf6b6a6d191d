/* What the kernel files share: the table of function pointers behind every public function, and processor features.
 *
 * Each public fos_* function checks its arguments at the door (dispatch.c) and calls through the table; the functions
 * in the table trust theirs. To add an instruction set to a kernel: write <kernel>_<isa>.c, declare its function here,
 * put it into that level's table in dispatch.c and give the file its flags in CMakeLists.txt.
 */
#ifndef FOS_KERNELS_INTERNAL_H
#define FOS_KERNELS_INTERNAL_H

#include "flightos_kernels.h"

/* Processor features, found once. */
#define FOS_FEATURE_SSE42 1u
#define FOS_FEATURE_AVX2 2u
#define FOS_FEATURE_NEON_CRC 4u

uint32_t fos_cpu_features(void);

typedef struct {
    const char *name;
    uint32_t features_needed;
    void (*correct_radiance_u8)(const uint8_t *, const float *, const float *, float *, size_t);
    void (*correct_radiance_u16)(const uint16_t *, const float *, const float *, float *, size_t);
    void (*ndiff_f32)(const float *, const float *, float *, size_t);
    uint64_t (*mask_above_f32)(const float *, float, uint8_t *, size_t);
    uint64_t (*mask_below_f32)(const float *, float, uint8_t *, size_t);
    void (*pack_bits)(const uint8_t *, size_t, uint8_t *);
    fos_status_t (*sum_fixed_f32)(const float *, size_t, int64_t *, uint64_t *);
    uint16_t (*crc16)(uint16_t, const uint8_t *, size_t);
    uint32_t (*crc32c)(uint32_t, const uint8_t *, size_t);
} fos_kernels_t;

/* Fills the CRC tables; called once, before any table is in use. */
void fos_crc_tables_fill(void);

void fos_correct_radiance_u8_portable(const uint8_t *restrict raw_dn, const float *restrict gain,
                                      const float *restrict dark_dn, float *restrict radiance, size_t pixel_count);
void fos_correct_radiance_u16_portable(const uint16_t *restrict raw_dn, const float *restrict gain,
                                       const float *restrict dark_dn, float *restrict radiance, size_t pixel_count);
void fos_ndiff_f32_portable(const float *restrict a, const float *restrict b, float *restrict index,
                            size_t pixel_count);
uint64_t fos_mask_above_f32_portable(const float *restrict index, float threshold, uint8_t *restrict mask,
                                     size_t pixel_count);
uint64_t fos_mask_below_f32_portable(const float *restrict index, float threshold, uint8_t *restrict mask,
                                     size_t pixel_count);
void fos_pack_bits_portable(const uint8_t *restrict mask, size_t pixel_count, uint8_t *restrict packed);
fos_status_t fos_sum_fixed_f32_portable(const float *index, size_t pixel_count, int64_t *sum_fixed,
                                        uint64_t *counted);
uint16_t fos_crc16_portable(uint16_t previous, const uint8_t *data, size_t byte_count);
uint32_t fos_crc32c_portable(uint32_t previous, const uint8_t *data, size_t byte_count);
uint32_t fos_crc32c_sse42(uint32_t previous, const uint8_t *data, size_t byte_count);
uint32_t fos_crc32c_neon(uint32_t previous, const uint8_t *data, size_t byte_count);

#endif
