/* Combinations of shards over GF(2^8) with GFNI in 512 bits: one instruction per product.
 *
 * The instruction's own multiplication has another polynomial, so the product is taken as an 8 x 8 bit matrix.
 */
#include "protection_internal.h"

#include <immintrin.h>

#include "gf_tail.inc"

#define STRIP_BYTES 128u
#define ROWS_MAX 4u
#define PREFETCH_BYTES 1024u

/* The prefetcher loses track of so many streams; without this, from memory, it is half as fast. The address may lie beyond
 * the shard, where nothing happens. A macro, because gcc drops calls of a function that only prefetches. */
#define PREFETCH(bytes) _mm_prefetch((const char *)((uintptr_t)(bytes) + PREFETCH_BYTES), _MM_HINT_T0)

static inline __attribute__((always_inline)) void combine_rows(const uint8_t *factors, const size_t row_count,
                                                               size_t column_count, const uint8_t *const *sources,
                                                               uint8_t *const *targets, size_t byte_count)
{
    for (size_t byte = 0; byte + STRIP_BYTES <= byte_count; byte += STRIP_BYTES) {
        __m512i sums[ROWS_MAX][2];
        for (size_t row = 0; row < row_count; row++) {
            sums[row][0] = _mm512_setzero_si512();
            sums[row][1] = _mm512_setzero_si512();
        }
        for (size_t column = 0; column < column_count; column++) {
            const __m512i first = _mm512_loadu_si512(sources[column] + byte);
            const __m512i second = _mm512_loadu_si512(sources[column] + byte + 64);
            PREFETCH(sources[column] + byte);
            PREFETCH(sources[column] + byte + 64);
            for (size_t row = 0; row < row_count; row++) {
                const __m512i matrix =
                    _mm512_set1_epi64((long long)fos_gf_matrix[factors[row * column_count + column]]);
                sums[row][0] = _mm512_xor_si512(sums[row][0], _mm512_gf2p8affine_epi64_epi8(first, matrix, 0));
                sums[row][1] = _mm512_xor_si512(sums[row][1], _mm512_gf2p8affine_epi64_epi8(second, matrix, 0));
            }
        }
        for (size_t row = 0; row < row_count; row++) {
            _mm512_storeu_si512(targets[row] + byte, sums[row][0]);
            _mm512_storeu_si512(targets[row] + byte + 64, sums[row][1]);
        }
    }
}

void fos_gf_combine_avx512(const uint8_t *factors, size_t row_count, size_t column_count,
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
