/* Product of int8 matrices with AVX-512 VNNI: 64 products to an instruction, four rows by four columns at a time.
 *
 * The instruction takes unsigned bytes on one side. a + 128 is unsigned, and the sum of (a + 128) * b is larger than
 * wanted by 128 times the sum of b, which is known per column. All sums are modulo 2^32, so nothing is lost.
 */
#include "integer_internal.h"

#include <immintrin.h>

#define STEP 64u
#define ROWS_MAX 4u /* with six, gcc runs out of registers for addresses, and is slower */
#define COLS_MAX 4u

static inline __mmask64 mask_of(size_t index, size_t depth)
{
    return depth - index >= STEP ? ~(__mmask64)0 : ((__mmask64)1 << (depth - index)) - 1;
}

/* The sums of four vectors, in order. */
static inline __m128i sum_four(const __m512i vectors[COLS_MAX])
{
    const __m512i first = _mm512_add_epi32(_mm512_unpacklo_epi32(vectors[0], vectors[1]),
                                           _mm512_unpackhi_epi32(vectors[0], vectors[1]));
    const __m512i second = _mm512_add_epi32(_mm512_unpacklo_epi32(vectors[2], vectors[3]),
                                            _mm512_unpackhi_epi32(vectors[2], vectors[3]));
    const __m512i all = _mm512_add_epi32(_mm512_unpacklo_epi64(first, second), _mm512_unpackhi_epi64(first, second));
    const __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
    return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

/* 128 times the sums of four rows of b; rows beyond col_count count as the first. */
static inline __m128i excess(const int8_t *const b[COLS_MAX], size_t depth)
{
    const __m512i bias = _mm512_set1_epi8((char)0x80);
    __m512i sums[COLS_MAX];
    for (size_t col = 0; col < COLS_MAX; col++) { sums[col] = _mm512_setzero_si512(); }
    for (size_t index = 0; index < depth; index += STEP) {
        const __mmask64 mask = mask_of(index, depth);
        for (size_t col = 0; col < COLS_MAX; col++) {
            sums[col] = _mm512_dpbusd_epi32(sums[col], bias, _mm512_maskz_loadu_epi8(mask, b[col] + index));
        }
    }
    return sum_four(sums);
}

/* One step of a tile; row_count and is_whole are constants where this is inlined. Only the last step needs a mask. */
static inline __attribute__((always_inline)) void add_step(const size_t row_count, const int is_whole, __mmask64 mask,
                                                           const int8_t *a, const int8_t *const b[COLS_MAX],
                                                           size_t index, size_t depth, __m512i sums[][COLS_MAX])
{
    const __m512i bias = _mm512_set1_epi8((char)0x80);
    __m512i right[COLS_MAX];
    for (size_t col = 0; col < COLS_MAX; col++) {
        right[col] = is_whole ? _mm512_loadu_si512(b[col] + index) : _mm512_maskz_loadu_epi8(mask, b[col] + index);
    }
    for (size_t row = 0; row < row_count; row++) {
        const int8_t *values = a + row * depth + index;
        const __m512i left = is_whole ? _mm512_loadu_si512(values) : _mm512_maskz_loadu_epi8(mask, values);
        const __m512i unsigned_left = _mm512_xor_si512(left, bias);
        for (size_t col = 0; col < COLS_MAX; col++) {
            sums[row][col] = _mm512_dpbusd_epi32(sums[row][col], unsigned_left, right[col]);
        }
    }
}

/* row_count is a constant where this is inlined. */
static inline __attribute__((always_inline)) void tile(const size_t row_count, const int8_t *a,
                                                       const int8_t *const b[COLS_MAX], size_t depth, __m128i too_much,
                                                       int32_t *product, size_t cols, __mmask8 stored)
{
    __m512i sums[ROWS_MAX][COLS_MAX];
    for (size_t row = 0; row < row_count; row++) {
        for (size_t col = 0; col < COLS_MAX; col++) { sums[row][col] = _mm512_setzero_si512(); }
    }
    size_t index = 0;
    for (; index + STEP <= depth; index += STEP) { add_step(row_count, 1, 0, a, b, index, depth, sums); }
    if (index < depth) { add_step(row_count, 0, mask_of(index, depth), a, b, index, depth, sums); }
    for (size_t row = 0; row < row_count; row++) {
        _mm_mask_storeu_epi32(product + row * cols, stored, _mm_sub_epi32(sum_four(sums[row]), too_much));
    }
}

void fos_gemm_i8_avx512(const int8_t *a, const int8_t *b_transposed, size_t rows, size_t cols, size_t depth,
                        int32_t *product)
{
    for (size_t col = 0; col < cols; col += COLS_MAX) {
        const size_t col_count = cols - col < COLS_MAX ? cols - col : COLS_MAX;
        const int8_t *b[COLS_MAX];
        for (size_t index = 0; index < COLS_MAX; index++) {
            b[index] = b_transposed + (col + (index < col_count ? index : 0)) * depth;
        }
        const __m128i too_much = excess(b, depth);
        const __mmask8 stored = (__mmask8)((1u << col_count) - 1);
        for (size_t row = 0; row < rows; row += ROWS_MAX) {
            const int8_t *left = a + row * depth;
            int32_t *target = product + row * cols + col;
            switch (rows - row) {
            case 1: tile(1, left, b, depth, too_much, target, cols, stored); break;
            case 2: tile(2, left, b, depth, too_much, target, cols, stored); break;
            case 3: tile(3, left, b, depth, too_much, target, cols, stored); break;
            default: tile(4, left, b, depth, too_much, target, cols, stored); break;
            }
        }
    }
}
