/* Fuzz target: the erasure code with any counts, strides, capacities and losses. */
#include "flightos_kernels.h"

#include <stdlib.h>
#include <string.h>

size_t fos_fuzz_seed(uint8_t *bytes, size_t capacity, unsigned turn);

#define HEADER_BYTES 14u
#define BUFFER_BYTES_MAX 4096u
#define SHARD_COUNT_MAX (FOS_DATA_SHARD_COUNT_MAX + FOS_PARITY_SHARD_COUNT_MAX)

static size_t read_u16(const uint8_t *bytes)
{
    return (size_t)bytes[0] << 8 | bytes[1];
}

/* A length as it is, or, where its highest bit is set, one at the far end of the range. */
static size_t read_length(const uint8_t *bytes)
{
    const size_t length = read_u16(bytes);
    return length < 0x8000u ? length : SIZE_MAX - (length & 0x7FFFu);
}

static uint8_t *new_buffer(size_t byte_count, const uint8_t *filling, size_t filling_bytes)
{
    uint8_t *buffer = malloc(byte_count == 0 ? 1 : byte_count);
    if (buffer == NULL) { abort(); }
    for (size_t byte = 0; byte < byte_count; byte++) {
        buffer[byte] = filling_bytes == 0 ? (uint8_t)byte : filling[byte % filling_bytes];
    }
    return buffer;
}

/* What was encoded must come back, whatever is lost, as long as enough is left. */
static void check_round_trip(const fos_erasure_shape_t *shape, uint8_t *data, size_t data_bytes, uint8_t *parity,
                             size_t parity_bytes, const uint8_t *is_present)
{
    uint8_t *before = new_buffer(data_bytes, data, data_bytes);
    size_t present_count = 0;
    for (size_t shard = 0; shard < shape->data_count + shape->parity_count; shard++) {
        present_count += is_present[shard] != 0;
        if (is_present[shard] != 0) { continue; }
        if (shard < shape->data_count) {
            memset(data + shard * shape->data_stride_bytes, 0xEE, shape->shard_bytes);
        } else {
            memset(parity + (shard - shape->data_count) * shape->parity_stride_bytes, 0xEE, shape->shard_bytes);
        }
    }
    const fos_status_t status = fos_erasure_restore(shape, data, data_bytes, parity, parity_bytes, is_present);
    if (present_count < shape->data_count) {
        if (status != FOS_ERR_UNCORRECTABLE) { abort(); }
    } else if (status != FOS_OK || memcmp(before, data, data_bytes) != 0) {
        abort();
    }
    free(before);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_count)
{
    if (byte_count < HEADER_BYTES) { return 0; }
    const fos_erasure_shape_t shape = {read_length(bytes), bytes[2], read_length(bytes + 4), read_length(bytes + 6),
                                       read_length(bytes + 8)};
    const size_t data_bytes = read_u16(bytes + 10) % BUFFER_BYTES_MAX;
    const size_t parity_bytes = read_u16(bytes + 12) % BUFFER_BYTES_MAX;
    if (fos_isa_select(bytes[3] % 2 == 0 ? "portable" : "avx2") != FOS_OK) { (void)fos_isa_select("neon"); }
    uint8_t is_present[SHARD_COUNT_MAX];
    for (size_t shard = 0; shard < SHARD_COUNT_MAX; shard++) {
        const size_t byte = HEADER_BYTES + shard / 8;
        is_present[shard] = byte >= byte_count || (bytes[byte] >> (shard % 8) & 1u) != 0;
    }
    uint8_t *data = new_buffer(data_bytes, bytes, byte_count);
    uint8_t *parity = new_buffer(parity_bytes, bytes, byte_count);
    const fos_status_t status = fos_erasure_encode(&shape, data, data_bytes, parity, parity_bytes);
    if (status == FOS_OK) {
        check_round_trip(&shape, data, data_bytes, parity, parity_bytes, is_present);
    } else if (fos_erasure_restore(&shape, data, data_bytes, parity, parity_bytes, is_present) == FOS_OK) {
        abort(); /* both must judge a shape alike */
    }
    uint8_t *sum = new_buffer(data_bytes, bytes, 0);
    if (shape.shard_bytes <= data_bytes) {
        (void)fos_xor_parity(data, data_bytes, shape.data_count, shape.data_stride_bytes, shape.shard_bytes, sum);
    }
    free(sum);
    free(data);
    free(parity);
    return 0;
}

size_t fos_fuzz_seed(uint8_t *bytes, size_t capacity, unsigned turn)
{
    static const uint8_t headers[][HEADER_BYTES + 2] = {
        {0, 8, 4, 0, 0, 40, 0, 40, 0, 41, 4, 0, 2, 0, 0xF0, 0xFF},
        {0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 4, 0, 2, 0, 0xFE, 0xFF},
        {0, 12, 6, 1, 0, 130, 0, 131, 0, 130, 8, 0, 4, 0, 0x0F, 0x3F},
        {0, 128, 32, 1, 0, 9, 0, 9, 0, 9, 4, 255, 2, 0, 0xAA, 0xFF},
    };
    if (turn >= sizeof headers / sizeof headers[0] || capacity < sizeof headers[0]) { return 0; }
    memcpy(bytes, headers[turn], sizeof headers[0]);
    return sizeof headers[0];
}
