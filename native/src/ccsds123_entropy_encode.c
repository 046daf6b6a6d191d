/* CCSDS 123.0-B-2, 5.4: mapped values to bits, sample-adaptive (5.4.3.2) or block-adaptive (5.4.3.4). */
#include "ccsds123_internal.h"

#define ROOMY_BYTES_PER_SAMPLE 6 /* the longest code word: 32 zeros and 16 bits */

void fos_ccsds123_start_statistics(const fos_ccsds123_layout_t *layout, uint32_t *accumulator, uint32_t *counter)
{
    const fos_ccsds123_parameters_t *given = &layout->given;
    *counter = 1u << given->counter_first_bits;
    *accumulator = ((3u << (given->accumulator_first + 6)) - 49) * *counter >> 7;
}

void fos_ccsds123_encoder_start(fos_ccsds123_encoder_t *encoder, const fos_ccsds123_layout_t *layout,
                                const fos_ccsds123_scratch_t *scratch, uint8_t *encoded, size_t capacity_bytes)
{
    memset(encoder, 0, sizeof *encoder);
    encoder->layout = layout;
    encoder->scratch = scratch;
    encoder->writer = (fos_bit_writer_t){.next = encoded, .end = encoded + capacity_bytes};
    fos_ccsds123_put_header(layout, &encoder->writer);
    if (layout->given.entropy_coder == FOS_CCSDS123_BLOCK_ADAPTIVE) {
        fos_block_encoder_start(&encoder->blocks, &layout->blocks, encoded, capacity_bytes);
        encoder->blocks.writer = encoder->writer;
    }
}

/* 5.4.3.2.4: the code word of one value: zeros, a one, and the lowest code_bits bits. Too many zeros: all its bits. */
static inline void put_value(fos_bit_writer_t *writer, const fos_ccsds123_parameters_t *given, uint32_t mapped,
                             uint32_t code_bits)
{
    const uint32_t zeros = mapped >> code_bits;
    const uint32_t width = zeros + 1 + code_bits;
    const uint32_t ending = (1u << code_bits) | (mapped & ((1u << code_bits) - 1));
    if (zeros < given->unary_zeros_max && width <= 32) {
        fos_bits_put(writer, ending, width);
    } else if (zeros < given->unary_zeros_max) {
        fos_bits_put(writer, 0, zeros);
        fos_bits_put(writer, ending, 1 + code_bits);
    } else {
        fos_bits_put(writer, 0, given->unary_zeros_max);
        fos_bits_put(writer, mapped, given->sample_bits);
    }
}

/* The same code words where there is room for the longest of them, U_max zeros and D bits, at every sample. */
static void encode_band_roomy(fos_ccsds123_encoder_t *encoder, const uint16_t *mapped, uint32_t first,
                              uint32_t *accumulator_at, uint32_t *counter_at)
{
    const fos_ccsds123_parameters_t given = encoder->layout->given;
    const uint32_t counter_last = (1u << given.counter_bits) - 1;
    const uint32_t code_bits_max = given.sample_bits - 2;
    fos_bit_stream_t stream = fos_bits_open_stream(&encoder->writer);
    uint32_t accumulator = *accumulator_at;
    uint32_t counter = *counter_at;
    for (uint32_t col = first; col < given.cols; col++) {
        const uint32_t value = mapped[col];
        const uint32_t code_bits = fos_ccsds123_code_bits(accumulator, counter, code_bits_max);
        const uint32_t zeros = value >> code_bits;
        const uint32_t one = 1u << code_bits;
        if (__builtin_expect(zeros < given.unary_zeros_max, 1)) {
            fos_bits_stream(&stream, one | (value & (one - 1)), zeros + 1 + code_bits);
        } else {
            fos_bits_stream(&stream, value, given.unary_zeros_max + given.sample_bits);
        }
        fos_ccsds123_count(&accumulator, &counter, value, counter_last);
    }
    fos_bits_close_stream(&encoder->writer, &stream);
    *accumulator_at = accumulator;
    *counter_at = counter;
}

/* One band's row: BSQ and BIL. */
static void encode_band(fos_ccsds123_encoder_t *encoder, uint32_t row, uint32_t band)
{
    const fos_ccsds123_parameters_t *given = &encoder->layout->given;
    const uint16_t *mapped = encoder->scratch->mapped + (size_t)band * given->cols;
    const uint32_t counter_last = (1u << given->counter_bits) - 1;
    uint32_t *accumulator = &encoder->scratch->accumulators[band];
    uint32_t *counter = &encoder->scratch->counters[band];
    fos_bit_writer_t *writer = &encoder->writer;
    uint32_t col = 0;
    if (row == 0) {
        fos_bits_put(writer, mapped[0], given->sample_bits);
        fos_ccsds123_start_statistics(encoder->layout, accumulator, counter);
        col = 1;
    }
    if ((size_t)(writer->end - writer->next) >= (size_t)given->cols * ROOMY_BYTES_PER_SAMPLE + 16) {
        encode_band_roomy(encoder, mapped, col, accumulator, counter);
        return;
    }
    for (; col < given->cols; col++) {
        const uint32_t value = mapped[col];
        put_value(writer, given, value, fos_ccsds123_code_bits(*accumulator, *counter, given->sample_bits - 2));
        fos_ccsds123_count(accumulator, counter, value, counter_last);
    }
}

/* Several bands of one row, pixel by pixel. All bands have counted the same number of samples: one counter serves. */
static void encode_pixels(fos_ccsds123_encoder_t *encoder, uint32_t row, uint32_t first_band, uint32_t band_end)
{
    const fos_ccsds123_parameters_t given = encoder->layout->given;
    const uint16_t *mapped = encoder->scratch->mapped;
    const uint32_t counter_last = (1u << given.counter_bits) - 1;
    uint32_t *accumulators = encoder->scratch->accumulators;
    uint32_t *counters = encoder->scratch->counters;
    fos_bit_writer_t writer = encoder->writer;
    for (size_t col = 0; col < given.cols; col++) {
        for (size_t band = first_band; band < band_end; band++) {
            const uint32_t value = mapped[band * given.cols + col];
            if (row == 0 && col == 0) {
                fos_bits_put(&writer, value, given.sample_bits);
                fos_ccsds123_start_statistics(encoder->layout, &accumulators[band], &counters[band]);
                continue;
            }
            const uint32_t code_bits_max = given.sample_bits - 2;
            put_value(&writer, &given, value, fos_ccsds123_code_bits(accumulators[band], counters[band], code_bits_max));
            fos_ccsds123_count(&accumulators[band], &counters[band], value, counter_last);
        }
    }
    encoder->writer = writer;
}

/* 5.4.3.4.2: values fill blocks across lines and bands. A full block waits until it is known not to be the last. */
static void encode_blocks(fos_ccsds123_encoder_t *encoder, uint32_t first_band, uint32_t band_end)
{
    const uint32_t cols = encoder->layout->given.cols;
    const uint32_t block_size = encoder->layout->blocks.block_size;
    for (size_t col = 0; col < cols; col++) {
        for (size_t band = first_band; band < band_end; band++) {
            if (encoder->block_used == block_size) {
                fos_block_encode(&encoder->blocks, encoder->block, false, 0, false);
                encoder->block_used = 0;
            }
            encoder->block[encoder->block_used++] = encoder->scratch->mapped[band * cols + col];
        }
    }
}

void fos_ccsds123_encode_line(fos_ccsds123_encoder_t *encoder, uint32_t row, uint32_t first_band, uint32_t band_end)
{
    if (encoder->layout->given.entropy_coder == FOS_CCSDS123_BLOCK_ADAPTIVE) {
        encode_blocks(encoder, first_band, band_end);
    } else if (band_end - first_band == 1) {
        encode_band(encoder, row, first_band);
    } else {
        encode_pixels(encoder, row, first_band, band_end);
    }
}

bool fos_ccsds123_encoder_finish(fos_ccsds123_encoder_t *encoder, const uint8_t *encoded, size_t *encoded_bytes)
{
    if (encoder->layout->given.entropy_coder == FOS_CCSDS123_BLOCK_ADAPTIVE) {
        const uint32_t block_size = encoder->layout->blocks.block_size;
        while (encoder->block_used < block_size) { encoder->block[encoder->block_used++] = 0; }
        fos_block_encode(&encoder->blocks, encoder->block, false, 0, true);
        encoder->writer = encoder->blocks.writer;
    }
    if (!fos_bits_finish(&encoder->writer)) { return false; }
    /* 5.2.2: whole output words. */
    const uint32_t word_bytes = encoder->layout->given.output_word_bytes;
    while ((size_t)(encoder->writer.next - encoded) % word_bytes != 0) {
        if (encoder->writer.next == encoder->writer.end) { return false; }
        *encoder->writer.next++ = 0;
    }
    *encoded_bytes = (size_t)(encoder->writer.next - encoded);
    return true;
}
