/* Combinations of shards over GF(2^8) in plain C: eight bytes of a word are multiplied at once by shifting and reducing,
 * so no byte waits for a look-up of its own. */
#include "protection_internal.h"

#include "gf_tail.inc"

#define STRIP_BYTES 64u
#define STRIP_WORDS_GF (STRIP_BYTES / 8u)

/* Each byte of the word times x, modulo the polynomial (0x1D once the ninth bit is gone). */
static inline uint64_t times_x(uint64_t word)
{
    const uint64_t carries = (word >> 7) & 0x0101010101010101u;
    return ((word << 1) & 0xFEFEFEFEFEFEFEFEu) ^ (carries * 0x1Du);
}

static void add_product(uint64_t sum[STRIP_WORDS_GF], uint8_t factor, const uint8_t *source)
{
    uint64_t words[STRIP_WORDS_GF];
    memcpy(words, source, sizeof words);
    for (unsigned bits = factor; bits != 0; bits >>= 1) {
        const uint64_t mask = (bits & 1u) != 0 ? UINT64_MAX : 0;
        for (size_t word = 0; word < STRIP_WORDS_GF; word++) {
            sum[word] ^= words[word] & mask;
            words[word] = times_x(words[word]);
        }
    }
}

void fos_gf_combine_portable(const uint8_t *factors, size_t row_count, size_t column_count,
                             const uint8_t *const *sources, uint8_t *const *targets, size_t byte_count)
{
    size_t byte = 0;
    for (; byte + STRIP_BYTES <= byte_count; byte += STRIP_BYTES) {
        for (size_t row = 0; row < row_count; row++) {
            uint64_t sum[STRIP_WORDS_GF] = {0};
            for (size_t column = 0; column < column_count; column++) {
                add_product(sum, factors[row * column_count + column], sources[column] + byte);
            }
            memcpy(targets[row] + byte, sum, sizeof sum);
        }
    }
    combine_bytes(factors, row_count, column_count, sources, targets, byte, byte_count);
}

/* Exclusive or of many shards: the compiler's vectors of the baseline reach the speed of memory (AVX2 was no faster).
 *
 * A block of the sum stays in the first-level cache while the shards pass by in bursts that the prefetcher follows; with
 * short strips of many shards in turn it loses track, and half the speed.
 */
#define XOR_BLOCK_BYTES 8192u

static inline void add_shard(uint8_t *restrict sum, const uint8_t *restrict shard, size_t byte_count)
{
    for (size_t byte = 0; byte < byte_count; byte++) { sum[byte] ^= shard[byte]; }
}

static inline void add_two_shards(uint8_t *restrict sum, const uint8_t *restrict first, const uint8_t *restrict second,
                                  size_t byte_count)
{
    for (size_t byte = 0; byte < byte_count; byte++) { sum[byte] ^= first[byte] ^ second[byte]; }
}

void fos_xor_portable(const uint8_t *data, size_t shard_count, size_t stride_bytes, uint8_t *parity,
                      size_t shard_bytes)
{
    for (size_t byte = 0; byte < shard_bytes; byte += XOR_BLOCK_BYTES) {
        const size_t block_bytes = shard_bytes - byte < XOR_BLOCK_BYTES ? shard_bytes - byte : XOR_BLOCK_BYTES;
        const uint8_t *block = data + byte;
        memcpy(parity + byte, block, block_bytes);
        size_t shard = 1;
        for (; shard + 2 <= shard_count; shard += 2) {
            add_two_shards(parity + byte, block + shard * stride_bytes, block + (shard + 1) * stride_bytes, block_bytes);
        }
        if (shard < shard_count) { add_shard(parity + byte, block + shard * stride_bytes, block_bytes); }
    }
}
