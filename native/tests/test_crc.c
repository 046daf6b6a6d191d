#include "harness.h"

#include "protection_internal.h"

static const uint8_t check_input[] = "123456789";

static uint16_t crc16_bitwise(const uint8_t *data, size_t byte_count)
{
    uint32_t crc = 0xFFFFu;
    for (size_t byte = 0; byte < byte_count; byte++) {
        crc ^= (uint32_t)data[byte] << 8;
        for (int bit = 0; bit < 8; bit++) { crc = (crc & 0x8000u) != 0 ? (crc << 1) ^ 0x1021u : crc << 1; }
        crc &= 0xFFFFu;
    }
    return (uint16_t)crc;
}

static uint32_t crc32c_bitwise(const uint8_t *data, size_t byte_count)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t byte = 0; byte < byte_count; byte++) {
        crc ^= data[byte];
        for (int bit = 0; bit < 8; bit++) { crc = (crc & 1u) != 0 ? (crc >> 1) ^ 0x82F63B78u : crc >> 1; }
    }
    return ~crc;
}

static void test_published_values(void)
{
    CHECK(fos_crc16(0xFFFF, check_input, 9) == 0x29B1);
    CHECK(fos_crc32c(0, check_input, 9) == 0xE3069283u);
    /* RFC 3720, B.4: 32 zeros, 32 ones, 0..31, 31..0 */
    uint8_t data[32];
    memset(data, 0, sizeof data);
    CHECK(fos_crc32c(0, data, 32) == 0x8A9136AAu);
    memset(data, 0xFF, sizeof data);
    CHECK(fos_crc32c(0, data, 32) == 0x62A8AB43u);
    for (uint8_t byte = 0; byte < 32; byte++) { data[byte] = byte; }
    CHECK(fos_crc32c(0, data, 32) == 0x46DD794Eu);
    for (uint8_t byte = 0; byte < 32; byte++) { data[byte] = (uint8_t)(31 - byte); }
    CHECK(fos_crc32c(0, data, 32) == 0x113FDB5Cu);
}

/* Every length around the step of 8, every alignment, and every split give what the bitwise definition gives. */
static void test_lengths_alignments_splits(void)
{
    for (size_t byte_count = 0; byte_count < 70; byte_count++) {
        for (size_t offset = 0; offset < 8; offset++) {
            uint8_t *data = guarded_new(byte_count + offset);
            for (size_t byte = 0; byte < byte_count; byte++) { data[offset + byte] = (uint8_t)next_random(); }
            const uint16_t crc16 = crc16_bitwise(data + offset, byte_count);
            const uint32_t crc32c = crc32c_bitwise(data + offset, byte_count);
            CHECK(fos_crc16(0xFFFF, data + offset, byte_count) == crc16);
            CHECK(fos_crc32c(0, data + offset, byte_count) == crc32c);
            const size_t split = byte_count / 3;
            const uint16_t first16 = fos_crc16(0xFFFF, data + offset, split);
            const uint32_t first32 = fos_crc32c(0, data + offset, split);
            CHECK(fos_crc16(first16, data + offset + split, byte_count - split) == crc16);
            CHECK(fos_crc32c(first32, data + offset + split, byte_count - split) == crc32c);
            guarded_free(data, byte_count + offset);
        }
    }
    CHECK(fos_crc16(0xFFFF, NULL, 0) == 0xFFFF);
    CHECK(fos_crc32c(0, NULL, 0) == 0);
}

/* Every length through several strides of folding, at several alignments, in memory of exactly that size, against the
 * bitwise definition; started from an earlier value too. */
static void test_every_length_of_folding(void)
{
    enum { BYTE_COUNT_MAX = 1100 };
    uint8_t source[BYTE_COUNT_MAX];
    for (size_t byte = 0; byte < BYTE_COUNT_MAX; byte++) { source[byte] = (uint8_t)next_random(); }
    for (size_t byte_count = 1; byte_count <= BYTE_COUNT_MAX; byte_count++) {
        const size_t offset = byte_count % 67;
        uint8_t *data = malloc(offset + byte_count);
        if (data == NULL) { abort(); }
        memcpy(data + offset, source, byte_count);
        const uint16_t crc16 = crc16_bitwise(source, byte_count);
        const uint32_t crc32c = crc32c_bitwise(source, byte_count);
        CHECK(fos_crc16(0xFFFF, data + offset, byte_count) == crc16);
        CHECK(fos_crc32c(0, data + offset, byte_count) == crc32c);
        const size_t split = byte_count / 5;
        CHECK(fos_crc16(crc16_bitwise(source, split), data + offset + split, byte_count - split) == crc16);
        CHECK(fos_crc32c(crc32c_bitwise(source, split), data + offset + split, byte_count - split) == crc32c);
        free(data);
    }
}

/* x^exponent modulo the polynomial of CRC-16 or CRC-32C, one bit a step; bit n is x^n. */
static uint64_t power_bitwise(unsigned exponent, unsigned width, uint64_t polynomial)
{
    uint64_t power = 1;
    for (; exponent > 0; exponent--) {
        power <<= 1;
        if ((power >> width & 1u) != 0) { power ^= (uint64_t)1 << width | polynomial; }
    }
    return power;
}

/* The multipliers are the powers that they must be. Those of CRC-32C are reflected, one bit higher, and so 32 less. */
static void test_powers_of_folding(void)
{
    static const unsigned distances_bits[FOS_CRC_FOLDS] = {2048, 512, 384, 256, 128};
    (void)fos_isa_name(); /* the tables are filled with the first use */
    for (size_t index = 0; index < FOS_CRC_FOLDS; index++) {
        const unsigned distance = distances_bits[index];
        CHECK(fos_crc16_fold[index][0] == power_bitwise(distance, 16, 0x1021u));
        CHECK(fos_crc16_fold[index][1] == power_bitwise(distance + 64, 16, 0x1021u));
        for (unsigned half = 0; half < 2; half++) {
            const uint64_t power = power_bitwise(distance + 64 * (1 - half) - 32, 32, 0x1EDC6F41u);
            uint64_t reflected = 0;
            for (unsigned bit = 0; bit < 32; bit++) { reflected |= (power >> bit & 1u) << (31 - bit); }
            CHECK(fos_crc32c_fold[index][half] == reflected << 1);
        }
    }
}

/* A processor with AVX-512 but without VPCLMULQDQ has the CRC instruction still. */
static void test_missing_feature_falls_back(void)
{
#ifdef __x86_64__
    const uint32_t plain = FOS_FEATURE_SSE42 | FOS_FEATURE_AVX2;
    fos_kernels_t lower;
    fos_kernels_t upper;
    memset(&lower, 0, sizeof lower);
    memset(&upper, 0, sizeof upper);
    fos_crc_fill(&lower, plain);
    fos_crc_fill(&upper, plain | FOS_FEATURE_AVX512);
    CHECK(memcmp(&lower, &upper, sizeof lower) == 0);
    fos_crc_fill(&upper, plain | FOS_FEATURE_AVX512 | FOS_FEATURE_VPCLMUL);
    CHECK(upper.crc32c != lower.crc32c && upper.crc32c_batch != lower.crc32c_batch);
    CHECK(upper.crc16 != lower.crc16 && upper.crc16_batch != lower.crc16_batch);
#endif
}

/* Lengths at which the three streams start and end, against the bitwise definition; CRCs of the parts join. */
static void test_streams_and_combine(void)
{
    static const size_t lengths[] = {767, 768, 769, 1543, 12287, 12288, 13057, 196607, 196608, 196616, 210001};
    const size_t capacity = 210001 + 7;
    uint8_t *data = guarded_new(capacity);
    for (size_t byte = 0; byte < capacity; byte++) { data[byte] = (uint8_t)next_random(); }
    for (size_t index = 0; index < sizeof lengths / sizeof lengths[0]; index++) {
        const size_t byte_count = lengths[index];
        const uint8_t *start = data + index % 8;
        const uint32_t whole = fos_crc32c(0, start, byte_count);
        CHECK(whole == crc32c_bitwise(start, byte_count));
        const size_t first_count = next_random() % byte_count;
        const uint32_t first = fos_crc32c(0, start, first_count);
        const uint32_t second = fos_crc32c(0, start + first_count, byte_count - first_count);
        CHECK(fos_crc32c_combine(first, second, byte_count - first_count) == whole);
        CHECK(fos_crc32c(first, start + first_count, byte_count - first_count) == whole);
    }
    CHECK(fos_crc32c_combine(0, 0x12345678u, 0) == 0x12345678u);
    /* Lengths beyond 32 bits: two steps are one step of their sum. */
    for (unsigned shift = 20; shift < 63; shift++) {
        const uint64_t half = ((uint64_t)1 << shift) + 5;
        CHECK(fos_crc32c_combine(fos_crc32c_combine(0x89ABCDEFu, 0, half), 0, half)
              == fos_crc32c_combine(0x89ABCDEFu, 0, 2 * half));
    }
    guarded_free(data, capacity);
}

/* Frames of every length and place, overlapping too. */
static void test_batch(void)
{
    enum { BYTE_COUNT = 5000, FRAME_COUNT = 100 };
    uint8_t *data = guarded_new(BYTE_COUNT);
    for (size_t byte = 0; byte < BYTE_COUNT; byte++) { data[byte] = (uint8_t)next_random(); }
    fos_span_t frames[FRAME_COUNT];
    for (size_t frame = 0; frame < FRAME_COUNT; frame++) {
        frames[frame].offset_bytes = next_random() % BYTE_COUNT;
        frames[frame].length_bytes = next_random() % (BYTE_COUNT - frames[frame].offset_bytes + 1);
    }
    for (size_t frame_count = 0; frame_count <= FRAME_COUNT; frame_count += frame_count < 8 ? 1 : 23) {
        uint32_t *crc32c = guarded_new(frame_count * sizeof *crc32c);
        uint16_t *crc16 = guarded_new(frame_count * sizeof *crc16);
        CHECK(fos_crc32c_batch(data, BYTE_COUNT, frames, frame_count, crc32c) == FOS_OK);
        CHECK(fos_crc16_batch(data, BYTE_COUNT, frames, frame_count, crc16) == FOS_OK);
        for (size_t frame = 0; frame < frame_count; frame++) {
            const uint8_t *start = data + frames[frame].offset_bytes;
            CHECK(crc32c[frame] == crc32c_bitwise(start, frames[frame].length_bytes));
            CHECK(crc16[frame] == crc16_bitwise(start, frames[frame].length_bytes));
        }
        guarded_free(crc32c, frame_count * sizeof *crc32c);
        guarded_free(crc16, frame_count * sizeof *crc16);
    }
    guarded_free(data, BYTE_COUNT);
}

static void test_batch_trusts_no_length(void)
{
    const uint8_t data[16] = {0};
    uint32_t crcs[2] = {7, 7};
    uint16_t crc16[1] = {7};
    const fos_span_t beyond[] = {{0, 16}, {8, 9}};
    const fos_span_t huge[] = {{16, UINT64_MAX}};
    const fos_span_t outside[] = {{UINT64_MAX, 1}};
    CHECK(fos_crc32c_batch(data, 16, beyond, 2, crcs) == FOS_ERR_RANGE);
    CHECK(fos_crc32c_batch(data, 16, huge, 1, crcs) == FOS_ERR_RANGE);
    CHECK(fos_crc16_batch(data, 16, outside, 1, crc16) == FOS_ERR_RANGE);
    CHECK(crcs[0] == 7 && crcs[1] == 7 && crc16[0] == 7);
    CHECK(fos_crc32c_batch(data, 16, beyond, 1, NULL) == FOS_ERR_NULL);
    CHECK(fos_crc32c_batch(data, 16, beyond, FOS_PIXEL_COUNT_MAX + 1, crcs) == FOS_ERR_TOO_LARGE);
}

/* Every single-bit upset of a frame, its CRC included, and every burst up to the width of the CRC is detected. */
static void test_every_upset_is_detected(void)
{
    enum { BYTE_COUNT = 300 };
    uint8_t data[BYTE_COUNT];
    for (size_t byte = 0; byte < BYTE_COUNT; byte++) { data[byte] = (uint8_t)next_random(); }
    const uint32_t crc32c = fos_crc32c(0, data, BYTE_COUNT);
    const uint16_t crc16 = fos_crc16(0xFFFF, data, BYTE_COUNT);
    unsigned long missed_count = 0;
    for (size_t bit = 0; bit < 8 * BYTE_COUNT; bit++) {
        for (size_t width = 1; width <= 16 && bit + width <= 8 * BYTE_COUNT; width++) {
            /* A burst: alternate bits within the width. */
            for (size_t step = 0; step < width; step += 2) { data[(bit + step) / 8] ^= (uint8_t)(1u << ((bit + step) % 8)); }
            missed_count += fos_crc32c(0, data, BYTE_COUNT) == crc32c;
            missed_count += fos_crc16(0xFFFF, data, BYTE_COUNT) == crc16;
            for (size_t step = 0; step < width; step += 2) { data[(bit + step) / 8] ^= (uint8_t)(1u << ((bit + step) % 8)); }
        }
    }
    CHECK(missed_count == 0);
}

int main(void)
{
    on_every_isa(test_published_values);
    on_every_isa(test_lengths_alignments_splits);
    on_every_isa(test_every_length_of_folding);
    test_powers_of_folding();
    test_missing_feature_falls_back();
    on_every_isa(test_streams_and_combine);
    on_every_isa(test_batch);
    on_every_isa(test_batch_trusts_no_length);
    on_every_isa(test_every_upset_is_detected);
    CHECK(fos_isa_select("no_such_level") == FOS_ERR_UNSUPPORTED);
    CHECK(fos_isa_select(NULL) == FOS_ERR_NULL);
    return report();
}
