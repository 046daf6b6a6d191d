/* Combinations of shards over GF(2^8) with AVX2: a product by two 16-entry look-ups (Plank, Greenan, Miller 2013).
 *
 * Up to four targets are summed in registers while the sources pass by, 64 bytes of each at a time.
 */
#include "protection_internal.h"

#include <immintrin.h>

#include "gf_tail.inc"

#define STRIP_BYTES 64u
#define ROWS_MAX 4u
#define PREFETCH_BYTES 1024u

static inline __m256i table_of(uint8_t factor, size_t half)
{
    return _mm256_broadcastsi128_si256(
        _mm_load_si128((const __m128i *)(const void *)(fos_gf_nibbles[factor] + 16 * half)));
}

/* The prefetcher loses track of so many streams; without this, from memory, it is half as fast. The address may lie beyond
 * the shard, where nothing happens. A macro, because gcc drops calls of a function that only prefetches. */
#define PREFETCH(bytes) _mm_prefetch((const char *)((uintptr_t)(bytes) + PREFETCH_BYTES), _MM_HINT_T0)

/* row_count is a constant where this is inlined. */
static inline __attribute__((always_inline)) void combine_rows(const uint8_t *factors, const size_t row_count,
                                                               size_t column_count, const uint8_t *const *sources,
                                                               uint8_t *const *targets, size_t byte_count)
{
    const __m256i low_nibbles = _mm256_set1_epi8(15);
    for (size_t byte = 0; byte + STRIP_BYTES <= byte_count; byte += STRIP_BYTES) {
        __m256i sums[ROWS_MAX][2];
        for (size_t row = 0; row < row_count; row++) {
            sums[row][0] = _mm256_setzero_si256();
            sums[row][1] = _mm256_setzero_si256();
        }
        for (size_t column = 0; column < column_count; column++) {
            const __m256i *source = (const __m256i *)(const void *)(sources[column] + byte);
            const __m256i first = _mm256_loadu_si256(source);
            const __m256i second = _mm256_loadu_si256(source + 1);
            PREFETCH(sources[column] + byte);
            const __m256i first_low = _mm256_and_si256(first, low_nibbles);
            const __m256i first_high = _mm256_and_si256(_mm256_srli_epi16(first, 4), low_nibbles);
            const __m256i second_low = _mm256_and_si256(second, low_nibbles);
            const __m256i second_high = _mm256_and_si256(_mm256_srli_epi16(second, 4), low_nibbles);
            for (size_t row = 0; row < row_count; row++) {
                const uint8_t factor = factors[row * column_count + column];
                const __m256i low = table_of(factor, 0);
                const __m256i high = table_of(factor, 1);
                sums[row][0] = _mm256_xor_si256(sums[row][0], _mm256_xor_si256(_mm256_shuffle_epi8(low, first_low),
                                                                               _mm256_shuffle_epi8(high, first_high)));
                sums[row][1] = _mm256_xor_si256(sums[row][1], _mm256_xor_si256(_mm256_shuffle_epi8(low, second_low),
                                                                               _mm256_shuffle_epi8(high, second_high)));
            }
        }
        for (size_t row = 0; row < row_count; row++) {
            __m256i *target = (__m256i *)(void *)(targets[row] + byte);
            _mm256_storeu_si256(target, sums[row][0]);
            _mm256_storeu_si256(target + 1, sums[row][1]);
        }
    }
}

void fos_gf_combine_avx2(const uint8_t *factors, size_t row_count, size_t column_count,
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
