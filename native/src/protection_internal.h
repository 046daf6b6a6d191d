/* What the files of the protection kernels share: the functions behind the table, and the look-up tables.
 *
 * The look-up tables are filled once and then only read; fos_dispatch_verify() covers them too.
 */
#ifndef FOS_PROTECTION_INTERNAL_H
#define FOS_PROTECTION_INTERNAL_H

#include "kernels_internal.h"

#include <string.h>

static inline uint64_t load_u64(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static inline void store_u64(uint8_t *bytes, uint64_t word)
{
    memcpy(bytes, &word, sizeof word);
}

/* Ones in a word, without an instruction for it (Warren, Hacker's Delight, 5-1). */
static inline uint64_t count_ones(uint64_t word)
{
    word -= (word >> 1) & 0x5555555555555555u;
    word = (word & 0x3333333333333333u) + ((word >> 2) & 0x3333333333333333u);
    word = (word + (word >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
    return (word * 0x0101010101010101u) >> 56;
}

/* CRC-32C of three streams at once: how many bytes each stream takes before the three are joined. */
#define FOS_CRC_LONG_BYTES 65536u /* each stream long enough for the prefetcher: twice as fast from memory as 4096 */
#define FOS_CRC_MIDDLE_BYTES 4096u
#define FOS_CRC_SHORT_BYTES 256u
/* [k][byte] is byte << 8k, moved on over that many zero bytes. */
extern uint32_t fos_crc32c_skip_long[4][256];
extern uint32_t fos_crc32c_skip_middle[4][256];
extern uint32_t fos_crc32c_skip_short[4][256];

/* Folding: what 128 bits are multiplied by to move on over so many bytes, for the lower and the upper 64 of them. */
#define FOS_CRC_FOLD_STRIDE 0u /* 256 bytes */
#define FOS_CRC_FOLD_BLOCK 1u  /* 64 bytes */
#define FOS_CRC_FOLD_LANES 2u  /* 48, 32, 16 bytes */
#define FOS_CRC_FOLDS 5u
extern uint64_t fos_crc16_fold[FOS_CRC_FOLDS][2];
extern uint64_t fos_crc32c_fold[FOS_CRC_FOLDS][2];
/* From where on folding pays; measured on x86-64 of 2024 (Zen 5). */
#define FOS_CRC16_FOLD_BYTES_MIN 64u
#define FOS_CRC32C_FOLD_BYTES_MIN 128u

uint16_t fos_crc16_avx512(uint16_t previous, const uint8_t *data, size_t byte_count);
uint32_t fos_crc32c_avx512(uint32_t previous, const uint8_t *data, size_t byte_count);
void fos_crc16_batch_avx512(const uint8_t *data, const fos_span_t *frames, size_t frame_count, uint16_t *crcs);
void fos_crc32c_batch_avx512(const uint8_t *data, const fos_span_t *frames, size_t frame_count, uint32_t *crcs);

void fos_crc16_batch_portable(const uint8_t *data, const fos_span_t *frames, size_t frame_count, uint16_t *crcs);
void fos_crc32c_batch_portable(const uint8_t *data, const fos_span_t *frames, size_t frame_count, uint32_t *crcs);
void fos_crc32c_batch_sse42(const uint8_t *data, const fos_span_t *frames, size_t frame_count, uint32_t *crcs);
void fos_crc32c_batch_neon(const uint8_t *data, const fos_span_t *frames, size_t frame_count, uint32_t *crcs);

#define FOS_DECLARE_VOTE(isa)                                                                                         \
    void fos_vote_##isa(const uint8_t *first, const uint8_t *second, const uint8_t *third, uint8_t *voted,           \
                        size_t byte_count, fos_vote_faults_t *faults);                                                \
    void fos_vote_scrub_##isa(uint8_t *first, uint8_t *second, uint8_t *third, size_t byte_count,                    \
                              fos_vote_faults_t *faults)
FOS_DECLARE_VOTE(portable);
FOS_DECLARE_VOTE(avx2);
FOS_DECLARE_VOTE(avx512);

/* [byte position][byte] is that byte's part of the check byte. */
extern uint8_t fos_secded_check_table[8][256];
/* Check byte's part of the low and the high nibble of each byte position. */
extern uint8_t fos_secded_nibble_table[8][2][16];
/* What a syndrome means: 0 nothing, 1..64 data bit + 1, 65..72 check bit + 65, FOS_SECDED_LOST otherwise. */
extern uint8_t fos_secded_action[256];
#define FOS_SECDED_LOST 255u

void fos_secded_tables_fill(void);
#define FOS_DECLARE_SECDED(isa)                                                                                       \
    void fos_secded_encode_##isa(const uint64_t *words, uint8_t *checks, size_t word_count);                         \
    void fos_secded_check_##isa(const uint64_t *words, const uint8_t *checks, size_t word_count,                     \
                                fos_secded_faults_t *faults);                                                         \
    void fos_secded_scrub_##isa(uint64_t *words, uint8_t *checks, size_t word_count, fos_secded_faults_t *faults)
FOS_DECLARE_SECDED(portable);
FOS_DECLARE_SECDED(avx2);

static inline uint8_t fos_secded_check_byte(uint64_t word)
{
    uint8_t check = 0;
    for (unsigned byte = 0; byte < 8; byte++) { check ^= fos_secded_check_table[byte][(word >> (8 * byte)) & 0xFFu]; }
    return check;
}

/* Counts what one word's syndrome says; the index is that of the word. */
static inline void fos_secded_count(uint8_t syndrome, size_t word_index, fos_secded_faults_t *faults)
{
    const unsigned action = fos_secded_action[syndrome];
    if (action == 0) { return; }
    if (action == FOS_SECDED_LOST) {
        if (faults->lost_word_count == 0) { faults->first_lost_word_index = word_index; }
        faults->lost_word_count++;
    } else if (action <= 64) {
        faults->data_bit_count++;
    } else {
        faults->check_bit_count++;
    }
}

/* GF(2^8) with x^8 + x^4 + x^3 + x^2 + 1. Products of a factor with every low and every high nibble. */
extern uint8_t fos_gf_nibbles[256][32];
/* The product with a factor as an 8 x 8 bit matrix, as the GFNI instruction takes it. */
extern uint64_t fos_gf_matrix[256];

void fos_gf_tables_fill(void);
static inline uint8_t fos_gf_multiply(uint8_t factor, uint8_t value)
{
    return fos_gf_nibbles[factor][value & 15u] ^ fos_gf_nibbles[factor][16 + (value >> 4)];
}

/* target[row] = sum over column of factors[row * column_count + column] * source[column], byte by byte. */
#define FOS_DECLARE_GF(isa)                                                                                           \
    void fos_gf_combine_##isa(const uint8_t *factors, size_t row_count, size_t column_count,                         \
                              const uint8_t *const *sources, uint8_t *const *targets, size_t byte_count)
FOS_DECLARE_GF(portable);
FOS_DECLARE_GF(avx2);
FOS_DECLARE_GF(avx512);
FOS_DECLARE_GF(neon);

void fos_xor_portable(const uint8_t *data, size_t shard_count, size_t stride_bytes, uint8_t *parity,
                      size_t shard_bytes);

#endif
