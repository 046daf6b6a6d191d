#include "harness.h"

#define REGION_CAPACITY 64

static fos_region_t regions[REGION_CAPACITY];

/* Labels a picture of '#' and '.', with the index rising by 1/64 a pixel. */
static size_t label_picture(const char *picture, size_t rows, size_t cols, size_t pixel_count_min)
{
    const size_t count = rows * cols;
    uint8_t *mask = guarded_new(count);
    float *index = guarded_new(count * sizeof(float));
    const size_t scratch_count = fos_label_scratch_count(rows, cols);
    uint32_t *scratch = guarded_new(scratch_count * sizeof(uint32_t));
    for (size_t pixel = 0; pixel < count; pixel++) {
        mask[pixel] = picture[pixel] == '#';
        index[pixel] = (float)pixel / 64.0f;
    }
    size_t region_count = 99;
    CHECK(fos_label_regions(mask, index, rows, cols, NULL, pixel_count_min, scratch, scratch_count, regions, REGION_CAPACITY,
                            &region_count) == FOS_OK);
    guarded_free(mask, count);
    guarded_free(index, count * sizeof(float));
    guarded_free(scratch, scratch_count * sizeof(uint32_t));
    return region_count;
}

static void test_shapes(void)
{
    /* two arms that meet only at the bottom, a diagonal, and a single pixel */
    CHECK(label_picture("#.#..#"
                        "#.#.#."
                        "###..#", 3, 6, 1) == 2);
    CHECK(regions[0].first_pixel_index == 0 && regions[0].pixel_count == 7);
    CHECK(regions[0].row_sum == 0 + 0 + 1 + 1 + 2 + 2 + 2 && regions[0].col_sum == 7);
    CHECK(regions[0].row_min == 0 && regions[0].row_max == 2);
    CHECK(regions[0].col_min == 0 && regions[0].col_max == 2);
    CHECK(regions[0].index_sum_fixed == ((int64_t)(0 + 2 + 6 + 8 + 12 + 13 + 14) << 24));
    CHECK(regions[1].first_pixel_index == 5 && regions[1].pixel_count == 3);
    CHECK(regions[1].col_min == 4 && regions[1].col_max == 5 && regions[1].row_max == 2);
    CHECK(label_picture("......", 2, 3, 1) == 0);
    CHECK(label_picture("######", 2, 3, 6) == 1);
    CHECK(label_picture("######", 2, 3, 7) == 0);
    CHECK(label_picture("", 0, 0, 1) == 0);
    /* small ones are left out, the order of the others stays */
    CHECK(label_picture("##..#..##", 1, 9, 2) == 2);
    CHECK(regions[0].first_pixel_index == 0 && regions[1].first_pixel_index == 7);
}

static void test_refusals(void)
{
    const uint8_t mask[5] = {1, 0, 1, 0, 1};
    const float outside[5] = {0.0f, 0.0f, 5.0f, 0.0f, 0.0f};
    uint32_t scratch[12];
    size_t count = 0;
    CHECK(fos_label_regions(NULL, NULL, 1, 5, NULL, 1, scratch, 12, regions, 3, &count) == FOS_ERR_NULL);
    CHECK(fos_label_regions(mask, NULL, 1, 5, NULL, 1, NULL, 10, regions, 3, &count) == FOS_ERR_NULL);
    CHECK(fos_label_regions(mask, NULL, 1, 5, NULL, 1, scratch, 12, NULL, 3, &count) == FOS_ERR_NULL);
    CHECK(fos_label_regions(mask, NULL, 1, 5, NULL, 1, scratch, 12, regions, 3, NULL) == FOS_ERR_NULL);
    CHECK(fos_label_regions(mask, NULL, 1, 5, NULL, 1, scratch, 11, regions, 3, &count) == FOS_ERR_CAPACITY);
    CHECK(fos_label_regions(mask, NULL, 1, 5, NULL, 1, scratch, 12, regions, 2, &count) == FOS_ERR_CAPACITY);
    CHECK(count == 3);
    CHECK(fos_label_regions(mask, outside, 1, 5, NULL, 1, scratch, 12, regions, 3, &count) == FOS_ERR_RANGE);
    const size_t huge = (size_t)1 << 20;
    CHECK(fos_label_regions(mask, NULL, huge, huge, NULL, 1, scratch, 12, regions, 3, &count) == FOS_ERR_TOO_LARGE);
    CHECK(fos_label_regions(mask, NULL, SIZE_MAX, 2, NULL, 1, scratch, 12, regions, 3, &count) == FOS_ERR_TOO_LARGE);
}

/* Random masks: the regions together hold every pixel once, and lie inside their boxes. */
static void test_conservation(void)
{
    enum { ROWS = 23, COLS = 19, COUNT = ROWS * COLS };
    const size_t scratch_count = fos_label_scratch_count(ROWS, COLS);
    for (int round = 0; round < 50; round++) {
        uint8_t *mask = guarded_new(COUNT);
        uint32_t *scratch = guarded_new(scratch_count * sizeof(uint32_t));
        fos_region_t *found = guarded_new(COUNT * sizeof(fos_region_t));
        int64_t inside = 0;
        int64_t row_sum = 0;
        for (size_t pixel = 0; pixel < COUNT; pixel++) {
            mask[pixel] = next_random() % 100 < 35;
            inside += mask[pixel];
            row_sum += mask[pixel] != 0 ? (int64_t)(pixel / COLS) : 0;
        }
        size_t count = 0;
        CHECK(fos_label_regions(mask, NULL, ROWS, COLS, NULL, 1, scratch, scratch_count, found, COUNT, &count) == FOS_OK);
        for (size_t region = 0; region < count; region++) {
            inside -= found[region].pixel_count;
            row_sum -= found[region].row_sum;
            CHECK(found[region].row_sum >= found[region].row_min * found[region].pixel_count);
            CHECK(found[region].row_sum <= found[region].row_max * found[region].pixel_count);
            CHECK(region == 0 || found[region].first_pixel_index > found[region - 1].first_pixel_index);
        }
        CHECK(inside == 0 && row_sum == 0);
        guarded_free(mask, COUNT);
        guarded_free(scratch, scratch_count * sizeof(uint32_t));
        guarded_free(found, COUNT * sizeof(fos_region_t));
    }
}

int main(void)
{
    test_shapes();
    test_refusals();
    test_conservation();
    return report();
}
