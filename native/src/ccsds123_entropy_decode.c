/* CCSDS 123.0-B-2, 5.4, the way back: bits to mapped values. */
#include "ccsds123_entropy.h"

bool fos_ccsds123_decoder_start(fos_ccsds123_decoder_t *decoder, const fos_ccsds123_layout_t *layout,
                                const fos_ccsds123_scratch_t *scratch, const uint8_t *encoded, size_t encoded_bytes,
                                uint8_t *image)
{
    memset(decoder, 0, sizeof *decoder);
    decoder->layout = layout;
    decoder->scratch = scratch;
    decoder->image = image;
    decoder->reader = (fos_bit_reader_t){.next = encoded, .end = encoded + encoded_bytes};
    if (layout->given.entropy_coder == FOS_CCSDS123_HYBRID) {
        return fos_ccsds123_hybrid_decode(layout, scratch, encoded, encoded_bytes, image);
    }
    if (layout->given.entropy_coder == FOS_CCSDS123_BLOCK_ADAPTIVE) {
        fos_block_decoder_start(&decoder->blocks, &layout->blocks, encoded, encoded_bytes);
        decoder->block_used = layout->blocks.block_size;
    } else {
        fos_ccsds123_start_statistics(layout, &scratch->tables, scratch);
    }
    return true;
}

/* A run of U_max zeros stands before a value with all its bits (5.4.3.2.2.1). */
static inline uint64_t take_value(fos_bit_reader_t *reader, const fos_ccsds123_parameters_t *given, uint32_t code_bits)
{
    if (reader->window_bits <= 32) { fos_bits_refill(reader); }
    const uint32_t zeros = reader->window == 0 ? 64 : (uint32_t)__builtin_clzll(reader->window);
    if (zeros < given->unary_zeros_max) {
        (void)fos_bits_take(reader, zeros);
        return (uint64_t)zeros << code_bits | (fos_bits_take(reader, 1 + code_bits) & ((1u << code_bits) - 1));
    }
    (void)fos_bits_take(reader, given->unary_zeros_max);
    return fos_bits_take(reader, given->sample_bits);
}

#define SHORT_WORD_BITS_MAX 56u /* what a filled window has at least */

/* The same where 8 bytes are left and no word is longer than a filled window: one shift takes the whole word. */
static inline uint64_t take_short(fos_bit_reader_t *reader, const fos_ccsds123_parameters_t *given, uint32_t code_bits)
{
    const uint64_t window = reader->window | fos_bits_load64(reader->next) >> reader->window_bits;
    reader->next += (63 - reader->window_bits) >> 3;
    const uint32_t window_bits = reader->window_bits | 56;
    const uint32_t zeros = (uint32_t)__builtin_clzll(window | 1);
    if (__builtin_expect(zeros < given->unary_zeros_max, 1)) {
        const uint32_t width = zeros + 1 + code_bits;
        reader->window = window << width;
        reader->window_bits = window_bits - width;
        return (uint64_t)zeros << code_bits | (window << zeros << 1 >> 1 >> (63 - code_bits));
    }
    const uint32_t width = given->unary_zeros_max + given->sample_bits;
    reader->window = window << width;
    reader->window_bits = window_bits - width;
    return window << given->unary_zeros_max >> (64 - given->sample_bits);
}

static inline bool words_are_short(const fos_ccsds123_parameters_t *given)
{
    return given->unary_zeros_max + given->sample_bits <= SHORT_WORD_BITS_MAX;
}

/* One band's row: BSQ and BIL. False when a value needs more than D bits. */
static bool decode_band(fos_ccsds123_decoder_t *decoder, uint32_t row, uint32_t band)
{
    const fos_ccsds123_parameters_t given = decoder->layout->given;
    uint32_t *mapped = decoder->scratch->mapped + (size_t)band * given.cols;
    const uint32_t counter_last = (1u << given.counter_bits) - 1;
    fos_bit_reader_t reader = decoder->reader;
    uint64_t accumulator = decoder->scratch->accumulators[band];
    uint32_t counter = decoder->scratch->counters[band];
    uint64_t seen = 0;
    uint32_t col = 0;
    if (row == 0) { mapped[col++] = fos_bits_take(&reader, given.sample_bits); }
    const bool is_short = words_are_short(&given);
    uint32_t code_bits = 0;
    for (; is_short && col < given.cols && reader.end - reader.next >= 8; col++) {
        code_bits = fos_ccsds123_next_shift(accumulator + (counter * 49 >> 7), counter, given.sample_bits - 2, code_bits);
        const uint64_t value = take_short(&reader, &given, code_bits);
        mapped[col] = (uint32_t)value;
        seen |= value;
        fos_ccsds123_count(&accumulator, &counter, (uint32_t)value, counter_last);
    }
    for (; col < given.cols; col++) {
        code_bits = fos_ccsds123_code_bits(accumulator, counter, given.sample_bits - 2);
        const uint64_t value = take_value(&reader, &given, code_bits);
        mapped[col] = (uint32_t)value;
        seen |= value;
        fos_ccsds123_count(&accumulator, &counter, (uint32_t)value, counter_last);
    }
    decoder->scratch->accumulators[band] = accumulator;
    decoder->scratch->counters[band] = counter;
    decoder->reader = reader;
    return seen >> given.sample_bits == 0 && !reader.exhausted;
}

static bool decode_pixels(fos_ccsds123_decoder_t *decoder, uint32_t row, uint32_t first_band, uint32_t band_end)
{
    const fos_ccsds123_parameters_t given = decoder->layout->given;
    uint32_t *mapped = decoder->scratch->mapped;
    const uint32_t counter_last = (1u << given.counter_bits) - 1;
    uint64_t *accumulators = decoder->scratch->accumulators;
    uint32_t *counters = decoder->scratch->counters;
    fos_bit_reader_t reader = decoder->reader;
    uint32_t *codes = decoder->scratch->codes;
    const bool is_short = words_are_short(&given);
    uint64_t seen = 0;
    for (size_t col = 0; col < given.cols; col++) {
        for (size_t band = first_band; band < band_end; band++) {
            if (row == 0 && col == 0) {
                mapped[band * given.cols] = fos_bits_take(&reader, given.sample_bits);
                codes[band] = 0;
                continue;
            }
            const uint64_t scaled = accumulators[band] + (counters[band] * 49 >> 7);
            const uint32_t code_bits = fos_ccsds123_next_shift(scaled, counters[band], given.sample_bits - 2, codes[band]);
            const uint64_t value = is_short && reader.end - reader.next >= 8 ? take_short(&reader, &given, code_bits)
                                                                             : take_value(&reader, &given, code_bits);
            codes[band] = code_bits;
            mapped[band * given.cols + col] = (uint32_t)value;
            seen |= value;
            fos_ccsds123_count(&accumulators[band], &counters[band], (uint32_t)value, counter_last);
        }
    }
    decoder->reader = reader;
    return seen >> given.sample_bits == 0 && !reader.exhausted;
}

static bool take_from_block(fos_ccsds123_decoder_t *decoder, uint32_t *value)
{
    if (decoder->block_used == decoder->layout->blocks.block_size) {
        uint32_t reference;
        if (!fos_block_decode(&decoder->blocks, decoder->block, false, &reference)) { return false; }
        decoder->block_used = 0;
    }
    *value = decoder->block[decoder->block_used++];
    return true;
}

static bool decode_blocks(fos_ccsds123_decoder_t *decoder, uint32_t first_band, uint32_t band_end)
{
    const uint32_t cols = decoder->layout->given.cols;
    for (size_t col = 0; col < cols; col++) {
        for (size_t band = first_band; band < band_end; band++) {
            if (!take_from_block(decoder, &decoder->scratch->mapped[band * cols + col])) { return false; }
        }
    }
    return true;
}

bool fos_ccsds123_decode_limit(fos_ccsds123_decoder_t *decoder, uint32_t width, int64_t *limit)
{
    if (decoder->layout->given.entropy_coder == FOS_CCSDS123_HYBRID) { return true; } /* has been read already */
    uint32_t value = 0;
    bool is_there = true;
    if (decoder->layout->given.entropy_coder == FOS_CCSDS123_BLOCK_ADAPTIVE) {
        is_there = take_from_block(decoder, &value);
    } else {
        value = fos_bits_take(&decoder->reader, width);
        is_there = !decoder->reader.exhausted;
    }
    *limit = value;
    return is_there && value >> width == 0;
}

bool fos_ccsds123_decode_line(fos_ccsds123_decoder_t *decoder, uint32_t row, uint32_t first_band, uint32_t band_end)
{
    const fos_ccsds123_layout_t *layout = decoder->layout;
    if (layout->given.entropy_coder == FOS_CCSDS123_BLOCK_ADAPTIVE) {
        return decode_blocks(decoder, first_band, band_end);
    }
    if (layout->given.entropy_coder == FOS_CCSDS123_HYBRID) {
        for (size_t band = first_band; band < band_end; band++) {
            fos_ccsds123_load_mapped(layout, decoder->image, (uint32_t)band, row,
                                     decoder->scratch->mapped + band * layout->given.cols);
        }
        return true;
    }
    if (band_end - first_band == 1) { return decode_band(decoder, row, first_band); }
    return decode_pixels(decoder, row, first_band, band_end);
}
