/* CCSDS 123.0-B-2, 5.4: mapped values to bits, sample-adaptive (5.4.3.2) or block-adaptive (5.4.3.4). */
#include "ccsds123_entropy.h"

void fos_ccsds123_start_statistics(const fos_ccsds123_layout_t *layout, const fos_ccsds123_tables_t *tables,
                                   const fos_ccsds123_scratch_t *scratch)
{
    const fos_ccsds123_parameters_t *given = &layout->given;
    const uint32_t small_max = 30 - given->sample_bits;
    for (uint32_t band = 0; band < given->bands; band++) {
        const uint32_t told = (uint32_t)fos_ccsds123_of_band(layout, tables, FOS_CCSDS123_ACCUMULATOR_FIRST, band);
        /* Equation (59): numbers too large to be told are reached in steps of two. */
        const bool is_small = given->sample_bits <= 30 && told <= small_max;
        const uint32_t code_bits = is_small ? told : 2 * told + given->sample_bits - 30;
        scratch->counters[band] = 1u << given->counter_first_bits;
        scratch->accumulators[band] = ((((uint64_t)3 << (code_bits + 6)) - 49) * scratch->counters[band]) >> 7;
    }
}

void fos_ccsds123_encoder_start(fos_ccsds123_encoder_t *encoder, const fos_ccsds123_layout_t *layout,
                                const fos_ccsds123_tables_t *tables, const fos_ccsds123_scratch_t *scratch,
                                uint8_t *encoded, size_t capacity_bytes)
{
    memset(encoder, 0, sizeof *encoder);
    encoder->layout = layout;
    encoder->scratch = scratch;
    encoder->writer = (fos_bit_writer_t){.next = encoded, .end = encoded + capacity_bytes};
    fos_ccsds123_put_header(layout, tables, &encoder->writer);
    if (layout->given.entropy_coder == FOS_CCSDS123_BLOCK_ADAPTIVE) {
        fos_block_encoder_start(&encoder->blocks, &layout->blocks, encoded, capacity_bytes);
        encoder->blocks.writer = encoder->writer;
        return;
    }
    if (layout->given.entropy_coder == FOS_CCSDS123_HYBRID) {
        fos_ccsds123_hybrid_start(layout, tables, scratch);
    } else {
        fos_ccsds123_start_statistics(layout, tables, scratch);
    }
    if (!fos_bits_finish(&encoder->writer)) { encoder->writer.overflowed = true; } /* the header is whole bytes */
    encoder->stream.next = encoder->chunk;
}

void fos_ccsds123_empty_chunk(fos_ccsds123_encoder_t *encoder)
{
    const size_t byte_count = (size_t)(encoder->stream.next - encoder->chunk);
    if ((size_t)(encoder->writer.end - encoder->writer.next) >= byte_count) {
        memcpy(encoder->writer.next, encoder->chunk, byte_count);
        encoder->writer.next += byte_count;
    } else {
        encoder->writer.overflowed = true;
    }
    encoder->stream.next = encoder->chunk;
}

/* 5.4.3.2.2: the code word of one value: zeros, a one, and the lowest code_bits bits. Too many zeros: all its bits. */
static inline void put_value(fos_bit_stream_t *stream, const fos_ccsds123_parameters_t *given, uint32_t value,
                             uint32_t code_bits)
{
    const uint32_t zeros = value >> code_bits;
    const uint32_t one = 1u << code_bits;
    const uint32_t width = zeros + 1 + code_bits;
    if (__builtin_expect(zeros < given->unary_zeros_max && width <= 56, 1)) {
        fos_bits_stream(stream, one | (value & (one - 1)), width);
        return;
    }
    const bool is_limited = zeros >= given->unary_zeros_max;
    fos_bits_stream(stream, 0, is_limited ? given->unary_zeros_max : zeros);
    fos_bits_stream(stream, is_limited ? value : one | (value & (one - 1)),
                    is_limited ? given->sample_bits : 1 + code_bits);
}

/* 5.4.3.2.4.2: the first value of a band is not coded, and not counted. */
static void put_first(fos_ccsds123_encoder_t *encoder, uint32_t value)
{
    if (fos_ccsds123_chunk_is_full(encoder, &encoder->stream)) { fos_ccsds123_empty_chunk(encoder); }
    fos_bits_stream(&encoder->stream, value, encoder->layout->given.sample_bits);
}

fos_bit_stream_t fos_ccsds123_renew_chunk(fos_ccsds123_encoder_t *encoder, fos_bit_stream_t stream)
{
    encoder->stream = stream;
    fos_ccsds123_empty_chunk(encoder);
    return encoder->stream;
}

/* One band's row: BSQ and BIL. */
static void encode_band(fos_ccsds123_encoder_t *encoder, uint32_t row, uint32_t band)
{
    const fos_ccsds123_parameters_t given = encoder->layout->given;
    const uint32_t *mapped = encoder->scratch->mapped + (size_t)band * given.cols;
    const uint32_t counter_last = (1u << given.counter_bits) - 1;
    const uint32_t code_bits_max = given.sample_bits - 2;
    uint64_t accumulator = encoder->scratch->accumulators[band];
    uint32_t counter = encoder->scratch->counters[band];
    uint32_t col = 0;
    if (row == 0) { put_first(encoder, mapped[col++]); }
    fos_bit_stream_t stream = encoder->stream;
    for (; col < given.cols; col++) {
        if (fos_ccsds123_chunk_is_full(encoder, &stream)) { stream = fos_ccsds123_renew_chunk(encoder, stream); }
        const uint32_t value = mapped[col];
        put_value(&stream, &given, value, fos_ccsds123_code_bits(accumulator, counter, code_bits_max));
        fos_ccsds123_count(&accumulator, &counter, value, counter_last);
    }
    encoder->stream = stream;
    encoder->scratch->accumulators[band] = accumulator;
    encoder->scratch->counters[band] = counter;
}

/* Several bands of one row, pixel by pixel. */
static void encode_pixels(fos_ccsds123_encoder_t *encoder, uint32_t row, uint32_t first_band, uint32_t band_end)
{
    const fos_ccsds123_parameters_t given = encoder->layout->given;
    const uint32_t *mapped = encoder->scratch->mapped;
    const uint32_t counter_last = (1u << given.counter_bits) - 1;
    const uint32_t code_bits_max = given.sample_bits - 2;
    uint64_t *accumulators = encoder->scratch->accumulators;
    uint32_t *counters = encoder->scratch->counters;
    size_t col = 0;
    if (row == 0) {
        for (size_t band = first_band; band < band_end; band++) { put_first(encoder, mapped[band * given.cols]); }
        col = 1;
    }
    fos_bit_stream_t stream = encoder->stream;
    for (; col < given.cols; col++) {
        for (size_t band = first_band; band < band_end; band++) {
            if (fos_ccsds123_chunk_is_full(encoder, &stream)) { stream = fos_ccsds123_renew_chunk(encoder, stream); }
            const uint32_t value = mapped[band * given.cols + col];
            put_value(&stream, &given, value, fos_ccsds123_code_bits(accumulators[band], counters[band], code_bits_max));
            fos_ccsds123_count(&accumulators[band], &counters[band], value, counter_last);
        }
    }
    encoder->stream = stream;
}

/* 5.4.3.4.2.7: values fill blocks across lines and bands. A full block waits until it is known not to be the last. */
static inline void put_in_block(fos_ccsds123_encoder_t *encoder, uint32_t value)
{
    if (encoder->block_used == encoder->layout->blocks.block_size) {
        fos_block_encode(&encoder->blocks, encoder->block, false, 0, false);
        encoder->block_used = 0;
    }
    encoder->block[encoder->block_used++] = value;
}

static void encode_blocks(fos_ccsds123_encoder_t *encoder, uint32_t first_band, uint32_t band_end)
{
    const uint32_t cols = encoder->layout->given.cols;
    for (size_t col = 0; col < cols; col++) {
        for (size_t band = first_band; band < band_end; band++) {
            put_in_block(encoder, encoder->scratch->mapped[band * cols + col]);
        }
    }
}

void fos_ccsds123_encode_limit(fos_ccsds123_encoder_t *encoder, uint32_t limit, uint32_t width)
{
    if (encoder->layout->given.entropy_coder == FOS_CCSDS123_BLOCK_ADAPTIVE) {
        put_in_block(encoder, limit);
        return;
    }
    if (fos_ccsds123_chunk_is_full(encoder, &encoder->stream)) { fos_ccsds123_empty_chunk(encoder); }
    fos_bits_stream(&encoder->stream, limit, width); /* 5.4.3.2.4.1, 5.4.3.3.5.1.1 */
}

void fos_ccsds123_encode_line(fos_ccsds123_encoder_t *encoder, uint32_t row, uint32_t first_band, uint32_t band_end)
{
    if (encoder->layout->given.entropy_coder == FOS_CCSDS123_BLOCK_ADAPTIVE) {
        encode_blocks(encoder, first_band, band_end);
    } else if (encoder->layout->given.entropy_coder == FOS_CCSDS123_HYBRID) {
        fos_ccsds123_hybrid_encode_line(encoder, row, first_band, band_end);
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
    } else {
        if (encoder->layout->given.entropy_coder == FOS_CCSDS123_HYBRID) { fos_ccsds123_hybrid_encode_tail(encoder); }
        fos_bits_stream(&encoder->stream, 0, (8 - encoder->stream.pending_bits) & 7);
        fos_ccsds123_empty_chunk(encoder);
    }
    if (!fos_bits_finish(&encoder->writer)) { return false; }
    /* 5.4.3.2.4.4, 5.4.3.3.5.4.5, 5.4.3.4.3.2: whole output words. */
    const uint32_t word_bytes = encoder->layout->given.output_word_bytes;
    while ((size_t)(encoder->writer.next - encoded) % word_bytes != 0) {
        if (encoder->writer.next == encoder->writer.end) { return false; }
        *encoder->writer.next++ = 0;
    }
    *encoded_bytes = (size_t)(encoder->writer.next - encoded);
    return true;
}
