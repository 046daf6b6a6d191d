/* CCSDS 123.0-B-2, 5.4.3.3.1, the way back: the body is read from its last bit to its first, for only there the state of
 * each low-entropy code and the statistics of each band are known. All mapped values are found before any sample can be
 * restored; they wait in the image, in the place of the sample.
 */
#include "ccsds123_hybrid.h"

/* Words of a code, bit by bit from their ends: a node has a place for a 0 and for a 1, and what lies there is another node,
 * counted from the first of the code, or an end: the state before the last symbol of the word, and that symbol. */
#define WORD_COUNT_MAX 256u /* nodes of one trie: one fewer than words, at most 257 in any code */
#define IS_END 0x8000u
#define SYMBOL_BITS 4u
#define STATE_COUNT 688u
#define LOOKUP_BITS 7u /* words of up to so many bits are found at once: a place in the trie and how deep it lies */

typedef struct {
    const fos_ccsds123_layout_t *layout;
    const fos_ccsds123_scratch_t *scratch;
    fos_bit_backward_t reader;
    uint16_t *nodes;   /* 2 x WORD_COUNT_MAX of each code */
    uint16_t *lookups; /* 2^LOOKUP_BITS x {node or end, bits} of each code */
    uint16_t *parents; /* of each state but the first: the state before its last symbol, and that symbol */
    uint32_t prefixes[FOS_CCSDS123_LOW_CODES];
    uint8_t *image;
    bool is_possible;
} backward_t;

size_t fos_ccsds123_hybrid_trie_count(void)
{
    return FOS_CCSDS123_LOW_CODES * (2 * WORD_COUNT_MAX + (2u << LOOKUP_BITS)) + STATE_COUNT;
}

/* Adds a word, from its last bit on. */
static void plant(uint16_t *nodes, uint32_t *node_count, uint32_t word, uint32_t length, uint32_t end)
{
    uint32_t node = 0;
    for (uint32_t bit = 0; bit + 1 < length; bit++) {
        uint16_t *next = &nodes[2 * node + (word >> bit & 1)];
        if (*next == 0) { *next = (uint16_t)(*node_count)++; }
        node = *next;
    }
    nodes[2 * node + (word >> (length - 1) & 1)] = (uint16_t)(end | IS_END);
}

static void plant_code(const backward_t *backward, uint32_t code_index)
{
    const fos_ccsds123_low_code_t *code = &fos_ccsds123_low_codes[code_index];
    const uint32_t *steps = fos_ccsds123_low_steps + code->first_step;
    uint16_t *nodes = backward->nodes + (size_t)code_index * 2 * WORD_COUNT_MAX;
    uint32_t node_count = 1;
    memset(nodes, 0, 2 * WORD_COUNT_MAX * sizeof nodes[0]);
    for (uint32_t state = 0; state < code->state_count; state++) {
        for (uint32_t symbol = 0; symbol < code->symbol_max + 2u; symbol++, steps++) {
            const uint32_t length = *steps >> FOS_CCSDS123_STEP_LENGTH_SHIFT;
            const uint32_t end = state << SYMBOL_BITS | symbol;
            if (length == 0) {
                backward->parents[code->first_flush + *steps] = (uint16_t)end;
            } else {
                plant(nodes, &node_count, *steps & FOS_CCSDS123_STEP_WORD_MASK, length, end);
            }
        }
    }
}

static void fill_lookup(const backward_t *backward, uint32_t code_index)
{
    const uint16_t *nodes = backward->nodes + (size_t)code_index * 2 * WORD_COUNT_MAX;
    uint16_t *lookup = backward->lookups + (size_t)code_index * (2u << LOOKUP_BITS);
    for (uint32_t pattern = 0; pattern < 1u << LOOKUP_BITS; pattern++) {
        uint32_t place = 0;
        uint32_t bit = 0;
        do { place = nodes[2 * place + (pattern >> bit++ & 1)]; } while ((place & IS_END) == 0 && bit < LOOKUP_BITS);
        lookup[2 * pattern] = (uint16_t)place;
        lookup[2 * pattern + 1] = (uint16_t)bit;
    }
}

/* 5.4.3.3.5.4.2, from the last code to the first: the active prefix whose flush word ends here. No word ends another. */
static void take_flushes(backward_t *backward)
{
    for (uint32_t index = FOS_CCSDS123_LOW_CODES; index-- > 0;) {
        const fos_ccsds123_low_code_t *code = &fos_ccsds123_low_codes[index];
        fos_bits_refill_backward(&backward->reader);
        bool is_found = false;
        for (uint32_t state = 0; state < code->state_count && !is_found; state++) {
            const uint32_t flush = fos_ccsds123_low_flushes[code->first_flush + state];
            const uint32_t length = flush >> FOS_CCSDS123_FLUSH_LENGTH_SHIFT;
            if ((backward->reader.window & (((uint64_t)1 << length) - 1)) != (flush & FOS_CCSDS123_FLUSH_WORD_MASK)) {
                continue;
            }
            is_found = true;
            backward->prefixes[index] = state;
            (void)fos_bits_take_backward(&backward->reader, length);
        }
        backward->is_possible = backward->is_possible && is_found;
    }
}

/* 5.4.3.3.5.4, backwards: fill bits and the one before them, accumulators, active prefixes. */
static void take_tail(backward_t *backward)
{
    const fos_ccsds123_parameters_t *given = &backward->layout->given;
    fos_bit_backward_t *reader = &backward->reader;
    uint32_t bit_count = 0; /* fill bits are less than a word */
    do {
        fos_bits_refill_backward(reader);
        if (reader->window_bits == 0 || bit_count == 8 * given->output_word_bytes) {
            backward->is_possible = false;
            return;
        }
        bit_count++;
    } while (fos_bits_take_backward(reader, 1) == 0);
    const uint32_t width = 2 + given->sample_bits + given->counter_bits;
    for (uint32_t band = given->bands; band-- > 0;) {
        backward->scratch->accumulators[band] = fos_bits_take_backward(reader, width);
        backward->scratch->codes[band] = 0;
    }
    take_flushes(backward);
}

/* 5.4.3.3.3.2, backwards: zeros, a one, code_bits bits; or U_max zeros and D bits. */
static inline uint64_t take_turned(fos_bit_backward_t *reader, const fos_ccsds123_parameters_t *given, uint32_t code_bits)
{
    if (reader->window_bits <= 32) { fos_bits_refill_backward(reader); }
    const uint32_t zeros = reader->window == 0 ? 64 : (uint32_t)__builtin_ctzll(reader->window);
    if (zeros < given->unary_zeros_max) {
        (void)fos_bits_take_backward(reader, zeros + 1);
        return (uint64_t)zeros << code_bits | fos_bits_take_backward(reader, code_bits);
    }
    (void)fos_bits_take_backward(reader, given->unary_zeros_max);
    return fos_bits_take_backward(reader, given->sample_bits);
}

/* 5.4.3.3.5.3, backwards: the last symbol of the active prefix goes; where that is empty, a word was put out after it. */
static inline uint64_t take_low(backward_t *backward, fos_bit_backward_t *reader, uint32_t code_index)
{
    const fos_ccsds123_low_code_t *code = &fos_ccsds123_low_codes[code_index];
    const uint32_t state = backward->prefixes[code_index];
    uint32_t end;
    if (state != 0) {
        end = backward->parents[code->first_flush + state];
    } else {
        if (reader->window_bits <= 32) { fos_bits_refill_backward(reader); }
        const uint32_t pattern = (uint32_t)reader->window & ((1u << LOOKUP_BITS) - 1);
        const uint16_t *found = backward->lookups + (size_t)code_index * (2u << LOOKUP_BITS) + 2 * pattern;
        uint32_t length = found[1];
        end = found[0];
        if (__builtin_expect((end & IS_END) == 0, 0)) {
            const uint16_t *nodes = backward->nodes + (size_t)code_index * 2 * WORD_COUNT_MAX;
            do { end = nodes[2 * end + (reader->window >> length++ & 1)]; } while ((end & IS_END) == 0);
        }
        end &= ~IS_END;
        (void)fos_bits_take_backward(reader, length);
    }
    backward->prefixes[code_index] = end >> SYMBOL_BITS;
    const uint32_t symbol = end & ((1u << SYMBOL_BITS) - 1);
    if (__builtin_expect(symbol <= code->symbol_max, 1)) { return symbol; }
    return symbol + take_turned(reader, &backward->layout->given, 0);
}

/* One sample of one band, t > 0: its mapped value, and the statistics as they were before it. */
static inline uint32_t take_sample(backward_t *backward, fos_bit_backward_t *reader, uint32_t counter, bool halves,
                                   uint64_t *accumulator, uint32_t *way)
{
    const fos_ccsds123_parameters_t *given = &backward->layout->given;
    *way = fos_ccsds123_hybrid_way(*accumulator, counter, *way);
    const uint64_t value =
        *way == 0 ? take_turned(reader, given, fos_ccsds123_hybrid_code_bits(*accumulator, counter, given->sample_bits))
                  : take_low(backward, reader, *way - 1);
    uint64_t before = *accumulator;
    uint64_t lost = 4 * value;
    if (halves) { /* 5.4.3.3.5.1.2 */
        before *= 2;
        lost += fos_bits_take_backward(reader, 1);
    }
    const uint32_t width = 2 + given->sample_bits + given->counter_bits;
    if (value >> given->sample_bits != 0 || lost > before || (before - lost) >> width != 0) {
        backward->is_possible = false;
        *accumulator = 0;
        return 0;
    }
    *accumulator = before - lost;
    return (uint32_t)value;
}

/* 5.4.3.3.5.1.3, and what 5.4.3.3.4.3 says of the accumulator. */
static uint32_t take_first(backward_t *backward, fos_bit_backward_t *reader, uint64_t accumulator)
{
    const fos_ccsds123_parameters_t *given = &backward->layout->given;
    if (accumulator >> (given->sample_bits + given->counter_first_bits) != 0) { backward->is_possible = false; }
    return (uint32_t)fos_bits_take_backward(reader, given->sample_bits);
}

/* One row of one band, from its last pixel to its first: BSQ and BIL. */
static void take_band(backward_t *backward, uint32_t row, uint32_t band)
{
    const fos_ccsds123_parameters_t *given = &backward->layout->given;
    const uint64_t row_index = (uint64_t)row * given->cols;
    uint32_t *mapped = backward->scratch->mapped + (size_t)band * given->cols;
    uint64_t accumulator = backward->scratch->accumulators[band];
    uint32_t way = backward->scratch->codes[band];
    fos_bit_backward_t reader = backward->reader;
    for (uint32_t col = given->cols; col-- > 0;) {
        const uint64_t t = row_index + col;
        mapped[col] = t == 0 ? take_first(backward, &reader, accumulator)
                             : take_sample(backward, &reader, fos_ccsds123_hybrid_counter(given, t),
                                           fos_ccsds123_hybrid_halves(given, t), &accumulator, &way);
    }
    backward->scratch->accumulators[band] = accumulator;
    backward->scratch->codes[band] = way;
    backward->reader = reader;
}

/* Several bands, pixel by pixel. */
static void take_pixels(backward_t *backward, uint32_t row, uint32_t first_band, uint32_t band_end)
{
    const fos_ccsds123_parameters_t *given = &backward->layout->given;
    uint64_t *accumulators = backward->scratch->accumulators;
    uint32_t *ways = backward->scratch->codes;
    fos_bit_backward_t reader = backward->reader;
    for (uint32_t col = given->cols; col-- > 0;) {
        const uint64_t t = (uint64_t)row * given->cols + col;
        const uint32_t counter = fos_ccsds123_hybrid_counter(given, t);
        const bool halves = fos_ccsds123_hybrid_halves(given, t);
        for (uint32_t band = band_end; band-- > first_band;) {
            uint32_t *mapped = &backward->scratch->mapped[(size_t)band * given->cols + col];
            *mapped = t == 0 ? take_first(backward, &reader, accumulators[band])
                             : take_sample(backward, &reader, counter, halves, &accumulators[band], &ways[band]);
        }
    }
    backward->reader = reader;
}

/* Bands band_end - 1 .. first_band of one row, into the image. */
static void take_line(backward_t *backward, uint32_t row, uint32_t first_band, uint32_t band_end)
{
    const size_t cols = backward->layout->given.cols;
    if (band_end - first_band == 1) {
        take_band(backward, row, first_band);
    } else {
        take_pixels(backward, row, first_band, band_end);
    }
    for (size_t band = first_band; band < band_end; band++) {
        fos_ccsds123_store_mapped(backward->layout, backward->image, (uint32_t)band, row,
                                  backward->scratch->mapped + band * cols);
    }
    backward->is_possible = backward->is_possible && !backward->reader.exhausted;
}

/* 5.4.2.2.2, backwards: the limits of the period that begins with this row. */
static void take_limits(backward_t *backward, uint32_t row)
{
    const fos_ccsds123_layout_t *layout = backward->layout;
    const size_t period = row / layout->period_rows;
    for (uint32_t kind = FOS_CCSDS123_ERROR_RELATIVE; kind >= FOS_CCSDS123_ERROR_ABSOLUTE; kind--) {
        if ((layout->given.error_limits_used >> (kind - FOS_CCSDS123_ERROR_ABSOLUTE) & 1) == 0) { continue; }
        const size_t count = fos_ccsds123_uses_table(&layout->given, kind) ? layout->given.bands : 1;
        const uint32_t width = fos_ccsds123_error_bits(layout, NULL, kind);
        int64_t *limits = backward->scratch->tables.by_kind[kind].values + period * count;
        for (size_t index = count; index-- > 0;) {
            limits[index] = (int64_t)fos_bits_take_backward(&backward->reader, width);
        }
    }
}

/* 5.4.2.2 and 5.4.2.3, backwards. Stops at the first line that cannot be. */
static void take_lines(backward_t *backward)
{
    const fos_ccsds123_parameters_t *given = &backward->layout->given;
    if (!backward->layout->is_interleaved) {
        for (uint32_t band = given->bands; band-- > 0;) {
            for (uint32_t row = given->rows; row-- > 0 && backward->is_possible;) {
                take_line(backward, row, band, band + 1);
            }
        }
        return;
    }
    const uint32_t depth = given->interleave_bands;
    for (uint32_t row = given->rows; row-- > 0 && backward->is_possible;) {
        for (uint32_t part = (given->bands + depth - 1) / depth; part-- > 0 && backward->is_possible;) {
            const uint32_t first_band = part * depth;
            const uint32_t band_end = given->bands - first_band < depth ? given->bands : first_band + depth;
            take_line(backward, row, first_band, band_end);
        }
        if (given->limits_period_log2 >= 0 && row % backward->layout->period_rows == 0) { take_limits(backward, row); }
    }
}

bool fos_ccsds123_hybrid_decode(const fos_ccsds123_layout_t *layout, const fos_ccsds123_scratch_t *scratch,
                                const uint8_t *body, size_t body_bytes, uint8_t *image)
{
    backward_t backward = {.layout = layout,
                           .scratch = scratch,
                           .reader = {.begin = body, .next = body + body_bytes},
                           .nodes = scratch->tries,
                           .lookups = scratch->tries + FOS_CCSDS123_LOW_CODES * 2 * WORD_COUNT_MAX,
                           .parents = scratch->tries + FOS_CCSDS123_LOW_CODES * (2 * WORD_COUNT_MAX + (2u << LOOKUP_BITS)),
                           .image = image,
                           .is_possible = true};
    for (uint32_t index = 0; index < FOS_CCSDS123_LOW_CODES; index++) {
        plant_code(&backward, index);
        fill_lookup(&backward, index);
    }
    take_tail(&backward);
    take_lines(&backward);
    /* Where nothing went wrong, the first bit of the body has just been read. */
    bool is_at_begin = backward.reader.window_bits == 0 && backward.reader.next == body;
    for (uint32_t index = 0; index < FOS_CCSDS123_LOW_CODES; index++) { /* 5.4.3.3.3.3.2: prefixes are empty there */
        is_at_begin = is_at_begin && backward.prefixes[index] == 0;
    }
    return backward.is_possible && !backward.reader.exhausted && is_at_begin;
}
