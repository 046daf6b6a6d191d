/* CCSDS 123.0-B-2, 4.7.1 and 4.10.3 with AVX2: dot product, sign of the error, weights, one sample after the other.
 *
 * What bounds this is not the amount of work but the way from one sample's weights to the next one's: multiply (5 cycles),
 * add up across lanes (6), compare (3), choose the step, add, clip (5). So all stays in vector registers, the sum arrives
 * in every lane by itself, both possible steps are ready before the comparison is, and a second band, where there is
 * one, uses the time that the first has to wait.
 */
#include "ccsds123_internal.h"

#include <immintrin.h>

/* The same for all samples of a call. */
typedef struct {
    __m128i left, right;
    __m256i half, weight_min, weight_max;
    uint32_t weight_bits;
} constants_t;

static inline __attribute__((always_inline)) __m256i load(const int32_t *from)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

static inline __attribute__((always_inline)) constants_t constants_of(const fos_ccsds123_layout_t *layout,
                                                                      int32_t exponent)
{
    return (constants_t){.left = _mm_cvtsi32_si128(exponent < 0 ? -exponent - 1 : 0),
                         .right = _mm_cvtsi32_si128(exponent < 0 ? 0 : exponent + 1),
                         .half = _mm256_set1_epi32(exponent < 0 ? 0 : 1 << exponent),
                         .weight_min = _mm256_set1_epi32(layout->weight_min),
                         .weight_max = _mm256_set1_epi32(layout->weight_max),
                         .weight_bits = layout->given.weight_bits};
}

/* One sample of one band. */
static inline __attribute__((always_inline)) void advance(const constants_t *constants, const int32_t *differences,
                                                          int32_t central, int64_t *dot, __m256i *weights,
                                                          uint32_t vectors)
{
    __m256i sum = _mm256_setzero_si256();
    for (uint32_t index = 0; index < vectors; index++) {
        const __m256i vector = load(differences + 8 * index);
        const __m256i even = _mm256_mul_epi32(weights[index], vector);
        const __m256i odd = _mm256_mul_epi32(_mm256_srli_epi64(weights[index], 32), _mm256_srli_epi64(vector, 32));
        sum = _mm256_add_epi64(sum, _mm256_add_epi64(even, odd));
    }
    sum = _mm256_add_epi64(sum, _mm256_permute4x64_epi64(sum, 0x4E));
    sum = _mm256_add_epi64(sum, _mm256_shuffle_epi32(sum, 0x4E));
    _mm_storel_epi64((__m128i *)(void *)dot, _mm256_castsi256_si128(sum));
    const __m256i actual = _mm256_set1_epi64x((int64_t)central * ((int64_t)1 << constants->weight_bits));
    const __m256i is_positive = _mm256_cmpgt_epi64(actual, sum);
    for (uint32_t index = 0; index < vectors; index++) {
        const __m256i wide = _mm256_sll_epi32(load(differences + 8 * index), constants->left);
        const __m256i grown = _mm256_sra_epi32(_mm256_add_epi32(constants->half, wide), constants->right);
        const __m256i shrunk = _mm256_sra_epi32(_mm256_sub_epi32(constants->half, wide), constants->right);
        const __m256i step = _mm256_blendv_epi8(shrunk, grown, is_positive);
        const __m256i weight = _mm256_add_epi32(weights[index], step);
        weights[index] = _mm256_min_epi32(_mm256_max_epi32(weight, constants->weight_min), constants->weight_max);
    }
}

static inline __attribute__((always_inline)) void take_weights(const fos_ccsds123_row_t *row, __m256i *weights,
                                                               uint32_t vectors)
{
    for (uint32_t index = 0; index < vectors; index++) { weights[index] = load(row->weights + 8 * index); }
}

static inline __attribute__((always_inline)) void put_weights(const fos_ccsds123_row_t *row, const __m256i *weights,
                                                              uint32_t vectors)
{
    for (uint32_t index = 0; index < vectors; index++) {
        _mm256_storeu_si256((__m256i *)(void *)(row->weights + 8 * index), weights[index]);
    }
}

static inline __attribute__((always_inline)) void chain(const fos_ccsds123_row_t *row, uint32_t first, uint32_t end,
                                                        int32_t exponent, uint32_t vectors)
{
    const constants_t constants = constants_of(row->layout, exponent);
    const int32_t *differences = row->differences;
    __m256i weights[3];
    take_weights(row, weights, vectors);
    for (size_t col = first; col < end; col++) {
        advance(&constants, differences + 8 * vectors * col, row->central[col], row->dots + col, weights, vectors);
    }
    put_weights(row, weights, vectors);
}

void fos_ccsds123_chain_avx2(const fos_ccsds123_row_t *row, uint32_t first, uint32_t end, int32_t exponent)
{
    switch (row->layout->weight_count) {
    case 8: chain(row, first, end, exponent, 1); break;
    case 16: chain(row, first, end, exponent, 2); break;
    default: chain(row, first, end, exponent, 3); break;
    }
}

/* With one vector of weights each; more leave less to wait for, and not enough registers. */
void fos_ccsds123_chain_pair_avx2(const fos_ccsds123_row_t *row, const fos_ccsds123_row_t *partner, uint32_t first,
                                  uint32_t end, int32_t exponent)
{
    if (row->layout->weight_count > 8) {
        fos_ccsds123_chain_avx2(row, first, end, exponent);
        fos_ccsds123_chain_avx2(partner, first, end, exponent);
        return;
    }
    const constants_t constants = constants_of(row->layout, exponent);
    const int32_t *differences = row->differences;
    const int32_t *other_differences = partner->differences;
    __m256i weights[1];
    __m256i other_weights[1];
    take_weights(row, weights, 1);
    take_weights(partner, other_weights, 1);
    for (size_t col = first; col < end; col++) {
        advance(&constants, differences + 8 * col, row->central[col], row->dots + col, weights, 1);
        advance(&constants, other_differences + 8 * col, partner->central[col], partner->dots + col, other_weights, 1);
    }
    put_weights(row, weights, 1);
    put_weights(partner, other_weights, 1);
}
