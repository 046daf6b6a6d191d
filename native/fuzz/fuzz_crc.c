/* Fuzz target: batches of CRCs with any frames, and the three ways to reckon a CRC-32C, which must agree. */
#include "flightos_kernels.h"

#include <stdlib.h>
#include <string.h>

size_t fos_fuzz_seed(uint8_t *bytes, size_t capacity, unsigned turn);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_count);

#define FRAME_COUNT_MAX 16u
#define FRAME_BYTES 4u

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

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_count)
{
    if (byte_count < 3) { return 0; }
    const size_t frame_count = bytes[0] % (FRAME_COUNT_MAX + 1);
    const size_t header_bytes = 3 + FRAME_BYTES * frame_count;
    if (byte_count < header_bytes) { return 0; }
    const uint8_t *data = bytes + header_bytes;
    const size_t data_bytes = byte_count - header_bytes;
    fos_span_t frames[FRAME_COUNT_MAX];
    for (size_t frame = 0; frame < frame_count; frame++) {
        const uint8_t *place = bytes + 3 + FRAME_BYTES * frame;
        frames[frame] = (fos_span_t){read_place(place), read_place(place + 2)};
    }
    const size_t cut = ((size_t)bytes[1] << 8 | bytes[2]) % (data_bytes + 1);
    uint32_t whole[2];
    static const char *const levels[] = {"portable", "sse42", "neon"};
    size_t level_count = 0;
    for (size_t level = 0; level < sizeof levels / sizeof levels[0]; level++) {
        if (fos_isa_select(levels[level]) != FOS_OK) { continue; }
        check_batch(data, data_bytes, frames, frame_count);
        const uint32_t first = fos_crc32c(0, data, cut);
        const uint32_t second = fos_crc32c(0, data + cut, data_bytes - cut);
        whole[level_count] = fos_crc32c(0, data, data_bytes);
        if (fos_crc32c(first, data + cut, data_bytes - cut) != whole[level_count]) { abort(); }
        if (fos_crc32c_combine(first, second, data_bytes - cut) != whole[level_count]) { abort(); }
        if (whole[level_count] != whole[0]) { abort(); }
        level_count++;
    }
    return 0;
}

size_t fos_fuzz_seed(uint8_t *bytes, size_t capacity, unsigned turn)
{
    if (turn >= 4 || capacity < 2048) { return 0; }
    memset(bytes, 0, 2048);
    bytes[0] = (uint8_t)(turn * 4);
    bytes[2] = 9;
    for (size_t frame = 0; frame < 4 * turn; frame++) {
        bytes[3 + FRAME_BYTES * frame + 1] = (uint8_t)(frame * 7);
        bytes[3 + FRAME_BYTES * frame + 3] = (uint8_t)(frame * 31 + 1);
    }
    for (size_t byte = 100; byte < 2048; byte++) { bytes[byte] = (uint8_t)(byte * 73); }
    return turn == 3 ? 2048 : 300;
}
