/* CCSDS 123.0-B-2, 5.4.3.3: the hybrid entropy coder. */
#include "ccsds123_hybrid.h"

#include "ccsds123_hybrid_codes.inc"

void fos_ccsds123_hybrid_start(const fos_ccsds123_layout_t *layout, const fos_ccsds123_tables_t *tables,
                               const fos_ccsds123_scratch_t *scratch)
{
    const uint32_t kind = FOS_CCSDS123_HYBRID_ACCUMULATOR_FIRST;
    for (uint32_t band = 0; band < layout->given.bands; band++) {
        scratch->accumulators[band] = (uint64_t)fos_ccsds123_of_band(layout, tables, kind, band);
        scratch->codes[band] = 0;
    }
}

/* 5.4.3.3.3.2: a code word that can be read from its end: the lowest code_bits bits, a one, zeros; or all bits and U_max
 * zeros. */
static inline void put_turned(fos_bit_stream_t *stream, const fos_ccsds123_parameters_t *given, uint32_t value,
                              uint32_t code_bits)
{
    const uint32_t zeros = value >> code_bits;
    const uint32_t width = code_bits + 1 + zeros;
    const uint64_t ending = (uint64_t)(value & ((1u << code_bits) - 1)) << 1 | 1;
    if (__builtin_expect(zeros < given->unary_zeros_max && width <= 56, 1)) {
        fos_bits_stream(stream, ending << zeros, width);
        return;
    }
    const bool is_limited = zeros >= given->unary_zeros_max;
    fos_bits_stream(stream, is_limited ? value : ending, is_limited ? given->sample_bits : code_bits + 1);
    fos_bits_stream(stream, 0, is_limited ? given->unary_zeros_max : zeros);
}

/* What goes from sample to sample of one band. */
typedef struct {
    uint64_t accumulator;
    uint32_t way;
} band_state_t;

/* 5.4.3.3.5.3 */
static inline void put_low(fos_bit_stream_t *stream, const fos_ccsds123_parameters_t *given, uint32_t value,
                           uint32_t code_index, uint32_t *prefixes)
{
    const fos_ccsds123_low_code_t *code = &fos_ccsds123_low_codes[code_index];
    uint32_t symbol = value;
    if (__builtin_expect(value > code->symbol_max, 0)) {
        symbol = code->symbol_max + 1u;
        put_turned(stream, given, value - symbol, 0);
    }
    const uint32_t state = prefixes[code_index];
    const uint32_t step = fos_ccsds123_low_steps[code->first_step + state * (code->symbol_max + 2u) + symbol];
    const uint32_t length = step >> FOS_CCSDS123_STEP_LENGTH_SHIFT;
    prefixes[code_index] = length == 0 ? step : 0;
    fos_bits_stream(stream, length == 0 ? 0 : step & FOS_CCSDS123_STEP_WORD_MASK, length);
}

/* 5.4.3.3.4.4 and 5.4.3.3.5.1 for t > 0. */
static inline void put_sample(fos_bit_stream_t *stream, const fos_ccsds123_parameters_t *given, uint32_t value,
                              uint32_t counter, bool halves, band_state_t *state, uint32_t *prefixes)
{
    const uint64_t grown = state->accumulator + 4 * (uint64_t)value;
    if (__builtin_expect(halves, 0)) { fos_bits_stream(stream, state->accumulator & 1, 1); }
    state->accumulator = halves ? (grown + 1) >> 1 : grown;
    state->way = fos_ccsds123_hybrid_way(state->accumulator, counter, state->way);
    if (state->way == 0) {
        put_turned(stream, given, value, fos_ccsds123_hybrid_code_bits(state->accumulator, counter, given->sample_bits));
    } else {
        put_low(stream, given, value, state->way - 1, prefixes);
    }
}

/* One band's row: BSQ and BIL. The rest goes pixel by pixel. */
static void encode_band(fos_ccsds123_encoder_t *encoder, uint32_t row, uint32_t band)
{
    const fos_ccsds123_parameters_t given = encoder->layout->given;
    const uint32_t *mapped = encoder->scratch->mapped + (size_t)band * given.cols;
    band_state_t state = {encoder->scratch->accumulators[band], encoder->scratch->codes[band]};
    fos_bit_stream_t stream = encoder->stream;
    const uint64_t row_index = (uint64_t)row * given.cols;
    for (uint32_t col = 0; col < given.cols; col++) {
        if (fos_ccsds123_chunk_is_full(encoder, &stream)) { stream = fos_ccsds123_renew_chunk(encoder, stream); }
        const uint64_t t = row_index + col;
        if (__builtin_expect(t == 0, 0)) { /* 5.4.3.3.5.1.3 */
            fos_bits_stream(&stream, mapped[0], given.sample_bits);
            continue;
        }
        put_sample(&stream, &given, mapped[col], fos_ccsds123_hybrid_counter(&given, t),
                   fos_ccsds123_hybrid_halves(&given, t), &state, encoder->prefixes);
    }
    encoder->stream = stream;
    encoder->scratch->accumulators[band] = state.accumulator;
    encoder->scratch->codes[band] = state.way;
}

void fos_ccsds123_hybrid_encode_line(fos_ccsds123_encoder_t *encoder, uint32_t row, uint32_t first_band,
                                     uint32_t band_end)
{
    if (band_end - first_band == 1) {
        encode_band(encoder, row, first_band);
        return;
    }
    const fos_ccsds123_parameters_t given = encoder->layout->given;
    const fos_ccsds123_scratch_t *scratch = encoder->scratch;
    fos_bit_stream_t stream = encoder->stream;
    for (uint32_t col = 0; col < given.cols; col++) {
        const uint64_t t = (uint64_t)row * given.cols + col;
        const uint32_t counter = fos_ccsds123_hybrid_counter(&given, t);
        const bool halves = fos_ccsds123_hybrid_halves(&given, t);
        for (size_t band = first_band; band < band_end; band++) {
            if (fos_ccsds123_chunk_is_full(encoder, &stream)) { stream = fos_ccsds123_renew_chunk(encoder, stream); }
            const uint32_t value = scratch->mapped[band * given.cols + col];
            if (t == 0) {
                fos_bits_stream(&stream, value, given.sample_bits);
                continue;
            }
            band_state_t state = {scratch->accumulators[band], scratch->codes[band]};
            put_sample(&stream, &given, value, counter, halves, &state, encoder->prefixes);
            scratch->accumulators[band] = state.accumulator;
            scratch->codes[band] = state.way;
        }
    }
    encoder->stream = stream;
}

void fos_ccsds123_hybrid_encode_tail(fos_ccsds123_encoder_t *encoder)
{
    const fos_ccsds123_parameters_t *given = &encoder->layout->given;
    fos_bit_stream_t *stream = &encoder->stream;
    if (fos_ccsds123_chunk_is_full(encoder, stream)) { fos_ccsds123_empty_chunk(encoder); }
    for (uint32_t index = 0; index < FOS_CCSDS123_LOW_CODES; index++) { /* 5.4.3.3.5.4.2; at most 10 bits each */
        const uint32_t place = fos_ccsds123_low_codes[index].first_flush + encoder->prefixes[index];
        const uint32_t flush = fos_ccsds123_low_flushes[place];
        fos_bits_stream(stream, flush & FOS_CCSDS123_FLUSH_WORD_MASK, flush >> FOS_CCSDS123_FLUSH_LENGTH_SHIFT);
    }
    const uint32_t width = 2 + given->sample_bits + given->counter_bits;
    for (uint32_t band = 0; band < given->bands; band++) { /* 5.4.3.3.5.4.3 */
        if (fos_ccsds123_chunk_is_full(encoder, stream)) { fos_ccsds123_empty_chunk(encoder); }
        fos_bits_stream(stream, encoder->scratch->accumulators[band], width);
    }
    fos_bits_stream(stream, 1, 1); /* 5.4.3.3.5.4.4 */
}
