/* Images, parameters and tables of every mode of CCSDS 123.0-B-2, drawn at random, and what a header must give back. */
#ifndef FOS_TEST_CCSDS123_CASES_H
#define FOS_TEST_CCSDS123_CASES_H

#include "harness.h"

#include <stdbool.h>

#define BANDS_MAX 7u
#define NUMBERS_MAX 1024u

/* One mode. The tables lie in the numbers beside them. */
typedef struct {
    fos_ccsds123_parameters_t given;
    fos_ccsds123_tables_t tables;
    int64_t numbers[FOS_CCSDS123_KIND_COUNT + FOS_CCSDS123_SUPPLEMENTARY_COUNT_MAX][NUMBERS_MAX];
} case_t;

typedef struct {
    uint8_t *image;
    size_t image_bytes;
    uint8_t *scratch;
    size_t scratch_bytes;
    uint8_t *encoded;
    size_t capacity_bytes;
} memory_t;

static inline size_t sample_bytes(const fos_ccsds123_parameters_t *given)
{
    return given->sample_bits > 16 ? 4 : given->sample_bits > 8 ? 2 : 1;
}

static inline memory_t memory_for(const fos_ccsds123_parameters_t *given, const fos_ccsds123_tables_t *tables)
{
    memory_t memory;
    memory.image_bytes = (size_t)given->cols * given->rows * given->bands * sample_bytes(given);
    memory.scratch_bytes = fos_ccsds123_scratch_bytes(given);
    memory.capacity_bytes = fos_ccsds123_encoded_bytes_max(given, tables);
    memory.image = guarded_new(memory.image_bytes);
    memory.scratch = guarded_new(memory.scratch_bytes);
    memory.encoded = guarded_new(memory.capacity_bytes);
    return memory;
}

static inline void free_memory(memory_t *memory)
{
    guarded_free(memory->image, memory->image_bytes);
    guarded_free(memory->scratch, memory->scratch_bytes);
    guarded_free(memory->encoded, memory->capacity_bytes);
}

static inline fos_status_t encode(const case_t *test, memory_t *memory, size_t *encoded_bytes)
{
    return fos_ccsds123_encode(memory->image, memory->image_bytes, &test->given, &test->tables, memory->scratch,
                               memory->scratch_bytes, memory->encoded, memory->capacity_bytes, encoded_bytes);
}

static inline int64_t sample_at(const fos_ccsds123_parameters_t *given, const uint8_t *image, size_t index)
{
    uint32_t word = image[index];
    uint16_t half;
    if (given->sample_bits > 16) {
        memcpy(&word, image + 4 * index, 4);
    } else if (given->sample_bits > 8) {
        memcpy(&half, image + 2 * index, 2);
        word = half;
    }
    const int64_t sign = given->is_signed != 0 ? (int64_t)1 << (8 * sample_bytes(given) - 1) : 0;
    return ((int64_t)word ^ sign) - sign;
}

/* Smooth in all directions, with noise of some bits, within the range of the samples. */
static inline void fill(const fos_ccsds123_parameters_t *given, uint8_t *image, uint32_t noise_bits)
{
    const int64_t low = given->is_signed != 0 ? -((int64_t)1 << (given->sample_bits - 1)) : 0;
    const int64_t top = low + ((int64_t)1 << given->sample_bits) - 1;
    const size_t pixels = (size_t)given->cols * given->rows;
    for (size_t index = 0; index < pixels * given->bands; index++) {
        const int64_t slope = (int64_t)(index % given->cols + index / pixels * 3);
        const int64_t noise = noise_bits == 0 ? 0 : (int64_t)(next_random() >> (32 - noise_bits));
        int64_t sample = low + (top - low) / 3 + slope + noise;
        sample = sample > top ? top : sample;
        const uint32_t word = (uint32_t)(uint64_t)sample;
        const uint16_t half = (uint16_t)word;
        switch (sample_bytes(given)) {
        case 1: image[index] = (uint8_t)word; break;
        case 2: memcpy(image + 2 * index, &half, 2); break;
        default: memcpy(image + 4 * index, &word, 4); break;
        }
    }
}

/* A mode without anything special. */
static inline void plain_case(case_t *test, uint32_t bands, uint32_t rows, uint32_t cols, uint32_t sample_bits)
{
    memset(test, 0, sizeof *test);
    test->given = (fos_ccsds123_parameters_t){.cols = cols,
                                              .rows = rows,
                                              .bands = bands,
                                              .sample_bits = sample_bits,
                                              .interleave_bands = 1,
                                              .output_word_bytes = 1,
                                              .bands_used = 3,
                                              .register_bits = 64,
                                              .weight_bits = 13,
                                              .weight_interval_log2 = 6,
                                              .weight_exponent_first = -1,
                                              .weight_exponent_last = 3,
                                              .unary_zeros_max = 16,
                                              .counter_bits = 6,
                                              .counter_first_bits = 1,
                                              .block_size = 16,
                                              .interval_blocks = 64,
                                              .limits_period_log2 = -1};
}

static inline uint32_t draw(uint32_t low, uint32_t top)
{
    return low + next_random() % (top - low + 1);
}

static inline uint32_t least(uint32_t one, uint32_t other)
{
    return one < other ? one : other;
}

static inline void draw_table(case_t *test, uint32_t kind, size_t count, int64_t low, int64_t top)
{
    test->given.tables_used |= 1u << kind;
    test->tables.by_kind[kind] = (fos_ccsds123_table_t){test->numbers[kind], count};
    for (size_t index = 0; index < count; index++) {
        test->numbers[kind][index] = low + (int64_t)(((uint64_t)next_random() << 32 | next_random()) % (uint64_t)(top - low + 1));
    }
}

static inline void draw_predictor(fos_ccsds123_parameters_t *given, uint32_t mode)
{
    given->is_signed = mode & 1;
    given->is_reduced = mode >> 1 & 1;
    given->local_sum = mode >> 2 & 3;
    given->bands_used = draw(0, 15);
    given->weight_bits = draw(4, 19);
    const uint32_t register_bits = given->sample_bits + given->weight_bits + 2;
    given->register_bits = mode % 3 == 0 ? (register_bits > 32 ? register_bits : 32) : 64;
    given->weight_interval_log2 = draw(4, 11);
    given->weight_exponent_first = (int32_t)draw(0, 15) - 6;
    given->weight_exponent_last = given->weight_exponent_first + (int32_t)draw(0, (uint32_t)(9 - given->weight_exponent_first));
}

static inline void draw_weights(case_t *test)
{
    fos_ccsds123_parameters_t *given = &test->given;
    size_t before = 0;
    for (uint32_t band = 0; band < given->bands; band++) { before += least(band, given->bands_used); }
    const size_t directions = given->is_reduced != 0 ? 0 : given->bands;
    if (next_random() % 3 == 0) {
        given->weights_first_bits = draw(3, given->weight_bits + 3);
        const int64_t half = (int64_t)1 << (given->weights_first_bits - 1);
        draw_table(test, FOS_CCSDS123_WEIGHTS_FIRST, before + 3 * directions, -half, half - 1);
    }
    if (next_random() % 3 == 0) {
        draw_table(test, FOS_CCSDS123_WEIGHT_EXPONENT_OFFSETS, before + directions, -6, 5);
    }
}

static inline void draw_representatives(case_t *test)
{
    fos_ccsds123_parameters_t *given = &test->given;
    given->representative_bits = draw(1, 4);
    const uint32_t top = (1u << given->representative_bits) - 1;
    const uint32_t offset_top = given->error_limits_used == 0 ? 0 : top;
    if (next_random() % 2 == 0) {
        draw_table(test, FOS_CCSDS123_REPRESENTATIVE_DAMPING, given->bands, 0, top);
        draw_table(test, FOS_CCSDS123_REPRESENTATIVE_OFFSET, given->bands, 0, offset_top);
    } else {
        given->representative_damping = draw(0, top);
        given->representative_offset = draw(0, offset_top);
    }
}

static inline void draw_limits(case_t *test)
{
    fos_ccsds123_parameters_t *given = &test->given;
    given->error_limits_used = draw(1, 3);
    const uint32_t bits_max = least(given->sample_bits - 1, 16);
    const bool changes = given->interleave_bands != 0 && next_random() % 2 == 0;
    given->limits_period_log2 = changes ? (int32_t)draw(0, 3) : -1;
    const size_t periods = changes ? ((given->rows - 1) >> given->limits_period_log2) + 1 : 1;
    uint32_t *const widths[] = {&given->error_absolute_bits, &given->error_relative_bits};
    uint32_t *const limits[] = {&given->error_absolute_max, &given->error_relative_max};
    for (uint32_t which = 0; which < 2; which++) {
        if ((given->error_limits_used >> which & 1) == 0) { continue; }
        const uint32_t kind = FOS_CCSDS123_ERROR_ABSOLUTE + which;
        *widths[which] = next_random() % 2 == 0 ? 0 : draw(1, bits_max);
        const int64_t top = (1 << least(*widths[which] == 0 ? bits_max : *widths[which], which == 0 ? 5 : 16)) - 1;
        if (next_random() % 2 == 0) {
            draw_table(test, kind, periods * given->bands, 0, top);
        } else if (changes && next_random() % 2 == 0) {
            draw_table(test, kind, periods, 0, top);
            given->tables_used &= ~(1u << kind);
        } else {
            *limits[which] = draw(0, (uint32_t)top);
        }
    }
}

static inline void draw_coder(case_t *test, uint32_t mode)
{
    fos_ccsds123_parameters_t *given = &test->given;
    given->entropy_coder = mode % 3;
    given->interleave_bands = draw(0, given->bands);
    given->output_word_bytes = draw(1, 8);
    given->unary_zeros_max = draw(8, 32);
    given->counter_first_bits = draw(1, 8);
    given->counter_bits = draw(given->counter_first_bits + 1 > 4 ? given->counter_first_bits + 1 : 4, 11);
    given->block_size = 8u << draw(0, 3);
    given->interval_blocks = draw(1, 4096);
    given->is_restricted = given->sample_bits <= 4 ? draw(0, 1) : 0;
    const bool is_by_band = next_random() % 2 == 0;
    if (given->entropy_coder == FOS_CCSDS123_SAMPLE_ADAPTIVE) {
        const uint32_t top = least(given->sample_bits - 2, 14);
        if (is_by_band) { draw_table(test, FOS_CCSDS123_ACCUMULATOR_FIRST, given->bands, 0, top); }
        if (!is_by_band) { given->accumulator_first = draw(0, top); }
    } else if (given->entropy_coder == FOS_CCSDS123_HYBRID) {
        const int64_t top = ((int64_t)1 << (given->sample_bits + given->counter_first_bits)) - 1;
        if (is_by_band) { draw_table(test, FOS_CCSDS123_HYBRID_ACCUMULATOR_FIRST, given->bands, 0, top); }
        if (!is_by_band) { given->hybrid_accumulator_first = (uint64_t)next_random() & (uint64_t)top; }
    }
}

static inline void draw_supplementary(case_t *test, uint32_t index)
{
    const fos_ccsds123_parameters_t *given = &test->given;
    fos_ccsds123_supplementary_t *table = &test->tables.supplementary[index];
    const uint32_t counts[] = {1, given->bands, given->bands * given->cols, given->rows * given->cols};
    table->purpose = next_random() % 2 == 0 ? draw(0, 4) : draw(10, 15);
    table->kind = draw(0, 2);
    table->structure = draw(0, 3);
    table->user_data = draw(0, 15);
    uint32_t width = table->integer_bits = draw(1, 32);
    if (table->kind == 2) {
        table->integer_bits = 0;
        table->significand_bits = draw(1, 23);
        table->exponent_bits = draw(2, 8);
        table->exponent_bias = draw(0, (1u << table->exponent_bits) - 1);
        width = 1 + table->exponent_bits + table->significand_bits;
    }
    table->elements.count = counts[table->structure];
    table->elements.values = test->numbers[FOS_CCSDS123_KIND_COUNT + index];
    for (size_t element = 0; element < table->elements.count; element++) {
        const int64_t low = table->kind == 1 ? -((int64_t)1 << (width - 1)) : 0;
        table->elements.values[element] = low + (int64_t)(next_random() & (((uint64_t)1 << width) - 1));
    }
}

/* Every mode may come together with every other. */
static inline void draw_case(case_t *test, uint32_t mode)
{
    const uint32_t bits = mode % 4 == 0 ? draw(17, 32) : draw(2, 16);
    plain_case(test, draw(1, BANDS_MAX), draw(1, 9), draw(2, 40), bits);
    draw_predictor(&test->given, mode);
    draw_coder(test, mode);
    draw_weights(test);
    if (mode % 5 < 2) { draw_limits(test); }
    if (mode % 7 < 2) { draw_representatives(test); }
    test->given.user_data = draw(0, 255);
    const uint32_t in_header = (1u << (FOS_CCSDS123_ACCUMULATOR_FIRST + 1)) - 1;
    if (mode % 11 < 2) { test->given.tables_left_out = test->given.tables_used & in_header & next_random(); }
    test->given.supplementary_count = mode % 13 == 0 ? draw(1, 15) : 0;
    for (uint32_t index = 0; index < test->given.supplementary_count; index++) { draw_supplementary(test, index); }
}

/* m for the largest sample that there is, which bounds it for all (4.8.2.1). */
static inline int64_t largest_error(const case_t *test, uint32_t band, uint32_t row)
{
    const fos_ccsds123_parameters_t *given = &test->given;
    int64_t limits[2] = {given->error_absolute_max, given->error_relative_max};
    for (uint32_t which = 0; which < 2; which++) {
        const fos_ccsds123_table_t *table = &test->tables.by_kind[FOS_CCSDS123_ERROR_ABSOLUTE + which];
        const bool is_by_band = (given->tables_used >> (FOS_CCSDS123_ERROR_ABSOLUTE + which) & 1) != 0;
        if (table->count == 0) { continue; }
        const size_t period = given->limits_period_log2 < 0 ? 0 : row >> given->limits_period_log2;
        limits[which] = table->values[is_by_band ? period * given->bands + band : period];
    }
    if (given->error_limits_used == 0) { return 0; }
    if (given->error_limits_used == 1) { return limits[0]; }
    return given->error_limits_used == 2 || limits[1] < limits[0] ? limits[1] : limits[0];
}

static inline void check_table(const fos_ccsds123_table_t *read, const fos_ccsds123_table_t *written)
{
    CHECK(read->count == written->count);
    CHECK(read->count == 0 || memcmp(read->values, written->values, read->count * sizeof read->values[0]) == 0);
}

/* What the header of a coded image must say. */
static inline void check_header(const case_t *test, const uint8_t *encoded, size_t encoded_bytes)
{
    static case_t found;
    fos_ccsds123_parameters_t expected = test->given;
    memset(&found, 0, sizeof found);
    size_t header_bytes = 0;
    CHECK(fos_ccsds123_read_header(encoded, encoded_bytes, &found.given, &header_bytes) == FOS_OK);
    CHECK(fos_ccsds123_read_tables(encoded, encoded_bytes, &found.tables) == FOS_OK); /* how many there are */
    for (uint32_t kind = 0; kind < FOS_CCSDS123_KIND_COUNT; kind++) { found.tables.by_kind[kind].values = found.numbers[kind]; }
    for (uint32_t index = 0; index < FOS_CCSDS123_SUPPLEMENTARY_COUNT_MAX; index++) {
        found.tables.supplementary[index].elements.values = found.numbers[FOS_CCSDS123_KIND_COUNT + index];
    }
    CHECK(fos_ccsds123_read_tables(encoded, encoded_bytes, &found.tables) == FOS_OK);
    const uint32_t limits = 3u << FOS_CCSDS123_ERROR_ABSOLUTE;
    const uint32_t in_body = 1u << FOS_CCSDS123_HYBRID_ACCUMULATOR_FIRST | (expected.limits_period_log2 < 0 ? 0 : limits);
    for (uint32_t kind = 0; kind < FOS_CCSDS123_KIND_COUNT; kind++) {
        const bool is_carried = ((expected.tables_used & ~expected.tables_left_out & ~in_body) >> kind & 1) != 0;
        const fos_ccsds123_table_t none = {NULL, 0};
        check_table(&found.tables.by_kind[kind], is_carried ? &test->tables.by_kind[kind] : &none);
    }
    for (uint32_t index = 0; index < expected.supplementary_count; index++) {
        fos_ccsds123_supplementary_t read = found.tables.supplementary[index];
        check_table(&read.elements, &test->tables.supplementary[index].elements);
        read.elements = test->tables.supplementary[index].elements;
        CHECK(memcmp(&read, &test->tables.supplementary[index], sizeof read) == 0);
    }
    for (uint32_t kind = 0; kind < FOS_CCSDS123_KIND_COUNT; kind++) { /* one place too few */
        if (found.tables.by_kind[kind].count == 0) { continue; }
        fos_ccsds123_tables_t tight = found.tables;
        tight.by_kind[kind].count--;
        CHECK(fos_ccsds123_read_tables(encoded, encoded_bytes, &tight) == FOS_ERR_CAPACITY);
        CHECK(tight.by_kind[kind].count == found.tables.by_kind[kind].count);
    }
    /* What the header does not say, or says in another way. */
    const fos_ccsds123_parameters_t *read = &found.given;
    const bool is_block = expected.entropy_coder == FOS_CCSDS123_BLOCK_ADAPTIVE;
    expected.hybrid_accumulator_first = 0;
    expected.tables_used &= ~(1u << FOS_CCSDS123_HYBRID_ACCUMULATOR_FIRST);
    if (expected.error_absolute_bits == 0) { expected.error_absolute_bits = read->error_absolute_bits; }
    if (expected.error_relative_bits == 0) { expected.error_relative_bits = read->error_relative_bits; }
    if (expected.limits_period_log2 >= 0) { expected.error_absolute_max = expected.error_relative_max = 0; }
    if (is_block) { expected.unary_zeros_max = expected.counter_bits = expected.counter_first_bits = 0; }
    if (!is_block) { expected.block_size = expected.interval_blocks = expected.is_restricted = 0; }
    CHECK(memcmp(read, &expected, sizeof expected) == 0);
}

#endif
