/* CRC-32C with the ARMv8 CRC extension. Compiled with -march=armv8-a+crc; called only where that runs. */
#include "kernels_internal.h"

#include <arm_acle.h>
#include <string.h>

uint32_t fos_crc32c_neon(uint32_t previous, const uint8_t *data, size_t byte_count)
{
    uint32_t crc = ~previous;
    for (; byte_count >= 8; byte_count -= 8, data += 8) {
        uint64_t word;
        memcpy(&word, data, sizeof word); /* frames are not aligned */
        crc = __crc32cd(crc, word);
    }
    for (; byte_count > 0; byte_count--, data++) {
        crc = __crc32cb(crc, *data);
    }
    return ~crc;
}
