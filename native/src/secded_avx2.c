/* SECDED(72,64) with AVX2: the check bytes of 32 words at once.
 *
 * The words are turned so that each vector holds one byte position of all 32; then two 16-entry look-ups (pshufb), for
 * the low and the high nibbles, give that position's part of the check bytes.
 */
#include "protection_internal.h"

#include <immintrin.h>

#include "secded_words.inc"

#define WORDS 32u

typedef struct {
    __m256i nibbles[8][2];
} tables_t;

static inline void load_tables(tables_t *tables)
{
    for (size_t position = 0; position < 8; position++) {
        for (size_t half = 0; half < 2; half++) {
            tables->nibbles[position][half] = _mm256_broadcastsi128_si256(
                _mm_loadu_si128((const __m128i *)(const void *)fos_secded_nibble_table[position][half]));
        }
    }
}

/* Byte position p of words 0..31, in order, becomes vector p. */
static inline void turn(const uint64_t *words, __m256i turned[8])
{
    const __m256i pair = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15));
    __m256i a[8];
    __m256i b[8];
    for (size_t vector = 0; vector < 8; vector++) {
        /* The low lanes take words 0..15, the high lanes 16..31, so that no step has to cross lanes. */
        const __m128i low = _mm_loadu_si128((const __m128i *)(const void *)(words + 2 * vector));
        const __m128i high = _mm_loadu_si128((const __m128i *)(const void *)(words + 16 + 2 * vector));
        a[vector] = _mm256_shuffle_epi8(_mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1), pair);
    }
    /* Each step moves one bit of the byte position from the place in a vector to the number of the vector. */
    for (size_t vector = 0; vector < 4; vector++) {
        b[vector] = _mm256_unpacklo_epi16(a[vector], a[vector + 4]);
        b[vector + 4] = _mm256_unpackhi_epi16(a[vector], a[vector + 4]);
    }
    for (size_t half = 0; half < 8; half += 4) {
        for (size_t vector = 0; vector < 2; vector++) {
            a[half + vector] = _mm256_unpacklo_epi16(b[half + vector], b[half + vector + 2]);
            a[half + vector + 2] = _mm256_unpackhi_epi16(b[half + vector], b[half + vector + 2]);
        }
    }
    for (size_t quarter = 0; quarter < 8; quarter += 2) {
        turned[quarter] = _mm256_unpacklo_epi16(a[quarter], a[quarter + 1]);
        turned[quarter + 1] = _mm256_unpackhi_epi16(a[quarter], a[quarter + 1]);
    }
}

static inline __m256i check_bytes(const tables_t *tables, const uint64_t *words)
{
    const __m256i low_nibbles = _mm256_set1_epi8(15);
    __m256i turned[8];
    turn(words, turned);
    __m256i check = _mm256_setzero_si256();
    for (size_t position = 0; position < 8; position++) {
        const __m256i low = _mm256_and_si256(turned[position], low_nibbles);
        const __m256i high = _mm256_and_si256(_mm256_srli_epi16(turned[position], 4), low_nibbles);
        check = _mm256_xor_si256(check, _mm256_shuffle_epi8(tables->nibbles[position][0], low));
        check = _mm256_xor_si256(check, _mm256_shuffle_epi8(tables->nibbles[position][1], high));
    }
    return check;
}

static inline int has_fault(const tables_t *tables, const uint64_t *words, const uint8_t *checks)
{
    const __m256i stored = _mm256_loadu_si256((const __m256i *)(const void *)checks);
    const __m256i syndromes = _mm256_xor_si256(check_bytes(tables, words), stored);
    return !_mm256_testz_si256(syndromes, syndromes);
}

void fos_secded_encode_avx2(const uint64_t *words, uint8_t *checks, size_t word_count)
{
    tables_t tables;
    load_tables(&tables);
    size_t index = 0;
    for (; index + WORDS <= word_count; index += WORDS) {
        _mm256_storeu_si256((__m256i *)(void *)(checks + index), check_bytes(&tables, words + index));
    }
    encode_words(words, checks, index, word_count - index);
}

void fos_secded_check_avx2(const uint64_t *words, const uint8_t *checks, size_t word_count,
                           fos_secded_faults_t *faults)
{
    tables_t tables;
    load_tables(&tables);
    size_t index = 0;
    for (; index + WORDS <= word_count; index += WORDS) {
        if (has_fault(&tables, words + index, checks + index)) { check_words(words, checks, index, WORDS, faults); }
    }
    check_words(words, checks, index, word_count - index, faults);
}

void fos_secded_scrub_avx2(uint64_t *words, uint8_t *checks, size_t word_count, fos_secded_faults_t *faults)
{
    tables_t tables;
    load_tables(&tables);
    size_t index = 0;
    for (; index + WORDS <= word_count; index += WORDS) {
        if (has_fault(&tables, words + index, checks + index)) { scrub_words(words, checks, index, WORDS, faults); }
    }
    scrub_words(words, checks, index, word_count - index, faults);
}
