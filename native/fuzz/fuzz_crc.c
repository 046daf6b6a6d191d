/* Fuzz target: batches of CRCs with any frames, and the ways to reckon a CRC, which must agree.
 * Input: 4 bytes of head, 4 for each frame, then the data, which may be laid end to end with itself to reach the code for
 * long buffers. */
#include "flightos_kernels.h"

#include <stdlib.h>
#include <string.h>

size_t fos_fuzz_seed(uint8_t *bytes, size_t capacity, unsigned turn);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_count);

#define FRAME_COUNT_MAX 16u
#define FRAME_BYTES 4u
#define HEAD_BYTES 4u
#define DATA_BYTES_MAX 12800u /* three streams of the middle length */
#define BITWISE_BYTES_MAX 48u

/* Two bytes of an offset or a length; a set highest bit means the far end of 64 bits. */
static uint64_t read_place(const uint8_t *bytes)
{
    const uint64_t place = (uint64_t)bytes[0] << 8 | bytes[1];
    return place < 0x8000u ? place : UINT64_MAX - (place & 0x7FFFu);
}

static int is_inside(const fos_span_t *frame, size_t byte_count)
{
    return frame->offset_bytes <= byte_count && frame->length_bytes <= byte_count - frame->offset_bytes;
}

static void check_batch(const uint8_t *data, size_t byte_count, const fos_span_t *frames, size_t frame_count)
{
    uint32_t crc32c[FRAME_COUNT_MAX];
    uint16_t crc16[FRAME_COUNT_MAX];
    int are_inside = 1;
    for (size_t frame = 0; frame < frame_count; frame++) { are_inside = are_inside && is_inside(&frames[frame], byte_count); }
    const fos_status_t expected = are_inside ? FOS_OK : FOS_ERR_RANGE;
    if (fos_crc32c_batch(data, byte_count, frames, frame_count, crc32c) != expected) { abort(); }
    if (fos_crc16_batch(data, byte_count, frames, frame_count, crc16) != expected) { abort(); }
    for (size_t frame = 0; are_inside && frame < frame_count; frame++) {
        const uint8_t *start = data + frames[frame].offset_bytes;
        if (crc32c[frame] != fos_crc32c(0, start, frames[frame].length_bytes)) { abort(); }
        if (crc16[frame] != fos_crc16(0xFFFF, start, frames[frame].length_bytes)) { abort(); }
    }
}

/* From the definitions alone: one bit a step. */
static void check_bitwise(const uint8_t *data, size_t byte_count)
{
    uint32_t crc32c = UINT32_MAX;
    uint32_t crc16 = 0xFFFF;
    for (size_t byte = 0; byte < byte_count; byte++) {
        crc32c ^= data[byte];
        crc16 ^= (uint32_t)data[byte] << 8;
        for (int bit = 0; bit < 8; bit++) {
            crc32c = (crc32c & 1u) != 0 ? (crc32c >> 1) ^ 0x82F63B78u : crc32c >> 1;
            crc16 = (crc16 & 0x8000u) != 0 ? (crc16 << 1 ^ 0x1021u) & 0xFFFFu : crc16 << 1;
        }
    }
    if (fos_crc32c(0, data, byte_count) != ~crc32c || fos_crc16(0xFFFF, data, byte_count) != crc16) { abort(); }
}

/* Gives both CRCs of the whole: CRC-32C above CRC-16. */
static uint64_t check_pieces(const uint8_t *data, size_t byte_count, size_t cut)
{
    const uint32_t whole = fos_crc32c(0, data, byte_count);
    const uint32_t first = fos_crc32c(0, data, cut);
    const uint32_t second = fos_crc32c(0, data + cut, byte_count - cut);
    if (fos_crc32c(first, data + cut, byte_count - cut) != whole) { abort(); }
    if (fos_crc32c_combine(first, second, byte_count - cut) != whole) { abort(); }
    const uint16_t whole16 = fos_crc16(0xFFFF, data, byte_count);
    if (fos_crc16(fos_crc16(0xFFFF, data, cut), data + cut, byte_count - cut) != whole16) { abort(); }
    return (uint64_t)whole << 16 | whole16;
}

/* The data in memory of exactly its size, so that the address sanitizer sees any byte read beyond. */
static uint8_t *new_data(const uint8_t *bytes, size_t byte_count, size_t times)
{
    uint8_t *data = malloc(byte_count * times + (byte_count == 0));
    if (data == NULL) { abort(); }
    for (size_t time = 0; byte_count > 0 && time < times; time++) { memcpy(data + time * byte_count, bytes, byte_count); }
    return data;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_count)
{
    static const char *const levels[] = {"portable", "sse42", "avx512", "neon"};
    if (byte_count < HEAD_BYTES) { return 0; }
    const size_t frame_count = bytes[0] % (FRAME_COUNT_MAX + 1);
    const size_t header_bytes = HEAD_BYTES + FRAME_BYTES * frame_count;
    if (byte_count < header_bytes) { return 0; }
    const size_t given_bytes = byte_count - header_bytes;
    const size_t wanted_times = bytes[1] < 224 ? 1 : (size_t)1 << (bytes[1] - 224u) / 2u;
    const size_t times = given_bytes * wanted_times <= DATA_BYTES_MAX ? wanted_times : 1;
    const size_t data_bytes = given_bytes * times;
    uint8_t *data = new_data(bytes + header_bytes, given_bytes, times);
    fos_span_t frames[FRAME_COUNT_MAX];
    for (size_t frame = 0; frame < frame_count; frame++) {
        const uint8_t *place = bytes + HEAD_BYTES + FRAME_BYTES * frame;
        frames[frame] = (fos_span_t){read_place(place), read_place(place + 2)};
    }
    const size_t cut = ((size_t)bytes[2] << 8 | bytes[3]) % (data_bytes + 1);
    uint64_t portable = 0;
    for (size_t level = 0; level < sizeof levels / sizeof levels[0]; level++) {
        if (fos_isa_select(levels[level]) != FOS_OK) { continue; }
        check_batch(data, data_bytes, frames, frame_count);
        const uint64_t whole = check_pieces(data, data_bytes, cut);
        if (level == 0) { portable = whole; }
        if (whole != portable) { abort(); }
        if (data_bytes <= BITWISE_BYTES_MAX) { check_bitwise(data, data_bytes); }
    }
    free(data);
    return 0;
}

size_t fos_fuzz_seed(uint8_t *bytes, size_t capacity, unsigned turn)
{
    if (turn >= 5 || capacity < 300) { return 0; }
    memset(bytes, 0, 300);
    bytes[0] = (uint8_t)(turn * 4);
    bytes[1] = turn == 4 ? 238 : 0; /* 128 times */
    bytes[3] = 9;
    for (size_t frame = 0; frame < 4 * turn; frame++) {
        bytes[HEAD_BYTES + FRAME_BYTES * frame + 1] = (uint8_t)(frame * 7);
        bytes[HEAD_BYTES + FRAME_BYTES * frame + 3] = (uint8_t)(frame * 3 + 1);
    }
    for (size_t byte = HEAD_BYTES + FRAME_BYTES * 4 * turn; byte < 300; byte++) { bytes[byte] = (uint8_t)(byte * 73); }
    return turn < 3 ? 120 : 300;
}
