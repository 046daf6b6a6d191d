/* Tiles: a call on rows of larger images gives what it gives on copies without gaps, at every level, and writes nothing
 * beside the tile. */
#include "harness.h"

#include <math.h>

#define IMAGE_ROWS 23
#define IMAGE_COLS 91
#define PIXELS (IMAGE_ROWS * IMAGE_COLS)
#define UNTOUCHED 0xA5

static uint8_t bytes[PIXELS];
static uint8_t is_inside[PIXELS];
static uint16_t bands[4][PIXELS];
static float floats[2][PIXELS];

typedef struct {
    size_t first_row;
    size_t first_col;
    size_t rows;
    size_t cols;
} window_t;

/* What a kernel reads and writes: whole images with a window, or copies of the window without gaps. */
typedef struct {
    const uint8_t *bytes;
    const uint8_t *is_inside;
    const uint16_t *bands[4];
    const float *floats[2];
    float *values;
    uint8_t *marks;
    size_t rows;
    size_t cols;
    const size_t *strides;
    uint64_t numbers[8];
} job_t;

typedef fos_status_t kernel_t(job_t *job);

#define WHERE job->rows, job->cols, job->strides

static fos_status_t run_radiance_u8(job_t *job)
{
    return fos_correct_radiance_u8(job->bytes, job->floats[0], job->floats[1], job->values, WHERE);
}

static fos_status_t run_radiance_u16(job_t *job)
{
    return fos_correct_radiance_u16(job->bands[0], job->floats[0], job->floats[1], job->values, WHERE);
}

static fos_status_t run_calibrate(job_t *job)
{
    fos_calibration_counts_t counts;
    const fos_status_t status = fos_calibrate_u16(job->bands[0], job->floats[0], job->floats[1], 32768, -1.0f,
                                                  job->values, job->marks, WHERE, &counts);
    job->numbers[0] = counts.bad_count;
    job->numbers[1] = counts.saturated_count;
    return status;
}

static fos_status_t run_ndiff_f32(job_t *job)
{
    return fos_ndiff_f32(job->floats[0], job->floats[1], job->values, WHERE);
}

static fos_status_t run_ndiff_u16(job_t *job)
{
    return fos_ndiff_u16(job->bands[0], job->bands[1], job->values, WHERE);
}

static fos_status_t run_ndiff_mask_f32(job_t *job)
{
    return fos_ndiff_mask_f32(job->floats[0], job->floats[1], 0.1f, job->values, job->marks, WHERE, job->numbers);
}

static fos_status_t run_ndiff_mask_u16(job_t *job)
{
    return fos_ndiff_mask_u16(job->bands[0], job->bands[1], 0.1f, job->values, job->marks, WHERE, job->numbers);
}

static fos_status_t run_mask_above(job_t *job)
{
    return fos_mask_above_f32(job->floats[0], 0.5f, job->marks, WHERE, job->numbers);
}

static fos_status_t run_mask_below(job_t *job)
{
    return fos_mask_below_f32(job->floats[0], 0.5f, job->marks, WHERE, job->numbers);
}

static fos_status_t run_sum(job_t *job)
{
    int64_t sum = 0;
    const fos_status_t status = fos_sum_fixed_f32(job->floats[0], WHERE, &sum, &job->numbers[0]);
    job->numbers[1] = (uint64_t)sum;
    return status;
}

static fos_status_t run_cloud_mask(job_t *job)
{
    const fos_scene_limits_t limits = {20000, 40, 30000, 10000, 60, 9000, 20000, 15000, 10};
    return fos_cloud_mask_u16(job->bands[0], job->bands[1], job->bands[2], job->bands[3], &limits, job->marks, WHERE,
                              job->numbers);
}

static fos_status_t run_change(job_t *job)
{
    static const float thresholds[] = {-0.25f, -0.1f, 0.1f, 0.27f, 0.44f, 0.66f};
    return fos_change_classes_u16(job->bands[0], job->bands[1], job->bands[2], job->bands[3], thresholds, job->marks,
                                  WHERE, job->numbers);
}

static fos_status_t run_cfar(job_t *job)
{
    const fos_cfar_limits_t limits = {1, 4, 100, 2.5};
    static double scratch[9 * (IMAGE_COLS + 9)];
    return fos_cfar_u16(job->bands[0], WHERE, &limits, scratch, sizeof scratch / sizeof *scratch, job->marks,
                        job->numbers);
}

static fos_status_t run_hotspot(job_t *job)
{
    const fos_hotspot_limits_t limits = {3, 40000, 60000, 5, 100.0, 1.5};
    static double scratch[6 * (IMAGE_COLS + 7)];
    return fos_hotspot_u16(job->bands[0], WHERE, &limits, scratch, sizeof scratch / sizeof *scratch, job->marks,
                           job->numbers);
}

/* The sums of all regions. */
static fos_status_t run_label(job_t *job)
{
    static uint32_t scratch[4 * PIXELS];
    static fos_region_t regions[PIXELS];
    size_t count = 0;
    const fos_status_t status = fos_label_regions(job->is_inside, job->floats[0], WHERE, 1, scratch,
                                                  sizeof scratch / sizeof *scratch, regions, PIXELS, &count);
    for (size_t region = 0; region < count; region++) {
        job->numbers[0] += (uint64_t)regions[region].pixel_count * (region + 1);
        job->numbers[1] += (uint64_t)regions[region].col_sum * (region + 1);
        job->numbers[2] += (uint64_t)regions[region].row_sum * (region + 1);
        job->numbers[3] += (uint64_t)regions[region].index_sum_fixed * (region + 1);
        job->numbers[4] += (uint64_t)regions[region].first_pixel_index * (region + 1);
    }
    job->numbers[5] = count;
    return status;
}

static fos_status_t run_convolve(job_t *job)
{
    static float scratch[5 * (IMAGE_COLS + 4)];
    float taps[25];
    for (size_t tap = 0; tap < 25; tap++) { taps[tap] = (float)tap / 7.0f - 1.0f; }
    return fos_convolve_f32(job->floats[1], WHERE, taps, 5, FOS_EDGE_MIRROR, FOS_FINISH_NONE, 0.0f, scratch,
                            sizeof scratch / sizeof *scratch, job->values);
}

static fos_status_t run_separable(job_t *job)
{
    static float scratch[8 * (IMAGE_COLS + 6)];
    static const float taps[] = {0.1f, -0.3f, 0.5f, 1.0f, 0.4f, 0.2f, -0.7f};
    return fos_convolve_separable_f32(job->floats[1], WHERE, taps, taps, 7, FOS_EDGE_NEAREST, FOS_FINISH_RELU, 1.0f,
                                      scratch, sizeof scratch / sizeof *scratch, job->values);
}

static kernel_t *const kernels[] = {
    run_radiance_u16,   run_radiance_u8,    run_calibrate,  run_ndiff_f32,  run_ndiff_u16, run_ndiff_mask_f32,
    run_ndiff_mask_u16, run_mask_above,     run_mask_below, run_sum,        run_cloud_mask, run_change,
    run_cfar,           run_hotspot,        run_label,      run_convolve,   run_separable,
};
#define KERNEL_COUNT (sizeof kernels / sizeof kernels[0])

static void fill_images(void)
{
    for (size_t pixel = 0; pixel < PIXELS; pixel++) {
        bytes[pixel] = (uint8_t)next_random();
        is_inside[pixel] = next_random() % 3 == 0;
        for (size_t band = 0; band < 4; band++) { bands[band][pixel] = (uint16_t)next_random(); }
        for (size_t image = 0; image < 2; image++) {
            const uint32_t chance = next_random();
            floats[image][pixel] = chance % 19 == 0 ? NAN : (float)(chance % 4096) / 1024.0f;
        }
    }
}

static void cut(const void *image, size_t element_bytes, window_t window, void *copy)
{
    for (size_t row = 0; row < window.rows; row++) {
        const size_t first = (window.first_row + row) * IMAGE_COLS + window.first_col;
        memcpy((uint8_t *)copy + row * window.cols * element_bytes, (const uint8_t *)image + first * element_bytes,
               window.cols * element_bytes);
    }
}

static int is_untouched_outside(const uint8_t *image, size_t element_bytes, window_t window)
{
    for (size_t byte = 0; byte < PIXELS * element_bytes; byte++) {
        const size_t row = byte / element_bytes / IMAGE_COLS;
        const size_t col = byte / element_bytes % IMAGE_COLS;
        const int inside = row - window.first_row < window.rows && col - window.first_col < window.cols;
        if (!inside && image[byte] != UNTOUCHED) { return 0; }
    }
    return 1;
}

static void compare(kernel_t *kernel, window_t window)
{
    static uint8_t byte_copies[PIXELS];
    static uint8_t inside_copies[PIXELS];
    static uint16_t band_copies[4][PIXELS];
    static float float_copies[2][PIXELS];
    static float values[2][PIXELS];
    static uint8_t marks[2][PIXELS];
    static float cut_values[PIXELS];
    static uint8_t cut_marks[PIXELS];
    static const size_t strides[5] = {IMAGE_COLS, IMAGE_COLS, IMAGE_COLS, IMAGE_COLS, IMAGE_COLS};
    const size_t first = window.first_row * IMAGE_COLS + window.first_col;
    const size_t count = window.rows * window.cols;
    memset(values, UNTOUCHED, sizeof values);
    memset(marks, UNTOUCHED, sizeof marks);

    job_t whole = {.rows = window.rows, .cols = window.cols, .values = values[0], .marks = marks[0]};
    job_t tile = {.rows = window.rows, .cols = window.cols, .strides = strides};
    tile.values = values[1] + first;
    tile.marks = marks[1] + first;
    cut(bytes, 1, window, byte_copies);
    whole.bytes = byte_copies;
    tile.bytes = bytes + first;
    cut(is_inside, 1, window, inside_copies);
    whole.is_inside = inside_copies;
    tile.is_inside = is_inside + first;
    for (size_t band = 0; band < 4; band++) {
        cut(bands[band], 2, window, band_copies[band]);
        whole.bands[band] = band_copies[band];
        tile.bands[band] = bands[band] + first;
    }
    for (size_t image = 0; image < 2; image++) {
        cut(floats[image], 4, window, float_copies[image]);
        whole.floats[image] = float_copies[image];
        tile.floats[image] = floats[image] + first;
    }
    CHECK(kernel(&whole) == FOS_OK);
    CHECK(kernel(&tile) == FOS_OK);
    CHECK(memcmp(whole.numbers, tile.numbers, sizeof whole.numbers) == 0);
    cut(values[1], 4, window, cut_values);
    cut(marks[1], 1, window, cut_marks);
    CHECK(memcmp(cut_values, values[0], count * 4) == 0);
    CHECK(memcmp(cut_marks, marks[0], count) == 0);
    CHECK(is_untouched_outside((const uint8_t *)values[1], 4, window));
    CHECK(is_untouched_outside(marks[1], 1, window));
}

static void test_windows(void)
{
    const window_t windows[] = {{0, 0, IMAGE_ROWS, IMAGE_COLS}, {0, 0, 5, 90},  {3, 17, 20, 1}, {22, 1, 1, 64},
                                {7, 26, 16, 65},                {2, 3, 0, 4},   {2, 3, 4, 0},   {9, 9, 3, 33}};
    for (size_t kernel = 0; kernel < KERNEL_COUNT; kernel++) {
        for (size_t window = 0; window < sizeof windows / sizeof windows[0]; window++) {
            compare(kernels[kernel], windows[window]);
        }
    }
}

/* Complex elements, two floats each, in a row. */
#define SOURCE_COLS 43
#define TARGET_COLS 41
#define TURNED_COLS 28

static float complex_source[IMAGE_ROWS][2 * SOURCE_COLS];
static float complex_target[IMAGE_COLS][2 * TURNED_COLS];

/* Complex images: what is turned, filtered and focused lies in the middle of larger images. */
static void test_complex_tiles(void)
{
    const size_t rows = 19;
    const size_t cols = 37;
    static float source[19 * 37 * 2];
    static float expected[2 * 37 * 37];
    const float *const tile = complex_source[2] + 2;
    for (size_t row = 0; row < IMAGE_ROWS; row++) {
        for (size_t place = 0; place < 2 * SOURCE_COLS; place++) {
            complex_source[row][place] = (float)(next_random() % 1000) / 125.0f;
        }
    }
    for (size_t row = 0; row < rows; row++) {
        memcpy(source + 2 * row * cols, tile + row * 2 * SOURCE_COLS, 2 * cols * sizeof(float));
    }
    memset(complex_target, UNTOUCHED, sizeof complex_target);
    const size_t turned[2] = {SOURCE_COLS, TURNED_COLS};
    CHECK(fos_corner_turn_c64(source, rows, cols, NULL, expected) == FOS_OK);
    CHECK(fos_corner_turn_c64(tile, rows, cols, turned, complex_target[1] + 4) == FOS_OK);
    for (size_t row = 0; row < cols; row++) {
        CHECK(memcmp(complex_target[row + 1] + 4, expected + 2 * row * rows, 2 * rows * sizeof(float)) == 0);
        CHECK(((const uint8_t *)(complex_target[row + 1] + 4))[-1] == UNTOUCHED);
        CHECK(((const uint8_t *)(complex_target[row + 1] + 4 + 2 * rows))[0] == UNTOUCHED);
    }
    const size_t narrow[2] = {SOURCE_COLS, rows - 1};
    CHECK(fos_corner_turn_c64(tile, rows, cols, narrow, complex_target[1]) == FOS_ERR_PARAMETER);

    static float scratch[2 * 37];
    static float target[IMAGE_ROWS][2 * TARGET_COLS];
    const size_t filtered[2] = {SOURCE_COLS, TARGET_COLS};
    CHECK(fos_matched_filter_c64(source, rows, cols, NULL, source, source, scratch, 2 * cols, expected) == FOS_OK);
    CHECK(fos_matched_filter_c64(tile, rows, cols, filtered, source, source, scratch, 2 * cols, target[0]) == FOS_OK);
    for (size_t row = 0; row < rows; row++) {
        CHECK(memcmp(target[row], expected + 2 * row * cols, 2 * cols * sizeof(float)) == 0);
    }

    static fos_pulse_t pulses[19];
    double places[11];
    for (size_t pulse = 0; pulse < rows; pulse++) { pulses[pulse] = (fos_pulse_t){100.0 + (double)pulse, 3.0, 40.0, 110.0}; }
    for (size_t place = 0; place < 11; place++) { places[place] = (double)place * 0.7 - 3.0; }
    const fos_range_axis_t axis = {-20.0, 1.25, 0.4};
    CHECK(fos_backproject_c64(source, rows, cols, pulses, &axis, places, 11, places, 9, NULL, expected) == FOS_OK);
    CHECK(fos_backproject_c64(tile, rows, cols, pulses, &axis, places, 11, places, 9, filtered, target[0]) == FOS_OK);
    for (size_t row = 0; row < 9; row++) {
        CHECK(memcmp(target[row], expected + 2 * row * 11, 2 * 11 * sizeof(float)) == 0);
    }
}

/* A line detector has one gain for each column: a stride of 0 uses it for all rows. */
static void test_one_row_for_all(void)
{
    const uint16_t raw[6] = {1, 2, 3, 4, 5, 6};
    const float gain[3] = {1.0f, 10.0f, 100.0f};
    const float dark[3] = {0.0f, 1.0f, 0.0f};
    const size_t strides[4] = {3, 0, 0, 3};
    float radiance[6];
    CHECK(fos_correct_radiance_u16(raw, gain, dark, radiance, 2, 3, strides) == FOS_OK);
    const float expected[6] = {1.0f, 10.0f, 300.0f, 4.0f, 40.0f, 600.0f};
    CHECK(memcmp(radiance, expected, sizeof expected) == 0);
}

static void test_refusals(void)
{
    float values[4] = {0};
    uint8_t marks[4];
    uint64_t set_count;
    const size_t narrow[2] = {2, 1};
    const size_t wide[2] = {FOS_PIXEL_COUNT_MAX + 1, 2};
    CHECK(fos_mask_above_f32(values, 0.0f, marks, 2, 2, narrow, &set_count) == FOS_ERR_PARAMETER);
    CHECK(fos_mask_above_f32(values, 0.0f, marks, 1, 2, narrow, &set_count) == FOS_OK); /* one row has no next */
    CHECK(fos_mask_above_f32(values, 0.0f, marks, 2, 2, wide, &set_count) == FOS_ERR_TOO_LARGE);
    CHECK(fos_mask_above_f32(values, 0.0f, marks, FOS_PIXEL_COUNT_MAX + 1, 0, NULL, &set_count) == FOS_ERR_TOO_LARGE);
    CHECK(fos_mask_above_f32(values, 0.0f, marks, 1 << 15, 1 << 14, NULL, &set_count) == FOS_ERR_TOO_LARGE);
}

int main(void)
{
    fill_images();
    on_every_isa(test_windows);
    on_every_isa(test_complex_tiles);
    on_every_isa(test_one_row_for_all);
    test_refusals();
    return report();
}
