/* CCSDS 123.0-B-2, 4.4 to 4.6: local sums and local differences of a row, and the weights that a band starts with.
 *
 * The loops run along a row without a condition inside, so the compiler turns them into vectors; the edges follow.
 */
#include "ccsds123_internal.h"

void fos_ccsds123_start_weights(const fos_ccsds123_layout_t *layout, const fos_ccsds123_tables_t *tables, uint32_t band,
                                int32_t *weights)
{
    const uint32_t before = band < layout->given.bands_used ? band : layout->given.bands_used;
    memset(weights, 0, layout->weight_count * sizeof weights[0]);
    if (fos_ccsds123_uses_table(&layout->given, FOS_CCSDS123_WEIGHTS_FIRST)) {
        /* 4.6.3.3.3: the Q highest of Omega + 3 bits; the middle of what the others could say. */
        const fos_ccsds123_table_t *table = &tables->by_kind[FOS_CCSDS123_WEIGHTS_FIRST];
        const int64_t *first = table->values + fos_ccsds123_weights_before(layout, FOS_CCSDS123_WEIGHTS_FIRST, band);
        const uint32_t missing_bits = layout->given.weight_bits + 3 - layout->given.weights_first_bits;
        const int32_t middle = missing_bits == 0 ? 0 : (1 << (missing_bits - 1)) - 1;
        for (uint32_t index = 0; index < layout->directions + before; index++) {
            weights[index] = (int32_t)first[index] * (1 << missing_bits) + middle;
        }
        return;
    }
    /* 4.6.3.2: directions start at 0, the band before at 7/8, each one further at an eighth of the last. */
    int32_t weight = (7 << layout->given.weight_bits) >> 3;
    for (uint32_t index = 0; index < before; index++) {
        weights[layout->directions + index] = weight;
        weight >>= 3;
    }
}

/* 4.4 for row 0. edge is 4 s_mid; before is the row of the band before, NULL for the first. */
static void sums_of_first_row(const fos_ccsds123_layout_t *layout, const int32_t *restrict current,
                              const int32_t *restrict before, int32_t *restrict sums)
{
    const uint32_t cols = layout->given.cols;
    const bool is_wide = (layout->given.local_sum & 1) == 0;
    sums[0] = 0; /* not defined, and not used: the first sample is predicted otherwise (4.7.3) */
    for (uint32_t col = 1; col < cols; col++) {
        const int32_t west = is_wide ? current[col - 1] : before == NULL ? layout->sample_mid : before[col - 1];
        sums[col] = 4 * west;
    }
}

/* 4.4 below row 0, as far as it does not need the sample to the west: that, or the two that it leaves out, follows. */
static void sums_from_above(const fos_ccsds123_layout_t *layout, const int32_t *restrict above, int32_t *restrict sums)
{
    const uint32_t cols = layout->given.cols;
    switch (layout->given.local_sum) {
    case FOS_CCSDS123_WIDE_NEIGHBOUR:
        for (uint32_t col = 1; col + 1 < cols; col++) { sums[col] = above[col - 1] + above[col] + above[col + 1]; }
        sums[0] = 2 * (above[0] + above[1]);
        sums[cols - 1] = above[cols - 2] + 2 * above[cols - 1];
        break;
    case FOS_CCSDS123_NARROW_NEIGHBOUR:
        for (uint32_t col = 1; col + 1 < cols; col++) { sums[col] = above[col - 1] + 2 * above[col] + above[col + 1]; }
        sums[0] = 2 * (above[0] + above[1]);
        sums[cols - 1] = 2 * (above[cols - 2] + above[cols - 1]);
        break;
    default:
        for (uint32_t col = 0; col < cols; col++) { sums[col] = 4 * above[col]; }
        break;
    }
}

static bool sums_need_west(const fos_ccsds123_layout_t *layout, uint32_t row)
{
    return layout->given.local_sum == FOS_CCSDS123_WIDE_NEIGHBOUR && row > 0;
}

/* Row 0 of the band before, for narrow sums. centrals has room: it is filled from the lowest band upwards. */
static const int32_t *load_before(const fos_ccsds123_layout_t *layout, const fos_ccsds123_scratch_t *scratch,
                                  const uint8_t *image, uint32_t band, uint32_t row)
{
    if (band == 0 || row > 0 || (layout->given.local_sum & 1) == 0) { return NULL; }
    int32_t *before = (int32_t *)(void *)scratch->dots;
    fos_ccsds123_load_row(layout, image, band - 1, 0, before);
    return before;
}

static int32_t *central_of(const fos_ccsds123_layout_t *layout, const fos_ccsds123_scratch_t *scratch, uint32_t band)
{
    return scratch->centrals + (size_t)(band % (layout->given.bands_used + 2)) * layout->given.cols;
}

void fos_ccsds123_central_row(const fos_ccsds123_layout_t *layout, const fos_ccsds123_scratch_t *scratch,
                              const uint8_t *image, uint32_t band, uint32_t row)
{
    const uint32_t cols = layout->given.cols;
    const int32_t *restrict current = scratch->current;
    int32_t *restrict sums = scratch->sums;
    int32_t *restrict central = central_of(layout, scratch, band);
    fos_ccsds123_load_row(layout, image, band, row, scratch->current);
    if (row == 0) {
        sums_of_first_row(layout, current, load_before(layout, scratch, image, band, row), sums);
    } else {
        fos_ccsds123_load_row(layout, image, band, row - 1, scratch->above);
        sums_from_above(layout, scratch->above, sums);
    }
    if (sums_need_west(layout, row)) {
        for (uint32_t col = 1; col < cols; col++) { sums[col] += current[col - 1]; }
    }
    for (uint32_t col = 0; col < cols; col++) { central[col] = 4 * current[col] - sums[col]; }
}

/* The part of U that comes from the bands before (4.5.3). Bands with fewer before them than others leave zeros; the lanes
 * that only fill vectors up are zeros from the start (fos_ccsds123_clear_differences). */
static void prepare_bands(const fos_ccsds123_layout_t *layout, const fos_ccsds123_scratch_t *scratch, uint32_t band)
{
    const uint32_t cols = layout->given.cols;
    const uint32_t stride = layout->weight_count;
    const uint32_t reach = layout->given.bands_used < layout->given.bands ? layout->given.bands_used
                                                                            : layout->given.bands - 1;
    const uint32_t before = band < reach ? band : reach;
    for (uint32_t lane = 0; lane < before; lane++) {
        const int32_t *restrict central = central_of(layout, scratch, band - 1 - lane);
        int32_t *restrict lanes = scratch->differences + layout->directions + lane;
        for (size_t col = 0; col < cols; col++) { lanes[col * stride] = central[col]; }
    }
    for (uint32_t lane = before; lane < reach; lane++) {
        int32_t *restrict lanes = scratch->differences + layout->directions + lane;
        for (size_t col = 0; col < cols; col++) { lanes[col * stride] = 0; }
    }
}

void fos_ccsds123_clear_differences(const fos_ccsds123_layout_t *layout, const fos_ccsds123_scratch_t *scratch)
{
    const fos_ccsds123_scratch_t partner = fos_ccsds123_partner(scratch);
    const size_t byte_count = (size_t)layout->given.cols * layout->weight_count * sizeof scratch->differences[0];
    memset(scratch->differences, 0, byte_count);
    memset(partner.differences, 0, byte_count);
}

void fos_ccsds123_prepare(const fos_ccsds123_layout_t *layout, const fos_ccsds123_scratch_t *scratch,
                          const uint8_t *image, uint32_t band, uint32_t row, fos_ccsds123_row_t *prepared)
{
    const uint32_t before = band < layout->given.bands_used ? band : layout->given.bands_used;
    if (!layout->is_interleaved) {
        for (uint32_t lane = before; lane > 0; lane--) {
            fos_ccsds123_central_row(layout, scratch, image, band - lane, row);
        }
    }
    prepare_bands(layout, scratch, band);
    int32_t before_first = layout->sample_mid;
    if (band > 0 && layout->given.bands_used > 0 && row == 0) {
        fos_ccsds123_load_row(layout, image, band - 1, 0, scratch->current);
        before_first = scratch->current[0];
    }
    *prepared = (fos_ccsds123_row_t){.layout = layout,
                                     .weights = scratch->weights + (size_t)band * layout->weight_count,
                                     .differences = scratch->differences,
                                     .sums = scratch->sums,
                                     .central = central_of(layout, scratch, band),
                                     .current = scratch->current,
                                     .above = scratch->above,
                                     .originals = scratch->originals,
                                     .dots = scratch->dots,
                                     .mapped = scratch->mapped + (size_t)band * layout->given.cols,
                                     .band = band,
                                     .row = row,
                                     .before_first = before_first};
}

void fos_ccsds123_prepare_sums(const fos_ccsds123_row_t *row, const fos_ccsds123_scratch_t *scratch,
                               const uint8_t *image)
{
    const fos_ccsds123_layout_t *layout = row->layout;
    if (row->row == 0) {
        const int32_t *before = load_before(layout, scratch, image, row->band, 0);
        const bool is_wide = (layout->given.local_sum & 1) == 0;
        if (is_wide) { memset(row->sums, 0, layout->given.cols * sizeof row->sums[0]); }
        if (!is_wide) { sums_of_first_row(layout, row->current, before, row->sums); }
        return;
    }
    fos_ccsds123_load_row(layout, image, row->band, row->row - 1, scratch->above);
    sums_from_above(layout, row->above, row->sums);
}

/* 4.5.2: d_N, d_W, d_NW; in row 0 all are 0, and in column 0 all take the sample above. */
void fos_ccsds123_prepare_directions(const fos_ccsds123_row_t *row)
{
    const fos_ccsds123_layout_t *layout = row->layout;
    if (layout->directions == 0) { return; }
    const uint32_t stride = layout->weight_count;
    const int32_t *restrict above = row->above;
    const int32_t *restrict current = row->current;
    const int32_t *restrict sums = row->sums;
    int32_t *restrict lanes = row->differences;
    if (row->row == 0) {
        for (size_t col = 0; col < layout->given.cols; col++) { memset(lanes + col * stride, 0, 3 * sizeof lanes[0]); }
        return;
    }
    lanes[0] = lanes[1] = lanes[2] = 4 * above[0] - sums[0];
    for (size_t col = 1; col < layout->given.cols; col++) {
        lanes[col * stride] = 4 * above[col] - sums[col];
        lanes[col * stride + 1] = 4 * current[col - 1] - sums[col];
        lanes[col * stride + 2] = 4 * above[col - 1] - sums[col];
    }
}

void fos_ccsds123_prepare_quantizer(fos_ccsds123_row_t *row, const fos_ccsds123_tables_t *tables)
{
    const fos_ccsds123_layout_t *layout = row->layout;
    row->error_absolute_max = fos_ccsds123_limit(layout, tables, FOS_CCSDS123_ERROR_ABSOLUTE, row->band, row->row);
    row->error_relative_max = fos_ccsds123_limit(layout, tables, FOS_CCSDS123_ERROR_RELATIVE, row->band, row->row);
    row->damping = (int32_t)fos_ccsds123_of_band(layout, tables, FOS_CCSDS123_REPRESENTATIVE_DAMPING, row->band);
    row->offset = (int32_t)fos_ccsds123_of_band(layout, tables, FOS_CCSDS123_REPRESENTATIVE_OFFSET, row->band);
}
