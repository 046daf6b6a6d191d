/* CRC-32C with the instruction that SSE4.2 has for it. Compiled with -msse4.2; called only where that runs. */
#include "protection_internal.h"

#include <nmmintrin.h>

#define CRC_WORD(crc, word) ((uint32_t)_mm_crc32_u64((crc), (word)))
#define CRC_BYTE(crc, byte) _mm_crc32_u8((crc), (byte))
#define FOS_CRC32C fos_crc32c_sse42
#define FOS_CRC32C_BATCH fos_crc32c_batch_sse42
#include "crc_streams.inc"
