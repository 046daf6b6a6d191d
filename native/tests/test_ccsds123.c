#include "ccsds123_cases.h"

#include "ccsds123_vectors.inc"

/* Damaged and shortened bytes give a status; the canaries tell the rest. */
static void check_damaged(const case_t *test, memory_t *memory, uint8_t *encoded, size_t encoded_bytes, uint8_t *restored)
{
    size_t restored_bytes = 0;
    for (int trial = 0; trial < 3; trial++) {
        (void)fos_ccsds123_decode(encoded, next_random() % (encoded_bytes + 1), &test->tables, restored,
                                  memory->image_bytes, memory->scratch, memory->scratch_bytes, &restored_bytes);
        encoded[next_random() % encoded_bytes] ^= (uint8_t)(1u << next_random() % 8);
        (void)fos_ccsds123_decode(encoded, encoded_bytes, &test->tables, restored, memory->image_bytes, memory->scratch,
                                  memory->scratch_bytes, &restored_bytes);
        fos_ccsds123_tables_t none;
        memset(&none, 0, sizeof none);
        (void)fos_ccsds123_read_tables(encoded, encoded_bytes, &none);
    }
}

/* No restored sample is farther from its original than the limits allow (note 1 of 4.9.2). */
static void check_errors(const case_t *test, const uint8_t *image, const uint8_t *restored)
{
    const fos_ccsds123_parameters_t *given = &test->given;
    const size_t pixels = (size_t)given->rows * given->cols;
    bool is_within = true;
    for (size_t index = 0; index < pixels * given->bands; index++) {
        const int64_t error = sample_at(given, image, index) - sample_at(given, restored, index);
        const uint32_t row = (uint32_t)(index % pixels / given->cols);
        is_within = is_within && (error < 0 ? -error : error) <= largest_error(test, (uint32_t)(index / pixels), row);
    }
    CHECK(is_within);
}

/* Tables that the header leaves out must be given, and fit. */
static void check_left_out(const case_t *test, memory_t *memory, size_t encoded_bytes, uint8_t *restored)
{
    uint32_t kind = 0;
    while (kind < FOS_CCSDS123_KIND_COUNT
           && ((test->given.tables_left_out >> kind & 1) == 0 || test->tables.by_kind[kind].count == 0)) {
        kind++;
    }
    if (kind == FOS_CCSDS123_KIND_COUNT) { return; }
    fos_ccsds123_tables_t wrong = test->tables;
    size_t restored_bytes = 0;
#define DECODE(tables)                                                                                                   \
    fos_ccsds123_decode(memory->encoded, encoded_bytes, tables, restored, memory->image_bytes, memory->scratch,          \
                        memory->scratch_bytes, &restored_bytes)
    CHECK(DECODE(NULL) == FOS_ERR_UNSUPPORTED);
    wrong.by_kind[kind].count++;
    CHECK(DECODE(&wrong) == FOS_ERR_PARAMETER);
    wrong.by_kind[kind].count--;
    const int64_t kept = wrong.by_kind[kind].values[0];
    wrong.by_kind[kind].values[0] = INT64_MIN;
    CHECK(DECODE(&wrong) == FOS_ERR_PARAMETER);
    wrong.by_kind[kind].values[0] = kept;
#undef DECODE
}

static void check_restored(const case_t *test, uint32_t noise_bits)
{
    const fos_ccsds123_parameters_t *given = &test->given;
    memory_t memory = memory_for(given, &test->tables);
    fill(given, memory.image, noise_bits);
    size_t encoded_bytes = 0;
    CHECK(encode(test, &memory, &encoded_bytes) == FOS_OK);
    check_header(test, memory.encoded, encoded_bytes);
    uint8_t *restored = guarded_new(memory.image_bytes);
    size_t restored_bytes = 0;
    CHECK(fos_ccsds123_decode(memory.encoded, encoded_bytes, &test->tables, restored, memory.image_bytes, memory.scratch,
                              memory.scratch_bytes, &restored_bytes)
          == FOS_OK);
    CHECK(restored_bytes == memory.image_bytes);
    check_errors(test, memory.image, restored);
    check_left_out(test, &memory, encoded_bytes, restored);
    /* One byte less does not do, and nothing is written past it. */
    uint8_t *tight = guarded_new(encoded_bytes);
    size_t tight_bytes = 0;
    CHECK(fos_ccsds123_encode(memory.image, memory.image_bytes, given, &test->tables, memory.scratch, memory.scratch_bytes,
                              tight, encoded_bytes - 1, &tight_bytes)
          == FOS_ERR_CAPACITY);
    guarded_free(tight, encoded_bytes);
    check_damaged(test, &memory, memory.encoded, encoded_bytes, restored);
    guarded_free(restored, memory.image_bytes);
    free_memory(&memory);
}

static void test_all_modes_restored(void)
{
    static case_t test;
    for (uint32_t mode = 0; mode < 720; mode++) {
        draw_case(&test, mode);
        check_restored(&test, next_random() % test.given.sample_bits);
    }
    plain_case(&test, 3, 200, 1, 12);
    test.given.is_reduced = 1;
    test.given.local_sum = FOS_CCSDS123_NARROW_COLUMN;
    check_restored(&test, 5);
    plain_case(&test, 1, 1, 300, 12);
    check_restored(&test, 5);
}

/* The vectors were written by the Python implementation, which shares no code with this one. */
static void test_vectors(void)
{
    for (size_t index = 0; index < sizeof vectors / sizeof vectors[0]; index++) {
        const vector_t *vector = &vectors[index];
        memory_t memory = memory_for(&vector->given, vector->tables);
        CHECK(memory.image_bytes == vector->image_bytes);
        memcpy(memory.image, vector->image, vector->image_bytes);
        size_t encoded_bytes = 0;
        CHECK(fos_ccsds123_encode(memory.image, memory.image_bytes, &vector->given, vector->tables, memory.scratch,
                                  memory.scratch_bytes, memory.encoded, memory.capacity_bytes, &encoded_bytes)
              == FOS_OK);
        CHECK(encoded_bytes == vector->encoded_bytes && memcmp(memory.encoded, vector->encoded, encoded_bytes) == 0);
        size_t restored_bytes = 0;
        CHECK(fos_ccsds123_decode(vector->encoded, vector->encoded_bytes, vector->tables, memory.image,
                                  memory.image_bytes, memory.scratch, memory.scratch_bytes, &restored_bytes)
              == FOS_OK);
        CHECK(restored_bytes == vector->image_bytes && memcmp(memory.image, vector->restored, restored_bytes) == 0);
        free_memory(&memory);
    }
}

static void test_refusals(void)
{
    static case_t test;
    plain_case(&test, 2, 3, 4, 10);
    memory_t memory = memory_for(&test.given, NULL);
    memset(memory.image, 0xFF, memory.image_bytes);
    size_t written = 5;
#define ENCODE(image_bytes, scratch_bytes)                                                                               \
    fos_ccsds123_encode(memory.image, image_bytes, &test.given, NULL, memory.scratch, scratch_bytes, memory.encoded,     \
                        memory.capacity_bytes, &written)
#define REFUSED(change)                                                                                                  \
    do {                                                                                                                 \
        plain_case(&test, 2, 3, 4, 10);                                                                                  \
        change;                                                                                                          \
        CHECK(ENCODE(memory.image_bytes, memory.scratch_bytes) == FOS_ERR_PARAMETER);                                    \
    } while (0)
    CHECK(ENCODE(memory.image_bytes, memory.scratch_bytes) == FOS_ERR_RANGE);
    test.given.tables_used = 1u << FOS_CCSDS123_WEIGHTS_FIRST;
    test.given.weights_first_bits = 5;
    CHECK(ENCODE(memory.image_bytes, memory.scratch_bytes) == FOS_ERR_PARAMETER); /* no such table is given */
    plain_case(&test, 2, 3, 4, 10);
    CHECK(ENCODE(memory.image_bytes - 1, memory.scratch_bytes) == FOS_ERR_PARAMETER);
    CHECK(ENCODE(memory.image_bytes, 16) == FOS_ERR_CAPACITY);
    REFUSED(test.given.bands_used = 16);
    CHECK(fos_ccsds123_scratch_bytes(&test.given) == 0 && fos_ccsds123_encoded_bytes_max(&test.given, NULL) == 0);
    REFUSED(test.given.sample_bits = 33);
    REFUSED(test.given.entropy_coder = 3);
    REFUSED(test.given.representative_bits = 5);
    REFUSED(test.given.representative_damping = 1);
    REFUSED(test.given.representative_bits = 2; test.given.representative_offset = 1); /* lossless */
    REFUSED(test.given.limits_period_log2 = 3);                                         /* lossless */
    REFUSED(test.given.error_limits_used = 1; test.given.limits_period_log2 = 3; test.given.interleave_bands = 0);
    REFUSED(test.given.error_limits_used = 1; test.given.error_absolute_bits = 10);
    REFUSED(test.given.error_limits_used = 1; test.given.error_absolute_bits = 3; test.given.error_absolute_max = 8);
    REFUSED(test.given.tables_left_out = 1);
    REFUSED(test.given.tables_used = 1u << FOS_CCSDS123_HYBRID_ACCUMULATOR_FIRST);
    REFUSED(test.given.supplementary_count = 1);
    REFUSED(test.given.entropy_coder = FOS_CCSDS123_HYBRID; test.given.hybrid_accumulator_first = 1u << 11);
    REFUSED(test.given.cols = 1);
    plain_case(&test, 65536, 65536, 2, 10);
    CHECK(ENCODE(memory.image_bytes, memory.scratch_bytes) == FOS_ERR_TOO_LARGE);
    CHECK(fos_ccsds123_encode(NULL, 0, &test.given, NULL, NULL, 0, NULL, 0, NULL) == FOS_ERR_NULL);
    CHECK(fos_ccsds123_decode(memory.encoded, 3, NULL, memory.image, memory.image_bytes, memory.scratch,
                              memory.scratch_bytes, &written)
          == FOS_ERR_CORRUPT);
    CHECK(fos_ccsds123_read_tables(memory.encoded, 3, NULL) == FOS_ERR_NULL);
    const uint8_t reserved_coder[] = {0, 0, 4, 0, 4, 0, 1, 0x14, 0, 1, 0x0E, 0, 0x0C, 0, 0x91, 0x25, 0, 0x82, 0x10};
    fos_ccsds123_parameters_t read;
    CHECK(fos_ccsds123_read_header(reserved_coder, sizeof reserved_coder, &read, &written) == FOS_ERR_UNSUPPORTED);
    free_memory(&memory);
}

int main(void)
{
    on_every_isa(test_all_modes_restored);
    on_every_isa(test_vectors);
    test_refusals();
    return report();
}
