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

/* The same where 16 bits hold differences, weights and steps, and 32 bits the sum: images of up to 11 bits with at most 8
 * weights, one vector of 128 bits. Nothing crosses from half to half then, and products are added in pairs as they are made:
 * some 14 cycles instead of 21. */
#define NARROW_SAMPLE_BITS_MAX 11u
#define NARROW_WEIGHT_BITS_MAX 13u

static inline bool is_narrow(const fos_ccsds123_row_t *row, int32_t exponent)
{
    const fos_ccsds123_parameters_t *given = &row->layout->given;
    const int32_t difference_bits = (int32_t)given->sample_bits + 2; /* without the sign */
    return row->layout->weight_count == 8 && given->sample_bits <= NARROW_SAMPLE_BITS_MAX
           && given->weight_bits <= NARROW_WEIGHT_BITS_MAX
           && (exponent < 0 ? difference_bits - exponent - 1 <= 15 : exponent <= 13);
}

typedef struct {
    __m128i left, right, half, weight_min, weight_max, weight_bits;
} narrow_t;

static inline __attribute__((always_inline)) narrow_t narrow_of(const fos_ccsds123_layout_t *layout, int32_t exponent)
{
    return (narrow_t){.left = _mm_cvtsi32_si128(exponent < 0 ? -exponent - 1 : 0),
                      .right = _mm_cvtsi32_si128(exponent < 0 ? 0 : exponent + 1),
                      .half = _mm_set1_epi16((int16_t)(exponent < 0 ? 0 : 1 << exponent)),
                      .weight_min = _mm_set1_epi16((int16_t)layout->weight_min),
                      .weight_max = _mm_set1_epi16((int16_t)layout->weight_max),
                      .weight_bits = _mm_cvtsi32_si128((int32_t)layout->given.weight_bits)};
}

static inline __attribute__((always_inline)) __m128i load_narrow(const int32_t *from)
{
    const __m128i *halves = (const __m128i *)(const void *)from;
    return _mm_packs_epi32(_mm_loadu_si128(halves), _mm_loadu_si128(halves + 1));
}

static inline __attribute__((always_inline)) __m128i advance_narrow(const narrow_t *constants, const int32_t *differences,
                                                                    const int32_t *central, int64_t *dot,
                                                                    __m128i weights)
{
    const __m128i vector = load_narrow(differences);
    const __m128i wide = _mm_sll_epi16(vector, constants->left);
    const __m128i grown = _mm_sra_epi16(_mm_add_epi16(constants->half, wide), constants->right);
    const __m128i shrunk = _mm_sra_epi16(_mm_sub_epi16(constants->half, wide), constants->right);
    const __m128i actual = _mm_sll_epi32(_mm_set1_epi32(*central), constants->weight_bits);
    __m128i sum = _mm_madd_epi16(weights, vector);
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1));
    _mm_storel_epi64((__m128i *)(void *)dot, _mm_cvtepi32_epi64(sum));
    const __m128i step = _mm_blendv_epi8(shrunk, grown, _mm_cmpgt_epi32(actual, sum));
    const __m128i weight = _mm_adds_epi16(weights, step);
    return _mm_min_epi16(_mm_max_epi16(weight, constants->weight_min), constants->weight_max);
}

static inline __attribute__((always_inline)) void put_narrow(const fos_ccsds123_row_t *row, __m128i weights)
{
    _mm256_storeu_si256((__m256i *)(void *)row->weights, _mm256_cvtepi16_epi32(weights));
}

static void chain_narrow(const fos_ccsds123_row_t *row, uint32_t first, uint32_t end, int32_t exponent)
{
    const narrow_t constants = narrow_of(row->layout, exponent);
    __m128i weights = load_narrow(row->weights);
    for (size_t col = first; col < end; col++) {
        weights = advance_narrow(&constants, row->differences + 8 * col, row->central + col, row->dots + col, weights);
    }
    put_narrow(row, weights);
}

static void chain_pair_narrow(const fos_ccsds123_row_t *row, const fos_ccsds123_row_t *partner, uint32_t first,
                              uint32_t end, int32_t exponent)
{
    const narrow_t constants = narrow_of(row->layout, exponent);
    __m128i weights = load_narrow(row->weights);
    __m128i other_weights = load_narrow(partner->weights);
    for (size_t col = first; col < end; col++) {
        weights = advance_narrow(&constants, row->differences + 8 * col, row->central + col, row->dots + col, weights);
        other_weights = advance_narrow(&constants, partner->differences + 8 * col, partner->central + col,
                                       partner->dots + col, other_weights);
    }
    put_narrow(row, weights);
    put_narrow(partner, other_weights);
}

void fos_ccsds123_chain_avx2(const fos_ccsds123_row_t *row, uint32_t first, uint32_t end, int32_t exponent)
{
    if (is_narrow(row, exponent)) {
        chain_narrow(row, first, end, exponent);
        return;
    }
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
    if (is_narrow(row, exponent)) {
        chain_pair_narrow(row, partner, first, end, exponent);
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
