/* The int8 matrix product and quantisation, against their definitions, on every level, all tails. */
#include "harness.h"

#include <math.h>

static void fill_bytes(int8_t *bytes, size_t count, int is_extreme)
{
    for (size_t index = 0; index < count; index++) { bytes[index] = is_extreme ? INT8_MIN : (int8_t)next_random(); }
}

static void check_product(size_t rows, size_t cols, size_t depth, int is_extreme)
{
    int8_t *a = guarded_new(rows * depth);
    int8_t *b = guarded_new(cols * depth);
    int32_t *product = guarded_new(rows * cols * sizeof *product);
    fill_bytes(a, rows * depth, is_extreme);
    fill_bytes(b, cols * depth, is_extreme);
    CHECK(fos_gemm_i8(a, b, rows, cols, depth, product) == FOS_OK);
    int is_equal = 1;
    for (size_t row = 0; row < rows; row++) {
        for (size_t col = 0; col < cols; col++) {
            int64_t sum = 0;
            for (size_t index = 0; index < depth; index++) { sum += a[row * depth + index] * b[col * depth + index]; }
            is_equal = is_equal && product[row * cols + col] == sum;
        }
    }
    CHECK(is_equal);
    guarded_free(a, rows * depth);
    guarded_free(b, cols * depth);
    guarded_free(product, rows * cols * sizeof *product);
}

/* All shapes around the tiles of 4 x 4 and 2 x 4, all depths around the steps of 16 and 64. */
static void test_product(void)
{
    for (size_t rows = 0; rows < 14; rows++) {
        for (size_t cols = 0; cols < 10; cols++) { check_product(rows, cols, 17 + rows * 5 + cols, 0); }
    }
    for (size_t depth = 0; depth < 200; depth++) { check_product(3, 5, depth, 0); }
    check_product(7, 5, 4096, 1);
    check_product(1, 1, FOS_GEMM_DEPTH_MAX, 1);
}

static int8_t quantise_by_definition(float value, float scale, int8_t zero_point)
{
    const float ratio = value / scale;
    if (isnan(ratio)) { return zero_point; }
    const double whole = nearbyint((double)ratio) + zero_point;
    return (int8_t)(whole < -128 ? -128 : whole > 127 ? 127 : whole);
}

static void check_quantisation(size_t channel_count, size_t channel_size)
{
    static const float specials[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 1e-45f, 3e38f, -3e38f, 2.5f, -2.5f, 3.5f, 127.5f};
    static const float scales[] = {1.0f, 0.037f, 12.0f, 1e-40f, 3e38f};
    const size_t count = channel_count * channel_size;
    float *values = guarded_new(count * sizeof *values);
    float *values_back = guarded_new(count * sizeof *values_back);
    int8_t *quantised = guarded_new(count);
    float scale[5];
    int8_t zero_point[5];
    for (size_t channel = 0; channel < channel_count; channel++) {
        scale[channel] = scales[next_random() % 5];
        zero_point[channel] = (int8_t)next_random();
    }
    for (size_t index = 0; index < count; index++) {
        const uint32_t draw = next_random();
        values[index] = draw % 4 == 0 ? specials[(draw >> 8) % 12] : ((float)(draw >> 8) - 8388608.0f) / 16384.0f;
    }
    CHECK(fos_quantise_f32_i8(values, channel_count, channel_size, scale, zero_point, quantised) == FOS_OK);
    CHECK(fos_dequantise_i8_f32(quantised, channel_count, channel_size, scale, zero_point, values_back) == FOS_OK);
    int is_equal = 1;
    for (size_t index = 0; index < count; index++) {
        const size_t channel = index / channel_size;
        is_equal = is_equal &&
                   quantised[index] == quantise_by_definition(values[index], scale[channel], zero_point[channel]) &&
                   values_back[index] == (float)(quantised[index] - zero_point[channel]) * scale[channel];
    }
    CHECK(is_equal);
    guarded_free(values, count * sizeof *values);
    guarded_free(values_back, count * sizeof *values_back);
    guarded_free(quantised, count);
}

static void test_quantisation(void)
{
    for (size_t channel_size = 0; channel_size < 80; channel_size++) { check_quantisation(1 + channel_size % 5, channel_size); }
    check_quantisation(2, 5000);
    check_quantisation(1, ((size_t)1 << 20) + 77); /* past the caches, with a tail */
}

static void test_refusals(void)
{
    const float bad_scales[] = {0.0f, -1.0f, NAN, INFINITY};
    float value = 1.0f;
    int8_t quantised = 77;
    const int8_t zero_point = 0;
    int32_t product = 7;
    for (size_t index = 0; index < 4; index++) {
        CHECK(fos_quantise_f32_i8(&value, 1, 1, bad_scales + index, &zero_point, &quantised) == FOS_ERR_PARAMETER);
        CHECK(fos_dequantise_i8_f32(&quantised, 1, 1, bad_scales + index, &zero_point, &value) == FOS_ERR_PARAMETER);
    }
    CHECK(fos_quantise_f32_i8(&value, FOS_PIXEL_COUNT_MAX, 2, &value, &zero_point, &quantised) == FOS_ERR_TOO_LARGE);
    CHECK(fos_quantise_f32_i8(NULL, 1, 1, &value, &zero_point, &quantised) == FOS_ERR_NULL);
    CHECK(fos_gemm_i8(&quantised, &quantised, 1, 1, FOS_GEMM_DEPTH_MAX + 1, &product) == FOS_ERR_TOO_LARGE);
    CHECK(fos_gemm_i8(NULL, &quantised, 1, 1, 1, &product) == FOS_ERR_NULL);
    CHECK(quantised == 77 && product == 7);
}

int main(void)
{
    on_every_isa(test_product);
    on_every_isa(test_quantisation);
    on_every_isa(test_refusals);
    return report();
}
