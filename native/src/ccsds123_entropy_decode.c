/* CCSDS 123.0-B-2, 5.4, the way back: bits to mapped values. */
#include "ccsds123_internal.h"

void fos_ccsds123_decoder_start(fos_ccsds123_decoder_t *decoder, const fos_ccsds123_layout_t *layout,
                                const fos_ccsds123_scratch_t *scratch, const uint8_t *encoded, size_t encoded_bytes)
{
    memset(decoder, 0, sizeof *decoder);
    decoder->layout = layout;
    decoder->scratch = scratch;
    decoder->reader = (fos_bit_reader_t){.next = encoded, .end = encoded + encoded_bytes};
    fos_block_decoder_start(&decoder->blocks, &layout->blocks, encoded, encoded_bytes);
    decoder->block_used = layout->blocks.block_size;
}

/* A run of U_max zeros stands before a value with all its bits. */
static inline uint32_t take_value(fos_bit_reader_t *reader, const fos_ccsds123_parameters_t *given, uint32_t code_bits)
{
    if (reader->window_bits <= 32) { fos_bits_refill(reader); }
    const uint32_t zeros = reader->window == 0 ? 64 : (uint32_t)__builtin_clzll(reader->window);
    if (zeros < given->unary_zeros_max) {
        (void)fos_bits_take(reader, zeros);
        return zeros << code_bits | (fos_bits_take(reader, 1 + code_bits) & ((1u << code_bits) - 1));
    }
    (void)fos_bits_take(reader, given->unary_zeros_max);
    return fos_bits_take(reader, given->sample_bits);
}

/* One band's row: BSQ and BIL. False when a value needs more than D bits. */
static bool decode_band(fos_ccsds123_decoder_t *decoder, uint32_t row, uint32_t band)
{
    const fos_ccsds123_parameters_t given = decoder->layout->given;
    uint16_t *mapped = decoder->scratch->mapped + (size_t)band * given.cols;
    const uint32_t counter_last = (1u << given.counter_bits) - 1;
    fos_bit_reader_t reader = decoder->reader;
    uint32_t accumulator = decoder->scratch->accumulators[band];
    uint32_t counter = decoder->scratch->counters[band];
    uint32_t seen = 0;
    uint32_t col = 0;
    if (row == 0) {
        mapped[0] = (uint16_t)fos_bits_take(&reader, given.sample_bits);
        fos_ccsds123_start_statistics(decoder->layout, &accumulator, &counter);
        col = 1;
    }
    for (; col < given.cols; col++) {
        const uint32_t code_bits = fos_ccsds123_code_bits(accumulator, counter, given.sample_bits - 2);
        const uint32_t value = take_value(&reader, &given, code_bits);
        mapped[col] = (uint16_t)value;
        seen |= value;
        fos_ccsds123_count(&accumulator, &counter, value & 0xFFFF, counter_last);
    }
    decoder->scratch->accumulators[band] = accumulator;
    decoder->scratch->counters[band] = counter;
    decoder->reader = reader;
    return seen >> given.sample_bits == 0 && !reader.exhausted;
}

static bool decode_pixels(fos_ccsds123_decoder_t *decoder, uint32_t row, uint32_t first_band, uint32_t band_end)
{
    const fos_ccsds123_parameters_t given = decoder->layout->given;
    uint16_t *mapped = decoder->scratch->mapped;
    const uint32_t counter_last = (1u << given.counter_bits) - 1;
    uint32_t *accumulators = decoder->scratch->accumulators;
    uint32_t *counters = decoder->scratch->counters;
    fos_bit_reader_t reader = decoder->reader;
    uint32_t seen = 0;
    for (size_t col = 0; col < given.cols; col++) {
        for (size_t band = first_band; band < band_end; band++) {
            if (row == 0 && col == 0) {
                mapped[band * given.cols] = (uint16_t)fos_bits_take(&reader, given.sample_bits);
                fos_ccsds123_start_statistics(decoder->layout, &accumulators[band], &counters[band]);
                continue;
            }
            const uint32_t code_bits_max = given.sample_bits - 2;
            const uint32_t code_bits = fos_ccsds123_code_bits(accumulators[band], counters[band], code_bits_max);
            const uint32_t value = take_value(&reader, &given, code_bits);
            mapped[band * given.cols + col] = (uint16_t)value;
            seen |= value;
            fos_ccsds123_count(&accumulators[band], &counters[band], value & 0xFFFF, counter_last);
        }
    }
    decoder->reader = reader;
    return seen >> given.sample_bits == 0 && !reader.exhausted;
}

static bool decode_blocks(fos_ccsds123_decoder_t *decoder, uint32_t first_band, uint32_t band_end)
{
    const uint32_t cols = decoder->layout->given.cols;
    const uint32_t block_size = decoder->layout->blocks.block_size;
    for (size_t col = 0; col < cols; col++) {
        for (size_t band = first_band; band < band_end; band++) {
            if (decoder->block_used == block_size) {
                uint32_t reference;
                if (!fos_block_decode(&decoder->blocks, decoder->block, false, &reference)) { return false; }
                decoder->block_used = 0;
            }
            decoder->scratch->mapped[band * cols + col] = (uint16_t)decoder->block[decoder->block_used++];
        }
    }
    return true;
}

bool fos_ccsds123_decode_line(fos_ccsds123_decoder_t *decoder, uint32_t row, uint32_t first_band, uint32_t band_end)
{
    if (decoder->layout->given.entropy_coder == FOS_CCSDS123_BLOCK_ADAPTIVE) {
        return decode_blocks(decoder, first_band, band_end);
    }
    if (band_end - first_band == 1) { return decode_band(decoder, row, first_band); }
    return decode_pixels(decoder, row, first_band, band_end);
}
