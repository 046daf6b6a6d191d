/* Product of int8 matrices for every machine: rows of both lie along the depth, which compilers vectorise. */
#include "integer_internal.h"

void fos_gemm_i8_portable(const int8_t *a, const int8_t *b_transposed, size_t rows, size_t cols, size_t depth,
                          int32_t *product)
{
    for (size_t row = 0; row < rows; row++) {
        for (size_t col = 0; col < cols; col++) {
            const int8_t *left = a + row * depth;
            const int8_t *right = b_transposed + col * depth;
            int32_t sum = 0;
            for (size_t index = 0; index < depth; index++) { sum += left[index] * right[index]; }
            product[row * cols + col] = sum;
        }
    }
}
