/* Coded data sets back to blocks of mapped values: CCSDS 121.0-B-3, 3.2 to 3.8 and 5.1. Any bytes give an answer. */
#include "ccsds121_blocks.h"

#define SEGMENT_BLOCKS 64u
#define REMAINDER_OF_SEGMENT 4u
/* Longest sequence looked for. A coder never writes one longer than a block without compression: 64 * 32 bits. */
#define UNARY_MAX (1u << 20)

void fos_block_decoder_start(fos_block_decoder_t *decoder, const fos_block_layout_t *layout, const uint8_t *encoded,
                             size_t encoded_bytes)
{
    *decoder = (fos_block_decoder_t){.reader = {.next = encoded, .end = encoded + encoded_bytes}, .layout = *layout};
}

/* 3.5: how many blocks of zeros begin here. False when they would pass the end of the interval. */
static bool take_zero_blocks(fos_block_decoder_t *decoder)
{
    const fos_block_layout_t *layout = &decoder->layout;
    const uint32_t code = fos_bits_take_unary(&decoder->reader, SEGMENT_BLOCKS);
    const uint32_t in_interval = layout->interval_blocks - layout->block_in_interval;
    if (code == REMAINDER_OF_SEGMENT) {
        const uint32_t in_segment = SEGMENT_BLOCKS - layout->block_in_interval % SEGMENT_BLOCKS;
        decoder->zero_blocks = in_segment < in_interval ? in_segment : in_interval;
        return true;
    }
    decoder->zero_blocks = code > REMAINDER_OF_SEGMENT ? code : code + 1;
    return decoder->zero_blocks <= in_interval;
}

/* 3.4: each sequence is a pair; the triangle number below it gives their sum. */
static bool take_pairs(fos_block_decoder_t *decoder, uint32_t *mapped)
{
    for (uint32_t index = 0; index < decoder->layout.block_size; index += 2) {
        const uint32_t code = fos_bits_take_unary(&decoder->reader, UNARY_MAX);
        uint32_t pair_sum = 0;
        uint32_t triangle = 0;
        while (triangle + pair_sum + 1 <= code) {
            pair_sum++;
            triangle += pair_sum;
        }
        mapped[index + 1] = code - triangle;
        mapped[index] = pair_sum - mapped[index + 1];
    }
    return true;
}

/* 3.3: all sequences, then all split bits. */
static bool take_split(fos_block_decoder_t *decoder, uint32_t *mapped, uint32_t first, uint32_t split_bits)
{
    fos_bit_reader_t reader = decoder->reader;
    const uint32_t block_size = decoder->layout.block_size;
    const uint32_t value_max = (uint32_t)(((uint64_t)1 << decoder->layout.bits_per_sample) - 1);
    const uint32_t limit = value_max >> split_bits < UNARY_MAX ? value_max >> split_bits : UNARY_MAX;
    for (uint32_t index = first; index < block_size; index++) {
        mapped[index] = fos_bits_take_unary(&reader, limit) << split_bits;
    }
    uint32_t index = first;
    for (; split_bits > 0 && split_bits <= 16 && index + 1 < block_size; index += 2) {
        const uint32_t both = fos_bits_take(&reader, 2 * split_bits);
        mapped[index] |= both >> split_bits;
        mapped[index + 1] |= both & ((1u << split_bits) - 1);
    }
    for (; split_bits > 0 && index < block_size; index++) { mapped[index] |= fos_bits_take(&reader, split_bits); }
    decoder->reader = reader;
    return true;
}

static bool take_block(fos_block_decoder_t *decoder, uint32_t *mapped, bool has_reference, uint32_t *reference)
{
    const fos_block_layout_t *layout = &decoder->layout;
    fos_bit_reader_t *reader = &decoder->reader;
    const uint32_t first = has_reference ? 1 : 0;
    const uint32_t id = fos_bits_take(reader, layout->id_bits);
    const bool low_entropy = id == 0;
    const bool pairs = low_entropy && fos_bits_take(reader, 1) == 1;
    if (has_reference) { *reference = fos_bits_take(reader, layout->bits_per_sample); }
    mapped[0] = 0;
    if (pairs) { return take_pairs(decoder, mapped); }
    if (low_entropy) {
        if (!take_zero_blocks(decoder)) { return false; }
        decoder->zero_blocks--;
        memset(mapped, 0, layout->block_size * sizeof mapped[0]);
        return true;
    }
    if (id == (1u << layout->id_bits) - 1) {
        for (uint32_t index = first; index < layout->block_size; index++) {
            mapped[index] = fos_bits_take(reader, layout->bits_per_sample);
        }
        return true;
    }
    return take_split(decoder, mapped, first, id - 1);
}

bool fos_block_decode(fos_block_decoder_t *decoder, uint32_t *mapped, bool has_reference, uint32_t *reference)
{
    fos_block_layout_t *layout = &decoder->layout;
    if (decoder->zero_blocks > 0) {
        decoder->zero_blocks--;
        memset(mapped, 0, layout->block_size * sizeof mapped[0]);
    } else if (!take_block(decoder, mapped, has_reference, reference) || decoder->reader.exhausted) {
        return false;
    }
    layout->block_in_interval++;
    if (layout->block_in_interval == layout->interval_blocks) { layout->block_in_interval = 0; }
    uint32_t any = 0;
    for (uint32_t index = 0; index < layout->block_size; index++) { any |= mapped[index]; }
    return layout->bits_per_sample == 32 || any >> layout->bits_per_sample == 0;
}
