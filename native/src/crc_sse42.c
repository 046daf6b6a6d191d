/* CRC-32C with the instruction that SSE4.2 has for it. Compiled with -msse4.2; called only where that runs. */
#include "kernels_internal.h"

#include <nmmintrin.h>
#include <string.h>

uint32_t fos_crc32c_sse42(uint32_t previous, const uint8_t *data, size_t byte_count)
{
    uint64_t crc = (uint32_t)~previous;
    for (; byte_count >= 8; byte_count -= 8, data += 8) {
        uint64_t word;
        memcpy(&word, data, sizeof word); /* frames are not aligned */
        crc = _mm_crc32_u64(crc, word);
    }
    uint32_t tail = (uint32_t)crc;
    for (; byte_count > 0; byte_count--, data++) {
        tail = _mm_crc32_u8(tail, *data);
    }
    return ~tail;
}
