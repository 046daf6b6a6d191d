#include "harness.h"

#include "ccsds123_vectors.inc"

typedef struct {
    uint8_t *image;
    size_t image_bytes;
    uint8_t *scratch;
    size_t scratch_bytes;
    uint8_t *encoded;
    size_t capacity_bytes;
} memory_t;

static memory_t memory_for(const fos_ccsds123_parameters_t *given)
{
    memory_t memory;
    memory.image_bytes = (size_t)given->cols * given->rows * given->bands * (given->sample_bits > 8 ? 2 : 1);
    memory.scratch_bytes = fos_ccsds123_scratch_bytes(given);
    memory.capacity_bytes = fos_ccsds123_encoded_bytes_max(given);
    memory.image = guarded_new(memory.image_bytes);
    memory.scratch = guarded_new(memory.scratch_bytes);
    memory.encoded = guarded_new(memory.capacity_bytes);
    return memory;
}

static void free_memory(memory_t *memory)
{
    guarded_free(memory->image, memory->image_bytes);
    guarded_free(memory->scratch, memory->scratch_bytes);
    guarded_free(memory->encoded, memory->capacity_bytes);
}

/* Smooth in all directions, with noise of some bits, within the range of the samples. */
static void fill(const fos_ccsds123_parameters_t *given, uint8_t *image, uint32_t noise_bits)
{
    const int32_t low = given->is_signed != 0 ? -(1 << (given->sample_bits - 1)) : 0;
    const int32_t top = low + (1 << given->sample_bits) - 1;
    const size_t pixels = (size_t)given->cols * given->rows;
    for (size_t index = 0; index < pixels * given->bands; index++) {
        const int32_t slope = (int32_t)(index % given->cols + index / pixels * 3);
        const int32_t noise = noise_bits == 0 ? 0 : (int32_t)(next_random() >> (32 - noise_bits));
        int32_t sample = low + (top - low) / 3 + slope + noise;
        sample = sample > top ? top : sample;
        if (given->sample_bits > 8) {
            const uint16_t word = (uint16_t)sample;
            memcpy(image + 2 * index, &word, 2);
        } else {
            image[index] = (uint8_t)sample;
        }
    }
}

static void check_restored(const fos_ccsds123_parameters_t *given, uint32_t noise_bits)
{
    memory_t memory = memory_for(given);
    fill(given, memory.image, noise_bits);
    size_t encoded_bytes = 0;
    CHECK(fos_ccsds123_encode(memory.image, memory.image_bytes, given, memory.scratch, memory.scratch_bytes,
                              memory.encoded, memory.capacity_bytes, &encoded_bytes)
          == FOS_OK);
    fos_ccsds123_parameters_t read;
    size_t header_bytes = 0;
    CHECK(fos_ccsds123_read_header(memory.encoded, encoded_bytes, &read, &header_bytes) == FOS_OK);
    CHECK(read.cols == given->cols && read.bands_used == given->bands_used && header_bytes >= 19);
    uint8_t *restored = guarded_new(memory.image_bytes);
    size_t restored_bytes = 0;
    CHECK(fos_ccsds123_decode(memory.encoded, encoded_bytes, restored, memory.image_bytes, memory.scratch,
                              memory.scratch_bytes, &restored_bytes)
          == FOS_OK);
    CHECK(restored_bytes == memory.image_bytes);
    if (given->error_limits_used == 0) { CHECK(memcmp(restored, memory.image, memory.image_bytes) == 0); }
    /* One byte less does not do, and nothing is written past it. */
    uint8_t *tight = guarded_new(encoded_bytes);
    size_t tight_bytes = 0;
    CHECK(fos_ccsds123_encode(memory.image, memory.image_bytes, given, memory.scratch, memory.scratch_bytes, tight,
                              encoded_bytes - 1, &tight_bytes)
          == FOS_ERR_CAPACITY);
    guarded_free(tight, encoded_bytes);
    /* Upsets and early ends give a status; the canaries tell the rest. */
    for (int trial = 0; trial < 3; trial++) {
        (void)fos_ccsds123_decode(memory.encoded, next_random() % (encoded_bytes + 1), restored, memory.image_bytes,
                                  memory.scratch, memory.scratch_bytes, &restored_bytes);
        memory.encoded[next_random() % encoded_bytes] ^= (uint8_t)(1u << next_random() % 8);
        (void)fos_ccsds123_decode(memory.encoded, encoded_bytes, restored, memory.image_bytes, memory.scratch,
                                  memory.scratch_bytes, &restored_bytes);
    }
    guarded_free(restored, memory.image_bytes);
    free_memory(&memory);
}

static fos_ccsds123_parameters_t defaults(uint32_t bands, uint32_t rows, uint32_t cols, uint32_t sample_bits)
{
    return (fos_ccsds123_parameters_t){.cols = cols,
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
                                       .interval_blocks = 64};
}

static void test_all_modes_restored(void)
{
    for (uint32_t mode = 0; mode < 240; mode++) {
        const uint32_t bits = 2 + next_random() % 15;
        fos_ccsds123_parameters_t given =
            defaults(1 + next_random() % 7, 1 + next_random() % 9, 2 + next_random() % 40, bits);
        given.is_signed = mode & 1;
        given.is_reduced = mode >> 1 & 1;
        given.entropy_coder = mode & 4 ? FOS_CCSDS123_BLOCK_ADAPTIVE : FOS_CCSDS123_SAMPLE_ADAPTIVE;
        given.local_sum = mode >> 3 & 3;
        given.interleave_bands = next_random() % (given.bands + 1);
        given.bands_used = next_random() % 16;
        given.weight_bits = 4 + next_random() % 16;
        const uint32_t register_bits = bits + given.weight_bits + 2;
        given.register_bits = mode % 3 == 0 ? (register_bits > 32 ? register_bits : 32) : 64;
        given.output_word_bytes = 1 + next_random() % 8;
        given.error_limits_used = mode % 5 == 0 ? 1 : 0;
        given.error_absolute_max = given.error_limits_used != 0 ? next_random() % (1u << (bits - 1)) % 5 : 0;
        check_restored(&given, next_random() % bits);
    }
    fos_ccsds123_parameters_t column = defaults(3, 200, 1, 12);
    column.is_reduced = 1;
    column.local_sum = FOS_CCSDS123_NARROW_COLUMN;
    check_restored(&column, 5);
    const fos_ccsds123_parameters_t row = defaults(1, 1, 300, 12);
    check_restored(&row, 5);
}

/* The vectors were written by the Python implementation, which shares no code with this one. */
static void test_vectors(void)
{
    for (size_t index = 0; index < sizeof vectors / sizeof vectors[0]; index++) {
        const vector_t *vector = &vectors[index];
        memory_t memory = memory_for(&vector->given);
        CHECK(memory.image_bytes == vector->image_bytes);
        memcpy(memory.image, vector->image, vector->image_bytes);
        size_t encoded_bytes = 0;
        CHECK(fos_ccsds123_encode(memory.image, memory.image_bytes, &vector->given, memory.scratch,
                                  memory.scratch_bytes, memory.encoded, memory.capacity_bytes, &encoded_bytes)
              == FOS_OK);
        CHECK(encoded_bytes == vector->encoded_bytes && memcmp(memory.encoded, vector->encoded, encoded_bytes) == 0);
        free_memory(&memory);
    }
}

static void test_refusals(void)
{
    fos_ccsds123_parameters_t given = defaults(2, 3, 4, 10);
    memory_t memory = memory_for(&given);
    memset(memory.image, 0xFF, memory.image_bytes);
    size_t written = 5;
#define ENCODE(image_bytes, scratch_bytes)                                                                            \
    fos_ccsds123_encode(memory.image, image_bytes, &given, memory.scratch, scratch_bytes, memory.encoded,             \
                        memory.capacity_bytes, &written)
    CHECK(ENCODE(memory.image_bytes, memory.scratch_bytes) == FOS_ERR_RANGE);
    CHECK(ENCODE(memory.image_bytes - 1, memory.scratch_bytes) == FOS_ERR_PARAMETER);
    CHECK(ENCODE(memory.image_bytes, 16) == FOS_ERR_CAPACITY);
    given.bands_used = 16;
    CHECK(ENCODE(memory.image_bytes, memory.scratch_bytes) == FOS_ERR_PARAMETER);
    CHECK(fos_ccsds123_scratch_bytes(&given) == 0 && fos_ccsds123_encoded_bytes_max(&given) == 0);
    given = defaults(65536, 65536, 2, 10);
    CHECK(ENCODE(memory.image_bytes, memory.scratch_bytes) == FOS_ERR_TOO_LARGE);
    given = defaults(2, 3, 1, 10);
    CHECK(ENCODE(memory.image_bytes, memory.scratch_bytes) == FOS_ERR_PARAMETER);
    CHECK(fos_ccsds123_encode(NULL, 0, &given, NULL, 0, NULL, 0, NULL) == FOS_ERR_NULL);
    CHECK(fos_ccsds123_decode(memory.encoded, 3, memory.image, memory.image_bytes, memory.scratch,
                              memory.scratch_bytes, &written)
          == FOS_ERR_CORRUPT);
    const uint8_t hybrid[] = {0, 0, 4, 0, 4, 0, 1, 0x14, 0, 1, 0x0A, 0, 0x0C, 0, 0x91, 0x25, 0, 0x82, 0x10};
    fos_ccsds123_parameters_t read;
    CHECK(fos_ccsds123_read_header(hybrid, sizeof hybrid, &read, &written) == FOS_ERR_UNSUPPORTED);
    free_memory(&memory);
}

int main(void)
{
    on_every_isa(test_all_modes_restored);
    on_every_isa(test_vectors);
    test_refusals();
    return report();
}
