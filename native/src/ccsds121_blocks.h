/* The block-adaptive coder of CCSDS 121.0-B-3, 3.1 to 3.8, without its preprocessor: blocks of mapped values to bits
 * and back. ccsds121_*.c put the preprocessor before it, ccsds123_*.c its own predictor (123.0-B-2, 5.4.3.4).
 */
#ifndef FOS_CCSDS121_BLOCKS_H
#define FOS_CCSDS121_BLOCKS_H

#include "codec_bits.h"

#define FOS_BLOCK_SIZE_MAX 64

typedef struct {
    uint32_t bits_per_sample;  /* n: 1..32 */
    uint32_t block_size;       /* J: 8, 16, 32, 64 */
    uint32_t interval_blocks;  /* r: blocks between reference samples, 1..4096 */
    uint32_t id_bits;          /* length of the option identifier, 5.1.2 */
    uint32_t block_in_interval;
} fos_block_layout_t;

typedef struct {
    fos_bit_writer_t writer;
    fos_block_layout_t layout;
    uint32_t split_bits_max;
    uint32_t split_bits; /* the k of the block before; the search starts there, and equal lengths keep it */
    uint32_t zero_blocks;
    bool zero_has_reference;
    uint32_t zero_reference;
} fos_block_encoder_t;

typedef struct {
    fos_bit_reader_t reader;
    fos_block_layout_t layout;
    uint32_t zero_blocks; /* blocks of zeros that were announced and are still to be given out */
} fos_block_decoder_t;

/* False when a parameter is outside its range. */
bool fos_block_layout_start(fos_block_layout_t *layout, uint32_t bits_per_sample, uint32_t block_size,
                            uint32_t interval_blocks, bool restricted);

void fos_block_encoder_start(fos_block_encoder_t *encoder, const fos_block_layout_t *layout, uint8_t *encoded,
                             size_t capacity_bytes);

/* Codes one block of layout.block_size values below 2^bits_per_sample. With a reference sample, mapped[0] is 0.
 * is_last ends the data: pending zero blocks are written. */
void fos_block_encode(fos_block_encoder_t *encoder, const uint32_t *mapped, bool has_reference, uint32_t reference,
                      bool is_last);

void fos_block_decoder_start(fos_block_decoder_t *decoder, const fos_block_layout_t *layout, const uint8_t *encoded,
                             size_t encoded_bytes);

/* Gives the next block; *reference is set when has_reference. False when the bytes are no such block. */
bool fos_block_decode(fos_block_decoder_t *decoder, uint32_t *mapped, bool has_reference, uint32_t *reference);

#endif
