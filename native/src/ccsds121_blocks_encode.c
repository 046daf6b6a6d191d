/* Blocks of mapped values to coded data sets: CCSDS 121.0-B-3, 3.2 to 3.8 and 5.1. */
#include "ccsds121_blocks.h"

#define LENGTH_NONE UINT64_MAX
#define SEGMENT_BLOCKS 64u       /* zero blocks are counted within segments of 64 blocks, 3.5.2 */
#define REMAINDER_OF_SEGMENT 4u  /* the fundamental sequence that stands for it, table 3-2 */

bool fos_block_layout_start(fos_block_layout_t *layout, uint32_t bits_per_sample, uint32_t block_size,
                            uint32_t interval_blocks, bool restricted)
{
    const bool size_known = block_size == 8 || block_size == 16 || block_size == 32 || block_size == 64;
    if (bits_per_sample < 1 || bits_per_sample > 32 || !size_known) { return false; }
    if (interval_blocks < 1 || interval_blocks > 4096 || (restricted && bits_per_sample > 4)) { return false; }
    uint32_t id_bits = bits_per_sample > 16 ? 5 : bits_per_sample > 8 ? 4 : 3;
    if (restricted) { id_bits = bits_per_sample <= 2 ? 1 : 2; }
    *layout = (fos_block_layout_t){bits_per_sample, block_size, interval_blocks, id_bits, 0};
    return true;
}

void fos_block_encoder_start(fos_block_encoder_t *encoder, const fos_block_layout_t *layout, uint8_t *encoded,
                             size_t capacity_bytes)
{
    *encoder = (fos_block_encoder_t){.writer = {.next = encoded, .end = encoded + capacity_bytes}, .layout = *layout};
    /* One identifier is left for the options without splitting, one for no compression (5.1.2). */
    encoder->split_bits_max = layout->id_bits > 1 ? (1u << layout->id_bits) - 3 : 0;
}

/* Bits of all fundamental sequences at this split, without their ones. Below 27 bits no sum of 64 leaves 32 bits. */
static uint64_t unary_length(const uint32_t *mapped, uint32_t count, uint32_t split_bits, bool is_wide)
{
    if (is_wide) {
        uint64_t total = 0;
        for (uint32_t index = 0; index < count; index++) { total += mapped[index] >> split_bits; }
        return total;
    }
    uint32_t total = 0;
    for (uint32_t index = 0; index < count; index++) { total += mapped[index] >> split_bits; }
    return total;
}

/* The best split, 3.3, and its length without the identifier.
 *
 * length(k) = count * (k + 1) + sum(value >> k) is convex in k, for a step from k to k + 1 saves sum(ceil((value >> k)
 * / 2)), which never grows with k. So walking downhill from any start finds the minimum. Where several k are equally
 * short, the start decides, and starting from the last block's k is what makes the bits those of libaec. */
static uint64_t best_split(fos_block_encoder_t *encoder, const uint32_t *mapped, uint32_t count)
{
    const bool is_wide = encoder->layout.bits_per_sample > 26;
    uint32_t split_bits = encoder->split_bits;
    uint64_t unary = unary_length(mapped, count, split_bits, is_wide);
    bool moved_up = false;
    while (unary > count && split_bits < encoder->split_bits_max) {
        const uint64_t above = unary_length(mapped, count, split_bits + 1, is_wide);
        if (unary - above <= count) { break; }
        unary = above;
        split_bits++;
        moved_up = true;
    }
    while (!moved_up && unary < count && split_bits > 0) {
        const uint64_t below = unary_length(mapped, count, split_bits - 1, is_wide);
        if (below - unary >= count) { break; }
        unary = below;
        split_bits--;
    }
    encoder->split_bits = split_bits;
    return unary + (uint64_t)count * (split_bits + 1);
}

/* Length of the second extension, 3.4, with the bit that tells it from a zero block; LENGTH_NONE above limit. */
static uint64_t second_extension_length(const uint32_t *mapped, uint32_t block_size, uint64_t limit)
{
    uint64_t length = 1;
    for (uint32_t index = 0; index < block_size; index += 2) {
        const uint64_t pair_sum = (uint64_t)mapped[index] + mapped[index + 1];
        if (pair_sum > limit) { return LENGTH_NONE; }
        length += pair_sum * (pair_sum + 1) / 2 + mapped[index + 1] + 1;
        if (length > limit) { return LENGTH_NONE; }
    }
    return length;
}

static void put_zero_blocks(fos_block_encoder_t *encoder, bool to_segment_end)
{
    fos_bit_writer_t *writer = &encoder->writer;
    const uint32_t zero_blocks = encoder->zero_blocks;
    fos_bits_put(writer, 0, encoder->layout.id_bits + 1);
    if (encoder->zero_has_reference) { fos_bits_put(writer, encoder->zero_reference, encoder->layout.bits_per_sample); }
    if (to_segment_end && zero_blocks > 4) {
        fos_bits_put_unary(writer, REMAINDER_OF_SEGMENT);
    } else {
        fos_bits_put_unary(writer, zero_blocks > 4 ? zero_blocks : zero_blocks - 1);
    }
    encoder->zero_blocks = 0;
}

/* Sequences first, then the split bits of all values (3.3.2). Two values of up to 16 bits leave in one step. */
static void put_split(fos_bit_writer_t *to, const uint32_t *mapped, uint32_t count, uint32_t split_bits)
{
    fos_bit_writer_t writer = *to;
    for (uint32_t index = 0; index < count; index++) {
        const uint32_t zero_count = mapped[index] >> split_bits;
        if (zero_count < 32) {
            fos_bits_put(&writer, 1, zero_count + 1);
        } else {
            fos_bits_put_unary(&writer, zero_count);
        }
    }
    if (split_bits > 0) {
        const uint32_t mask = (uint32_t)(((uint64_t)1 << split_bits) - 1);
        uint32_t index = 0;
        for (; split_bits <= 16 && index + 1 < count; index += 2) {
            const uint32_t high = mapped[index] & mask;
            fos_bits_put(&writer, high << split_bits | (mapped[index + 1] & mask), 2 * split_bits);
        }
        for (; index < count; index++) { fos_bits_put(&writer, mapped[index] & mask, split_bits); }
    }
    *to = writer;
}

static void put_coded_block(fos_block_encoder_t *encoder, const uint32_t *mapped, bool has_reference,
                            uint32_t reference)
{
    const fos_block_layout_t *layout = &encoder->layout;
    fos_bit_writer_t *writer = &encoder->writer;
    const uint32_t first = has_reference ? 1 : 0;
    const uint32_t count = layout->block_size - first;
    const uint64_t plain_length = (uint64_t)count * layout->bits_per_sample;
    const uint64_t split_length = layout->id_bits > 1 ? best_split(encoder, mapped + first, count) : LENGTH_NONE;
    const uint64_t limit = split_length < plain_length ? split_length : plain_length;
    const uint64_t pairs_length = second_extension_length(mapped, layout->block_size, limit);

    if (split_length < plain_length && split_length < pairs_length) {
        fos_bits_put(writer, encoder->split_bits + 1, layout->id_bits);
        if (has_reference) { fos_bits_put(writer, reference, layout->bits_per_sample); }
        put_split(writer, mapped + first, count, encoder->split_bits);
    } else if (pairs_length < plain_length) {
        fos_bits_put(writer, 1, layout->id_bits + 1);
        if (has_reference) { fos_bits_put(writer, reference, layout->bits_per_sample); }
        for (uint32_t index = 0; index < layout->block_size; index += 2) {
            const uint32_t pair_sum = mapped[index] + mapped[index + 1];
            fos_bits_put_unary(writer, pair_sum * (pair_sum + 1) / 2 + mapped[index + 1]);
        }
    } else {
        fos_bits_put(writer, (1u << layout->id_bits) - 1, layout->id_bits);
        if (has_reference) { fos_bits_put(writer, reference, layout->bits_per_sample); }
        for (uint32_t index = first; index < layout->block_size; index++) {
            fos_bits_put(writer, mapped[index], layout->bits_per_sample);
        }
    }
}

void fos_block_encode(fos_block_encoder_t *encoder, const uint32_t *mapped, bool has_reference, uint32_t reference,
                      bool is_last)
{
    fos_block_layout_t *layout = &encoder->layout;
    uint32_t any = 0;
    for (uint32_t index = 0; index < layout->block_size; index++) { any |= mapped[index]; }
    layout->block_in_interval++;
    if (any == 0) {
        if (encoder->zero_blocks == 0) {
            encoder->zero_has_reference = has_reference;
            encoder->zero_reference = reference;
        }
        encoder->zero_blocks++;
        const bool segment_ends = layout->block_in_interval % SEGMENT_BLOCKS == 0
                                  || layout->block_in_interval == layout->interval_blocks || is_last;
        if (segment_ends) { put_zero_blocks(encoder, true); }
    } else {
        if (encoder->zero_blocks > 0) { put_zero_blocks(encoder, false); }
        put_coded_block(encoder, mapped, has_reference, reference);
    }
    if (layout->block_in_interval == layout->interval_blocks) { layout->block_in_interval = 0; }
}
