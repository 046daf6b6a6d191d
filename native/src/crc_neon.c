/* CRC-32C with the ARMv8 CRC extension. Compiled with -march=armv8-a+crc; called only where that runs. */
#include "protection_internal.h"

#include <arm_acle.h>

#define CRC_WORD(crc, word) __crc32cd((crc), (word))
#define CRC_BYTE(crc, byte) __crc32cb((crc), (byte))
#define FOS_CRC32C fos_crc32c_neon
#define FOS_CRC32C_BATCH fos_crc32c_batch_neon
#include "crc_streams.inc"
