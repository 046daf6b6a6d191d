/* Combinations of shards over GF(2^8) with NEON: a product by two 16-entry look-ups (tbl). */
#include "protection_internal.h"

#include <arm_neon.h>

#include "gf_tail.inc"

#define STRIP_BYTES 32u
#define ROWS_MAX 4u

static inline __attribute__((always_inline)) void combine_rows(const uint8_t *factors, const size_t row_count,
                                                               size_t column_count, const uint8_t *const *sources,
                                                               uint8_t *const *targets, size_t byte_count)
{
    const uint8x16_t low_nibbles = vdupq_n_u8(15);
    for (size_t byte = 0; byte + STRIP_BYTES <= byte_count; byte += STRIP_BYTES) {
        uint8x16_t sums[ROWS_MAX][2];
        for (size_t row = 0; row < row_count; row++) {
            sums[row][0] = vdupq_n_u8(0);
            sums[row][1] = vdupq_n_u8(0);
        }
        for (size_t column = 0; column < column_count; column++) {
            const uint8x16_t first = vld1q_u8(sources[column] + byte);
            const uint8x16_t second = vld1q_u8(sources[column] + byte + 16);
            const uint8x16_t first_low = vandq_u8(first, low_nibbles);
            const uint8x16_t first_high = vshrq_n_u8(first, 4);
            const uint8x16_t second_low = vandq_u8(second, low_nibbles);
            const uint8x16_t second_high = vshrq_n_u8(second, 4);
            for (size_t row = 0; row < row_count; row++) {
                const uint8_t *nibbles = fos_gf_nibbles[factors[row * column_count + column]];
                const uint8x16_t low = vld1q_u8(nibbles);
                const uint8x16_t high = vld1q_u8(nibbles + 16);
                sums[row][0] =
                    veorq_u8(sums[row][0], veorq_u8(vqtbl1q_u8(low, first_low), vqtbl1q_u8(high, first_high)));
                sums[row][1] =
                    veorq_u8(sums[row][1], veorq_u8(vqtbl1q_u8(low, second_low), vqtbl1q_u8(high, second_high)));
            }
        }
        for (size_t row = 0; row < row_count; row++) {
            vst1q_u8(targets[row] + byte, sums[row][0]);
            vst1q_u8(targets[row] + byte + 16, sums[row][1]);
        }
    }
}

void fos_gf_combine_neon(const uint8_t *factors, size_t row_count, size_t column_count,
                         const uint8_t *const *sources, uint8_t *const *targets, size_t byte_count)
{
    for (size_t row = 0; row < row_count; row += ROWS_MAX) {
        const uint8_t *first_factor = factors + row * column_count;
        switch (row_count - row) {
        case 1: combine_rows(first_factor, 1, column_count, sources, targets + row, byte_count); break;
        case 2: combine_rows(first_factor, 2, column_count, sources, targets + row, byte_count); break;
        case 3: combine_rows(first_factor, 3, column_count, sources, targets + row, byte_count); break;
        default: combine_rows(first_factor, 4, column_count, sources, targets + row, byte_count); break;
        }
    }
    combine_bytes(factors, row_count, column_count, sources, targets, byte_count - byte_count % STRIP_BYTES, byte_count);
}
