/* CCSDS 123.0-B-2, 5.3: the header of a compressed image, written. */
#include "ccsds123_internal.h"

static bool is_carried(const fos_ccsds123_parameters_t *given, uint32_t kind)
{
    return ((given->tables_used & ~given->tables_left_out) >> kind & 1) != 0;
}

/* Numbers of width bits each, two's complement, and fill bits up to the next byte. */
static void put_values(const fos_ccsds123_table_t *table, uint32_t width, fos_bit_writer_t *writer)
{
    const uint64_t mask = ((uint64_t)1 << width) - 1;
    for (size_t index = 0; index < table->count; index++) {
        fos_bits_put(writer, (uint32_t)((uint64_t)table->values[index] & mask), width);
    }
    fos_bits_pad_byte(writer);
}

/* 5.3.2.2, table 5-3. Sizes are modulo 2^16. */
static void put_essential(const fos_ccsds123_parameters_t *given, fos_bit_writer_t *writer)
{
    fos_bits_put(writer, given->user_data, 8);
    fos_bits_put(writer, given->cols & 0xFFFF, 16);
    fos_bits_put(writer, given->rows & 0xFFFF, 16);
    fos_bits_put(writer, given->bands & 0xFFFF, 16);
    fos_bits_put(writer, given->is_signed, 1);
    fos_bits_put(writer, given->sample_bits > 16 ? 1 : 0, 2); /* reserved; large dynamic range flag */
    fos_bits_put(writer, given->sample_bits & 15, 4);
    fos_bits_put(writer, given->interleave_bands == 0 ? 1 : 0, 1);
    fos_bits_put(writer, given->interleave_bands & 0xFFFF, 16);
    fos_bits_put(writer, given->output_word_bytes & 7, 5); /* and two reserved bits */
    fos_bits_put(writer, given->entropy_coder, 2);
    fos_bits_put(writer, given->error_limits_used, 3); /* and a reserved bit */
    fos_bits_put(writer, given->supplementary_count, 6); /* and two reserved bits */
}

/* 5.3.2.3, table 5-4. */
static void put_supplementary(const fos_ccsds123_supplementary_t *table, fos_bit_writer_t *writer)
{
    fos_bits_put(writer, table->kind, 2);
    fos_bits_put(writer, table->purpose, 6); /* and two reserved bits */
    fos_bits_put(writer, table->structure, 3); /* and a reserved bit */
    fos_bits_put(writer, table->user_data, 5); /* and a reserved bit */
    if (table->kind == 2) {
        fos_bits_put(writer, table->significand_bits, 5);
        fos_bits_put(writer, table->exponent_bits & 7, 3);
        fos_bits_put(writer, table->exponent_bias, table->exponent_bits);
        put_values(&table->elements, 1 + table->exponent_bits + table->significand_bits, writer);
    } else {
        fos_bits_put(writer, table->integer_bits & 31, 5);
        put_values(&table->elements, table->integer_bits, writer);
    }
}

/* 5.3.3.2, table 5-6. */
static void put_primary(const fos_ccsds123_parameters_t *given, fos_bit_writer_t *writer)
{
    fos_bits_put(writer, given->representative_bits > 0 ? 1 : 0, 2); /* and a reserved bit */
    fos_bits_put(writer, given->bands_used, 4);
    fos_bits_put(writer, given->is_reduced, 1);
    fos_bits_put(writer, fos_ccsds123_uses_table(given, FOS_CCSDS123_WEIGHT_EXPONENT_OFFSETS) ? 1 : 0, 1);
    fos_bits_put(writer, given->local_sum, 2);
    fos_bits_put(writer, given->register_bits & 63, 6);
    fos_bits_put(writer, given->weight_bits - 4, 4);
    fos_bits_put(writer, given->weight_interval_log2 - 4, 4);
    fos_bits_put(writer, (uint32_t)(given->weight_exponent_first + 6), 4);
    fos_bits_put(writer, (uint32_t)(given->weight_exponent_last + 6), 4);
    fos_bits_put(writer, is_carried(given, FOS_CCSDS123_WEIGHT_EXPONENT_OFFSETS) ? 1 : 0, 1);
    fos_bits_put(writer, fos_ccsds123_uses_table(given, FOS_CCSDS123_WEIGHTS_FIRST) ? 1 : 0, 1);
    fos_bits_put(writer, is_carried(given, FOS_CCSDS123_WEIGHTS_FIRST) ? 1 : 0, 1);
    fos_bits_put(writer, given->weights_first_bits, 5);
}

/* 5.3.3.4.3 and 5.3.3.4.4. Limits that change travel in the body. */
static void put_error_limit(const fos_ccsds123_layout_t *layout, const fos_ccsds123_tables_t *tables, uint32_t kind,
                            fos_bit_writer_t *writer)
{
    const fos_ccsds123_parameters_t *given = &layout->given;
    const bool is_by_band = fos_ccsds123_uses_table(given, kind);
    const uint32_t width = fos_ccsds123_error_bits(layout, tables, kind);
    fos_bits_put(writer, is_by_band ? 1 : 0, 2); /* and a reserved bit */
    fos_bits_put(writer, width & 15, 6);         /* and two reserved bits */
    if (given->limits_period_log2 >= 0) { return; }
    if (is_by_band) {
        put_values(&tables->by_kind[kind], width, writer);
    } else {
        const bool is_absolute = kind == FOS_CCSDS123_ERROR_ABSOLUTE;
        fos_bits_put(writer, is_absolute ? given->error_absolute_max : given->error_relative_max, width);
        fos_bits_pad_byte(writer);
    }
}

/* 5.3.3.4, table 5-8. */
static void put_quantization(const fos_ccsds123_layout_t *layout, const fos_ccsds123_tables_t *tables,
                             fos_bit_writer_t *writer)
{
    const fos_ccsds123_parameters_t *given = &layout->given;
    if (layout->is_lossless) { return; }
    if (layout->is_interleaved) {
        const bool changes = given->limits_period_log2 >= 0;
        fos_bits_put(writer, changes ? 0x40u | (uint32_t)given->limits_period_log2 : 0, 8);
    }
    for (uint32_t which = 0; which < 2; which++) {
        if ((given->error_limits_used >> which & 1) == 0) { continue; }
        put_error_limit(layout, tables, FOS_CCSDS123_ERROR_ABSOLUTE + which, writer);
    }
}

/* 5.3.3.5, table 5-12. */
static void put_representatives(const fos_ccsds123_parameters_t *given, const fos_ccsds123_tables_t *tables,
                                fos_bit_writer_t *writer)
{
    if (given->representative_bits == 0) { return; }
    fos_bits_put(writer, given->representative_bits, 8); /* and five reserved bits */
    for (uint32_t kind = FOS_CCSDS123_REPRESENTATIVE_DAMPING; kind <= FOS_CCSDS123_REPRESENTATIVE_OFFSET; kind++) {
        const bool is_by_band = fos_ccsds123_uses_table(given, kind);
        const bool is_damping = kind == FOS_CCSDS123_REPRESENTATIVE_DAMPING;
        fos_bits_put(writer, is_by_band ? 1 : 0, 2); /* and a reserved bit */
        fos_bits_put(writer, is_carried(given, kind) ? 1 : 0, 1);
        fos_bits_put(writer, is_by_band ? 0 : is_damping ? given->representative_damping : given->representative_offset,
                     5); /* and a reserved bit */
    }
    for (uint32_t kind = FOS_CCSDS123_REPRESENTATIVE_DAMPING; kind <= FOS_CCSDS123_REPRESENTATIVE_OFFSET; kind++) {
        if (is_carried(given, kind)) { put_values(&tables->by_kind[kind], given->representative_bits, writer); }
    }
}

/* 5.3.4, tables 5-13 to 5-15. */
static void put_coder(const fos_ccsds123_parameters_t *given, const fos_ccsds123_tables_t *tables,
                      fos_bit_writer_t *writer)
{
    if (given->entropy_coder == FOS_CCSDS123_BLOCK_ADAPTIVE) {
        const uint32_t size_code = given->block_size == 64 ? 3 : given->block_size / 16;
        fos_bits_put(writer, size_code, 3); /* and a reserved bit */
        fos_bits_put(writer, given->is_restricted, 1);
        fos_bits_put(writer, given->interval_blocks & 0xFFF, 12);
        return;
    }
    fos_bits_put(writer, given->unary_zeros_max & 31, 5);
    fos_bits_put(writer, given->counter_bits - 4, 3);
    fos_bits_put(writer, given->counter_first_bits & 7, 3);
    if (given->entropy_coder == FOS_CCSDS123_HYBRID) {
        fos_bits_put(writer, 0, 5);
        return;
    }
    const bool is_by_band = fos_ccsds123_uses_table(given, FOS_CCSDS123_ACCUMULATOR_FIRST);
    const bool is_in_header = is_carried(given, FOS_CCSDS123_ACCUMULATOR_FIRST);
    fos_bits_put(writer, is_by_band ? 15 : given->accumulator_first, 4);
    fos_bits_put(writer, is_in_header ? 1 : 0, 1);
    if (is_in_header) { put_values(&tables->by_kind[FOS_CCSDS123_ACCUMULATOR_FIRST], 4, writer); }
}

void fos_ccsds123_put_header(const fos_ccsds123_layout_t *layout, const fos_ccsds123_tables_t *tables,
                             fos_bit_writer_t *writer)
{
    const fos_ccsds123_parameters_t *given = &layout->given;
    put_essential(given, writer);
    for (uint32_t index = 0; index < given->supplementary_count; index++) {
        put_supplementary(&tables->supplementary[index], writer);
    }
    put_primary(given, writer);
    if (is_carried(given, FOS_CCSDS123_WEIGHTS_FIRST)) { /* 5.3.3.3.2 */
        put_values(&tables->by_kind[FOS_CCSDS123_WEIGHTS_FIRST], given->weights_first_bits, writer);
    }
    if (is_carried(given, FOS_CCSDS123_WEIGHT_EXPONENT_OFFSETS)) { /* 5.3.3.3.3 */
        put_values(&tables->by_kind[FOS_CCSDS123_WEIGHT_EXPONENT_OFFSETS], 4, writer);
    }
    put_quantization(layout, tables, writer);
    put_representatives(given, tables, writer);
    put_coder(given, tables, writer);
}
