/* CCSDS 123.0-B-2: parameters checked, scratch memory divided, the header written and read (5.3). */
#include "ccsds123_internal.h"

static bool coder_is_known(const fos_ccsds123_parameters_t *given, fos_block_layout_t *blocks)
{
    const uint32_t bits = given->sample_bits;
    if (given->entropy_coder == FOS_CCSDS123_BLOCK_ADAPTIVE) {
        return fos_block_layout_start(blocks, bits, given->block_size, given->interval_blocks, given->is_restricted != 0);
    }
    const uint32_t accumulator_max = bits - 2 < 14 ? bits - 2 : 14;
    const uint32_t counter_bits_min = given->counter_first_bits + 1 > 4 ? given->counter_first_bits + 1 : 4;
    return given->entropy_coder == FOS_CCSDS123_SAMPLE_ADAPTIVE && given->unary_zeros_max >= 8
           && given->unary_zeros_max <= 32 && given->counter_first_bits >= 1 && given->counter_first_bits <= 8
           && given->counter_bits >= counter_bits_min && given->counter_bits <= 11
           && given->accumulator_first <= accumulator_max;
}

static bool predictor_is_known(const fos_ccsds123_parameters_t *given)
{
    const uint32_t register_bits_needed = given->sample_bits + given->weight_bits + 2;
    const uint32_t register_bits_min = register_bits_needed > 32 ? register_bits_needed : 32;
    if (given->cols == 1 && (!given->is_reduced || given->local_sum < FOS_CCSDS123_WIDE_COLUMN)) { return false; }
    return given->bands_used <= 15 && given->is_reduced <= 1 && given->local_sum <= FOS_CCSDS123_NARROW_COLUMN
           && given->weight_bits >= 4 && given->weight_bits <= 19 && given->register_bits >= register_bits_min
           && given->register_bits <= 64 && given->weight_interval_log2 >= 4 && given->weight_interval_log2 <= 11
           && given->weight_exponent_first >= -6 && given->weight_exponent_first <= given->weight_exponent_last
           && given->weight_exponent_last <= 9;
}

static bool size_is_known(const fos_ccsds123_parameters_t *given)
{
    return given->cols >= 1 && given->cols <= 65536 && given->rows >= 1 && given->rows <= 65536 && given->bands >= 1
           && given->bands <= 65536 && given->sample_bits >= 2 && given->sample_bits <= 16 && given->is_signed <= 1
           && given->interleave_bands <= given->bands && given->output_word_bytes >= 1 && given->output_word_bytes <= 8
           && given->error_limits_used <= 3 && given->error_absolute_max < 1u << (given->sample_bits - 1)
           && given->error_relative_max < 1u << (given->sample_bits - 1) && given->is_restricted <= 1;
}

fos_status_t fos_ccsds123_layout(const fos_ccsds123_parameters_t *parameters, fos_ccsds123_layout_t *layout)
{
    memset(layout, 0, sizeof *layout);
    layout->given = *parameters;
    if (!size_is_known(parameters) || !predictor_is_known(parameters) || !coder_is_known(parameters, &layout->blocks)) {
        return FOS_ERR_PARAMETER;
    }
    if ((uint64_t)parameters->cols * parameters->rows * parameters->bands > FOS_PIXEL_COUNT_MAX) {
        return FOS_ERR_TOO_LARGE;
    }
    const uint32_t bits = parameters->sample_bits;
    layout->sample_min = parameters->is_signed != 0 ? -(1 << (bits - 1)) : 0;
    layout->sample_max = layout->sample_min + (1 << bits) - 1;
    layout->sample_mid = parameters->is_signed != 0 ? 0 : 1 << (bits - 1);
    layout->sample_bytes = bits > 8 ? 2 : 1;
    layout->directions = parameters->is_reduced != 0 ? 0 : 3;
    const uint32_t reach = parameters->bands_used < parameters->bands ? parameters->bands_used : parameters->bands - 1;
    layout->weight_count = (layout->directions + reach + 7) & ~7u;
    if (layout->weight_count == 0) { layout->weight_count = 8; }
    layout->weight_min = -(1 << (parameters->weight_bits + 2));
    layout->weight_max = (1 << (parameters->weight_bits + 2)) - 1;
    /* At most 18 products of D + 3 and Omega + 3 bits, and sigma on top: D + Omega + 11 bits hold them. */
    layout->wraps = parameters->register_bits < bits + parameters->weight_bits + 11;
    layout->is_lossless = parameters->error_limits_used == 0;
    layout->is_interleaved = parameters->interleave_bands != 0;
    return FOS_OK;
}

static uint8_t *divide_off(uint8_t **rest, size_t *total, size_t bytes)
{
    const size_t whole = (bytes + 63) & ~(size_t)63;
    uint8_t *part = *rest;
    *total += whole;
    if (part != NULL) { *rest = part + whole; }
    return part;
}

/* The buffers of one row; samples have room for one more on each side. */
static void divide_rows(const fos_ccsds123_layout_t *layout, uint8_t **rest, size_t *total,
                        fos_ccsds123_scratch_t *scratch)
{
    const size_t cols = layout->given.cols;
    scratch->current = (int32_t *)(void *)divide_off(rest, total, (cols + 2) * 4);
    scratch->above = (int32_t *)(void *)divide_off(rest, total, (cols + 2) * 4);
    scratch->originals = (int32_t *)(void *)divide_off(rest, total, cols * 4);
    scratch->sums = (int32_t *)(void *)divide_off(rest, total, cols * 4);
    scratch->differences = (int32_t *)(void *)divide_off(rest, total, cols * layout->weight_count * 4);
    scratch->dots = (int64_t *)(void *)divide_off(rest, total, cols * 8);
    if (*rest != NULL) {
        scratch->current++;
        scratch->above++;
    }
}

fos_ccsds123_scratch_t fos_ccsds123_partner(const fos_ccsds123_scratch_t *scratch)
{
    fos_ccsds123_scratch_t partner = *scratch;
    partner.current += scratch->partner_bytes / sizeof partner.current[0];
    partner.above += scratch->partner_bytes / sizeof partner.above[0];
    partner.originals += scratch->partner_bytes / sizeof partner.originals[0];
    partner.sums += scratch->partner_bytes / sizeof partner.sums[0];
    partner.differences += scratch->partner_bytes / sizeof partner.differences[0];
    partner.dots += scratch->partner_bytes / sizeof partner.dots[0];
    return partner;
}

size_t fos_ccsds123_divide(const fos_ccsds123_layout_t *layout, bool keeps_restored, uint8_t *memory,
                           fos_ccsds123_scratch_t *scratch)
{
    const size_t bands = layout->given.bands;
    const size_t cols = layout->given.cols;
    size_t total = 0;
    uint8_t *rest = memory == NULL ? NULL : memory + ((64 - ((uintptr_t)memory & 63)) & 63);
    scratch->weights = (int32_t *)(void *)divide_off(&rest, &total, bands * layout->weight_count * 4);
    scratch->accumulators = (uint32_t *)(void *)divide_off(&rest, &total, bands * 4);
    scratch->counters = (uint32_t *)(void *)divide_off(&rest, &total, bands * 4);
    scratch->centrals = (int32_t *)(void *)divide_off(&rest, &total, (layout->given.bands_used + 2) * cols * 4);
    const size_t before_rows = total;
    divide_rows(layout, &rest, &total, scratch);
    scratch->partner_bytes = total - before_rows;
    (void)divide_off(&rest, &total, scratch->partner_bytes);
    scratch->mapped = (uint16_t *)(void *)divide_off(&rest, &total, bands * cols * 2);
    scratch->restored = divide_off(&rest, &total,
                                   keeps_restored ? bands * layout->given.rows * cols * layout->sample_bytes : 0);
    return total + 63;
}

size_t fos_ccsds123_scratch_bytes(const fos_ccsds123_parameters_t *parameters)
{
    fos_ccsds123_layout_t layout;
    fos_ccsds123_scratch_t scratch;
    if (parameters == NULL || fos_ccsds123_layout(parameters, &layout) != FOS_OK) { return 0; }
    return fos_ccsds123_divide(&layout, !layout.is_lossless, NULL, &scratch);
}

size_t fos_ccsds123_encoded_bytes_max(const fos_ccsds123_parameters_t *parameters)
{
    fos_ccsds123_layout_t layout;
    if (parameters == NULL || fos_ccsds123_layout(parameters, &layout) != FOS_OK) { return 0; }
    const size_t samples = (size_t)parameters->cols * parameters->rows * parameters->bands;
    /* A sample never needs more than its longest code word, U_max zeros and D bits, nor a block more than 6 bits and
     * its samples. 40 bytes hold the longest header, 26, a started byte and a word that is filled up. */
    const size_t bits = parameters->entropy_coder == FOS_CCSDS123_BLOCK_ADAPTIVE
                            ? (samples / parameters->block_size + 1) * (6 + (size_t)parameters->block_size * parameters->sample_bits)
                            : samples * (parameters->unary_zeros_max + parameters->sample_bits);
    return bits / 8 + 40;
}

static uint32_t error_bits(uint32_t sample_bits)
{
    return sample_bits - 1; /* D_A and D_R: as many bits as any limit needs */
}

static void put_error_limits(const fos_ccsds123_parameters_t *given, fos_bit_writer_t *writer)
{
    if (given->interleave_bands != 0) { fos_bits_put(writer, 0, 8); } /* table 5-9: limits do not change */
    const uint32_t limits[] = {given->error_absolute_max, given->error_relative_max};
    for (uint32_t which = 0; which < 2; which++) {
        if ((given->error_limits_used & (1u << which)) == 0) { continue; }
        fos_bits_put(writer, error_bits(given->sample_bits) & 15, 8); /* tables 5-10, 5-11: the same in all bands */
        fos_bits_put(writer, limits[which], error_bits(given->sample_bits));
        fos_bits_pad_byte(writer);
    }
}

void fos_ccsds123_put_header(const fos_ccsds123_layout_t *layout, fos_bit_writer_t *writer)
{
    const fos_ccsds123_parameters_t *given = &layout->given;
    /* Image metadata, essential (5.3.2.2). Sizes are modulo 2^16. */
    fos_bits_put(writer, 0, 8);
    fos_bits_put(writer, given->cols & 0xFFFF, 16);
    fos_bits_put(writer, given->rows & 0xFFFF, 16);
    fos_bits_put(writer, given->bands & 0xFFFF, 16);
    fos_bits_put(writer, given->is_signed, 1);
    fos_bits_put(writer, 0, 2); /* reserved; D is at most 16 */
    fos_bits_put(writer, given->sample_bits & 15, 4);
    fos_bits_put(writer, given->interleave_bands == 0 ? 1 : 0, 1);
    fos_bits_put(writer, given->interleave_bands & 0xFFFF, 16);
    fos_bits_put(writer, given->output_word_bytes & 7, 5);
    fos_bits_put(writer, given->entropy_coder, 2);
    fos_bits_put(writer, given->error_limits_used, 3);
    fos_bits_put(writer, 0, 6); /* reserved; no supplementary tables */
    /* Predictor metadata, primary (5.3.3.2). */
    fos_bits_put(writer, 0, 2); /* reserved; no sample representatives */
    fos_bits_put(writer, given->bands_used, 4);
    fos_bits_put(writer, given->is_reduced, 1);
    fos_bits_put(writer, 0, 1); /* no weight exponent offsets */
    fos_bits_put(writer, given->local_sum, 2);
    fos_bits_put(writer, given->register_bits & 63, 6);
    fos_bits_put(writer, given->weight_bits - 4, 4);
    fos_bits_put(writer, given->weight_interval_log2 - 4, 4);
    fos_bits_put(writer, (uint32_t)(given->weight_exponent_first + 6), 4);
    fos_bits_put(writer, (uint32_t)(given->weight_exponent_last + 6), 4);
    fos_bits_put(writer, 0, 8); /* default weights, no tables */
    if (!layout->is_lossless) { put_error_limits(given, writer); }
    /* Entropy coder metadata (5.3.4). */
    if (given->entropy_coder == FOS_CCSDS123_SAMPLE_ADAPTIVE) {
        fos_bits_put(writer, given->unary_zeros_max & 31, 5);
        fos_bits_put(writer, given->counter_bits - 4, 3);
        fos_bits_put(writer, given->counter_first_bits & 7, 3);
        fos_bits_put(writer, given->accumulator_first, 4);
        fos_bits_put(writer, 0, 1); /* no accumulator table */
    } else {
        const uint32_t size_code = given->block_size == 64 ? 3 : given->block_size / 16;
        fos_bits_put(writer, size_code, 3);
        fos_bits_put(writer, given->is_restricted, 1);
        fos_bits_put(writer, given->interval_blocks & 0xFFF, 12);
    }
}

static uint32_t whole_if_zero(uint32_t value, uint32_t modulus)
{
    return value == 0 ? modulus : value;
}

/* 5.3.3.4. False when limits change from band to band or in time. */
static bool take_error_limits(fos_ccsds123_parameters_t *given, fos_bit_reader_t *reader)
{
    bool is_known = true;
    if (given->interleave_bands != 0) { is_known = fos_bits_take(reader, 8) == 0; }
    uint32_t *const limits[] = {&given->error_absolute_max, &given->error_relative_max};
    for (uint32_t which = 0; which < 2; which++) {
        if ((given->error_limits_used & (1u << which)) == 0) { continue; }
        const uint32_t form = fos_bits_take(reader, 8);
        is_known = is_known && (form & 0xF0) == 0;
        *limits[which] = fos_bits_take(reader, whole_if_zero(form & 15, 16));
        fos_bits_skip_to_byte(reader);
    }
    return is_known;
}

static void take_coder(fos_ccsds123_parameters_t *given, fos_bit_reader_t *reader, bool *is_known)
{
    if (given->entropy_coder == FOS_CCSDS123_SAMPLE_ADAPTIVE) {
        given->unary_zeros_max = whole_if_zero(fos_bits_take(reader, 5), 32);
        given->counter_bits = fos_bits_take(reader, 3) + 4;
        given->counter_first_bits = whole_if_zero(fos_bits_take(reader, 3), 8);
        given->accumulator_first = fos_bits_take(reader, 4);
        *is_known = *is_known && fos_bits_take(reader, 1) == 0 && given->accumulator_first != 15;
        return;
    }
    given->block_size = 8u << (fos_bits_take(reader, 3) & 3);
    given->is_restricted = fos_bits_take(reader, 1);
    given->interval_blocks = whole_if_zero(fos_bits_take(reader, 12), 4096);
}

fos_status_t fos_ccsds123_read_header(const uint8_t *encoded, size_t encoded_bytes,
                                      fos_ccsds123_parameters_t *parameters, size_t *header_bytes)
{
    if (encoded == NULL || parameters == NULL || header_bytes == NULL) { return FOS_ERR_NULL; }
    fos_bit_reader_t reader = {.next = encoded, .end = encoded + encoded_bytes};
    fos_ccsds123_parameters_t given;
    memset(&given, 0, sizeof given);
    (void)fos_bits_take(&reader, 8);
    given.cols = whole_if_zero(fos_bits_take(&reader, 16), 65536);
    given.rows = whole_if_zero(fos_bits_take(&reader, 16), 65536);
    given.bands = whole_if_zero(fos_bits_take(&reader, 16), 65536);
    given.is_signed = fos_bits_take(&reader, 1);
    bool is_known = (fos_bits_take(&reader, 2) & 1) == 0;
    given.sample_bits = whole_if_zero(fos_bits_take(&reader, 4), 16);
    const bool is_sequential = fos_bits_take(&reader, 1) == 1;
    const uint32_t depth = fos_bits_take(&reader, 16);
    given.interleave_bands = is_sequential ? 0 : whole_if_zero(depth, 65536);
    given.output_word_bytes = whole_if_zero(fos_bits_take(&reader, 5) & 7, 8);
    given.entropy_coder = fos_bits_take(&reader, 2);
    given.error_limits_used = fos_bits_take(&reader, 3) & 3;
    is_known = (fos_bits_take(&reader, 6) & 15) == 0 && is_known;
    is_known = (fos_bits_take(&reader, 2) & 1) == 0 && is_known;
    given.bands_used = fos_bits_take(&reader, 4);
    given.is_reduced = fos_bits_take(&reader, 1);
    is_known = fos_bits_take(&reader, 1) == 0 && is_known;
    given.local_sum = fos_bits_take(&reader, 2);
    given.register_bits = whole_if_zero(fos_bits_take(&reader, 6), 64);
    given.weight_bits = fos_bits_take(&reader, 4) + 4;
    given.weight_interval_log2 = fos_bits_take(&reader, 4) + 4;
    given.weight_exponent_first = (int32_t)fos_bits_take(&reader, 4) - 6;
    given.weight_exponent_last = (int32_t)fos_bits_take(&reader, 4) - 6;
    is_known = fos_bits_take(&reader, 8) == 0 && is_known;
    if (given.error_limits_used != 0) { is_known = take_error_limits(&given, &reader) && is_known; }
    take_coder(&given, &reader, &is_known);
    if (reader.exhausted) { return FOS_ERR_CORRUPT; }
    if (!is_known || (given.entropy_coder & 1) != 0) { return FOS_ERR_UNSUPPORTED; } /* hybrid, reserved */
    fos_ccsds123_layout_t layout;
    const fos_status_t status = fos_ccsds123_layout(&given, &layout);
    if (status != FOS_OK) { return status == FOS_ERR_TOO_LARGE ? status : FOS_ERR_CORRUPT; }
    *parameters = given;
    *header_bytes = encoded_bytes - (size_t)(reader.end - reader.next) - reader.window_bits / 8;
    return FOS_OK;
}
