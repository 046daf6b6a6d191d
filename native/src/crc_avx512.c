/* CRC-16 and CRC-32C of long inputs by folding, with VPCLMULQDQ in 512 bits. Called only where that runs.
 *
 * A CRC is the remainder of the input, as a polynomial, so any block may be replaced by one of the same remainder. A block
 * of 128 bits that lies n bytes before another is H x^64 + L times x^8n; with H times (x^(8n+64) mod P) and L times
 * (x^8n mod P) instead, it fits into the other's 128 bits, to which it is added (Gopal et al., Intel 2009, "Fast CRC
 * Computation for Generic Polynomials Using PCLMULQDQ"). Sixteen such blocks are under way at once; in the end one is
 * left, whose CRC is reckoned the usual way. crc_portable.c makes the powers. Tried and left: asking for lines ahead, and
 * four places of a long input at once, neither of which is faster from memory.
 */
#include "protection_internal.h"

#include <immintrin.h>

#define BLOCK_BYTES 64u
#define BLOCKS 4u /* a stride */

/* The bytes of each 128 bits turned round. */
#define TURN _mm_setr_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)

static inline __m512i powers_of(const uint64_t powers[2])
{
    return _mm512_broadcast_i64x2(_mm_loadu_si128((const __m128i *)(const void *)powers));
}

/* Moves each 128 bits on to those of the later block, and adds. */
static inline __m512i fold(__m512i block, __m512i powers, __m512i later)
{
    const __m512i low = _mm512_clmulepi64_epi128(block, powers, 0x00);
    const __m512i high = _mm512_clmulepi64_epi128(block, powers, 0x11);
    return _mm512_ternarylogic_epi64(low, high, later, 0x96); /* a ^ b ^ c */
}

/* CRC-16 takes the highest bit of a byte first: turned round, bit n of 128 is x^n. */
static inline __attribute__((always_inline)) __m512i load_block(const uint8_t *data, const int is_turned)
{
    const __m512i bytes = _mm512_loadu_si512(data);
    return is_turned ? _mm512_shuffle_epi8(bytes, _mm512_broadcast_i32x4(TURN)) : bytes;
}

/* The 128 bits that whole blocks, at least one, come down to. is_turned is a constant where this is inlined. */
static inline __attribute__((always_inline)) __m128i fold_blocks(const int is_turned, __m512i start,
                                                                 const uint8_t *data, size_t block_count,
                                                                 const uint64_t powers[FOS_CRC_FOLDS][2])
{
    const __m512i by_block = powers_of(powers[FOS_CRC_FOLD_BLOCK]);
    __m512i sum = _mm512_xor_si512(load_block(data, is_turned), start);
    size_t block = 1;
    if (block_count >= 2 * BLOCKS) {
        const __m512i by_stride = powers_of(powers[FOS_CRC_FOLD_STRIDE]);
        __m512i second = load_block(data + BLOCK_BYTES, is_turned);
        __m512i third = load_block(data + 2 * BLOCK_BYTES, is_turned);
        __m512i fourth = load_block(data + 3 * BLOCK_BYTES, is_turned);
        for (block = BLOCKS; block + BLOCKS <= block_count; block += BLOCKS) {
            const uint8_t *next = data + block * BLOCK_BYTES;
            sum = fold(sum, by_stride, load_block(next, is_turned));
            second = fold(second, by_stride, load_block(next + BLOCK_BYTES, is_turned));
            third = fold(third, by_stride, load_block(next + 2 * BLOCK_BYTES, is_turned));
            fourth = fold(fourth, by_stride, load_block(next + 3 * BLOCK_BYTES, is_turned));
        }
        sum = fold(fold(fold(sum, by_block, second), by_block, third), by_block, fourth);
    }
    for (; block < block_count; block++) {
        sum = fold(sum, by_block, load_block(data + block * BLOCK_BYTES, is_turned));
    }
    /* Three of the four lanes move on to the last, which stays. */
    const __m512i by_lane = _mm512_maskz_loadu_epi64(0x3F, powers[FOS_CRC_FOLD_LANES]);
    const __m512i lanes = fold(sum, by_lane, _mm512_maskz_mov_epi64(0xC0, sum));
    const __m256i half = _mm256_xor_si256(_mm512_castsi512_si256(lanes), _mm512_extracti64x4_epi64(lanes, 1));
    return _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

uint32_t fos_crc32c_avx512(uint32_t previous, const uint8_t *data, size_t byte_count)
{
    if (byte_count < FOS_CRC32C_FOLD_BYTES_MIN) { return fos_crc32c_sse42(previous, data, byte_count); }
    const size_t block_count = byte_count / BLOCK_BYTES;
    const __m512i start = _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)~previous));
    const __m128i last = fold_blocks(0, start, data, block_count, fos_crc32c_fold);
    const uint64_t crc = _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(last));
    const uint32_t folded = (uint32_t)_mm_crc32_u64(crc, (uint64_t)_mm_extract_epi64(last, 1));
    return fos_crc32c_sse42(~folded, data + block_count * BLOCK_BYTES, byte_count % BLOCK_BYTES);
}

void fos_crc32c_batch_avx512(const uint8_t *data, const fos_span_t *frames, size_t frame_count, uint32_t *crcs)
{
    for (size_t frame = 0; frame < frame_count; frame++) {
        crcs[frame] = fos_crc32c_avx512(0, data + frames[frame].offset_bytes, frames[frame].length_bytes);
    }
}

uint16_t fos_crc16_avx512(uint16_t previous, const uint8_t *data, size_t byte_count)
{
    if (byte_count < FOS_CRC16_FOLD_BYTES_MIN) { return fos_crc16_portable(previous, data, byte_count); }
    const size_t block_count = byte_count / BLOCK_BYTES;
    const __m512i start = _mm512_zextsi128_si512(_mm_set_epi64x((long long)((uint64_t)previous << 48), 0));
    const __m128i last = fold_blocks(1, start, data, block_count, fos_crc16_fold);
    uint8_t bytes[16];
    _mm_storeu_si128((__m128i *)(void *)bytes, _mm_shuffle_epi8(last, TURN));
    const uint16_t folded = fos_crc16_portable(0, bytes, sizeof bytes);
    return fos_crc16_portable(folded, data + block_count * BLOCK_BYTES, byte_count % BLOCK_BYTES);
}

void fos_crc16_batch_avx512(const uint8_t *data, const fos_span_t *frames, size_t frame_count, uint16_t *crcs)
{
    for (size_t frame = 0; frame < frame_count; frame++) {
        crcs[frame] = fos_crc16_avx512(0xFFFF, data + frames[frame].offset_bytes, frames[frame].length_bytes);
    }
}
