/* Product of int8 matrices with the dot product of ARMv8.2, four rows by four columns at a time. */
#include "integer_internal.h"

#include <arm_neon.h>

#define STEP 16u
#define SIDE_MAX 4u

static inline __attribute__((always_inline)) void tile(const size_t row_count, const size_t col_count, const int8_t *a,
                                                       const int8_t *b, size_t depth, int32_t *product, size_t cols)
{
    int32x4_t sums[SIDE_MAX][SIDE_MAX];
    for (size_t row = 0; row < row_count; row++) {
        for (size_t col = 0; col < col_count; col++) { sums[row][col] = vdupq_n_s32(0); }
    }
    size_t index = 0;
    for (; index + STEP <= depth; index += STEP) {
        int8x16_t right[SIDE_MAX];
        for (size_t col = 0; col < col_count; col++) { right[col] = vld1q_s8(b + col * depth + index); }
        for (size_t row = 0; row < row_count; row++) {
            const int8x16_t left = vld1q_s8(a + row * depth + index);
            for (size_t col = 0; col < col_count; col++) {
                sums[row][col] = vdotq_s32(sums[row][col], left, right[col]);
            }
        }
    }
    for (size_t row = 0; row < row_count; row++) {
        for (size_t col = 0; col < col_count; col++) {
            int32_t sum = vaddvq_s32(sums[row][col]);
            for (size_t tail = index; tail < depth; tail++) { sum += a[row * depth + tail] * b[col * depth + tail]; }
            product[row * cols + col] = sum;
        }
    }
}

void fos_gemm_i8_neon_dot(const int8_t *a, const int8_t *b_transposed, size_t rows, size_t cols, size_t depth,
                          int32_t *product)
{
    for (size_t row = 0; row < rows; row += SIDE_MAX) {
        const size_t row_count = rows - row < SIDE_MAX ? rows - row : SIDE_MAX;
        for (size_t col = 0; col < cols; col += SIDE_MAX) {
            const size_t col_count = cols - col < SIDE_MAX ? cols - col : SIDE_MAX;
            const int8_t *left = a + row * depth;
            const int8_t *right = b_transposed + col * depth;
            if (row_count == SIDE_MAX && col_count == SIDE_MAX) {
                tile(SIDE_MAX, SIDE_MAX, left, right, depth, product + row * cols + col, cols);
                continue;
            }
            for (size_t row_offset = 0; row_offset < row_count; row_offset++) {
                for (size_t col_offset = 0; col_offset < col_count; col_offset++) {
                    tile(1, 1, left + row_offset * depth, right + col_offset * depth, depth,
                         product + (row + row_offset) * cols + col + col_offset, cols);
                }
            }
        }
    }
}
