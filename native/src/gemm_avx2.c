/* Product of int8 matrices with AVX2: widened to int16, multiplied and added in pairs, two rows by four columns at a time.
 * (The instruction for bytes saturates, so it is not exact.) */
#include "integer_internal.h"

#include <immintrin.h>

#define STEP 16u

static inline __m256i widen(const int8_t *bytes)
{
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)bytes));
}

static inline int32_t dot_tail(const int8_t *left, const int8_t *right, size_t first, size_t depth)
{
    int32_t sum = 0;
    for (size_t index = first; index < depth; index++) { sum += left[index] * right[index]; }
    return sum;
}

/* row_count and col_count are constants where this is inlined. */
static inline __attribute__((always_inline)) void tile(const size_t row_count, const size_t col_count, const int8_t *a,
                                                       const int8_t *b, size_t depth, int32_t *product, size_t cols)
{
    __m256i sums[2][4];
    for (size_t row = 0; row < row_count; row++) {
        for (size_t col = 0; col < col_count; col++) { sums[row][col] = _mm256_setzero_si256(); }
    }
    size_t index = 0;
    for (; index + STEP <= depth; index += STEP) {
        __m256i left[2];
        for (size_t row = 0; row < row_count; row++) { left[row] = widen(a + row * depth + index); }
        for (size_t col = 0; col < col_count; col++) {
            const __m256i right = widen(b + col * depth + index);
            for (size_t row = 0; row < row_count; row++) {
                sums[row][col] = _mm256_add_epi32(sums[row][col], _mm256_madd_epi16(left[row], right));
            }
        }
    }
    for (size_t row = 0; row < row_count; row++) {
        for (size_t col = 0; col < col_count; col++) {
            __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(sums[row][col]),
                                        _mm256_extracti128_si256(sums[row][col], 1));
            sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
            sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1));
            product[row * cols + col] = _mm_cvtsi128_si32(sum) + dot_tail(a + row * depth, b + col * depth, index, depth);
        }
    }
}

void fos_gemm_i8_avx2(const int8_t *a, const int8_t *b_transposed, size_t rows, size_t cols, size_t depth,
                      int32_t *product)
{
    for (size_t row = 0; row < rows; row += 2) {
        const int8_t *left = a + row * depth;
        int32_t *target = product + row * cols;
        const int is_pair = rows - row >= 2;
        size_t col = 0;
        for (; col + 4 <= cols; col += 4) {
            const int8_t *right = b_transposed + col * depth;
            if (is_pair) {
                tile(2, 4, left, right, depth, target + col, cols);
            } else {
                tile(1, 4, left, right, depth, target + col, cols);
            }
        }
        for (; col < cols; col++) {
            const int8_t *right = b_transposed + col * depth;
            if (is_pair) {
                tile(2, 1, left, right, depth, target + col, cols);
            } else {
                tile(1, 1, left, right, depth, target + col, cols);
            }
        }
    }
}
