/* The doors of the cyclic redundancy checks, and their part of the table. */
#include "protection_internal.h"

void fos_crc_fill(fos_kernels_t *table, uint32_t features)
{
    table->crc16 = fos_crc16_portable;
    table->crc16_batch = fos_crc16_batch_portable;
    table->crc32c = fos_crc32c_portable;
    table->crc32c_batch = fos_crc32c_batch_portable;
#ifdef FOS_HAVE_SSE42
    if ((features & FOS_FEATURE_SSE42) != 0) {
        table->crc32c = fos_crc32c_sse42;
        table->crc32c_batch = fos_crc32c_batch_sse42;
    }
#endif
#ifdef FOS_HAVE_AVX512
    if ((features & FOS_FEATURE_VPCLMUL) != 0) {
        table->crc16 = fos_crc16_avx512;
        table->crc16_batch = fos_crc16_batch_avx512;
        table->crc32c = fos_crc32c_avx512;
        table->crc32c_batch = fos_crc32c_batch_avx512;
    }
#endif
#ifdef FOS_HAVE_NEON
    if ((features & FOS_FEATURE_NEON_CRC) != 0) {
        table->crc32c = fos_crc32c_neon;
        table->crc32c_batch = fos_crc32c_batch_neon;
    }
#endif
    (void)features;
}

uint16_t fos_crc16(uint16_t previous, const uint8_t *data, size_t byte_count)
{
    return data == NULL ? previous : fos_kernels()->crc16(previous, data, byte_count);
}

uint32_t fos_crc32c(uint32_t previous, const uint8_t *data, size_t byte_count)
{
    return data == NULL ? previous : fos_kernels()->crc32c(previous, data, byte_count);
}

static fos_status_t check_frames(const uint8_t *data, size_t byte_count, const fos_span_t *frames, size_t frame_count,
                                 const void *crcs)
{
    if (data == NULL || frames == NULL || crcs == NULL) { return FOS_ERR_NULL; }
    if (frame_count > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    for (size_t frame = 0; frame < frame_count; frame++) {
        if (frames[frame].offset_bytes > byte_count ||
            frames[frame].length_bytes > byte_count - frames[frame].offset_bytes) {
            return FOS_ERR_RANGE;
        }
    }
    return FOS_OK;
}

fos_status_t fos_crc16_batch(const uint8_t *data, size_t byte_count, const fos_span_t *frames, size_t frame_count,
                             uint16_t *crcs)
{
    const fos_status_t status = check_frames(data, byte_count, frames, frame_count, crcs);
    if (status == FOS_OK) { fos_kernels()->crc16_batch(data, frames, frame_count, crcs); }
    return status;
}

fos_status_t fos_crc32c_batch(const uint8_t *data, size_t byte_count, const fos_span_t *frames, size_t frame_count,
                              uint32_t *crcs)
{
    const fos_status_t status = check_frames(data, byte_count, frames, frame_count, crcs);
    if (status == FOS_OK) { fos_kernels()->crc32c_batch(data, frames, frame_count, crcs); }
    return status;
}
