/* CRC-16/CCITT-FALSE and CRC-32C, eight bytes a step ("slicing by 8", Kounavis and Berry 2005).
 *
 * table[k][byte] is the CRC of that byte followed by k zero bytes, so eight look-ups that do not wait for each other
 * replace eight that do.
 */
#include "kernels_internal.h"

#define CRC16_POLYNOMIAL 0x1021u
#define CRC32C_POLYNOMIAL_REFLECTED 0x82F63B78u

static uint16_t crc16_table[8][256];
static uint32_t crc32c_table[8][256];

void fos_crc_tables_fill(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc16 = byte << 8;
        uint32_t crc32c = byte;
        for (int bit = 0; bit < 8; bit++) {
            crc16 = (crc16 & 0x8000u) != 0 ? (crc16 << 1) ^ CRC16_POLYNOMIAL : crc16 << 1;
            crc32c = (crc32c & 1u) != 0 ? (crc32c >> 1) ^ CRC32C_POLYNOMIAL_REFLECTED : crc32c >> 1;
        }
        crc16_table[0][byte] = (uint16_t)crc16;
        crc32c_table[0][byte] = crc32c;
    }
    for (size_t zeros = 1; zeros < 8; zeros++) {
        for (size_t byte = 0; byte < 256; byte++) {
            const uint32_t crc16 = crc16_table[zeros - 1][byte];
            const uint32_t crc32c = crc32c_table[zeros - 1][byte];
            crc16_table[zeros][byte] = (uint16_t)((crc16 << 8) ^ crc16_table[0][crc16 >> 8]);
            crc32c_table[zeros][byte] = (crc32c >> 8) ^ crc32c_table[0][crc32c & 0xFFu];
        }
    }
}

uint16_t fos_crc16_portable(uint16_t previous, const uint8_t *data, size_t byte_count)
{
    uint32_t crc = previous;
    for (; byte_count >= 8; byte_count -= 8, data += 8) {
        crc = (uint32_t)(crc16_table[7][data[0] ^ (crc >> 8)] ^ crc16_table[6][data[1] ^ (crc & 0xFFu)] ^
                         crc16_table[5][data[2]] ^ crc16_table[4][data[3]] ^ crc16_table[3][data[4]] ^
                         crc16_table[2][data[5]] ^ crc16_table[1][data[6]] ^ crc16_table[0][data[7]]);
    }
    for (; byte_count > 0; byte_count--, data++) {
        crc = ((crc << 8) & 0xFFFFu) ^ crc16_table[0][(crc >> 8) ^ *data];
    }
    return (uint16_t)crc;
}

uint32_t fos_crc32c_portable(uint32_t previous, const uint8_t *data, size_t byte_count)
{
    uint32_t crc = ~previous;
    for (; byte_count >= 8; byte_count -= 8, data += 8) {
        crc = crc32c_table[7][data[0] ^ (crc & 0xFFu)] ^ crc32c_table[6][data[1] ^ ((crc >> 8) & 0xFFu)] ^
              crc32c_table[5][data[2] ^ ((crc >> 16) & 0xFFu)] ^ crc32c_table[4][data[3] ^ (crc >> 24)] ^
              crc32c_table[3][data[4]] ^ crc32c_table[2][data[5]] ^ crc32c_table[1][data[6]] ^
              crc32c_table[0][data[7]];
    }
    for (; byte_count > 0; byte_count--, data++) {
        crc = (crc >> 8) ^ crc32c_table[0][(crc & 0xFFu) ^ *data];
    }
    return ~crc;
}
