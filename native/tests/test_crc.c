#include "harness.h"

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

int main(void)
{
    on_every_isa(test_published_values);
    on_every_isa(test_lengths_alignments_splits);
    CHECK(fos_isa_select("no_such_level") == FOS_ERR_UNSUPPORTED);
    CHECK(fos_isa_select(NULL) == FOS_ERR_NULL);
    return report();
}
