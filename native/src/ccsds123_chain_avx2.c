/* CCSDS 123.0-B-2, 4.7.1 and 4.10.3 with AVX2: dot product, sign of the error, weights, one sample after the other.
 *
 * What bounds this is not the amount of work but the way from one sample's weights to the next one's: multiply (5 cycles),
 * add up across lanes (8), compare (3), choose the step, add, clip (5). So all stays in vector registers, the sum arrives
 * in every lane by itself, and both possible steps are ready before the comparison is.
 */
#include "ccsds123_internal.h"

#include <immintrin.h>

static inline __attribute__((always_inline)) void chain(const fos_ccsds123_row_t *row, uint32_t first, uint32_t end,
                                                        int32_t exponent, uint32_t vectors)
{
    const fos_ccsds123_layout_t *layout = row->layout;
    const __m128i left = _mm_cvtsi32_si128(exponent < 0 ? -exponent - 1 : 0);
    const __m128i right = _mm_cvtsi32_si128(exponent < 0 ? 0 : exponent + 1);
    const __m256i half = _mm256_set1_epi32(exponent < 0 ? 0 : 1 << exponent);
    const __m256i weight_min = _mm256_set1_epi32(layout->weight_min);
    const __m256i weight_max = _mm256_set1_epi32(layout->weight_max);
    const int32_t *differences = row->differences + (size_t)first * vectors * 8;
    const int32_t *central = row->central;
    int64_t *dots = row->dots;
    const uint32_t weight_bits = layout->given.weight_bits;
    __m256i weights[3];
    for (uint32_t index = 0; index < vectors; index++) {
        weights[index] = _mm256_loadu_si256((const __m256i *)(const void *)(row->weights + 8 * index));
    }
    for (uint32_t col = first; col < end; col++) {
        __m256i grown[3], shrunk[3];
        __m256i sum = _mm256_setzero_si256();
        for (uint32_t index = 0; index < vectors; index++) {
            const __m256i vector = _mm256_loadu_si256((const __m256i *)(const void *)(differences + 8 * index));
            const __m256i even = _mm256_mul_epi32(weights[index], vector);
            const __m256i odd = _mm256_mul_epi32(_mm256_srli_epi64(weights[index], 32), _mm256_srli_epi64(vector, 32));
            sum = _mm256_add_epi64(sum, _mm256_add_epi64(even, odd));
            const __m256i wide = _mm256_sll_epi32(vector, left);
            grown[index] = _mm256_sra_epi32(_mm256_add_epi32(half, wide), right);
            shrunk[index] = _mm256_sra_epi32(_mm256_sub_epi32(half, wide), right);
        }
        differences += 8 * vectors;
        sum = _mm256_add_epi64(sum, _mm256_permute4x64_epi64(sum, 0x4E));
        sum = _mm256_add_epi64(sum, _mm256_shuffle_epi32(sum, 0x4E));
        _mm_storel_epi64((__m128i *)(void *)(dots + col), _mm256_castsi256_si128(sum));
        const __m256i actual = _mm256_set1_epi64x((int64_t)central[col] * ((int64_t)1 << weight_bits));
        const __m256i is_positive = _mm256_cmpgt_epi64(actual, sum);
        for (uint32_t index = 0; index < vectors; index++) {
            const __m256i step = _mm256_blendv_epi8(shrunk[index], grown[index], is_positive);
            const __m256i weight = _mm256_add_epi32(weights[index], step);
            weights[index] = _mm256_min_epi32(_mm256_max_epi32(weight, weight_min), weight_max);
        }
    }
    for (uint32_t index = 0; index < vectors; index++) {
        _mm256_storeu_si256((__m256i *)(void *)(row->weights + 8 * index), weights[index]);
    }
}

void fos_ccsds123_chain_avx2(const fos_ccsds123_row_t *row, uint32_t first, uint32_t end, int32_t exponent)
{
    switch (row->layout->weight_count) {
    case 8: chain(row, first, end, exponent, 1); break;
    case 16: chain(row, first, end, exponent, 2); break;
    default: chain(row, first, end, exponent, 3); break;
    }
}
