/* Fuzz target of the erasure code: any counts, strides, capacities and losses, at every level.
 * Input: 8 bytes of shape, then which shards are lost, which are the data too. Laws: the status is what plain arithmetic
 * says of the shape; what was encoded comes back as long as enough is left; the first parity is the exclusive or. */
#include "flightos_kernels.h"

#include <stdlib.h>
#include <string.h>

size_t fos_fuzz_seed(uint8_t *bytes, size_t capacity, unsigned turn);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_count);

#define HEADER_BYTES 8u
#define BUFFER_BYTES_MAX 16384u
#define SHARD_COUNT_MAX 512u

/* Mostly small; else up to the limit, one beyond, and far beyond. */
static size_t read_count(uint8_t byte, size_t count_max)
{
    if (byte < 192) { return byte % (count_max / 8u + 1u); }
    if (byte >= 254) { return byte == 254 ? count_max + 1 : SIZE_MAX; }
    return count_max - (253u - byte) * count_max / 64u;
}

/* Mostly small; else at the far end of the range. */
static size_t read_length(uint8_t byte)
{
    return byte < 224 ? byte : SIZE_MAX >> (byte - 224);
}

/* Mostly the length of a shard or a little more; else one less, or anything. */
static size_t read_stride(uint8_t byte, size_t shard_bytes)
{
    return byte < 128 ? shard_bytes + byte % 9u : byte == 128 ? shard_bytes - 1 : read_length(byte);
}

static unsigned __int128 needed_bytes(size_t count, size_t stride_bytes, size_t shard_bytes)
{
    return (unsigned __int128)(count - 1) * stride_bytes + shard_bytes;
}

/* Mostly exactly what the shards need; else one byte less, or a few more. */
static size_t choose_bytes(unsigned choice, size_t count, size_t stride_bytes, size_t shard_bytes)
{
    if (count == 0 || needed_bytes(count, stride_bytes, shard_bytes) > BUFFER_BYTES_MAX) { return 64; }
    const size_t needed = (size_t)needed_bytes(count, stride_bytes, shard_bytes);
    return choice % 8 == 0 ? (needed == 0 ? 0 : needed - 1) : choice % 8 == 1 ? needed + 3 : needed;
}

static fos_status_t expected_status(const fos_erasure_shape_t *shape, size_t data_bytes, size_t parity_bytes)
{
    if (shape->data_count < 1 || shape->data_count > FOS_DATA_SHARD_COUNT_MAX || shape->parity_count < 1
        || shape->parity_count > FOS_PARITY_SHARD_COUNT_MAX || shape->data_stride_bytes < shape->shard_bytes
        || shape->parity_stride_bytes < shape->shard_bytes) {
        return FOS_ERR_PARAMETER;
    }
    return needed_bytes(shape->data_count, shape->data_stride_bytes, shape->shard_bytes) <= data_bytes
                   && needed_bytes(shape->parity_count, shape->parity_stride_bytes, shape->shard_bytes) <= parity_bytes
               ? FOS_OK
               : FOS_ERR_CAPACITY;
}

static uint8_t *new_buffer(size_t byte_count, const uint8_t *filling, size_t filling_bytes)
{
    uint8_t *buffer = malloc(byte_count == 0 ? 1 : byte_count);
    if (buffer == NULL) { abort(); }
    for (size_t byte = 0; byte < byte_count; byte++) { buffer[byte] = (uint8_t)(filling[byte % filling_bytes] + byte / 251); }
    return buffer;
}

static uint8_t *copy_of(const uint8_t *bytes, size_t byte_count)
{
    uint8_t *copy = malloc(byte_count == 0 ? 1 : byte_count);
    if (copy == NULL) { abort(); }
    return memcpy(copy, bytes, byte_count);
}

static void lose(const fos_erasure_shape_t *shape, uint8_t *data, uint8_t *parity, const uint8_t *is_present)
{
    for (size_t shard = 0; shard < shape->data_count + shape->parity_count; shard++) {
        uint8_t *bytes = shard < shape->data_count
                             ? data + shard * shape->data_stride_bytes
                             : parity + (shard - shape->data_count) * shape->parity_stride_bytes;
        if (is_present[shard] == 0) { memset(bytes, 0xEE, shape->shard_bytes); }
    }
}

/* What was encoded must come back, whatever is lost, as long as enough is left; else nothing is written. */
static void check_round_trip(const fos_erasure_shape_t *shape, uint8_t *data, size_t data_bytes, uint8_t *parity,
                             size_t parity_bytes, const uint8_t *is_present)
{
    uint8_t *data_before = copy_of(data, data_bytes);
    uint8_t *parity_before = copy_of(parity, parity_bytes);
    size_t present_count = 0;
    for (size_t shard = 0; shard < shape->data_count + shape->parity_count; shard++) {
        present_count += is_present[shard] != 0;
    }
    lose(shape, data, parity, is_present);
    const int is_enough = present_count >= shape->data_count;
    if (!is_enough) { lose(shape, data_before, parity_before, is_present); }
    const fos_status_t status = fos_erasure_restore(shape, data, data_bytes, parity, parity_bytes, is_present);
    if (status != (is_enough ? FOS_OK : FOS_ERR_UNCORRECTABLE)) { abort(); }
    if (memcmp(data_before, data, data_bytes) != 0 || memcmp(parity_before, parity, parity_bytes) != 0) { abort(); }
    free(data_before);
    free(parity_before);
}

/* The exclusive or of the data judges its own shape, and is the first parity where there is one. */
static void check_xor(const fos_erasure_shape_t *shape, const uint8_t *data, size_t data_bytes, const uint8_t *parity)
{
    const size_t sum_bytes = shape->shard_bytes < data_bytes ? shape->shard_bytes : data_bytes;
    uint8_t *sum = malloc(sum_bytes + (sum_bytes == 0));
    if (sum == NULL) { abort(); }
    fos_status_t expected = FOS_ERR_PARAMETER;
    if (shape->data_count >= 1 && shape->data_stride_bytes >= shape->shard_bytes) {
        const unsigned __int128 needed = needed_bytes(shape->data_count, shape->data_stride_bytes, shape->shard_bytes);
        expected = needed <= data_bytes ? FOS_OK : FOS_ERR_CAPACITY;
    }
    const fos_status_t status =
        fos_xor_parity(data, data_bytes, shape->data_count, shape->data_stride_bytes, shape->shard_bytes, sum);
    if (status != expected) { abort(); }
    if (parity != NULL && memcmp(sum, parity, shape->shard_bytes) != 0) { abort(); }
    free(sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_count)
{
    static const char *const levels[] = {"portable", "avx2", "avx512", "neon"};
    if (byte_count <= HEADER_BYTES) { return 0; }
    const size_t shard_bytes = read_length(bytes[2]);
    const fos_erasure_shape_t shape = {read_count(bytes[0], FOS_DATA_SHARD_COUNT_MAX),
                                       read_count(bytes[1], FOS_PARITY_SHARD_COUNT_MAX), shard_bytes,
                                       read_stride(bytes[3], shard_bytes), read_stride(bytes[4], shard_bytes)};
    const size_t data_bytes = choose_bytes(bytes[5], shape.data_count, shape.data_stride_bytes, shard_bytes);
    const size_t parity_bytes = choose_bytes(bytes[6], shape.parity_count, shape.parity_stride_bytes, shard_bytes);
    if (fos_isa_select(levels[bytes[7] % 4u]) != FOS_OK) { (void)fos_isa_select("portable"); }
    uint8_t is_present[SHARD_COUNT_MAX];
    for (size_t shard = 0; shard < SHARD_COUNT_MAX; shard++) {
        const size_t byte = HEADER_BYTES + shard / 8;
        is_present[shard] = byte >= byte_count || (bytes[byte] >> (shard % 8) & 1u) != 0;
    }
    uint8_t *data = new_buffer(data_bytes, bytes, byte_count);
    uint8_t *parity = new_buffer(parity_bytes, bytes, byte_count);
    const fos_status_t expected = expected_status(&shape, data_bytes, parity_bytes);
    if (fos_erasure_encode(&shape, data, data_bytes, parity, parity_bytes) != expected) { abort(); }
    check_xor(&shape, data, data_bytes, expected == FOS_OK ? parity : NULL);
    if (expected == FOS_OK) {
        check_round_trip(&shape, data, data_bytes, parity, parity_bytes, is_present);
    } else if (fos_erasure_restore(&shape, data, data_bytes, parity, parity_bytes, is_present) != expected) {
        abort(); /* both must judge a shape alike */
    }
    free(data);
    free(parity);
    return 0;
}

size_t fos_fuzz_seed(uint8_t *bytes, size_t capacity, unsigned turn)
{
    static const uint8_t headers[][HEADER_BYTES + 2] = {
        {8, 4, 40, 0, 1, 2, 2, 0, 0xF0, 0xFF}, {1, 1, 223, 0, 0, 2, 2, 1, 0xFE, 0xFF},
        {12, 3, 130, 0, 1, 1, 1, 2, 0x8F, 0x3F}, {253, 253, 9, 0, 0, 2, 2, 3, 0xAA, 0xFF},
        {16, 4, 67, 8, 8, 2, 2, 1, 0xCC, 0x00}, {5, 2, 0, 0, 0, 0, 0, 2, 0x11, 0x22},
    };
    if (turn >= sizeof headers / sizeof headers[0] || capacity < sizeof headers[0]) { return 0; }
    memcpy(bytes, headers[turn], sizeof headers[0]);
    return sizeof headers[0];
}
