#include "harness.h"

#include <math.h>

#define COUNT_MAX 67 /* crosses every vector width with a tail */

static float *new_floats(size_t count)
{
    return guarded_new(count * sizeof(float));
}

static void free_floats(float *floats, size_t count)
{
    guarded_free(floats, count * sizeof(float));
}

static void test_radiance(void)
{
    for (size_t count = 0; count <= COUNT_MAX; count++) {
        uint8_t *raw_u8 = guarded_new(count);
        uint16_t *raw_u16 = guarded_new(count * 2);
        float *gain = new_floats(count);
        float *dark = new_floats(count);
        float *radiance = new_floats(count);
        for (size_t pixel = 0; pixel < count; pixel++) {
            raw_u8[pixel] = (uint8_t)next_random();
            raw_u16[pixel] = (uint16_t)next_random();
            gain[pixel] = pixel % 11 == 3 ? NAN : (float)(next_random() % 1000) / 250.0f;
            dark[pixel] = (float)(next_random() % 40) / 3.0f;
        }
        CHECK(fos_correct_radiance_u8(raw_u8, gain, dark, radiance, 1, count, NULL) == FOS_OK);
        for (size_t pixel = 0; pixel < count; pixel++) {
            const float expected = gain[pixel] * ((float)raw_u8[pixel] - dark[pixel]);
            CHECK(pixel % 11 == 3 ? isnan(radiance[pixel]) : radiance[pixel] == expected);
        }
        CHECK(fos_correct_radiance_u16(raw_u16, gain, dark, radiance, 1, count, NULL) == FOS_OK);
        for (size_t pixel = 0; pixel < count; pixel++) {
            const float expected = gain[pixel] * ((float)raw_u16[pixel] - dark[pixel]);
            CHECK(pixel % 11 == 3 ? isnan(radiance[pixel]) : radiance[pixel] == expected);
        }
        guarded_free(raw_u8, count);
        guarded_free(raw_u16, count * 2);
        free_floats(gain, count);
        free_floats(dark, count);
        free_floats(radiance, count);
    }
}

static void test_index_and_masks(void)
{
    for (size_t count = 0; count <= COUNT_MAX; count++) {
        float *a = new_floats(count);
        float *b = new_floats(count);
        float *index = new_floats(count);
        uint8_t *mask = guarded_new(count);
        for (size_t pixel = 0; pixel < count; pixel++) {
            a[pixel] = (float)(next_random() % 256);
            b[pixel] = pixel % 13 == 5 ? NAN : (float)(next_random() % 256);
            if (pixel % 17 == 4) { a[pixel] = b[pixel] = 0.0f; }
        }
        CHECK(fos_ndiff_f32(a, b, index, 1, count, NULL) == FOS_OK);
        uint64_t above_expected = 0;
        uint64_t below_expected = 0;
        for (size_t pixel = 0; pixel < count; pixel++) {
            const float sum = a[pixel] + b[pixel];
            const float expected = sum == 0.0f ? 0.0f : (a[pixel] - b[pixel]) / sum;
            CHECK(isnan(expected) ? isnan(index[pixel]) : index[pixel] == expected);
            above_expected += expected > 0.25f;
            below_expected += expected < -0.375f;
        }
        uint64_t set_count = 99;
        CHECK(fos_mask_above_f32(index, 0.25f, mask, 1, count, NULL, &set_count) == FOS_OK && set_count == above_expected);
        for (size_t pixel = 0; pixel < count; pixel++) { CHECK(mask[pixel] == (index[pixel] > 0.25f)); }
        CHECK(fos_mask_below_f32(index, -0.375f, mask, 1, count, NULL, &set_count) == FOS_OK && set_count == below_expected);
        for (size_t pixel = 0; pixel < count; pixel++) { CHECK(mask[pixel] == (index[pixel] < -0.375f)); }
        free_floats(a, count);
        free_floats(b, count);
        free_floats(index, count);
        guarded_free(mask, count);
    }
}

static void test_pack_bits(void)
{
    for (size_t count = 0; count <= COUNT_MAX; count++) {
        const size_t packed_count = (count + 7) / 8;
        uint8_t *mask = guarded_new(count);
        uint8_t *packed = guarded_new(packed_count);
        for (size_t pixel = 0; pixel < count; pixel++) { mask[pixel] = (uint8_t)(next_random() % 3); }
        CHECK(fos_pack_bits(mask, count, packed, packed_count) == FOS_OK);
        for (size_t bit = 0; bit < packed_count * 8; bit++) {
            const unsigned expected = bit < count && mask[bit] != 0 ? 1u : 0u;
            CHECK((((unsigned)packed[bit / 8] >> (7 - bit % 8)) & 1u) == expected);
        }
        if (packed_count > 0) {
            CHECK(fos_pack_bits(mask, count, packed, packed_count - 1) == FOS_ERR_CAPACITY);
        }
        guarded_free(mask, count);
        guarded_free(packed, packed_count);
    }
}

static void test_sum_fixed(void)
{
    const float one_unit = 1.0f / 1073741824.0f;
    /* half to even: 0.5 -> 0, 1.5 -> 2, 2.5 -> 2, -0.5 -> 0, -1.5 -> -2 units */
    const float halves[] = {0.5f * one_unit, 1.5f * one_unit, 2.5f * one_unit, -0.5f * one_unit, -1.5f * one_unit};
    const int64_t expected[] = {0, 2, 2, 0, -2};
    int64_t sum = 99;
    uint64_t counted = 99;
    for (size_t half = 0; half < 5; half++) {
        CHECK(fos_sum_fixed_f32(&halves[half], 1, 1, NULL, &sum, &counted) == FOS_OK);
        CHECK(sum == expected[half] && counted == 1);
    }
    const float mixed[] = {1.0f, NAN, -0.25f, 0.5f};
    CHECK(fos_sum_fixed_f32(mixed, 1, 4, NULL, &sum, &counted) == FOS_OK);
    CHECK(sum == ((int64_t)5 << 28) && counted == 3);
    const float limits[] = {4.0f, -4.0f, 4.0f};
    CHECK(fos_sum_fixed_f32(limits, 1, 3, NULL, &sum, &counted) == FOS_OK && sum == (int64_t)1 << 32);
    const float outside[] = {0.0f, 4.0001f};
    CHECK(fos_sum_fixed_f32(outside, 1, 2, NULL, &sum, &counted) == FOS_ERR_RANGE);
    const float infinite[] = {-INFINITY};
    CHECK(fos_sum_fixed_f32(infinite, 1, 1, NULL, &sum, &counted) == FOS_ERR_RANGE);
    CHECK(fos_sum_fixed_f32(mixed, 1, 0, NULL, &sum, &counted) == FOS_OK && sum == 0 && counted == 0);
}

static void test_refusals(void)
{
    float floats[2] = {0};
    float out[2] = {7.0f, 7.0f};
    uint8_t bytes[2] = {0};
    uint16_t words[2] = {0};
    uint64_t count = 0;
    int64_t sum = 0;
    const size_t too_many = FOS_PIXEL_COUNT_MAX + 1;
    CHECK(fos_correct_radiance_u8(NULL, floats, floats, out, 1, 2, NULL) == FOS_ERR_NULL);
    CHECK(fos_correct_radiance_u8(bytes, floats, floats, out, 1, too_many, NULL) == FOS_ERR_TOO_LARGE);
    CHECK(fos_correct_radiance_u16(words, floats, NULL, out, 1, 2, NULL) == FOS_ERR_NULL);
    CHECK(fos_correct_radiance_u16(words, floats, floats, out, 1, too_many, NULL) == FOS_ERR_TOO_LARGE);
    CHECK(fos_ndiff_f32(floats, NULL, out, 1, 2, NULL) == FOS_ERR_NULL);
    CHECK(fos_ndiff_f32(floats, floats, out, 1, too_many, NULL) == FOS_ERR_TOO_LARGE);
    CHECK(fos_mask_above_f32(floats, 0.0f, NULL, 1, 2, NULL, &count) == FOS_ERR_NULL);
    CHECK(fos_mask_above_f32(floats, NAN, bytes, 1, 2, NULL, &count) == FOS_ERR_PARAMETER);
    CHECK(fos_mask_above_f32(floats, 0.0f, bytes, 1, too_many, NULL, &count) == FOS_ERR_TOO_LARGE);
    CHECK(fos_mask_below_f32(floats, 0.0f, bytes, 1, 2, NULL, NULL) == FOS_ERR_NULL);
    CHECK(fos_mask_below_f32(floats, NAN, bytes, 1, 2, NULL, &count) == FOS_ERR_PARAMETER);
    CHECK(fos_mask_below_f32(floats, 0.0f, bytes, 1, too_many, NULL, &count) == FOS_ERR_TOO_LARGE);
    CHECK(fos_pack_bits(NULL, 2, bytes, 1) == FOS_ERR_NULL);
    CHECK(fos_pack_bits(bytes, too_many, bytes, 1) == FOS_ERR_TOO_LARGE);
    CHECK(fos_sum_fixed_f32(floats, 1, 2, NULL, NULL, &count) == FOS_ERR_NULL);
    CHECK(fos_sum_fixed_f32(floats, 1, too_many, NULL, &sum, &count) == FOS_ERR_TOO_LARGE);
    CHECK(out[0] == 7.0f && out[1] == 7.0f);
    CHECK(strcmp(fos_status_name(FOS_ERR_RANGE), "FOS_ERR_RANGE") == 0);
    CHECK(strcmp(fos_status_name((fos_status_t)-99), "FOS_UNKNOWN") == 0);
    CHECK(fos_abi_version() == FOS_ABI_VERSION);
}

int main(void)
{
    on_every_isa(test_radiance);
    on_every_isa(test_index_and_masks);
    on_every_isa(test_pack_bits);
    on_every_isa(test_sum_fixed);
    on_every_isa(test_refusals);
    return report();
}
