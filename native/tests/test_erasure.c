/* The erasure code: parity by its definition, every loss that can be restored is, and no length is trusted. */
#include "harness.h"

static uint8_t multiply(unsigned a, unsigned b)
{
    unsigned product = 0;
    for (; b != 0; b >>= 1) {
        if ((b & 1u) != 0) { product ^= a; }
        a = (a << 1) ^ ((a & 0x80u) != 0 ? 0x11Du : 0);
    }
    return (uint8_t)product;
}

static uint8_t divide(unsigned a, unsigned b)
{
    for (unsigned quotient = 0; quotient < 256; quotient++) {
        if (multiply(b, quotient) == a) { return (uint8_t)quotient; }
    }
    return 0;
}

/* One set of shards between canaries. */
typedef struct {
    fos_erasure_shape_t shape;
    uint8_t *data;
    uint8_t *parity;
    size_t data_bytes;
    size_t parity_bytes;
} shards_t;

static shards_t new_shards(size_t data_count, size_t parity_count, size_t shard_bytes, size_t gap_bytes)
{
    shards_t shards = {.shape = {data_count, parity_count, shard_bytes, shard_bytes + gap_bytes, shard_bytes + 2 * gap_bytes}};
    shards.data_bytes = (data_count - 1) * shards.shape.data_stride_bytes + shard_bytes;
    shards.parity_bytes = (parity_count - 1) * shards.shape.parity_stride_bytes + shard_bytes;
    shards.data = guarded_new(shards.data_bytes);
    shards.parity = guarded_new(shards.parity_bytes);
    for (size_t byte = 0; byte < shards.data_bytes; byte++) { shards.data[byte] = (uint8_t)next_random(); }
    return shards;
}

static void free_shards(const shards_t *shards)
{
    guarded_free(shards->data, shards->data_bytes);
    guarded_free(shards->parity, shards->parity_bytes);
}

static fos_status_t encode(const shards_t *shards)
{
    return fos_erasure_encode(&shards->shape, shards->data, shards->data_bytes, shards->parity, shards->parity_bytes);
}

static fos_status_t restore(const shards_t *shards, const uint8_t *is_present)
{
    return fos_erasure_restore(&shards->shape, shards->data, shards->data_bytes, shards->parity, shards->parity_bytes,
                               is_present);
}

static void check_parity(size_t data_count, size_t parity_count, size_t shard_bytes)
{
    const shards_t shards = new_shards(data_count, parity_count, shard_bytes, shard_bytes % 5);
    CHECK(encode(&shards) == FOS_OK);
    int is_equal = 1;
    for (size_t row = 0; row < parity_count; row++) {
        for (size_t byte = 0; byte < shard_bytes; byte++) {
            uint8_t expected = 0;
            for (unsigned column = 0; column < data_count; column++) {
                const uint8_t factor = divide(255u ^ column, (255u - (unsigned)row) ^ column);
                expected ^= multiply(factor, shards.data[column * shards.shape.data_stride_bytes + byte]);
            }
            is_equal = is_equal && shards.parity[row * shards.shape.parity_stride_bytes + byte] == expected;
        }
    }
    CHECK(is_equal);
    free_shards(&shards);
}

/* All tails of the longest step (128 bytes), and rows that do not fill a group of four. */
static void test_parity_is_as_defined(void)
{
    for (size_t shard_bytes = 0; shard_bytes < 131; shard_bytes += 13) { check_parity(3, 2, shard_bytes); }
    check_parity(1, 1, 70);
    check_parity(2, 3, 257);
    check_parity(5, 6, 128);
}

/* Overwrites what is_present says is lost, restores it, and compares with what was. */
static void check_loss(const shards_t *shards, const uint8_t *data, const uint8_t *parity, const uint8_t *is_present,
                       size_t lost_count, unsigned long *good_count)
{
    const fos_erasure_shape_t *shape = &shards->shape;
    for (size_t shard = 0; shard < shape->data_count + shape->parity_count; shard++) {
        if (is_present[shard] != 0) { continue; }
        uint8_t *lost = shard < shape->data_count
                            ? shards->data + shard * shape->data_stride_bytes
                            : shards->parity + (shard - shape->data_count) * shape->parity_stride_bytes;
        memset(lost, 0xEE, shape->shard_bytes);
    }
    if (lost_count > shape->parity_count) {
        *good_count += restore(shards, is_present) == FOS_ERR_UNCORRECTABLE;
    } else {
        *good_count += restore(shards, is_present) == FOS_OK && memcmp(shards->data, data, shards->data_bytes) == 0 &&
                       memcmp(shards->parity, parity, shards->parity_bytes) == 0;
    }
    memcpy(shards->data, data, shards->data_bytes);
    memcpy(shards->parity, parity, shards->parity_bytes);
}

/* Every subset of the twelve shards of 8 + 4 lost: 4096 cases. */
static void test_every_loss_of_8_and_4(void)
{
    const shards_t shards = new_shards(8, 4, 70, 3);
    CHECK(encode(&shards) == FOS_OK);
    uint8_t *data = guarded_new(shards.data_bytes);
    uint8_t *parity = guarded_new(shards.parity_bytes);
    memcpy(data, shards.data, shards.data_bytes);
    memcpy(parity, shards.parity, shards.parity_bytes);
    unsigned long good_count = 0;
    for (unsigned lost = 0; lost < 4096; lost++) {
        uint8_t is_present[12];
        size_t lost_count = 0;
        for (size_t shard = 0; shard < 12; shard++) {
            is_present[shard] = (lost >> shard & 1u) == 0 ? 0xFF : 0;
            lost_count += is_present[shard] == 0;
        }
        check_loss(&shards, data, parity, is_present, lost_count, &good_count);
    }
    CHECK(good_count == 4096);
    guarded_free(data, shards.data_bytes);
    guarded_free(parity, shards.parity_bytes);
    free_shards(&shards);
}

/* The largest code, with as many shards lost as it can bear, at random. */
static void test_the_largest_code(void)
{
    const shards_t shards = new_shards(FOS_DATA_SHARD_COUNT_MAX, FOS_PARITY_SHARD_COUNT_MAX, 33, 0);
    CHECK(encode(&shards) == FOS_OK);
    uint8_t *data = guarded_new(shards.data_bytes);
    uint8_t *parity = guarded_new(shards.parity_bytes);
    memcpy(data, shards.data, shards.data_bytes);
    memcpy(parity, shards.parity, shards.parity_bytes);
    unsigned long good_count = 0;
    for (int turn = 0; turn < 3; turn++) {
        uint8_t is_present[FOS_DATA_SHARD_COUNT_MAX + FOS_PARITY_SHARD_COUNT_MAX];
        memset(is_present, 1, sizeof is_present);
        for (size_t lost = 0; lost < FOS_PARITY_SHARD_COUNT_MAX;) {
            const size_t shard = next_random() % sizeof is_present;
            lost += is_present[shard];
            is_present[shard] = 0;
        }
        check_loss(&shards, data, parity, is_present, FOS_PARITY_SHARD_COUNT_MAX, &good_count);
    }
    CHECK(good_count == 3);
    guarded_free(data, shards.data_bytes);
    guarded_free(parity, shards.parity_bytes);
    free_shards(&shards);
}

static void test_xor(void)
{
    for (size_t shard_bytes = 0; shard_bytes < 300; shard_bytes += 19) {
        for (size_t shard_count = 1; shard_count < 6; shard_count++) {
            const size_t stride_bytes = shard_bytes + shard_count;
            const size_t data_bytes = (shard_count - 1) * stride_bytes + shard_bytes;
            uint8_t *data = guarded_new(data_bytes);
            uint8_t *parity = guarded_new(shard_bytes);
            for (size_t byte = 0; byte < data_bytes; byte++) { data[byte] = (uint8_t)next_random(); }
            CHECK(fos_xor_parity(data, data_bytes, shard_count, stride_bytes, shard_bytes, parity) == FOS_OK);
            int is_equal = 1;
            for (size_t byte = 0; byte < shard_bytes; byte++) {
                uint8_t expected = 0;
                for (size_t shard = 0; shard < shard_count; shard++) { expected ^= data[shard * stride_bytes + byte]; }
                is_equal = is_equal && parity[byte] == expected;
            }
            CHECK(is_equal);
            guarded_free(data, data_bytes);
            guarded_free(parity, shard_bytes);
        }
    }
}

static void test_no_length_is_trusted(void)
{
    uint8_t data[64] = {0};
    uint8_t parity[32] = {0};
    const uint8_t is_present[6] = {1, 1, 1, 1, 1, 1};
    static const struct {
        fos_erasure_shape_t shape;
        fos_status_t status;
    } cases[] = {
        {{4, 2, 16, 16, 16}, FOS_OK},
        {{0, 2, 16, 16, 16}, FOS_ERR_PARAMETER},
        {{4, 0, 16, 16, 16}, FOS_ERR_PARAMETER},
        {{FOS_DATA_SHARD_COUNT_MAX + 1, 2, 0, 0, 0}, FOS_ERR_PARAMETER},
        {{4, FOS_PARITY_SHARD_COUNT_MAX + 1, 0, 0, 0}, FOS_ERR_PARAMETER},
        {{4, 2, 16, 15, 16}, FOS_ERR_PARAMETER},
        {{4, 2, 16, 17, 16}, FOS_ERR_CAPACITY},
        {{4, 2, 16, 16, 17}, FOS_ERR_CAPACITY},
        {{4, 2, 65, 65, 65}, FOS_ERR_CAPACITY},
        {{4, 2, 1, SIZE_MAX / 2, 1}, FOS_ERR_CAPACITY},
        {{4, 2, SIZE_MAX, SIZE_MAX, SIZE_MAX}, FOS_ERR_CAPACITY},
    };
    for (size_t index = 0; index < sizeof cases / sizeof cases[0]; index++) {
        const fos_erasure_shape_t *shape = &cases[index].shape;
        CHECK(fos_erasure_encode(shape, data, sizeof data, parity, sizeof parity) == cases[index].status);
        CHECK(fos_erasure_restore(shape, data, sizeof data, parity, sizeof parity, is_present) == cases[index].status);
    }
    const fos_erasure_shape_t good = cases[0].shape;
    CHECK(fos_erasure_encode(NULL, data, sizeof data, parity, sizeof parity) == FOS_ERR_NULL);
    CHECK(fos_erasure_restore(&good, data, sizeof data, parity, sizeof parity, NULL) == FOS_ERR_NULL);
    CHECK(fos_xor_parity(data, sizeof data, 5, 16, 16, parity) == FOS_ERR_CAPACITY);
    CHECK(fos_xor_parity(data, sizeof data, 0, 16, 16, parity) == FOS_ERR_PARAMETER);
}

int main(void)
{
    on_every_isa(test_parity_is_as_defined);
    on_every_isa(test_every_loss_of_8_and_4);
    on_every_isa(test_the_largest_code);
    on_every_isa(test_xor);
    on_every_isa(test_no_length_is_trusted);
    return report();
}
