#include "harness.h"

/* Values of 0..99 in 16 bits, coded by libaec 1.1 with blocks of 8 and intervals of 4 blocks. */
static const uint8_t ramp_coded[] = {
    0x10, 0x00, 0x04, 0x92, 0x49, 0x12, 0x49, 0x24, 0x91, 0x24, 0x92, 0x49, 0x12, 0x49, 0x24, 0x91, 0x00,
    0x20, 0x24, 0x92, 0x48, 0x92, 0x49, 0x24, 0x89, 0x24, 0x92, 0x48, 0x92, 0x49, 0x24, 0x88, 0x02, 0x01,
    0x24, 0x92, 0x44, 0x92, 0x49, 0x24, 0x49, 0x24, 0x92, 0x44, 0x92, 0x49, 0x24, 0x40, 0x18, 0x09, 0x3e};

static void test_published_by_another_coder(void)
{
    const fos_ccsds121_parameters_t parameters = {16, 8, 4, FOS_CCSDS121_PREPROCESS};
    uint8_t samples[200];
    for (uint8_t index = 0; index < 100; index++) {
        samples[2 * index] = index;
        samples[2 * index + 1] = 0;
    }
    uint8_t coded[sizeof ramp_coded];
    size_t coded_bytes = 0;
    CHECK(fos_ccsds121_encode(samples, 100, &parameters, coded, sizeof coded, &coded_bytes) == FOS_OK);
    CHECK(coded_bytes == sizeof ramp_coded && memcmp(coded, ramp_coded, sizeof coded) == 0);
    uint8_t restored[200];
    size_t restored_bytes = 0;
    CHECK(fos_ccsds121_decode(coded, coded_bytes, &parameters, restored, 100, 200, &restored_bytes) == FOS_OK);
    CHECK(restored_bytes == 200 && memcmp(restored, samples, 200) == 0);
}

/* Random walks with steps of this many bits, so that all options come up, within the range of the samples. */
static void fill(uint8_t *samples, size_t sample_count, uint32_t bits, uint32_t width, uint32_t flags, uint32_t step)
{
    const uint32_t mask = (uint32_t)(((uint64_t)1 << bits) - 1);
    uint32_t value = next_random() & mask;
    for (size_t index = 0; index < sample_count; index++) {
        if (step > 0) { value = (value + (next_random() >> (32 - step))) & mask; }
        uint32_t stored = value;
        if ((flags & FOS_CCSDS121_SIGNED) != 0 && value >> (bits - 1) != 0) { stored |= ~mask; }
        for (uint32_t byte = 0; byte < width; byte++) {
            const uint32_t shift = 8 * ((flags & FOS_CCSDS121_MSB) != 0 ? width - 1 - byte : byte);
            samples[index * width + byte] = (uint8_t)(stored >> shift);
        }
    }
}

static void check_restored(const fos_ccsds121_parameters_t *parameters, uint32_t width, size_t sample_count, uint32_t step)
{
    const size_t sample_bytes = sample_count * width;
    uint8_t *samples = guarded_new(sample_bytes);
    fill(samples, sample_count, parameters->bits_per_sample, width, parameters->flags, step);
    const size_t capacity = fos_ccsds121_encoded_bytes_max(parameters, sample_count);
    uint8_t *coded = guarded_new(capacity);
    size_t coded_bytes = 0;
    CHECK(fos_ccsds121_encode(samples, sample_count, parameters, coded, capacity, &coded_bytes) == FOS_OK);
    uint8_t *restored = guarded_new(sample_bytes);
    size_t restored_bytes = 0;
    CHECK(fos_ccsds121_decode(coded, coded_bytes, parameters, restored, sample_count, sample_bytes, &restored_bytes)
          == FOS_OK);
    CHECK(restored_bytes == sample_bytes && memcmp(samples, restored, sample_bytes) == 0);
    /* A smaller output is refused and not overrun; the exact one is enough. */
    uint8_t *tight = guarded_new(coded_bytes);
    size_t tight_bytes = 0;
    CHECK(fos_ccsds121_encode(samples, sample_count, parameters, tight, coded_bytes, &tight_bytes) == FOS_OK);
    CHECK(fos_ccsds121_encode(samples, sample_count, parameters, tight, coded_bytes - 1, &tight_bytes)
          == FOS_ERR_CAPACITY);
    guarded_free(tight, coded_bytes);
    /* Any start of it, and any upset of it, give a status. */
    for (int trial = 0; trial < 4; trial++) {
        (void)fos_ccsds121_decode(coded, next_random() % (coded_bytes + 1), parameters, restored, sample_count,
                                  sample_bytes, &restored_bytes);
        coded[next_random() % coded_bytes] ^= (uint8_t)(1u << next_random() % 8);
        (void)fos_ccsds121_decode(coded, coded_bytes, parameters, restored, sample_count, sample_bytes,
                                  &restored_bytes);
    }
    guarded_free(samples, sample_bytes);
    guarded_free(coded, capacity);
    guarded_free(restored, sample_bytes);
}

static void test_every_width_restored(void)
{
    static const uint32_t sizes[] = {8, 16, 32, 64};
    for (uint32_t bits = 1; bits <= 32; bits++) {
        for (uint32_t flags = 0; flags < 64; flags++) {
            if ((flags & FOS_CCSDS121_RESTRICTED) != 0 && bits > 4) { continue; }
            const uint32_t four = (flags & FOS_CCSDS121_3BYTE) != 0 && bits <= 24 ? 3 : 4;
            const uint32_t width = bits > 16 ? four : bits > 8 ? 2 : 1;
            const fos_ccsds121_parameters_t parameters = {bits, sizes[flags & 3], 1 + next_random() % 70, flags};
            check_restored(&parameters, width, 1 + next_random() % 700, next_random() % (bits + 1));
            check_restored(&parameters, width, 1 + next_random() % 7000, 0);
        }
    }
}

/* Blocks of zeros (3.5) in an interval: 00000 begins them, then comes how many, as zeros before a one. */
static fos_status_t decode_zero_blocks(uint32_t interval_blocks, const uint8_t *coded, size_t coded_bytes,
                                       size_t block_count)
{
    const fos_ccsds121_parameters_t parameters = {16, 8, interval_blocks, 0};
    uint8_t samples[100 * 16];
    size_t written = 0;
    memset(samples, 0xA5, sizeof samples);
    const fos_status_t status = fos_ccsds121_decode(coded, coded_bytes, &parameters, samples, 8 * block_count,
                                                    sizeof samples, &written);
    CHECK(written == (status == FOS_OK ? 16 * block_count : 0));
    for (size_t byte = 0; status == FOS_OK && byte < written; byte++) { CHECK(samples[byte] == 0); }
    return status;
}

static void test_runs_of_zero_blocks(void)
{
    static const uint8_t three[] = {0x01};
    CHECK(decode_zero_blocks(3, three, 1, 3) == FOS_OK);
    CHECK(decode_zero_blocks(4, three, 1, 3) == FOS_OK);
    CHECK(decode_zero_blocks(2, three, 1, 2) == FOS_ERR_CORRUPT); /* beyond the end of the interval */
    static const uint8_t sixty_three[] = {0, 0, 0, 0, 0, 0, 0, 0, 0x08};
    CHECK(decode_zero_blocks(63, sixty_three, 9, 63) == FOS_OK);
    CHECK(decode_zero_blocks(62, sixty_three, 9, 62) == FOS_ERR_CORRUPT);
    static const uint8_t seventy[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10}; /* more than a segment has */
    CHECK(decode_zero_blocks(100, seventy, 10, 70) == FOS_ERR_CORRUPT);
}

/* 32 bits, split at 29: the part before the split has 3 bits, so seven zeros are the most (3.3). Eight would wrap. */
static void test_split_of_the_widest_samples(void)
{
    const fos_ccsds121_parameters_t parameters = {32, 8, 1, 0};
    const uint8_t coded[32] = {0xF0, 0x0F, 0xF0};
    uint8_t samples[32];
    size_t written = 0;
    CHECK(fos_ccsds121_decode(coded, sizeof coded, &parameters, samples, 8, sizeof samples, &written) == FOS_OK);
    CHECK(written == 32 && samples[3] == 0xE0);
    const uint8_t wrapping[32] = {0xF0, 0x07, 0xF8};
    CHECK(fos_ccsds121_decode(wrapping, sizeof wrapping, &parameters, samples, 8, sizeof samples, &written)
          == FOS_ERR_CORRUPT);
    CHECK(written == 0);
}

/* Intervals of one block that each end on a whole byte, of samples that nothing shortens: the most that a sample takes. */
static void test_what_cannot_be_shortened_fits(void)
{
    for (uint32_t bits = 1; bits <= 8; bits++) {
        for (uint32_t flags = 0; flags < 32; flags++) {
            if ((flags & FOS_CCSDS121_RESTRICTED) != 0 && bits > 4) { continue; }
            const fos_ccsds121_parameters_t parameters = {bits, 8, 1, flags | FOS_CCSDS121_PAD_INTERVAL};
            check_restored(&parameters, 1, 2000, bits);
        }
    }
}

static void test_refusals(void)
{
    fos_ccsds121_parameters_t parameters = {12, 8, 4, FOS_CCSDS121_PREPROCESS};
    const uint8_t too_wide[] = {0x00, 0x10};
    uint8_t memory[64];
    size_t written = 77;
    CHECK(fos_ccsds121_encode(too_wide, 1, &parameters, memory, sizeof memory, &written) == FOS_ERR_RANGE);
    CHECK(fos_ccsds121_encode(NULL, 1, &parameters, memory, sizeof memory, &written) == FOS_ERR_NULL);
    CHECK(fos_ccsds121_decode(too_wide, 0, &parameters, memory, 1, 64, &written) == FOS_ERR_CORRUPT && written == 0);
    CHECK(fos_ccsds121_decode(too_wide, 2, &parameters, memory, 33, 64, &written) == FOS_ERR_CAPACITY);
    CHECK(fos_ccsds121_encode(too_wide, 0, &parameters, memory, 0, &written) == FOS_OK && written == 0);
    CHECK(fos_ccsds121_decode(too_wide, 2, &parameters, memory, FOS_PIXEL_COUNT_MAX + 1, SIZE_MAX, &written)
          == FOS_ERR_TOO_LARGE);
    CHECK(fos_ccsds121_encode(too_wide, FOS_PIXEL_COUNT_MAX + 1, &parameters, memory, sizeof memory, &written)
          == FOS_ERR_TOO_LARGE);
    CHECK(fos_ccsds121_encoded_bytes_max(NULL, 1) == 0);
    parameters.block_size = 24;
    CHECK(fos_ccsds121_encode(memory, 1, &parameters, memory, sizeof memory, &written) == FOS_ERR_PARAMETER);
    CHECK(fos_ccsds121_encoded_bytes_max(&parameters, 1) == 0);
    parameters = (fos_ccsds121_parameters_t){33, 8, 4, 0};
    CHECK(fos_ccsds121_encode(memory, 1, &parameters, memory, sizeof memory, &written) == FOS_ERR_PARAMETER);
    parameters = (fos_ccsds121_parameters_t){8, 8, 4097, 0};
    CHECK(fos_ccsds121_decode(memory, 1, &parameters, memory, 1, 1, &written) == FOS_ERR_PARAMETER);
    parameters = (fos_ccsds121_parameters_t){8, 8, 1, 64};
    CHECK(fos_ccsds121_decode(memory, 1, &parameters, memory, 1, 1, &written) == FOS_ERR_PARAMETER);
}

int main(void)
{
    test_published_by_another_coder();
    test_every_width_restored();
    test_runs_of_zero_blocks();
    test_split_of_the_widest_samples();
    test_what_cannot_be_shortened_fits();
    test_refusals();
    return report();
}
