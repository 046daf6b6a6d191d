/* CCSDS 123.0-B-2, 5.3: the header of a compressed image, read. Reserved bits, and fields that mean nothing in the mode at
 * hand, are not looked at.
 */
#include "ccsds123_internal.h"

typedef struct {
    const uint8_t *begin;
    fos_bit_reader_t reader;
    fos_ccsds123_tables_t *tables; /* to be filled; NULL: only passed */
    fos_ccsds123_tables_t room;    /* the same as they were given */
    bool is_consistent; /* no table where the flags beside say that none is used */
    bool has_room;      /* every table given had as much room as it needs */
} header_t;

static uint32_t take(header_t *header, uint32_t width)
{
    return fos_bits_take(&header->reader, width);
}

/* A number that is coded modulo 2^width and is not 0. */
static uint32_t take_positive(header_t *header, uint32_t width)
{
    const uint32_t value = take(header, width);
    return value == 0 ? 1u << width : value;
}

static void skip_bits(header_t *header, uint64_t bit_count)
{
    fos_bit_reader_t *reader = &header->reader;
    const uint64_t rest = 8 * (uint64_t)(reader->end - reader->next) + reader->window_bits;
    if (bit_count > rest) {
        reader->exhausted = true;
        bit_count = rest;
    }
    const uint64_t place = 8 * (uint64_t)(reader->end - header->begin) - rest + bit_count;
    reader->next = header->begin + (size_t)(place / 8);
    reader->window = 0;
    reader->window_bits = 0;
    (void)fos_bits_take(reader, (uint32_t)(place % 8));
}

/* Numbers of width bits each, and the rest of the last byte. */
static void take_values(header_t *header, fos_ccsds123_table_t *table, size_t room, size_t count, uint32_t width,
                        bool is_signed)
{
    const bool is_wanted = table != NULL && table->values != NULL;
    const bool fits = is_wanted && room >= count;
    if (table != NULL) { table->count = count; }
    if (is_wanted && !fits) { header->has_room = false; }
    if (!fits) {
        skip_bits(header, (uint64_t)count * width);
    } else {
        for (size_t index = 0; index < count && !header->reader.exhausted; index++) {
            const int64_t value = take(header, width);
            const bool is_negative = is_signed && width > 0 && (value >> (width - 1) & 1) != 0;
            table->values[index] = is_negative ? value - ((int64_t)1 << width) : value;
        }
    }
    fos_bits_skip_to_byte(&header->reader);
}

/* A table of a kind in use, from the header or not. */
static void take_table(header_t *header, fos_ccsds123_layout_t *layout, uint32_t kind, bool is_used, bool is_carried,
                       uint32_t width, bool is_signed)
{
    if (is_carried && !is_used) { header->is_consistent = false; }
    if (!is_used) { return; }
    layout->given.tables_used |= 1u << kind;
    if (!is_carried) {
        layout->given.tables_left_out |= 1u << kind;
        return;
    }
    const bool is_by_weight = kind == FOS_CCSDS123_WEIGHTS_FIRST || kind == FOS_CCSDS123_WEIGHT_EXPONENT_OFFSETS;
    const size_t count = is_by_weight ? fos_ccsds123_weights_before(layout, kind, layout->given.bands)
                                      : layout->given.bands;
    take_values(header, header->tables == NULL ? NULL : &header->tables->by_kind[kind], header->room.by_kind[kind].count,
                count, width, is_signed);
}

/* 5.3.2.2. */
static void take_essential(header_t *header, fos_ccsds123_parameters_t *given)
{
    given->user_data = take(header, 8);
    given->cols = take_positive(header, 16);
    given->rows = take_positive(header, 16);
    given->bands = take_positive(header, 16);
    given->is_signed = take(header, 1);
    const bool is_large = (take(header, 2) & 1) != 0;
    given->sample_bits = take_positive(header, 4) + (is_large ? 16 : 0);
    const bool is_sequential = take(header, 1) == 1;
    const uint32_t depth = take_positive(header, 16);
    given->interleave_bands = is_sequential ? 0 : depth;
    (void)take(header, 2);
    given->output_word_bytes = take_positive(header, 3);
    given->entropy_coder = take(header, 2);
    given->error_limits_used = take(header, 3) & 3;
    given->supplementary_count = take(header, 6) & 15;
}

/* 5.3.2.3. False for a reserved type. */
static bool take_supplementary(header_t *header, const fos_ccsds123_parameters_t *given, uint32_t index)
{
    fos_ccsds123_supplementary_t table;
    memset(&table, 0, sizeof table);
    table.elements.values = header->room.supplementary[index].elements.values;
    table.kind = take(header, 2);
    if (table.kind == 3) { return false; }
    table.purpose = take(header, 6) & 15;
    table.structure = take(header, 3) & 3;
    table.user_data = take(header, 5) & 15;
    uint32_t width;
    if (table.kind == 2) {
        table.significand_bits = take(header, 5);
        table.exponent_bits = take_positive(header, 3);
        table.exponent_bias = take(header, table.exponent_bits);
        width = 1 + table.exponent_bits + table.significand_bits;
        /* 3.5.2.3.3 */
        if (table.significand_bits < 1 || table.significand_bits > 23 || table.exponent_bits < 2) {
            header->is_consistent = false;
            return true;
        }
    } else {
        width = table.integer_bits = take_positive(header, 5);
    }
    if (table.purpose > 4 && table.purpose < 10) { header->is_consistent = false; }
    const size_t count = fos_ccsds123_element_count(given, table.structure);
    take_values(header, &table.elements, header->room.supplementary[index].elements.count, count, width, table.kind == 1);
    if (header->tables != NULL) { header->tables->supplementary[index] = table; }
    return true;
}

/* 5.3.3.2 and 5.3.3.3; whether there are sample representatives is told at the begin. */
static bool take_prediction(header_t *header, fos_ccsds123_layout_t *layout)
{
    fos_ccsds123_parameters_t *given = &layout->given;
    const bool has_representatives = (take(header, 2) & 1) != 0;
    given->bands_used = take(header, 4);
    given->is_reduced = take(header, 1);
    const bool has_offsets = take(header, 1) != 0;
    given->local_sum = take(header, 2);
    given->register_bits = take_positive(header, 6);
    given->weight_bits = take(header, 4) + 4;
    given->weight_interval_log2 = take(header, 4) + 4;
    given->weight_exponent_first = (int32_t)take(header, 4) - 6;
    given->weight_exponent_last = (int32_t)take(header, 4) - 6;
    const bool has_offset_table = take(header, 1) != 0;
    const bool has_weights = take(header, 1) != 0;
    const bool has_weight_table = take(header, 1) != 0;
    const uint32_t weights_first_bits = take(header, 5);
    given->weights_first_bits = has_weights ? weights_first_bits : 0;
    layout->directions = given->is_reduced != 0 ? 0 : 3;
    take_table(header, layout, FOS_CCSDS123_WEIGHTS_FIRST, has_weights, has_weight_table, weights_first_bits, true);
    take_table(header, layout, FOS_CCSDS123_WEIGHT_EXPONENT_OFFSETS, has_offsets, has_offset_table, 4, true);
    return has_representatives;
}

/* 5.3.3.4. */
static void take_quantization(header_t *header, fos_ccsds123_layout_t *layout)
{
    fos_ccsds123_parameters_t *given = &layout->given;
    if (given->interleave_bands != 0) {
        const uint32_t period = take(header, 8);
        if ((period & 0x40) != 0) { given->limits_period_log2 = (int32_t)(period & 15); }
    }
    uint32_t *const widths[] = {&given->error_absolute_bits, &given->error_relative_bits};
    uint32_t *const limits[] = {&given->error_absolute_max, &given->error_relative_max};
    for (uint32_t which = 0; which < 2; which++) {
        if ((given->error_limits_used >> which & 1) == 0) { continue; }
        const uint32_t kind = FOS_CCSDS123_ERROR_ABSOLUTE + which;
        const bool is_by_band = (take(header, 2) & 1) != 0;
        (void)take(header, 2);
        *widths[which] = take_positive(header, 4);
        if (is_by_band) { given->tables_used |= 1u << kind; }
        if (given->limits_period_log2 >= 0) { continue; }
        if (is_by_band) {
            take_table(header, layout, kind, true, true, *widths[which], false);
        } else {
            *limits[which] = take(header, *widths[which]);
            fos_bits_skip_to_byte(&header->reader);
        }
    }
}

/* 5.3.3.5. */
static void take_representatives(header_t *header, fos_ccsds123_layout_t *layout)
{
    fos_ccsds123_parameters_t *given = &layout->given;
    given->representative_bits = take(header, 8) & 7;
    if (given->representative_bits == 0) { header->is_consistent = false; } /* 5.3.3.5.1.1 */
    uint32_t *const values[] = {&given->representative_damping, &given->representative_offset};
    bool is_by_band[2];
    bool is_carried[2];
    for (uint32_t which = 0; which < 2; which++) {
        is_by_band[which] = (take(header, 2) & 1) != 0;
        is_carried[which] = take(header, 1) != 0;
        const uint32_t value = take(header, 5) & 15;
        *values[which] = is_by_band[which] ? 0 : value;
    }
    for (uint32_t which = 0; which < 2; which++) {
        take_table(header, layout, FOS_CCSDS123_REPRESENTATIVE_DAMPING + which, is_by_band[which], is_carried[which],
                   given->representative_bits, false);
    }
}

/* 5.3.4. */
static void take_coder(header_t *header, fos_ccsds123_layout_t *layout)
{
    fos_ccsds123_parameters_t *given = &layout->given;
    if (given->entropy_coder == FOS_CCSDS123_BLOCK_ADAPTIVE) {
        given->block_size = 8u << (take(header, 3) & 3);
        given->is_restricted = take(header, 1);
        given->interval_blocks = take_positive(header, 12);
        return;
    }
    given->unary_zeros_max = take_positive(header, 5);
    given->counter_bits = take(header, 3) + 4;
    given->counter_first_bits = take_positive(header, 3);
    if (given->entropy_coder == FOS_CCSDS123_HYBRID) {
        (void)take(header, 5);
        return;
    }
    const uint32_t constant = take(header, 4);
    const bool is_carried = take(header, 1) != 0;
    given->accumulator_first = constant == 15 ? 0 : constant;
    take_table(header, layout, FOS_CCSDS123_ACCUMULATOR_FIRST, constant == 15, is_carried, 4, false);
}

/* False where the standard keeps something for later. */
static bool take_all(header_t *header, fos_ccsds123_layout_t *layout)
{
    fos_ccsds123_parameters_t *given = &layout->given;
    given->limits_period_log2 = -1;
    take_essential(header, given);
    for (uint32_t index = 0; index < given->supplementary_count; index++) {
        if (!take_supplementary(header, given, index)) { return false; }
    }
    const bool has_representatives = take_prediction(header, layout);
    if (given->error_limits_used != 0) { take_quantization(header, layout); }
    if (has_representatives) { take_representatives(header, layout); }
    if (given->entropy_coder == 3) { return false; }
    take_coder(header, layout);
    return true;
}

fos_status_t fos_ccsds123_take_header(const uint8_t *encoded, size_t encoded_bytes, fos_ccsds123_tables_t *tables,
                                      fos_ccsds123_layout_t *layout, size_t *header_bytes)
{
    fos_ccsds123_layout_t found;
    memset(&found, 0, sizeof found);
    header_t header = {.begin = encoded,
                       .reader = {.next = encoded, .end = encoded + encoded_bytes},
                       .tables = tables,
                       .is_consistent = true,
                       .has_room = true};
    if (tables != NULL) {
        header.room = *tables;
        for (uint32_t kind = 0; kind < FOS_CCSDS123_KIND_COUNT; kind++) { tables->by_kind[kind].count = 0; }
        for (uint32_t index = 0; index < FOS_CCSDS123_SUPPLEMENTARY_COUNT_MAX; index++) {
            tables->supplementary[index].elements.count = 0;
        }
    }
    const bool is_known = take_all(&header, &found);
    if (header.reader.exhausted) { return FOS_ERR_CORRUPT; }
    if (!is_known) { return FOS_ERR_UNSUPPORTED; }
    if (!header.is_consistent) { return FOS_ERR_CORRUPT; }
    const fos_status_t status = fos_ccsds123_layout(&found.given, layout);
    if (status != FOS_OK) { return status == FOS_ERR_TOO_LARGE ? status : FOS_ERR_CORRUPT; }
    *header_bytes = encoded_bytes - (size_t)(header.reader.end - header.reader.next) - header.reader.window_bits / 8;
    return header.has_room ? FOS_OK : FOS_ERR_CAPACITY;
}

fos_status_t fos_ccsds123_read_header(const uint8_t *encoded, size_t encoded_bytes,
                                      fos_ccsds123_parameters_t *parameters, size_t *header_bytes)
{
    if (encoded == NULL || parameters == NULL || header_bytes == NULL) { return FOS_ERR_NULL; }
    fos_ccsds123_layout_t layout;
    const fos_status_t status = fos_ccsds123_take_header(encoded, encoded_bytes, NULL, &layout, header_bytes);
    if (status == FOS_OK) { *parameters = layout.given; }
    return status;
}

fos_status_t fos_ccsds123_read_tables(const uint8_t *encoded, size_t encoded_bytes, fos_ccsds123_tables_t *tables)
{
    if (encoded == NULL || tables == NULL) { return FOS_ERR_NULL; }
    fos_ccsds123_layout_t layout;
    size_t header_bytes;
    return fos_ccsds123_take_header(encoded, encoded_bytes, tables, &layout, &header_bytes);
}
