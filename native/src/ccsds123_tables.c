/* CCSDS 123.0-B-2: numbers that differ from band to band, in time, or beside the image: how many there are, and within
 * which ranges.
 */
#include "ccsds123_internal.h"

/* Numbers by weight in the bands before this one. The first bands have fewer bands before them than P. */
size_t fos_ccsds123_weights_before(const fos_ccsds123_layout_t *layout, uint32_t kind, uint32_t band)
{
    const size_t bands_used = layout->given.bands_used;
    const size_t growing = band < bands_used ? band : bands_used;
    const size_t directions = layout->directions == 0 ? 0 : kind == FOS_CCSDS123_WEIGHTS_FIRST ? 3 : 1;
    return directions * band + growing * (growing - (growing > 0 ? 1 : 0)) / 2 + (band - growing) * bands_used;
}

size_t fos_ccsds123_table_count(const fos_ccsds123_layout_t *layout, uint32_t kind)
{
    const fos_ccsds123_parameters_t *given = &layout->given;
    const bool is_used = fos_ccsds123_uses_table(given, kind);
    const size_t by_band = is_used ? given->bands : 0;
    switch (kind) {
    case FOS_CCSDS123_WEIGHTS_FIRST:
    case FOS_CCSDS123_WEIGHT_EXPONENT_OFFSETS:
        return is_used ? fos_ccsds123_weights_before(layout, kind, given->bands) : 0;
    case FOS_CCSDS123_ERROR_ABSOLUTE:
    case FOS_CCSDS123_ERROR_RELATIVE:
        if (given->limits_period_log2 < 0) { return by_band; }
        if ((given->error_limits_used >> (kind - FOS_CCSDS123_ERROR_ABSOLUTE) & 1) == 0) { return 0; }
        return is_used ? by_band * layout->period_count : layout->period_count;
    default:
        return by_band;
    }
}

static bool changes(const fos_ccsds123_layout_t *layout, uint32_t kind)
{
    return (kind == FOS_CCSDS123_ERROR_ABSOLUTE || kind == FOS_CCSDS123_ERROR_RELATIVE)
           && layout->given.limits_period_log2 >= 0;
}

int64_t fos_ccsds123_of_band(const fos_ccsds123_layout_t *layout, const fos_ccsds123_tables_t *tables, uint32_t kind,
                             uint32_t band)
{
    if (fos_ccsds123_uses_table(&layout->given, kind)) { return tables->by_kind[kind].values[band]; }
    switch (kind) {
    case FOS_CCSDS123_REPRESENTATIVE_DAMPING: return layout->given.representative_damping;
    case FOS_CCSDS123_REPRESENTATIVE_OFFSET: return layout->given.representative_offset;
    case FOS_CCSDS123_ACCUMULATOR_FIRST: return layout->given.accumulator_first;
    case FOS_CCSDS123_ERROR_ABSOLUTE: return layout->given.error_absolute_max;
    case FOS_CCSDS123_ERROR_RELATIVE: return layout->given.error_relative_max;
    default: return (int64_t)layout->given.hybrid_accumulator_first;
    }
}

int64_t fos_ccsds123_limit(const fos_ccsds123_layout_t *layout, const fos_ccsds123_tables_t *tables, uint32_t kind,
                           uint32_t band, uint32_t row)
{
    if (layout->given.limits_period_log2 < 0 || tables == NULL || tables->by_kind[kind].count == 0) {
        return fos_ccsds123_of_band(layout, tables, kind, band);
    }
    const size_t period = row / layout->period_rows;
    if (!fos_ccsds123_uses_table(&layout->given, kind)) { return tables->by_kind[kind].values[period]; }
    return tables->by_kind[kind].values[period * layout->given.bands + band];
}

static int64_t error_bits_max(const fos_ccsds123_layout_t *layout)
{
    return layout->given.sample_bits - 1 < 16 ? layout->given.sample_bits - 1 : 16;
}

uint32_t fos_ccsds123_error_bits(const fos_ccsds123_layout_t *layout, const fos_ccsds123_tables_t *tables, uint32_t kind)
{
    const bool is_absolute = kind == FOS_CCSDS123_ERROR_ABSOLUTE;
    const uint32_t told = is_absolute ? layout->given.error_absolute_bits : layout->given.error_relative_bits;
    if (told != 0) { return told; }
    uint64_t all = 1;
    const size_t count = tables == NULL ? 0 : tables->by_kind[kind].count;
    if (fos_ccsds123_table_count(layout, kind) == 0 || count == 0) {
        all |= is_absolute ? layout->given.error_absolute_max : layout->given.error_relative_max;
    } else {
        for (size_t index = 0; index < count; index++) { all |= (uint64_t)tables->by_kind[kind].values[index]; }
    }
    return 64 - (uint32_t)__builtin_clzll(all);
}

/* Smallest and largest number in a table of this kind. */
static void range_of(const fos_ccsds123_layout_t *layout, uint32_t kind, int64_t *low, int64_t *top)
{
    const fos_ccsds123_parameters_t *given = &layout->given;
    const bool is_absolute = kind == FOS_CCSDS123_ERROR_ABSOLUTE;
    const uint32_t told = is_absolute ? given->error_absolute_bits : given->error_relative_bits;
    *low = 0;
    switch (kind) {
    case FOS_CCSDS123_WEIGHTS_FIRST: /* 4.6.3.3.1 */
        *top = ((int64_t)1 << (given->weights_first_bits - 1)) - 1;
        *low = -*top - 1;
        break;
    case FOS_CCSDS123_WEIGHT_EXPONENT_OFFSETS: /* 4.10.4 */
        *top = 5;
        *low = -6;
        break;
    case FOS_CCSDS123_REPRESENTATIVE_DAMPING: *top = ((int64_t)1 << given->representative_bits) - 1; break;
    case FOS_CCSDS123_REPRESENTATIVE_OFFSET:
        *top = layout->is_lossless ? 0 : ((int64_t)1 << given->representative_bits) - 1;
        break;
    case FOS_CCSDS123_ACCUMULATOR_FIRST: *top = given->sample_bits - 2 < 14 ? given->sample_bits - 2 : 14; break;
    case FOS_CCSDS123_HYBRID_ACCUMULATOR_FIRST:
        *top = ((int64_t)1 << (given->sample_bits + given->counter_first_bits)) - 1;
        break;
    default: *top = ((int64_t)1 << (told != 0 ? told : error_bits_max(layout))) - 1; break;
    }
}

bool fos_ccsds123_tables_fit(const fos_ccsds123_layout_t *layout, const fos_ccsds123_tables_t *tables, uint32_t kinds)
{
    for (uint32_t kind = 0; kind < FOS_CCSDS123_KIND_COUNT; kind++) {
        const size_t needed = fos_ccsds123_table_count(layout, kind);
        if ((kinds >> kind & 1) == 0 || needed == 0) { continue; }
        const bool may_miss = changes(layout, kind) && !fos_ccsds123_uses_table(&layout->given, kind);
        if (tables == NULL || tables->by_kind[kind].count == 0) {
            if (may_miss) { continue; }
            return false;
        }
        const fos_ccsds123_table_t *table = &tables->by_kind[kind];
        if (table->values == NULL || table->count != needed) { return false; }
        int64_t low, top;
        range_of(layout, kind, &low, &top);
        for (size_t index = 0; index < needed; index++) {
            if (table->values[index] < low || table->values[index] > top) { return false; }
        }
    }
    return true;
}

size_t fos_ccsds123_element_count(const fos_ccsds123_parameters_t *given, uint32_t structure)
{
    switch (structure) {
    case 0: return 1;
    case 1: return given->bands;
    case 2: return (size_t)given->bands * given->cols;
    default: return (size_t)given->rows * given->cols;
    }
}

static bool supplementary_fits(const fos_ccsds123_layout_t *layout, const fos_ccsds123_supplementary_t *table)
{
    const bool is_float = table->kind == 2;
    if (table->purpose > 15 || (table->purpose > 4 && table->purpose < 10) || table->kind > 2 || table->structure > 3
        || table->user_data > 15) {
        return false;
    }
    if (is_float ? table->significand_bits < 1 || table->significand_bits > 23 || table->exponent_bits < 2
                       || table->exponent_bits > 8 || table->exponent_bias >> table->exponent_bits != 0
                 : table->integer_bits < 1 || table->integer_bits > 32) {
        return false;
    }
    const size_t needed = fos_ccsds123_element_count(&layout->given, table->structure);
    if (table->elements.values == NULL || table->elements.count != needed) { return false; }
    const uint32_t width = is_float ? 1 + table->exponent_bits + table->significand_bits : table->integer_bits;
    const int64_t low = table->kind == 1 ? -((int64_t)1 << (width - 1)) : 0;
    const int64_t top = low + ((int64_t)1 << width) - 1;
    for (size_t index = 0; index < needed; index++) {
        if (table->elements.values[index] < low || table->elements.values[index] > top) { return false; }
    }
    return true;
}

bool fos_ccsds123_supplementary_fit(const fos_ccsds123_layout_t *layout, const fos_ccsds123_tables_t *tables)
{
    const uint32_t count = layout->given.supplementary_count;
    if (count > 0 && tables == NULL) { return false; }
    for (uint32_t index = 0; index < count; index++) {
        if (!supplementary_fits(layout, &tables->supplementary[index])) { return false; }
    }
    return true;
}
