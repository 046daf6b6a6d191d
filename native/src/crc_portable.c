/* CRC-16/CCITT-FALSE and CRC-32C, eight bytes a step ("slicing by 8", Kounavis and Berry 2005).
 *
 * table[k][byte] is the CRC of that byte followed by k zero bytes, so eight look-ups that do not wait for each other
 * replace eight that do. The value of a CRC after n more zero bytes is its product with x^(8n) modulo the polynomial:
 * that joins pieces whose CRCs are known (as zlib's crc32_combine does).
 */
#include "protection_internal.h"

#define CRC16_POLYNOMIAL 0x1021u
#define CRC32C_POLYNOMIAL_REFLECTED 0x82F63B78u
/* Reflected: the highest bit is x^0. */
#define ONE_REFLECTED 0x80000000u
#define X8_REFLECTED 0x00800000u

uint16_t fos_crc16_table[8][256];
uint32_t fos_crc32c_table[8][256];
uint64_t fos_crc16_fold[FOS_CRC_FOLDS][2];
uint64_t fos_crc32c_fold[FOS_CRC_FOLDS][2];
uint32_t fos_crc32c_skip_long[4][256];
uint32_t fos_crc32c_skip_middle[4][256];
uint32_t fos_crc32c_skip_short[4][256];

static uint32_t multiply_modulo(uint32_t a, uint32_t b)
{
    uint32_t product = 0;
    for (uint32_t bit = ONE_REFLECTED; bit != 0; bit >>= 1) {
        if ((a & bit) != 0) { product ^= b; }
        b = (b & 1u) != 0 ? (b >> 1) ^ CRC32C_POLYNOMIAL_REFLECTED : b >> 1;
    }
    return product;
}

/* x^(8 * byte_count) modulo the polynomial, by repeated squaring. */
static uint32_t power_of_bytes(uint64_t byte_count)
{
    uint32_t power = ONE_REFLECTED;
    for (uint32_t square = X8_REFLECTED; byte_count != 0; byte_count >>= 1) {
        if ((byte_count & 1u) != 0) { power = multiply_modulo(power, square); }
        square = multiply_modulo(square, square);
    }
    return power;
}

uint32_t fos_crc32c_combine(uint32_t first_crc, uint32_t second_crc, uint64_t second_byte_count)
{
    return multiply_modulo(power_of_bytes(second_byte_count), first_crc) ^ second_crc;
}

static void fill_skip(uint32_t table[4][256], uint64_t byte_count)
{
    const uint32_t power = power_of_bytes(byte_count);
    for (uint32_t position = 0; position < 4; position++) {
        for (uint32_t byte = 0; byte < 256; byte++) {
            table[position][byte] = multiply_modulo(power, byte << (8 * position));
        }
    }
}

/* x^(8 * byte_count) modulo the polynomial of CRC-16: 1, with zero bytes after it. */
static uint64_t crc16_power_of_bytes(size_t byte_count)
{
    uint32_t power = 1;
    for (; byte_count > 0; byte_count--) {
        power = ((power << 8) & 0xFFFFu) ^ fos_crc16_table[0][power >> 8];
    }
    return power;
}

/* The powers for fos_crc16_fold and fos_crc32c_fold, from the definition: x^(8n) and x^(8n+64) modulo the polynomial.
 * Where bit n of 64 is x^(63-n) and bit n of a power's 32 is x^(31-n), bit n of their product is x^(94-n), not x^(127-n): the
 * power is stored one bit higher and stands for 32 less. */
static void fill_folds(void)
{
    static const size_t distances_bytes[FOS_CRC_FOLDS] = {256, 64, 48, 32, 16};
    for (size_t index = 0; index < FOS_CRC_FOLDS; index++) {
        const size_t byte_count = distances_bytes[index];
        fos_crc16_fold[index][0] = crc16_power_of_bytes(byte_count);
        fos_crc16_fold[index][1] = crc16_power_of_bytes(byte_count + 8);
        /* The first bytes, of the higher powers, lie in the lower half. */
        fos_crc32c_fold[index][0] = (uint64_t)power_of_bytes(byte_count + 8 - 4) << 1;
        fos_crc32c_fold[index][1] = (uint64_t)power_of_bytes(byte_count - 4) << 1;
    }
}

void fos_crc_tables_fill(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc16 = byte << 8;
        uint32_t crc32c = byte;
        for (int bit = 0; bit < 8; bit++) {
            crc16 = (crc16 & 0x8000u) != 0 ? (crc16 << 1) ^ CRC16_POLYNOMIAL : crc16 << 1;
            crc32c = (crc32c & 1u) != 0 ? (crc32c >> 1) ^ CRC32C_POLYNOMIAL_REFLECTED : crc32c >> 1;
        }
        fos_crc16_table[0][byte] = (uint16_t)crc16;
        fos_crc32c_table[0][byte] = crc32c;
    }
    for (size_t zeros = 1; zeros < 8; zeros++) {
        for (size_t byte = 0; byte < 256; byte++) {
            const uint32_t crc16 = fos_crc16_table[zeros - 1][byte];
            const uint32_t crc32c = fos_crc32c_table[zeros - 1][byte];
            fos_crc16_table[zeros][byte] = (uint16_t)((crc16 << 8) ^ fos_crc16_table[0][crc16 >> 8]);
            fos_crc32c_table[zeros][byte] = (crc32c >> 8) ^ fos_crc32c_table[0][crc32c & 0xFFu];
        }
    }
    fill_folds();
    fill_skip(fos_crc32c_skip_long, FOS_CRC_LONG_BYTES);
    fill_skip(fos_crc32c_skip_middle, FOS_CRC_MIDDLE_BYTES);
    fill_skip(fos_crc32c_skip_short, FOS_CRC_SHORT_BYTES);
}

uint16_t fos_crc16_portable(uint16_t previous, const uint8_t *data, size_t byte_count)
{
    uint32_t crc = previous;
    for (; byte_count >= 8; byte_count -= 8, data += 8) {
        crc = (uint32_t)(fos_crc16_table[7][data[0] ^ (crc >> 8)] ^ fos_crc16_table[6][data[1] ^ (crc & 0xFFu)] ^
                         fos_crc16_table[5][data[2]] ^ fos_crc16_table[4][data[3]] ^ fos_crc16_table[3][data[4]] ^
                         fos_crc16_table[2][data[5]] ^ fos_crc16_table[1][data[6]] ^ fos_crc16_table[0][data[7]]);
    }
    for (; byte_count > 0; byte_count--, data++) {
        crc = ((crc << 8) & 0xFFFFu) ^ fos_crc16_table[0][(crc >> 8) ^ *data];
    }
    return (uint16_t)crc;
}

uint32_t fos_crc32c_portable(uint32_t previous, const uint8_t *data, size_t byte_count)
{
    uint32_t crc = ~previous;
    for (; byte_count >= 8; byte_count -= 8, data += 8) {
        crc = fos_crc32c_table[7][data[0] ^ (crc & 0xFFu)] ^ fos_crc32c_table[6][data[1] ^ ((crc >> 8) & 0xFFu)] ^
              fos_crc32c_table[5][data[2] ^ ((crc >> 16) & 0xFFu)] ^ fos_crc32c_table[4][data[3] ^ (crc >> 24)] ^
              fos_crc32c_table[3][data[4]] ^ fos_crc32c_table[2][data[5]] ^ fos_crc32c_table[1][data[6]] ^
              fos_crc32c_table[0][data[7]];
    }
    for (; byte_count > 0; byte_count--, data++) {
        crc = (crc >> 8) ^ fos_crc32c_table[0][(crc & 0xFFu) ^ *data];
    }
    return ~crc;
}

void fos_crc16_batch_portable(const uint8_t *data, const fos_span_t *frames, size_t frame_count, uint16_t *crcs)
{
    for (size_t frame = 0; frame < frame_count; frame++) {
        crcs[frame] = fos_crc16_portable(0xFFFF, data + frames[frame].offset_bytes, frames[frame].length_bytes);
    }
}

void fos_crc32c_batch_portable(const uint8_t *data, const fos_span_t *frames, size_t frame_count, uint32_t *crcs)
{
    for (size_t frame = 0; frame < frame_count; frame++) {
        crcs[frame] = fos_crc32c_portable(0, data + frames[frame].offset_bytes, frames[frame].length_bytes);
    }
}
