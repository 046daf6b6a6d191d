/* CCSDS 123.0-B-2: parameters checked, scratch memory divided. */
#include "ccsds123_entropy.h"

static bool coder_is_known(const fos_ccsds123_parameters_t *given, fos_block_layout_t *blocks)
{
    const uint32_t bits = given->sample_bits;
    if (given->entropy_coder == FOS_CCSDS123_BLOCK_ADAPTIVE) {
        return fos_block_layout_start(blocks, bits, given->block_size, given->interval_blocks, given->is_restricted != 0);
    }
    const uint32_t counter_bits_min = given->counter_first_bits + 1 > 4 ? given->counter_first_bits + 1 : 4;
    if (given->unary_zeros_max < 8 || given->unary_zeros_max > 32 || given->counter_first_bits < 1
        || given->counter_first_bits > 8 || given->counter_bits < counter_bits_min || given->counter_bits > 11) {
        return false;
    }
    if (given->entropy_coder == FOS_CCSDS123_HYBRID) {
        return given->hybrid_accumulator_first >> (bits + given->counter_first_bits) == 0;
    }
    const uint32_t accumulator_max = bits - 2 < 14 ? bits - 2 : 14;
    return given->entropy_coder == FOS_CCSDS123_SAMPLE_ADAPTIVE && given->accumulator_first <= accumulator_max;
}

static bool predictor_is_known(const fos_ccsds123_parameters_t *given)
{
    const uint32_t register_bits_needed = given->sample_bits + given->weight_bits + 2;
    const uint32_t register_bits_min = register_bits_needed > 32 ? register_bits_needed : 32;
    if (given->cols == 1 && (!given->is_reduced || given->local_sum < FOS_CCSDS123_WIDE_COLUMN)) { return false; }
    if (fos_ccsds123_uses_table(given, FOS_CCSDS123_WEIGHTS_FIRST)
            ? given->weights_first_bits < 3 || given->weights_first_bits > given->weight_bits + 3
            : given->weights_first_bits != 0) {
        return false;
    }
    return given->bands_used <= 15 && given->is_reduced <= 1 && given->local_sum <= FOS_CCSDS123_NARROW_COLUMN
           && given->weight_bits >= 4 && given->weight_bits <= 19 && given->register_bits >= register_bits_min
           && given->register_bits <= 64 && given->weight_interval_log2 >= 4 && given->weight_interval_log2 <= 11
           && given->weight_exponent_first >= -6 && given->weight_exponent_first <= given->weight_exponent_last
           && given->weight_exponent_last <= 9;
}

/* 4.8.2.2 and 4.8.2.4, 4.9.1. */
static bool quantizer_is_known(const fos_ccsds123_parameters_t *given)
{
    const uint32_t bits_max = given->sample_bits - 1 < 16 ? given->sample_bits - 1 : 16;
    if (given->error_limits_used > 3 || given->error_absolute_bits > bits_max || given->error_relative_bits > bits_max) {
        return false;
    }
    const uint32_t absolute_bits = given->error_absolute_bits == 0 ? bits_max : given->error_absolute_bits;
    const uint32_t relative_bits = given->error_relative_bits == 0 ? bits_max : given->error_relative_bits;
    if (given->error_absolute_max >> absolute_bits != 0 || given->error_relative_max >> relative_bits != 0) {
        return false;
    }
    if (given->limits_period_log2 != -1
        && (given->limits_period_log2 < 0 || given->limits_period_log2 > 9 || given->error_limits_used == 0
            || given->interleave_bands == 0)) {
        return false;
    }
    return given->representative_bits <= 4 && given->representative_damping >> given->representative_bits == 0
           && given->representative_offset >> given->representative_bits == 0
           && (given->error_limits_used != 0 || given->representative_offset == 0);
}

/* Tables of kinds that something in the parameters has a use for, left out only where the header could carry them. */
static bool tables_are_known(const fos_ccsds123_parameters_t *given)
{
    const uint32_t all = (1u << FOS_CCSDS123_KIND_COUNT) - 1;
    const uint32_t may_miss = (1u << (FOS_CCSDS123_ACCUMULATOR_FIRST + 1)) - 1;
    const uint32_t by_representative = 1u << FOS_CCSDS123_REPRESENTATIVE_DAMPING | 1u << FOS_CCSDS123_REPRESENTATIVE_OFFSET;
    uint32_t useful = 1u << FOS_CCSDS123_WEIGHTS_FIRST | 1u << FOS_CCSDS123_WEIGHT_EXPONENT_OFFSETS;
    if (given->representative_bits > 0) { useful |= by_representative; }
    if (given->entropy_coder == FOS_CCSDS123_SAMPLE_ADAPTIVE) { useful |= 1u << FOS_CCSDS123_ACCUMULATOR_FIRST; }
    if (given->entropy_coder == FOS_CCSDS123_HYBRID) { useful |= 1u << FOS_CCSDS123_HYBRID_ACCUMULATOR_FIRST; }
    useful |= (given->error_limits_used & 3) << FOS_CCSDS123_ERROR_ABSOLUTE;
    return (given->tables_used & ~(useful & all)) == 0 && (given->tables_left_out & ~(given->tables_used & may_miss)) == 0
           && given->supplementary_count <= FOS_CCSDS123_SUPPLEMENTARY_COUNT_MAX;
}

static bool size_is_known(const fos_ccsds123_parameters_t *given)
{
    return given->cols >= 1 && given->cols <= 65536 && given->rows >= 1 && given->rows <= 65536 && given->bands >= 1
           && given->bands <= 65536 && given->sample_bits >= 2 && given->sample_bits <= 32 && given->is_signed <= 1
           && given->interleave_bands <= given->bands && given->output_word_bytes >= 1 && given->output_word_bytes <= 8
           && given->is_restricted <= 1 && given->user_data <= 255;
}

static void set_sample_limits(fos_ccsds123_layout_t *layout)
{
    const uint32_t bits = layout->given.sample_bits;
    const int64_t half = (int64_t)1 << (bits - 1);
    layout->wide_min = layout->given.is_signed != 0 ? -half : 0;
    layout->wide_max = layout->wide_min + 2 * half - 1;
    layout->wide_mid = layout->given.is_signed != 0 ? 0 : half;
    layout->sample_bytes = bits > 16 ? 4 : bits > 8 ? 2 : 1;
    if (bits <= 16) {
        layout->sample_min = (int32_t)layout->wide_min;
        layout->sample_mid = (int32_t)layout->wide_mid;
        layout->sample_max = (int32_t)layout->wide_max;
    }
}

fos_status_t fos_ccsds123_layout(const fos_ccsds123_parameters_t *parameters, fos_ccsds123_layout_t *layout)
{
    memset(layout, 0, sizeof *layout);
    layout->given = *parameters;
    if (!size_is_known(parameters) || !predictor_is_known(parameters) || !quantizer_is_known(parameters)
        || !tables_are_known(parameters) || !coder_is_known(parameters, &layout->blocks)) {
        return FOS_ERR_PARAMETER;
    }
    if ((uint64_t)parameters->cols * parameters->rows * parameters->bands > FOS_PIXEL_COUNT_MAX) {
        return FOS_ERR_TOO_LARGE;
    }
    set_sample_limits(layout);
    const uint32_t bits = parameters->sample_bits;
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
    layout->has_representatives = parameters->representative_bits > 0;
    layout->is_plain = bits > 16 || fos_ccsds123_uses_table(parameters, FOS_CCSDS123_WEIGHT_EXPONENT_OFFSETS);
    layout->period_rows = parameters->limits_period_log2 < 0 ? parameters->rows : 1u << parameters->limits_period_log2;
    layout->period_count = (parameters->rows + layout->period_rows - 1) / layout->period_rows;
    return FOS_OK;
}

/* What is left of the memory; without memory, only what would be needed is added up. */
typedef struct {
    uint8_t *rest;
    size_t total_bytes;
} rest_t;

static void *divide_off(rest_t *memory, size_t bytes)
{
    const size_t whole = (bytes + 63) & ~(size_t)63;
    uint8_t *part = memory->rest;
    memory->total_bytes += whole;
    if (part != NULL) { memory->rest = part + whole; }
    return part;
}

/* The buffers of one row; samples have room for one more on each side. */
static void divide_rows(const fos_ccsds123_layout_t *layout, rest_t *memory, fos_ccsds123_scratch_t *scratch)
{
    const size_t cols = layout->given.cols;
    scratch->current = divide_off(memory, (cols + 2) * 4);
    scratch->above = divide_off(memory, (cols + 2) * 4);
    scratch->originals = divide_off(memory, cols * 4);
    scratch->sums = divide_off(memory, cols * 4);
    scratch->differences = divide_off(memory, cols * layout->weight_count * 4);
    scratch->dots = divide_off(memory, cols * 8);
    if (memory->rest != NULL) {
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

/* What header and body of a compressed image may carry. */
static void divide_tables(const fos_ccsds123_layout_t *layout, rest_t *memory, fos_ccsds123_scratch_t *scratch)
{
    for (uint32_t kind = 0; kind < FOS_CCSDS123_KIND_COUNT; kind++) {
        const size_t count = kind < FOS_CCSDS123_HEADER_KINDS ? fos_ccsds123_table_count(layout, kind) : 0;
        scratch->tables.by_kind[kind].values = divide_off(memory, count * sizeof(int64_t));
        scratch->tables.by_kind[kind].count = count;
    }
}

/* The rows of the way that this image goes, see ccsds123_internal.h. */
static void divide_prediction(const fos_ccsds123_layout_t *layout, rest_t *memory, fos_ccsds123_scratch_t *scratch)
{
    const size_t cols = layout->given.cols;
    if (layout->is_plain) {
        scratch->wide_current = divide_off(memory, cols * 8);
        scratch->wide_above = divide_off(memory, cols * 8);
        scratch->wide_before = divide_off(memory, cols * 8);
        scratch->wide_centrals = divide_off(memory, (layout->given.bands_used + 1) * cols * 8);
        return;
    }
    scratch->centrals = divide_off(memory, (layout->given.bands_used + 2) * cols * 4);
    const size_t before_rows = memory->total_bytes;
    divide_rows(layout, memory, scratch);
    scratch->partner_bytes = memory->total_bytes - before_rows;
    (void)divide_off(memory, scratch->partner_bytes);
}

size_t fos_ccsds123_divide(const fos_ccsds123_layout_t *layout, bool is_coding, uint8_t *memory,
                           fos_ccsds123_scratch_t *scratch)
{
    const size_t bands = layout->given.bands;
    const size_t cols = layout->given.cols;
    memset(scratch, 0, sizeof *scratch);
    rest_t rest = {.rest = memory == NULL ? NULL : memory + ((64 - ((uintptr_t)memory & 63)) & 63)};
    scratch->weights = divide_off(&rest, bands * layout->weight_count * 4);
    scratch->accumulators = divide_off(&rest, bands * 8);
    scratch->counters = divide_off(&rest, bands * 4);
    scratch->codes = divide_off(&rest, bands * 4);
    scratch->mapped = divide_off(&rest, bands * cols * 4);
    divide_prediction(layout, &rest, scratch);
    if (!is_coding) {
        divide_tables(layout, &rest, scratch);
        if (layout->given.entropy_coder == FOS_CCSDS123_HYBRID) {
            scratch->tries = divide_off(&rest, fos_ccsds123_hybrid_trie_count() * sizeof scratch->tries[0]);
        }
    }
    const bool keeps_another = layout->has_representatives || (is_coding && !layout->is_lossless);
    const size_t image_bytes = bands * layout->given.rows * cols * layout->sample_bytes;
    scratch->representatives = divide_off(&rest, keeps_another ? image_bytes : 0);
    return rest.total_bytes + 63;
}

size_t fos_ccsds123_scratch_bytes(const fos_ccsds123_parameters_t *parameters)
{
    fos_ccsds123_layout_t layout;
    fos_ccsds123_scratch_t scratch;
    if (parameters == NULL || fos_ccsds123_layout(parameters, &layout) != FOS_OK) { return 0; }
    const size_t coding_bytes = fos_ccsds123_divide(&layout, true, NULL, &scratch);
    const size_t decoding_bytes = fos_ccsds123_divide(&layout, false, NULL, &scratch);
    return coding_bytes > decoding_bytes ? coding_bytes : decoding_bytes;
}

/* 5.3 without what is read with it: 40 bytes hold the fixed parts, a started byte and a word that is filled up. */
static size_t header_bytes_max(const fos_ccsds123_layout_t *layout, const fos_ccsds123_tables_t *tables)
{
    size_t bytes = 40;
    for (uint32_t kind = 0; kind < FOS_CCSDS123_HEADER_KINDS; kind++) {
        bytes += 4 * fos_ccsds123_table_count(layout, kind); /* no number has more than 22 bits */
    }
    for (uint32_t index = 0; tables != NULL && index < layout->given.supplementary_count; index++) {
        bytes += 8 + 4 * tables->supplementary[index].elements.count;
    }
    return bytes;
}

size_t fos_ccsds123_encoded_bytes_max(const fos_ccsds123_parameters_t *parameters, const fos_ccsds123_tables_t *tables)
{
    fos_ccsds123_layout_t layout;
    if (parameters == NULL || fos_ccsds123_layout(parameters, &layout) != FOS_OK) { return 0; }
    const size_t samples = (size_t)parameters->cols * parameters->rows * parameters->bands;
    const size_t limits = fos_ccsds123_table_count(&layout, FOS_CCSDS123_ERROR_ABSOLUTE)
                          + fos_ccsds123_table_count(&layout, FOS_CCSDS123_ERROR_RELATIVE);
    const size_t longest_word = parameters->unary_zeros_max + parameters->sample_bits;
    size_t bits;
    if (parameters->entropy_coder == FOS_CCSDS123_BLOCK_ADAPTIVE) {
        const size_t block_bits = 6 + (size_t)parameters->block_size * parameters->sample_bits;
        bits = ((samples + limits) / parameters->block_size + 1) * block_bits;
    } else if (parameters->entropy_coder == FOS_CCSDS123_SAMPLE_ADAPTIVE) {
        bits = samples * longest_word;
    } else {
        /* A bit when statistics are halved, a low-entropy word and what escapes it; the tail. */
        bits = samples * (1 + 21 + longest_word) + FOS_CCSDS123_LOW_CODES * 10 + (size_t)parameters->bands * 45 + 1;
    }
    return bits / 8 + 1 + header_bytes_max(&layout, tables);
}
