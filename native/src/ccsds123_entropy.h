/* CCSDS 123.0-B-2, 5.4: mapped values of lines to bits and back, in the order of 5.4.2. */
#ifndef FOS_CCSDS123_ENTROPY_H
#define FOS_CCSDS123_ENTROPY_H

#include "ccsds123_internal.h"

#define FOS_CCSDS123_LOW_CODES 16u

/* Code words are collected here, where there is always room for the longest, and moved on when it is nearly full. */
#define FOS_CCSDS123_CHUNK_BYTES 4096u
#define FOS_CCSDS123_CHUNK_SPARE_BYTES 32u /* the words of one sample, at most 1 + 21 + 32 + 32 bits, and a store beyond */

typedef struct {
    const fos_ccsds123_layout_t *layout;
    const fos_ccsds123_scratch_t *scratch;
    fos_bit_writer_t writer;
    fos_bit_stream_t stream; /* into chunk: sample-adaptive and hybrid coder */
    uint8_t chunk[FOS_CCSDS123_CHUNK_BYTES];
    fos_block_encoder_t blocks;
    uint32_t block[FOS_BLOCK_SIZE_MAX];
    uint32_t block_used;
    uint32_t prefixes[FOS_CCSDS123_LOW_CODES]; /* hybrid coder: the active prefix of each low-entropy code */
} fos_ccsds123_encoder_t;

typedef struct {
    const fos_ccsds123_layout_t *layout;
    const fos_ccsds123_scratch_t *scratch;
    const uint8_t *image; /* hybrid coder: where all mapped values wait */
    fos_bit_reader_t reader;
    fos_block_decoder_t blocks;
    uint32_t block[FOS_BLOCK_SIZE_MAX];
    uint32_t block_used;
} fos_ccsds123_decoder_t;

void fos_ccsds123_encoder_start(fos_ccsds123_encoder_t *encoder, const fos_ccsds123_layout_t *layout,
                                const fos_ccsds123_tables_t *tables, const fos_ccsds123_scratch_t *scratch,
                                uint8_t *encoded, size_t capacity_bytes);
/* Error limits at the begin of a period (5.4.2.2.2): each is one word of width bits, or one value of a block. */
void fos_ccsds123_encode_limit(fos_ccsds123_encoder_t *encoder, uint32_t limit, uint32_t width);
/* Bands first_band .. band_end - 1 of one row, all samples of a pixel together, from scratch->mapped. */
void fos_ccsds123_encode_line(fos_ccsds123_encoder_t *encoder, uint32_t row, uint32_t first_band, uint32_t band_end);
/* False when the memory was too small. */
bool fos_ccsds123_encoder_finish(fos_ccsds123_encoder_t *encoder, const uint8_t *encoded, size_t *encoded_bytes);

/* Stores what the chunk has. */
void fos_ccsds123_empty_chunk(fos_ccsds123_encoder_t *encoder);

/* Moves on to an empty chunk, for hot loops, which keep the stream in a variable of their own. */
fos_bit_stream_t fos_ccsds123_renew_chunk(fos_ccsds123_encoder_t *encoder, fos_bit_stream_t stream);
/* To be asked before the words of a sample go into the stream. */
static inline bool fos_ccsds123_chunk_is_full(const fos_ccsds123_encoder_t *encoder, const fos_bit_stream_t *stream)
{
    const uint8_t *spare = encoder->chunk + FOS_CCSDS123_CHUNK_BYTES - FOS_CCSDS123_CHUNK_SPARE_BYTES;
    return __builtin_expect(stream->next > spare, 0);
}

/* False when the bytes are no such code. The hybrid decoder decodes everything here, into the image. */
bool fos_ccsds123_decoder_start(fos_ccsds123_decoder_t *decoder, const fos_ccsds123_layout_t *layout,
                                const fos_ccsds123_scratch_t *scratch, const uint8_t *encoded, size_t encoded_bytes,
                                uint8_t *image);
/* False when the bytes are no such code. */
bool fos_ccsds123_decode_limit(fos_ccsds123_decoder_t *decoder, uint32_t width, int64_t *limit);
/* Into scratch->mapped. False when the bytes are no such code. */
bool fos_ccsds123_decode_line(fos_ccsds123_decoder_t *decoder, uint32_t row, uint32_t first_band, uint32_t band_end);

/* ccsds123_hybrid_encode.c, ccsds123_hybrid_decode.c (5.4.3.3) */
void fos_ccsds123_hybrid_start(const fos_ccsds123_layout_t *layout, const fos_ccsds123_tables_t *tables,
                               const fos_ccsds123_scratch_t *scratch);
void fos_ccsds123_hybrid_encode_line(fos_ccsds123_encoder_t *encoder, uint32_t row, uint32_t first_band,
                                     uint32_t band_end);
/* The tail (5.4.3.3.5.4), without fill bits. */
void fos_ccsds123_hybrid_encode_tail(fos_ccsds123_encoder_t *encoder);
/* The whole body, from its end to its begin; mapped values go into the image, limits into scratch->tables. */
bool fos_ccsds123_hybrid_decode(const fos_ccsds123_layout_t *layout, const fos_ccsds123_scratch_t *scratch,
                                const uint8_t *body, size_t body_bytes, uint8_t *image);
size_t fos_ccsds123_hybrid_trie_count(void);

/* 5.4.3.2.3: accumulator and counter before the second sample of a band. */
void fos_ccsds123_start_statistics(const fos_ccsds123_layout_t *layout, const fos_ccsds123_tables_t *tables,
                                   const fos_ccsds123_scratch_t *scratch);

/* The largest k with counter * 2^k <= scaled, at most code_bits_max; 0 when there is none. From the lengths of both numbers
 * it is known but for one. */
static inline uint32_t fos_ccsds123_largest_shift(uint64_t scaled, uint64_t counter, uint32_t code_bits_max)
{
    if (scaled < 2 * counter) { return 0; }
    uint32_t code_bits = (uint32_t)(__builtin_clzll(counter) - __builtin_clzll(scaled));
    code_bits -= counter << code_bits > scaled;
    return code_bits < code_bits_max ? code_bits : code_bits_max;
}

/* The same, starting from the k of the sample before, which is nearly always the next one or its neighbour. */
static inline uint32_t fos_ccsds123_next_shift(uint64_t scaled, uint64_t counter, uint32_t code_bits_max, uint32_t before)
{
    uint32_t code_bits = before;
    code_bits += (uint32_t)(code_bits < code_bits_max) & (uint32_t)(counter << code_bits << 1 <= scaled);
    code_bits -= (uint32_t)(code_bits > 0) & (uint32_t)(counter << code_bits > scaled);
    const bool is_too_low = code_bits < code_bits_max && counter << code_bits << 1 <= scaled;
    const bool is_too_high = code_bits > 0 && counter << code_bits > scaled;
    if (__builtin_expect(is_too_low || is_too_high, 0)) {
        return fos_ccsds123_largest_shift(scaled, counter, code_bits_max);
    }
    return code_bits;
}

/* 5.4.3.2.4.3: k within 0..D - 2. */
static inline uint32_t fos_ccsds123_code_bits(uint64_t accumulator, uint32_t counter, uint32_t code_bits_max)
{
    return fos_ccsds123_largest_shift(accumulator + (counter * 49 >> 7), counter, code_bits_max);
}

/* 5.4.3.2.3.4: the statistics move on by one sample. */
static inline void fos_ccsds123_count(uint64_t *accumulator, uint32_t *counter, uint32_t mapped, uint32_t counter_last)
{
    if (*counter < counter_last) {
        *accumulator += mapped;
        *counter += 1;
    } else {
        *accumulator = (*accumulator + mapped + 1) >> 1;
        *counter = (*counter + 1) >> 1;
    }
}

#endif
