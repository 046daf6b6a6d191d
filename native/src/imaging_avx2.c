/* Imaging, detection, SAR and geometry with AVX2: the bodies of imaging.inc, and what needs instructions by name.
 * Compiled with -mavx2; called only where that runs. */
#include "imaging_internal.h"

#include <math.h>
#include <string.h>

#include "vectors_x86.inc"

/* 32 pixels a step: bytes turned round within each eight, compared with 0, and their signs gathered. */
static void pack_whole_bytes(const uint8_t *restrict mask, size_t byte_count, uint8_t *restrict packed)
{
    const __m256i turned_round = _mm256_set_epi8(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
                                                 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i zero = _mm256_setzero_si256();
    size_t byte = 0;
    for (; byte + 4 <= byte_count; byte += 4) {
        const __m256i pixels = _mm256_loadu_si256((const __m256i *)(const void *)(mask + 8 * byte));
        const __m256i empty = _mm256_cmpeq_epi8(_mm256_shuffle_epi8(pixels, turned_round), zero);
        const uint32_t bits = ~(uint32_t)_mm256_movemask_epi8(empty);
        memcpy(packed + byte, &bits, sizeof bits);
    }
    for (; byte < byte_count; byte++) {
        unsigned bits = 0;
        for (size_t bit = 0; bit < 8; bit++) { bits = (bits << 1) | (mask[byte * 8 + bit] != 0 ? 1u : 0u); }
        packed[byte] = (uint8_t)bits;
    }
}

static inline __m256i load_four(const uint8_t *source)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)source);
}

/* 4 x 4 elements of 8 bytes, to four lines of the target. */
static inline void turn_four(const uint8_t *source, size_t source_stride, __m256i *lines)
{
    const __m256i row_0 = load_four(source);
    const __m256i row_1 = load_four(source + source_stride);
    const __m256i row_2 = load_four(source + 2 * source_stride);
    const __m256i row_3 = load_four(source + 3 * source_stride);
    const __m256i even_01 = _mm256_unpacklo_epi64(row_0, row_1);
    const __m256i odd_01 = _mm256_unpackhi_epi64(row_0, row_1);
    const __m256i even_23 = _mm256_unpacklo_epi64(row_2, row_3);
    const __m256i odd_23 = _mm256_unpackhi_epi64(row_2, row_3);
    lines[0] = _mm256_permute2x128_si256(even_01, even_23, 0x20);
    lines[1] = _mm256_permute2x128_si256(odd_01, odd_23, 0x20);
    lines[2] = _mm256_permute2x128_si256(even_01, even_23, 0x31);
    lines[3] = _mm256_permute2x128_si256(odd_01, odd_23, 0x31);
}

/* Rows row..row_end and columns col..col_end; strides are elements from row to row. */
static void turn_one_by_one(const uint8_t *source, size_t source_stride, uint8_t *target, size_t target_stride,
                            size_t row, size_t row_end, size_t col, size_t col_end)
{
    for (size_t at_col = col; at_col < col_end; at_col++) {
        for (size_t at_row = row; at_row < row_end; at_row++) {
            memcpy(target + 8 * (at_col * target_stride + at_row), source + 8 * (at_row * source_stride + at_col), 8);
        }
    }
}

/* 8 x 8 elements: whole lines of 64 bytes on both sides, past the caches where the lines of the target are aligned. */
static inline void turn_lines(const uint8_t *source, size_t source_stride, uint8_t *target, size_t target_stride,
                              int aligned)
{
    for (size_t half = 0; half < 2; half++) {
        __m256i upper[4];
        __m256i lower[4];
        turn_four(source + 32 * half, source_stride, upper);
        turn_four(source + 32 * half + 4 * source_stride, source_stride, lower);
        for (size_t line = 0; line < 4; line++) {
            __m256i *const to = (__m256i *)(void *)(target + (4 * half + line) * target_stride);
            if (aligned) {
                _mm256_stream_si256(to, upper[line]);
                _mm256_stream_si256(to + 1, lower[line]);
            } else {
                _mm256_storeu_si256(to, upper[line]);
                _mm256_storeu_si256(to + 1, lower[line]);
            }
        }
    }
}

static void turn_block(const uint8_t *source, size_t source_stride, uint8_t *target, size_t target_stride, size_t row,
                       size_t row_end, size_t col, size_t col_end)
{
    const size_t row_whole = row + (row_end - row) / 8 * 8;
    const size_t col_whole = col + (col_end - col) / 8 * 8;
    const int aligned = ((uintptr_t)target % 64 == 0) & (target_stride % 8 == 0);
    for (size_t at_col = col; at_col < col_whole; at_col += 8) {
        for (size_t at_row = row; at_row < row_whole; at_row += 8) {
            turn_lines(source + 8 * (at_row * source_stride + at_col), 8 * source_stride,
                       target + 8 * (at_col * target_stride + at_row), 8 * target_stride, aligned);
        }
    }
    turn_one_by_one(source, source_stride, target, target_stride, row_whole, row_end, col, col_whole);
    turn_one_by_one(source, source_stride, target, target_stride, row, row_end, col_whole, col_end);
}

#define COUNT_LANES 32
#define FOS_IMAGING_TABLE fos_imaging_avx2
#include "imaging.inc"
