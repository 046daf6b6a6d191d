/* CCSDS 123.0-B-2, 4.7 to 4.11 sample after sample with AVX2: weights and differences stay in registers. */
#include "ccsds123_internal.h"

#include <immintrin.h>

typedef struct {
    __m256i part[3];
} weights_t;

typedef weights_t vector_t;

static inline void load_weights(weights_t *weights, const int32_t *from, uint32_t lanes)
{
    for (uint32_t part = 0; part < lanes / 8; part++) {
        weights->part[part] = _mm256_loadu_si256((const __m256i *)(const void *)(from + 8 * part));
    }
}

static inline void store_weights(const weights_t *weights, int32_t *to, uint32_t lanes)
{
    for (uint32_t part = 0; part < lanes / 8; part++) {
        _mm256_storeu_si256((__m256i *)(void *)(to + 8 * part), weights->part[part]);
    }
}

/* What is known only now goes from register to register: from memory, a vector would have to wait for its parts. */
static inline vector_t vector_of(const fos_ccsds123_row_t *row, size_t col, uint32_t lanes,
                                 const fos_ccsds123_fresh_t *fresh)
{
    vector_t vector;
    load_weights(&vector, row->differences + col * lanes, lanes);
    const bool has_directions = row->layout->directions != 0;
    if (has_directions) {
        __m128i first = _mm_cvtsi32_si128(fresh->north);
        first = _mm_insert_epi32(first, fresh->west, 1);
        first = _mm_insert_epi32(first, fresh->north_west, 2);
        vector.part[0] = _mm256_blend_epi32(vector.part[0], _mm256_castsi128_si256(first), 0x07);
    }
    if (fresh->has_nearest) {
        const __m256i nearest = _mm256_set1_epi32(fresh->nearest);
        vector.part[0] = has_directions ? _mm256_blend_epi32(vector.part[0], nearest, 0x08)
                                        : _mm256_blend_epi32(vector.part[0], nearest, 0x01);
    }
    return vector;
}

static inline int64_t dot_of(const weights_t *weights, const vector_t *vector, uint32_t lanes)
{
    __m256i sum = _mm256_setzero_si256();
    for (uint32_t part = 0; part < lanes / 8; part++) {
        const __m256i even = _mm256_mul_epi32(weights->part[part], vector->part[part]);
        const __m256i odd = _mm256_mul_epi32(_mm256_srli_epi64(weights->part[part], 32),
                                             _mm256_srli_epi64(vector->part[part], 32));
        sum = _mm256_add_epi64(sum, _mm256_add_epi64(even, odd));
    }
    __m128i half = _mm_add_epi64(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    half = _mm_add_epi64(half, _mm_unpackhi_epi64(half, half));
    return _mm_cvtsi128_si64(half);
}

static inline void update_weights(const fos_ccsds123_layout_t *layout, weights_t *weights, const vector_t *vector,
                           uint32_t lanes, bool error_is_negative, int32_t exponent)
{
    const __m128i left = _mm_cvtsi32_si128(exponent < 0 ? -exponent - 1 : 0);
    const __m128i right = _mm_cvtsi32_si128(exponent < 0 ? 0 : exponent + 1);
    const __m256i half = _mm256_set1_epi32(exponent < 0 ? 0 : 1 << exponent);
    const __m256i turn = _mm256_set1_epi32(error_is_negative ? -1 : 0);
    const __m256i low = _mm256_set1_epi32(layout->weight_min);
    const __m256i top = _mm256_set1_epi32(layout->weight_max);
    for (uint32_t part = 0; part < lanes / 8; part++) {
        const __m256i wide = _mm256_sll_epi32(vector->part[part], left);
        const __m256i turned = _mm256_sub_epi32(_mm256_xor_si256(wide, turn), turn);
        const __m256i step = _mm256_sra_epi32(_mm256_add_epi32(turned, half), right);
        const __m256i weight = _mm256_add_epi32(weights->part[part], step);
        weights->part[part] = _mm256_min_epi32(_mm256_max_epi32(weight, low), top);
    }
}

#define FOS_CCSDS123_RESTORE fos_ccsds123_restore_avx2
#include "ccsds123_restore.inc"
