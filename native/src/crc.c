/* The doors of the cyclic redundancy checks, and their part of the table. */
#include "kernels_internal.h"

void fos_crc_fill(fos_kernels_t *table, uint32_t features)
{
    table->crc16 = fos_crc16_portable;
    table->crc32c = fos_crc32c_portable;
#ifdef FOS_HAVE_SSE42
    if ((features & FOS_FEATURE_SSE42) != 0) { table->crc32c = fos_crc32c_sse42; }
#endif
#ifdef FOS_HAVE_NEON
    if ((features & FOS_FEATURE_NEON_CRC) != 0) { table->crc32c = fos_crc32c_neon; }
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
