/* SAR and lines of sight: every instruction set gives the bits of the portable set, nothing beside the outputs is
 * written, the values mean what the header says, and bad arguments are refused. */
#include "harness.h"

#include <math.h>

typedef void produce_t(size_t size, void *output);

static double uniform(double low, double high)
{
    return low + (high - low) * (double)next_random() / 4294967296.0;
}

static void fill_floats(float *values, size_t count)
{
    for (size_t place = 0; place < count; place++) { values[place] = (float)uniform(-1.0, 1.0); }
}

/* Runs once on each level; the output must not change by a bit. The inputs come from the same place of the stream. */
static void compare_levels(produce_t *produce, size_t size, size_t output_bytes)
{
    const uint64_t stream = test_stream;
    uint8_t *expected = guarded_new(output_bytes);
    CHECK(fos_isa_select("portable") == FOS_OK);
    produce(size, expected);
    for (size_t isa = 0; isa < sizeof isa_names / sizeof isa_names[0]; isa++) {
        if (fos_isa_select(isa_names[isa]) != FOS_OK) { continue; }
        uint8_t *found = guarded_new(output_bytes);
        test_stream = stream;
        produce(size, found);
        CHECK(memcmp(expected, found, output_bytes) == 0);
        guarded_free(found, output_bytes);
    }
    guarded_free(expected, output_bytes);
}

static void produce_turn(size_t size, void *output)
{
    const size_t cols = 3 * size / 2 + 1;
    float *image = guarded_new(size * cols * 8);
    fill_floats(image, 2 * size * cols);
    CHECK(fos_corner_turn_c64(image, size, cols, NULL, output) == FOS_OK);
    const float *turned = output;
    int right = 1;
    for (size_t row = 0; row < size; row++) {
        for (size_t col = 0; col < cols; col++) {
            right &= memcmp(turned + 2 * (col * size + row), image + 2 * (row * cols + col), 8) == 0;
        }
    }
    CHECK(right);
    guarded_free(image, size * cols * 8);
}

static void produce_matched(size_t size, void *output)
{
    const size_t cols = size;
    float *signal = guarded_new(3 * cols * 8);
    float *reference = guarded_new(cols * 8);
    float *window = guarded_new(cols * 4);
    float *scratch = guarded_new(cols * 8);
    fill_floats(signal, 6 * cols);
    fill_floats(reference, 2 * cols);
    fill_floats(window, cols);
    CHECK(fos_matched_filter_c64(signal, 3, cols, NULL, reference, window, scratch, 2 * cols, output) == FOS_OK);
    guarded_free(signal, 3 * cols * 8);
    guarded_free(reference, cols * 8);
    guarded_free(window, cols * 4);
    guarded_free(scratch, cols * 8);
}

static void produce_focus(size_t size, void *output)
{
    enum { PULSES = 3, BINS = 50 };
    float profiles[2 * PULSES * BINS];
    fos_pulse_t pulses[PULSES];
    double *x_m = guarded_new(size * sizeof(double));
    double y_m[2] = {uniform(-30.0, 30.0), uniform(-30.0, 30.0)};
    fill_floats(profiles, 2 * PULSES * BINS);
    for (size_t pulse = 0; pulse < PULSES; pulse++) {
        pulses[pulse] = (fos_pulse_t){uniform(900.0, 1000.0), uniform(-9.0, 9.0), 500.0, 1090.0};
    }
    for (size_t col = 0; col < size; col++) { x_m[col] = uniform(-60.0, 60.0); }
    if (size > 5) { x_m[5] = NAN; }
    const fos_range_axis_t axis = {-40.0, 1.5, 62.1};
    CHECK(fos_backproject_c64(profiles, PULSES, BINS, pulses, &axis, x_m, size, y_m, 2, NULL, output) == FOS_OK);
    guarded_free(x_m, size * sizeof(double));
}

static double *new_points(size_t count)
{
    double *r_km = guarded_new(3 * count * sizeof(double));
    for (size_t place = 0; place < 3 * count; place++) { r_km[place] = uniform(-7500.0, 7500.0); }
    return r_km;
}

static void produce_pairs(size_t size, void *output)
{
    double *r_km = new_points(size);
    double *range_km = output;
    CHECK(fos_pairs_in_sight(r_km, size, 6400.0, 12000.0, range_km, (uint8_t *)(range_km + size * size)) == FOS_OK);
    guarded_free(r_km, 3 * size * sizeof(double));
}

static void produce_edges(size_t size, void *output)
{
    double *r_km = new_points(size);
    double *range_km = output;
    uint32_t *edges = guarded_new(2 * size * sizeof(uint32_t));
    for (size_t end = 0; end < 2 * size; end++) { edges[end] = next_random() % (uint32_t)size; }
    CHECK(fos_edges_in_sight(r_km, size, edges, size, 6400.0, INFINITY, range_km, (uint8_t *)(range_km + size)) ==
          FOS_OK);
    guarded_free(edges, 2 * size * sizeof(uint32_t));
    guarded_free(r_km, 3 * size * sizeof(double));
}

static void produce_contacts(size_t size, void *output)
{
    double *r_km = new_points(size);
    const fos_station_t stations[2] = {{{6378.0, 0.0, 0.0}, {1.0, 0.0, 0.0}, 0.1},
                                       {{0.0, 0.0, -6357.0}, {0.0, 0.0, -1.0}, 0.0}};
    double *range_km = output;
    CHECK(fos_contact_scan(r_km, size, stations, 2, range_km, range_km + 2 * size, (uint8_t *)(range_km + 4 * size)) ==
          FOS_OK);
    guarded_free(r_km, 3 * size * sizeof(double));
}

static void test_levels_agree(void)
{
    for (size_t size = 0; size <= 67; size++) {
        compare_levels(produce_turn, size, size * (3 * size / 2 + 1) * 8);
        compare_levels(produce_matched, size, 3 * size * 8);
        compare_levels(produce_focus, size, 2 * size * 8);
        compare_levels(produce_pairs, size, size * size * 9);
        if (size > 0) { compare_levels(produce_edges, size, size * 9); }
        compare_levels(produce_contacts, size, 2 * size * 17);
    }
    compare_levels(produce_focus, 300, (size_t)2 * 300 * 8); /* several strips */
    compare_levels(produce_pairs, 600, (size_t)600 * 600 * 9);
    compare_levels(produce_matched, 400000, (size_t)3 * 400000 * 8); /* streamed */
}

/* Values that follow from the definitions, by hand. */
static void test_meaning(void)
{
    const double r_km[9] = {7000.0, 0.0, 0.0, -7000.0, 0.0, 0.0, 7000.0, 3000.0, 0.0};
    double range_km[9];
    uint8_t in_sight[9];
    CHECK(fos_pairs_in_sight(r_km, 3, 6378.0, INFINITY, range_km, in_sight) == FOS_OK);
    CHECK(range_km[1] == 14000.0 && range_km[2] == 3000.0 && range_km[0] == 0.0);
    const uint8_t expected[9] = {0, 0, 1, 0, 0, 0, 1, 0, 0}; /* the Earth is between the first two */
    CHECK(memcmp(in_sight, expected, 9) == 0);
    CHECK(fos_pairs_in_sight(r_km, 3, 6378.0, 2999.0, NULL, in_sight) == FOS_OK && in_sight[2] == 0);

    const fos_station_t station = {{6378.0, 0.0, 0.0}, {1.0, 0.0, 0.0}, 0.5};
    double sine[3];
    uint8_t in_contact[3];
    CHECK(fos_contact_scan(r_km, 3, &station, 1, range_km, sine, in_contact) == FOS_OK);
    CHECK(range_km[0] == 622.0 && sine[0] == 1.0 && sine[1] == -1.0);
    CHECK(in_contact[0] == 1 && in_contact[1] == 0 && in_contact[2] == 0);

    const float signal[2] = {3.0f, 4.0f};
    const float reference[2] = {1.0f, 2.0f};
    const float window = 0.5f;
    float scratch[2];
    float filtered[2];
    CHECK(fos_matched_filter_c64(signal, 1, 1, NULL, reference, &window, scratch, 2, filtered) == FOS_OK);
    CHECK(filtered[0] == 5.5f && filtered[1] == -1.0f); /* (3 + 4i)(1 - 2i) / 2 */

    const float profile[6] = {0.0f, 0.0f, 2.0f, 0.0f, 4.0f, 0.0f};
    const fos_pulse_t pulse = {100.0, 0.0, 0.0, 100.0};
    const fos_range_axis_t axis = {-1.0, 1.0, 0.25};
    const double x_m[3] = {0.0, -0.5, 50.0};
    const double y_m = 0.0;
    float image[6];
    CHECK(fos_backproject_c64(profile, 1, 3, &pulse, &axis, x_m, 3, &y_m, 1, NULL, image) == FOS_OK);
    CHECK(fabsf(image[0] - 2.0f) < 1e-6f && fabsf(image[1]) < 1e-6f);
    CHECK(fabsf(image[2] - 2.1213203f) < 1e-5f && fabsf(image[3] - 2.1213203f) < 1e-5f); /* 3 at an eighth of a turn */
    CHECK(image[4] == 0.0f && image[5] == 0.0f);                                         /* outside the profile */
}

static void test_refusals(void)
{
    float values[8] = {0};
    double places[6] = {0};
    uint8_t bytes[4];
    const uint32_t edges[2] = {0, 2};
    const fos_pulse_t pulse = {0.0, 0.0, 0.0, 0.0};
    fos_range_axis_t axis = {0.0, 0.0, 1.0};
    const size_t huge = (size_t)1 << 20;
    CHECK(fos_corner_turn_c64(NULL, 1, 1, NULL, values) == FOS_ERR_NULL);
    CHECK(fos_corner_turn_c64(values, huge, huge, NULL, values) == FOS_ERR_TOO_LARGE);
    CHECK(fos_corner_turn_c64(values, SIZE_MAX, 2, NULL, values) == FOS_ERR_TOO_LARGE);
    CHECK(fos_matched_filter_c64(values, 1, 2, NULL, values, values, values, 3, values) == FOS_ERR_CAPACITY);
    CHECK(fos_backproject_c64(values, 1, 2, &pulse, &axis, places, 1, places, 1, NULL, values) == FOS_ERR_PARAMETER);
    axis.range_step_m = 1.0;
    CHECK(fos_backproject_c64(values, 1, 1, &pulse, &axis, places, 1, places, 1, NULL, values) == FOS_ERR_PARAMETER);
    CHECK(fos_backproject_c64(values, huge, huge, &pulse, &axis, places, 1, places, 1, NULL, values) == FOS_ERR_TOO_LARGE);
    CHECK(fos_pairs_in_sight(places, 2, NAN, 1.0, NULL, bytes) == FOS_ERR_PARAMETER);
    CHECK(fos_pairs_in_sight(places, FOS_POINT_COUNT_MAX + 1, 1.0, 1.0, NULL, bytes) == FOS_ERR_TOO_LARGE);
    CHECK(fos_edges_in_sight(places, 2, edges, 1, 1.0, 1.0, places, bytes) == FOS_ERR_RANGE);
    CHECK(fos_edges_in_sight(places, 2, edges, 1, 1.0, -1.0, places, bytes) == FOS_ERR_PARAMETER);
    CHECK(fos_contact_scan(places, 2, NULL, 1, NULL, NULL, bytes) == FOS_ERR_NULL);
}

int main(void)
{
    test_levels_agree();
    on_every_isa(test_meaning);
    test_refusals();
    return report();
}
