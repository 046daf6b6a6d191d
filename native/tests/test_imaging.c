/* Imaging and detection: every instruction set gives the bits of the portable set, for all tails and alignments and for
 * images large enough to be streamed; nothing beside the outputs is written; bad arguments are refused. */
#include "harness.h"

#include <math.h>

#define OFFSET_COUNT 4
#define LARGE_PIXELS (((size_t)1 << 20) + 37) /* streamed, with a tail */

typedef struct {
    size_t rows;
    size_t cols;
    size_t offset; /* elements from the beginning of the allocation: another alignment */
} extent_t;

static extent_t extent;
static uint16_t *bands[4];
static float *floats[2];

static size_t pixels(void)
{
    return extent.rows * extent.cols;
}

static void make_inputs(void)
{
    static const uint16_t special_dn[] = {0, 1, 2, 4095, 32767, 32768, 65534, 65535};
    const size_t count = pixels() + extent.offset;
    for (size_t band = 0; band < 4; band++) {
        bands[band] = guarded_new(count * 2);
        for (size_t pixel = 0; pixel < count; pixel++) {
            const uint32_t chance = next_random();
            bands[band][pixel] = chance % 5 == 0 ? special_dn[chance / 8 % 8] : (uint16_t)(chance >> 16);
        }
    }
    for (size_t image = 0; image < 2; image++) {
        floats[image] = guarded_new(count * sizeof(float));
        for (size_t pixel = 0; pixel < count; pixel++) {
            const uint32_t chance = next_random();
            floats[image][pixel] = (float)(chance >> 8) / 65536.0f - 100.0f;
            if (chance % 17 == 0) { floats[image][pixel] = 0.0f; }
            if (chance % 19 == 0) { floats[image][pixel] = NAN; }
            if (chance % 97 == 0) { floats[image][pixel] = INFINITY; }
        }
    }
}

static void free_inputs(void)
{
    const size_t count = pixels() + extent.offset;
    for (size_t band = 0; band < 4; band++) { guarded_free(bands[band], count * 2); }
    for (size_t image = 0; image < 2; image++) { guarded_free(floats[image], count * sizeof(float)); }
}

/* What one kernel wrote: a float image, a byte image, numbers. */
typedef struct {
    float *values;
    uint8_t *marks;
    uint64_t numbers[8];
} results_t;

typedef fos_status_t kernel_t(results_t *results);

#define BAND(number) (bands[number] + extent.offset)
#define IMAGE(number) (floats[number] + extent.offset)

static fos_status_t run_calibrate(results_t *results)
{
    fos_calibration_counts_t counts;
    const fos_status_t status = fos_calibrate_u16(BAND(0), IMAGE(0), IMAGE(1), 32768, -1.0f, results->values,
                                                  results->marks, 1, pixels(), NULL, &counts);
    results->numbers[0] = counts.bad_count;
    results->numbers[1] = counts.saturated_count;
    return status;
}

static fos_status_t run_radiance(results_t *results)
{
    return fos_correct_radiance_u16(BAND(0), IMAGE(0), IMAGE(1), results->values, 1, pixels(), NULL);
}

static fos_status_t run_ndiff_u16(results_t *results)
{
    return fos_ndiff_u16(BAND(0), BAND(1), results->values, 1, pixels(), NULL);
}

static fos_status_t run_ndiff_f32(results_t *results)
{
    return fos_ndiff_f32(IMAGE(0), IMAGE(1), results->values, 1, pixels(), NULL);
}

static fos_status_t run_ndiff_mask_u16(results_t *results)
{
    return fos_ndiff_mask_u16(BAND(0), BAND(1), 0.25f, results->values, results->marks, 1, pixels(), NULL, results->numbers);
}

static fos_status_t run_ndiff_mask_f32(results_t *results)
{
    return fos_ndiff_mask_f32(IMAGE(0), IMAGE(1), -0.5f, results->values, results->marks, 1, pixels(), NULL, results->numbers);
}

static fos_status_t run_mask_below(results_t *results)
{
    return fos_mask_below_f32(IMAGE(0), -20.0f, results->marks, 1, pixels(), NULL, results->numbers);
}

static fos_status_t run_pack_bits(results_t *results)
{
    return fos_pack_bits((const uint8_t *)BAND(0), pixels(), results->marks, pixels());
}

static fos_status_t run_cloud_mask(results_t *results)
{
    const fos_scene_limits_t limits = {20000, 40, 30000, 10000, 60, 9000, 20000, 15000, 10};
    return fos_cloud_mask_u16(BAND(0), BAND(1), BAND(2), BAND(3), &limits, results->marks, 1, pixels(), NULL, results->numbers);
}

static fos_status_t run_change(results_t *results)
{
    static const float thresholds[] = {-0.25f, -0.1f, 0.1f, 0.27f, 0.44f, 0.66f};
    return fos_change_classes_u16(BAND(0), BAND(1), BAND(2), BAND(3), thresholds, results->marks, 1, pixels(), NULL,
                                  results->numbers);
}

static fos_status_t filter(results_t *results, size_t side, fos_edge_t edge, fos_finish_t finish)
{
    float taps[25];
    for (size_t tap = 0; tap < side * side; tap++) { taps[tap] = (float)tap / 7.0f - 1.0f; }
    const size_t scratch_count = side * (extent.cols + side - 1);
    float *scratch = guarded_new(scratch_count * sizeof(float));
    const fos_status_t status = fos_convolve_f32(IMAGE(0), extent.rows, extent.cols, NULL, taps, side, edge, finish, 3.0f,
                                                 scratch, scratch_count, results->values);
    guarded_free(scratch, scratch_count * sizeof(float));
    return status;
}

static fos_status_t run_convolve_3(results_t *results)
{
    return filter(results, 3, FOS_EDGE_MIRROR, FOS_FINISH_NONE);
}

static fos_status_t run_convolve_5(results_t *results)
{
    return filter(results, 5, FOS_EDGE_ZERO, FOS_FINISH_RELU);
}

static fos_status_t run_separable(results_t *results)
{
    static const float taps[] = {0.1f, -0.3f, 0.5f, 1.0f, 0.4f, 0.2f, -0.7f};
    const size_t scratch_count = 8 * (extent.cols + 6);
    float *scratch = guarded_new(scratch_count * sizeof(float));
    const fos_status_t status =
        fos_convolve_separable_f32(IMAGE(0), extent.rows, extent.cols, NULL, taps, taps, 7, FOS_EDGE_NEAREST,
                                   FOS_FINISH_THRESHOLD, 1.0f, scratch, scratch_count, results->values);
    guarded_free(scratch, scratch_count * sizeof(float));
    return status;
}

static fos_status_t run_cfar(results_t *results)
{
    const fos_cfar_limits_t limits = {1, 4, 100, 2.5};
    const size_t scratch_count = 9 * (extent.cols + 9);
    double *scratch = guarded_new(scratch_count * sizeof(double));
    const fos_status_t status = fos_cfar_u16(BAND(0), extent.rows, extent.cols, NULL, &limits, scratch, scratch_count,
                                             results->marks, results->numbers);
    guarded_free(scratch, scratch_count * sizeof(double));
    return status;
}

static fos_status_t run_hotspot(results_t *results)
{
    const fos_hotspot_limits_t limits = {3, 40000, 60000, 5, 100.0, 1.5};
    const size_t scratch_count = 6 * (extent.cols + 7);
    double *scratch = guarded_new(scratch_count * sizeof(double));
    const fos_status_t status = fos_hotspot_u16(BAND(0), extent.rows, extent.cols, NULL, &limits, scratch, scratch_count,
                                                results->marks, results->numbers);
    guarded_free(scratch, scratch_count * sizeof(double));
    return status;
}

static const struct {
    const char *name;
    kernel_t *run;
    int streams; /* another way for large images */
} kernels[] = {
    {"calibrate", run_calibrate, 1},
    {"radiance", run_radiance, 1},
    {"ndiff_u16", run_ndiff_u16, 1},
    {"ndiff_f32", run_ndiff_f32, 1},
    {"ndiff_mask_u16", run_ndiff_mask_u16, 1},
    {"ndiff_mask_f32", run_ndiff_mask_f32, 1},
    {"mask_below", run_mask_below, 1},
    {"pack_bits", run_pack_bits, 0},
    {"cloud_mask", run_cloud_mask, 0},
    {"change", run_change, 0},
    {"convolve_3", run_convolve_3, 1},
    {"convolve_5", run_convolve_5, 1},
    {"separable", run_separable, 1},
    {"cfar", run_cfar, 0},
    {"hotspot", run_hotspot, 0},
};

/* The results begin as many elements into the memory as the inputs: between canaries whatever the alignment, for what is
 * in front of them must stay as it was. */
static void new_results(results_t *results)
{
    memset(results, 0, sizeof *results);
    results->values = (float *)guarded_new((pixels() + extent.offset) * sizeof(float)) + extent.offset;
    results->marks = (uint8_t *)guarded_new(pixels() + extent.offset) + extent.offset;
}

static void free_results(results_t *results)
{
    const uint8_t *const front = (const uint8_t *)(results->values - extent.offset);
    int intact = 1;
    for (size_t byte = 0; byte < extent.offset * sizeof(float); byte++) { intact = intact && front[byte] == 0xA5; }
    for (size_t byte = 1; byte <= extent.offset; byte++) { intact = intact && *(results->marks - byte) == 0xA5; }
    CHECK(intact);
    guarded_free(results->values - extent.offset, (pixels() + extent.offset) * sizeof(float));
    guarded_free(results->marks - extent.offset, pixels() + extent.offset);
}

static int are_equal(const results_t *left, const results_t *right)
{
    for (size_t pixel = 0; pixel < pixels(); pixel++) {
        const float a = left->values[pixel];
        const float b = right->values[pixel];
        if (memcmp(&a, &b, sizeof a) != 0 && !(isnan(a) && isnan(b))) { return 0; }
    }
    return memcmp(left->marks, right->marks, pixels()) == 0 &&
           memcmp(left->numbers, right->numbers, sizeof left->numbers) == 0;
}

/* The portable set first, then all others against it. */
static void compare_levels(int streaming_only)
{
    make_inputs();
    for (size_t kernel = 0; kernel < sizeof kernels / sizeof kernels[0]; kernel++) {
        if (streaming_only && !kernels[kernel].streams) { continue; }
        results_t expected;
        new_results(&expected);
        CHECK(fos_isa_select("portable") == FOS_OK);
        CHECK(kernels[kernel].run(&expected) == FOS_OK);
        for (size_t isa = 0; isa < sizeof isa_names / sizeof isa_names[0]; isa++) {
            if (fos_isa_select(isa_names[isa]) != FOS_OK) { continue; }
            results_t found;
            new_results(&found);
            CHECK(kernels[kernel].run(&found) == FOS_OK);
            const int equal = are_equal(&expected, &found);
            if (!equal) { printf("%s differs at %zu x %zu\n", kernels[kernel].name, extent.rows, extent.cols); }
            CHECK(equal);
            free_results(&found);
        }
        free_results(&expected);
    }
    free_inputs();
}

static void test_tails_and_alignments(void)
{
    for (size_t cols = 0; cols <= 67; cols++) {
        extent = (extent_t){cols % 7 + 1, cols, cols % OFFSET_COUNT};
        compare_levels(0);
    }
    for (size_t rows = 0; rows < 12; rows++) {
        extent = (extent_t){rows, 5, 1};
        compare_levels(0);
        extent = (extent_t){rows, 600 + rows, rows % OFFSET_COUNT};
        compare_levels(0);
    }
}

static void test_large_images(void)
{
    extent = (extent_t){LARGE_PIXELS / 2053, 2053, 3};
    compare_levels(0);
    extent = (extent_t){1025, 1024, 0}; /* rows that are whole lines of the cache, and begin one */
    compare_levels(1);
}

/* Values that follow from the definitions, by hand. */
static void test_meaning(void)
{
    const uint16_t raw[3] = {10, 500, 20};
    const float gain[3] = {2.0f, 1.0f, NAN};
    const float dark[3] = {4.0f, 0.0f, 0.0f};
    float radiance[3];
    uint8_t flags[3];
    fos_calibration_counts_t counts;
    CHECK(fos_calibrate_u16(raw, gain, dark, 500, 7.0f, radiance, flags, 1, 3, NULL, &counts) == FOS_OK);
    CHECK(radiance[0] == 12.0f && radiance[1] == 500.0f && radiance[2] == 7.0f);
    CHECK(flags[0] == 0 && flags[1] == FOS_PIXEL_SATURATED && flags[2] == FOS_PIXEL_BAD);
    CHECK(counts.bad_count == 1 && counts.saturated_count == 1);

    uint16_t sea[11 * 11];
    for (size_t pixel = 0; pixel < 121; pixel++) { sea[pixel] = (uint16_t)(100 + pixel % 3); }
    sea[60] = 900; /* a ship in the middle, and a neighbour that hides in the guard */
    sea[61] = 800;
    const fos_cfar_limits_t limits = {1, 4, 0, 25.0};
    double scratch[9 * 20];
    uint8_t mask[121];
    uint64_t set_count = 0;
    CHECK(fos_cfar_u16(sea, 11, 11, NULL, &limits, scratch, 9 * 20, mask, &set_count) == FOS_OK);
    CHECK(set_count == 2 && mask[60] == 1 && mask[61] == 1);

    const float point[9] = {0, 0, 0, 0, 1.0f, 0, 0, 0, 0};
    const float taps[9] = {1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f, 7.0f, 8.0f, 9.0f};
    float lines[15];
    float filtered[9];
    CHECK(fos_convolve_f32(point, 3, 3, NULL, taps, 3, FOS_EDGE_ZERO, FOS_FINISH_NONE, 0.0f, lines, 15, filtered) == FOS_OK);
    for (size_t tap = 0; tap < 9; tap++) { CHECK(filtered[tap] == taps[8 - tap]); }
}

static void test_refusals(void)
{
    uint16_t words[4] = {0};
    float values[9] = {0};
    float taps[9] = {0};
    uint8_t bytes[4] = {0};
    double scratch[64];
    uint64_t numbers[8];
    fos_calibration_counts_t counts;
    const size_t too_many = FOS_PIXEL_COUNT_MAX + 1;
    CHECK(fos_calibrate_u16(words, values, values, 1, 0.0f, values, NULL, 1, 4, NULL, &counts) == FOS_ERR_NULL);
    CHECK(fos_calibrate_u16(words, values, values, 1, 0.0f, values, bytes, 1, too_many, NULL, &counts) == FOS_ERR_TOO_LARGE);
    CHECK(fos_ndiff_u16(words, NULL, values, 1, 4, NULL) == FOS_ERR_NULL);
    CHECK(fos_ndiff_mask_u16(words, words, NAN, values, bytes, 1, 4, NULL, numbers) == FOS_ERR_PARAMETER);
    CHECK(fos_ndiff_mask_f32(values, values, NAN, values, bytes, 1, 4, NULL, numbers) == FOS_ERR_PARAMETER);
    fos_scene_limits_t scene = {0, 257, 0, 0, 0, 0, 0, 0, 0};
    CHECK(fos_cloud_mask_u16(words, words, words, words, &scene, bytes, 1, 4, NULL, numbers) == FOS_ERR_PARAMETER);
    const float falling[6] = {0.0f, 1.0f, 2.0f, 3.0f, 5.0f, 4.0f};
    CHECK(fos_change_classes_u16(words, words, words, words, falling, bytes, 1, 4, NULL, numbers) == FOS_ERR_PARAMETER);
    CHECK(fos_convolve_f32(values, 2, 2, NULL, taps, 4, FOS_EDGE_ZERO, FOS_FINISH_NONE, 0.0f, values, 99, values) ==
          FOS_ERR_PARAMETER);
    CHECK(fos_convolve_f32(values, 2, 2, NULL, taps, 3, (fos_edge_t)3, FOS_FINISH_NONE, 0.0f, values, 99, values) ==
          FOS_ERR_PARAMETER);
    CHECK(fos_convolve_f32(values, 2, 2, NULL, taps, 3, FOS_EDGE_ZERO, FOS_FINISH_NONE, 0.0f, values, 11, values) ==
          FOS_ERR_CAPACITY);
    taps[4] = INFINITY;
    CHECK(fos_convolve_f32(values, 2, 2, NULL, taps, 3, FOS_EDGE_ZERO, FOS_FINISH_NONE, 0.0f, values, 12, values) ==
          FOS_ERR_PARAMETER);
    fos_cfar_limits_t ring = {4, 4, 0, 1.0};
    CHECK(fos_cfar_u16(words, 2, 2, NULL, &ring, scratch, 64, bytes, numbers) == FOS_ERR_PARAMETER);
    ring.guard_radius = 1;
    CHECK(fos_cfar_u16(words, 2, 2, NULL, &ring, scratch, 64, bytes, numbers) == FOS_ERR_CAPACITY);
    CHECK(fos_cfar_u16(words, 1, FOS_COLS_MAX + 1, NULL, &ring, scratch, 64, bytes, numbers) == FOS_ERR_TOO_LARGE);
    ring.deviations_squared = NAN;
    CHECK(fos_cfar_u16(words, 2, 2, NULL, &ring, scratch, 64, bytes, numbers) == FOS_ERR_PARAMETER);
    fos_hotspot_limits_t fire = {0, 1, 1, 1, 0.0, 1.0};
    CHECK(fos_hotspot_u16(words, 2, 2, NULL, &fire, scratch, 64, bytes, numbers) == FOS_ERR_PARAMETER);
    fire.radius = 5;
    CHECK(fos_hotspot_u16(words, 2, 2, NULL, &fire, scratch, 64, bytes, numbers) == FOS_ERR_CAPACITY);
}

int main(void)
{
    test_tails_and_alignments();
    test_large_images();
    on_every_isa(test_meaning);
    test_refusals();
    return report();
}
