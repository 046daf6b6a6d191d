/* The doors of SECDED(72,64), its part of the table, and its look-up tables. */
#include "protection_internal.h"

uint8_t fos_secded_check_table[8][256];
uint8_t fos_secded_nibble_table[8][2][16];
uint8_t fos_secded_action[256];

/* Hsiao 1970: odd columns, so that the sum of any two is even and not zero, hence never taken for one bit; as few ones
 * as there can be, evenly spread over the check bits (26 each), so that no check is slower than the others. */
static void fill_columns(uint8_t columns[64])
{
    size_t filled = 0;
    for (unsigned byte = 0; byte < 256; byte++) {
        if (count_ones(byte) == 3) { columns[filled++] = (uint8_t)byte; }
    }
    for (unsigned turn = 0; turn < 8; turn++) { columns[filled++] = (uint8_t)((0x1Fu << turn) | (0x1Fu >> (8 - turn))); }
}

void fos_secded_tables_fill(void)
{
    uint8_t columns[64];
    fill_columns(columns);
    for (unsigned position = 0; position < 8; position++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            uint8_t check = 0;
            for (unsigned bit = 0; bit < 8; bit++) {
                if ((byte >> bit & 1u) != 0) { check ^= columns[8 * position + bit]; }
            }
            fos_secded_check_table[position][byte] = check;
        }
        for (unsigned nibble = 0; nibble < 16; nibble++) {
            fos_secded_nibble_table[position][0][nibble] = fos_secded_check_table[position][nibble];
            fos_secded_nibble_table[position][1][nibble] = fos_secded_check_table[position][16 * nibble];
        }
    }
    memset(fos_secded_action, FOS_SECDED_LOST, sizeof fos_secded_action);
    fos_secded_action[0] = 0;
    for (unsigned bit = 0; bit < 64; bit++) { fos_secded_action[columns[bit]] = (uint8_t)(1 + bit); }
    for (unsigned bit = 0; bit < 8; bit++) { fos_secded_action[1u << bit] = (uint8_t)(65 + bit); }
}

void fos_secded_fill(fos_kernels_t *table, uint32_t features)
{
    table->secded_encode = fos_secded_encode_portable;
    table->secded_check = fos_secded_check_portable;
    table->secded_scrub = fos_secded_scrub_portable;
#ifdef FOS_HAVE_AVX2
    if ((features & FOS_FEATURE_AVX2) != 0) {
        table->secded_encode = fos_secded_encode_avx2;
        table->secded_check = fos_secded_check_avx2;
        table->secded_scrub = fos_secded_scrub_avx2;
    }
#endif
    (void)features;
}

fos_status_t fos_secded_encode(const uint64_t *words, uint8_t *checks, size_t word_count)
{
    if (words == NULL || checks == NULL) { return FOS_ERR_NULL; }
    if (word_count > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    fos_kernels()->secded_encode(words, checks, word_count);
    return FOS_OK;
}

fos_status_t fos_secded_check(const uint64_t *words, const uint8_t *checks, size_t word_count,
                              fos_secded_faults_t *faults)
{
    if (words == NULL || checks == NULL || faults == NULL) { return FOS_ERR_NULL; }
    if (word_count > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    memset(faults, 0, sizeof *faults);
    fos_kernels()->secded_check(words, checks, word_count, faults);
    return FOS_OK;
}

fos_status_t fos_secded_scrub(uint64_t *words, uint8_t *checks, size_t word_count, fos_secded_faults_t *faults)
{
    if (words == NULL || checks == NULL || faults == NULL) { return FOS_ERR_NULL; }
    if (word_count > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    memset(faults, 0, sizeof *faults);
    fos_kernels()->secded_scrub(words, checks, word_count, faults);
    return FOS_OK;
}
