/* Bitwise majority of three copies with AVX2, 128 bytes at a time.
 *
 * Large outputs go past the caches: a normal store would first read the line that it overwrites.
 */
#include "protection_internal.h"

#include <immintrin.h>

#include "vote_words.inc"

#define BLOCK_BYTES 128u
/* Above the second-level cache nobody reads the output back from there. */
#define STREAM_BYTES_MIN ((size_t)1 << 20)

static inline __m256i load(const uint8_t *bytes, size_t vector)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)bytes + vector);
}

static inline int differs(const __m256i words[4], const uint8_t *second, const uint8_t *third)
{
    __m256i different = _mm256_setzero_si256();
    for (size_t vector = 0; vector < 4; vector++) {
        different = _mm256_or_si256(different, _mm256_xor_si256(words[vector], load(second, vector)));
        different = _mm256_or_si256(different, _mm256_xor_si256(words[vector], load(third, vector)));
    }
    return !_mm256_testz_si256(different, different);
}

static inline void load_block(__m256i words[4], const uint8_t *first)
{
    for (size_t vector = 0; vector < 4; vector++) { words[vector] = load(first, vector); }
}

static size_t bytes_to_alignment(const uint8_t *memory, size_t byte_count)
{
    const size_t bytes = (32u - ((uintptr_t)memory & 31u)) & 31u;
    return bytes < byte_count ? bytes : byte_count;
}

void fos_vote_avx2(const uint8_t *first, const uint8_t *second, const uint8_t *third, uint8_t *voted,
                   size_t byte_count, fos_vote_faults_t *faults)
{
    size_t byte = bytes_to_alignment(voted, byte_count);
    vote_bytes(first, second, third, voted, byte, faults);
    const int is_streamed = byte_count >= STREAM_BYTES_MIN;
    for (; byte + BLOCK_BYTES <= byte_count; byte += BLOCK_BYTES) {
        __m256i words[4];
        load_block(words, first + byte);
        if (differs(words, second + byte, third + byte)) {
            vote_bytes(first + byte, second + byte, third + byte, voted + byte, BLOCK_BYTES, faults);
            continue;
        }
        __m256i *target = (__m256i *)(void *)(voted + byte);
        if (is_streamed) {
            for (size_t vector = 0; vector < 4; vector++) { _mm256_stream_si256(target + vector, words[vector]); }
        } else {
            for (size_t vector = 0; vector < 4; vector++) { _mm256_store_si256(target + vector, words[vector]); }
        }
    }
    vote_bytes(first + byte, second + byte, third + byte, voted + byte, byte_count - byte, faults);
    if (is_streamed) { _mm_sfence(); }
}

void fos_vote_scrub_avx2(uint8_t *first, uint8_t *second, uint8_t *third, size_t byte_count, fos_vote_faults_t *faults)
{
    for (; byte_count >= BLOCK_BYTES; byte_count -= BLOCK_BYTES) {
        __m256i words[4];
        load_block(words, first);
        if (differs(words, second, third)) { scrub_bytes(first, second, third, BLOCK_BYTES, faults); }
        first += BLOCK_BYTES;
        second += BLOCK_BYTES;
        third += BLOCK_BYTES;
    }
    scrub_bytes(first, second, third, byte_count, faults);
}
