/* CCSDS 123.0-B-2, 4.4 to 4.11 as they stand, in 64 bits and one sample after the other: for samples of up to 32 bits and
 * for weight exponent offsets. All modes could go this way; the others are faster.
 */
#include "ccsds123_internal.h"

typedef struct {
    const fos_ccsds123_layout_t *layout;
    const int64_t *above;   /* NULL in row 0 */
    const int64_t *before;  /* row 0 of the band before, NULL in band 0; in row 0 only */
    int64_t *current;       /* sample representatives */
} neighbours_t;

/* 4.4 */
static int64_t local_sum(const neighbours_t *near, uint32_t col)
{
    const fos_ccsds123_layout_t *layout = near->layout;
    const uint32_t form = layout->given.local_sum;
    const int64_t *above = near->above;
    if (above == NULL) {
        if (col == 0) { return 0; } /* not defined, and not used */
        if ((form & 1) == 0) { return 4 * near->current[col - 1]; }
        return 4 * (near->before == NULL ? layout->wide_mid : near->before[col - 1]);
    }
    if (form >= FOS_CCSDS123_WIDE_COLUMN) { return 4 * above[col]; }
    if (col == 0) { return 2 * (above[0] + above[1]); }
    const bool is_wide = form == FOS_CCSDS123_WIDE_NEIGHBOUR;
    const int64_t west = is_wide ? near->current[col - 1] : above[col];
    const int64_t east = col + 1 < layout->given.cols ? above[col + 1] : is_wide ? above[col] : above[col - 1];
    return west + above[col - 1] + above[col] + east;
}

/* 4.5.2; all are 0 in row 0. */
static void directional(const neighbours_t *near, uint32_t col, int64_t sum, int64_t *differences)
{
    differences[0] = differences[1] = differences[2] = 0;
    if (near->above == NULL) { return; }
    differences[0] = 4 * near->above[col] - sum;
    differences[1] = col == 0 ? differences[0] : 4 * near->current[col - 1] - sum;
    differences[2] = col == 0 ? differences[0] : 4 * near->above[col - 1] - sum;
}

static int64_t *central_of(const fos_ccsds123_layout_t *layout, const fos_ccsds123_scratch_t *scratch, uint32_t band)
{
    return scratch->wide_centrals + (size_t)(band % (layout->given.bands_used + 1)) * layout->given.cols;
}

static neighbours_t load_neighbours(const fos_ccsds123_layout_t *layout, const fos_ccsds123_scratch_t *scratch,
                                    const uint8_t *seen, uint32_t band, uint32_t row)
{
    neighbours_t near = {.layout = layout, .current = scratch->wide_current};
    if (row > 0) {
        fos_ccsds123_load_wide(layout, seen, band, row - 1, scratch->wide_above);
        near.above = scratch->wide_above;
    } else if (band > 0) {
        fos_ccsds123_load_wide(layout, seen, band - 1, 0, scratch->wide_before);
        near.before = scratch->wide_before;
    }
    return near;
}

/* 4.5.1 for a row that is known. */
static void load_central(const fos_ccsds123_layout_t *layout, const fos_ccsds123_scratch_t *scratch, const uint8_t *seen,
                         uint32_t band, uint32_t row)
{
    const neighbours_t near = load_neighbours(layout, scratch, seen, band, row);
    int64_t *central = central_of(layout, scratch, band);
    fos_ccsds123_load_wide(layout, seen, band, row, scratch->wide_current);
    for (uint32_t col = 0; col < layout->given.cols; col++) {
        central[col] = 4 * near.current[col] - local_sum(&near, col);
    }
}

typedef struct {
    const fos_ccsds123_layout_t *layout;
    int64_t absolute_max, relative_max; /* a_z, r_z */
    int64_t damping, offset;            /* phi_z, psi_z */
    const int64_t *exponent_offsets;    /* of the directions, if any, and of each band before; NULL: 0 */
    int32_t *weights;
    uint32_t weight_count;              /* C_z */
} band_t;

/* One sample on its way through 4.7 to 4.9. */
typedef struct {
    int64_t high, doubled, predicted; /* 4.7.2, 4.7.3, 4.7.4 */
    int64_t error_max;                /* m */
    int64_t index;                    /* q */
    int64_t restored;                 /* s' */
} sample_t;

/* 4.7 and 4.8.2.1 */
static void predict(const band_t *band, int64_t dot, int64_t sum, sample_t *sample)
{
    const fos_ccsds123_parameters_t *given = &band->layout->given;
    const int64_t unit = (int64_t)1 << given->weight_bits;
    const int64_t low = 4 * unit * band->layout->wide_min;
    const int64_t top = 4 * unit * band->layout->wide_max + 2 * unit;
    const uint32_t unused_bits = 64 - given->register_bits;
    const int64_t inner = dot + unit * (sum - 4 * band->layout->wide_mid);
    const int64_t wrapped = (int64_t)((uint64_t)inner << unused_bits) >> unused_bits;
    const int64_t high = wrapped + 4 * unit * band->layout->wide_mid + 2 * unit;
    sample->high = high < low ? low : high > top ? top : high;
    sample->doubled = sample->high >> (given->weight_bits + 1);
    sample->predicted = sample->doubled >> 1;
    const int64_t magnitude = sample->predicted < 0 ? -sample->predicted : sample->predicted;
    const int64_t relative = band->relative_max * magnitude >> given->sample_bits;
    const bool absolute_rules = given->error_limits_used == 1 || (given->error_limits_used == 3
                                                                  && band->absolute_max < relative);
    sample->error_max = given->error_limits_used == 0 ? 0 : absolute_rules ? band->absolute_max : relative;
}

/* 4.8.1 and 4.11 */
static uint32_t map_index(const fos_ccsds123_layout_t *layout, sample_t *sample, int64_t original)
{
    const int64_t width = 2 * sample->error_max + 1;
    const int64_t residual = original - sample->predicted;
    const int64_t magnitude = ((residual < 0 ? -residual : residual) + sample->error_max) / width;
    const int64_t below = (sample->predicted - layout->wide_min + sample->error_max) / width;
    const int64_t above = (layout->wide_max - sample->predicted + sample->error_max) / width;
    const int64_t nearer = below < above ? below : above;
    sample->index = residual < 0 ? -magnitude : magnitude;
    if (magnitude > nearer) { return (uint32_t)(magnitude + nearer); }
    const int64_t turned = (sample->doubled & 1) != 0 ? -sample->index : sample->index;
    return (uint32_t)(turned >= 0 ? 2 * magnitude : 2 * magnitude - 1);
}

/* The way back. False when no sample has that mapped value. */
static bool unmap_index(const fos_ccsds123_layout_t *layout, sample_t *sample, int64_t mapped)
{
    const int64_t width = 2 * sample->error_max + 1;
    const int64_t below = (sample->predicted - layout->wide_min + sample->error_max) / width;
    const int64_t above = (layout->wide_max - sample->predicted + sample->error_max) / width;
    const int64_t nearer = below < above ? below : above;
    if (mapped > below + above) { return false; }
    if (mapped > 2 * nearer) {
        sample->index = below < above ? mapped - nearer : nearer - mapped;
        return true;
    }
    const int64_t turned = (mapped & 1) != 0 ? -((mapped + 1) / 2) : mapped / 2;
    sample->index = (sample->doubled & 1) != 0 ? -turned : turned;
    return true;
}

/* 4.9.2 */
static int64_t represent(const band_t *band, const sample_t *sample)
{
    const uint32_t resolution = band->layout->given.representative_bits;
    const uint32_t weight_bits = band->layout->given.weight_bits;
    const int64_t unit = (int64_t)1 << weight_bits;
    const int64_t sign = sample->index > 0 ? 1 : sample->index < 0 ? -1 : 0;
    const int64_t center = sample->restored * unit - sign * sample->error_max * band->offset * (unit >> resolution);
    const int64_t doubled = (4 * (((int64_t)1 << resolution) - band->damping) * center
                             + band->damping * (sample->high - 2 * unit))
                            >> (weight_bits + resolution + 1);
    return (doubled + 1) >> 1;
}

/* 4.10 */
static void update_weights(const band_t *band, const int64_t *differences, bool error_is_negative, int32_t exponent)
{
    const fos_ccsds123_layout_t *layout = band->layout;
    for (uint32_t lane = 0; lane < band->weight_count; lane++) {
        const uint32_t place = layout->directions == 0 ? lane : lane < 3 ? 0 : lane - 2;
        const int32_t power = exponent + (band->exponent_offsets == NULL ? 0 : (int32_t)band->exponent_offsets[place]);
        const int64_t difference = error_is_negative ? -differences[lane] : differences[lane];
        const int64_t step = power < 0 ? difference * ((int64_t)1 << (-power - 1))
                                       : (difference + ((int64_t)1 << power)) >> (power + 1);
        const int64_t weight = band->weights[lane] + step;
        band->weights[lane] = weight < layout->weight_min   ? layout->weight_min
                              : weight > layout->weight_max ? layout->weight_max : (int32_t)weight;
    }
}

static band_t settings_of(const fos_ccsds123_layout_t *layout, const fos_ccsds123_scratch_t *scratch,
                          const fos_ccsds123_tables_t *tables, uint32_t band, uint32_t row)
{
    const uint32_t before = band < layout->given.bands_used ? band : layout->given.bands_used;
    const uint32_t kind = FOS_CCSDS123_WEIGHT_EXPONENT_OFFSETS;
    return (band_t){
        .layout = layout,
        .absolute_max = fos_ccsds123_limit(layout, tables, FOS_CCSDS123_ERROR_ABSOLUTE, band, row),
        .relative_max = fos_ccsds123_limit(layout, tables, FOS_CCSDS123_ERROR_RELATIVE, band, row),
        .damping = fos_ccsds123_of_band(layout, tables, FOS_CCSDS123_REPRESENTATIVE_DAMPING, band),
        .offset = fos_ccsds123_of_band(layout, tables, FOS_CCSDS123_REPRESENTATIVE_OFFSET, band),
        .exponent_offsets = fos_ccsds123_uses_table(&layout->given, kind)
                                ? tables->by_kind[kind].values + fos_ccsds123_weights_before(layout, kind, band) : NULL,
        .weights = scratch->weights + (size_t)band * layout->weight_count,
        .weight_count = layout->directions + before,
    };
}

/* 4.7.3, 4.8.1, 4.9.2: the first sample has a prediction of its own, no loss, and represents itself. */
static void predict_first(const neighbours_t *near, sample_t *sample)
{
    const bool has_before = near->before != NULL && near->layout->given.bands_used > 0;
    sample->predicted = has_before ? near->before[0] : near->layout->wide_mid;
    sample->doubled = 2 * sample->predicted;
    sample->high = 0;
    sample->error_max = 0;
}

/* 4.8.1, 4.8 and 4.11 in either direction. */
static fos_status_t quantize(const fos_ccsds123_layout_t *layout, const int64_t *original, uint32_t *mapped,
                             sample_t *sample)
{
    if (original != NULL) {
        if (*original < layout->wide_min || *original > layout->wide_max) { return FOS_ERR_RANGE; }
        *mapped = map_index(layout, sample, *original);
    } else if (!unmap_index(layout, sample, *mapped)) {
        return FOS_ERR_CORRUPT;
    }
    const int64_t center = sample->predicted + sample->index * (2 * sample->error_max + 1);
    sample->restored = center < layout->wide_min ? layout->wide_min : center > layout->wide_max ? layout->wide_max : center;
    return FOS_OK;
}

/* U of one sample (4.5.3), and its product with the weights (4.7.1). */
static int64_t weigh(const band_t *band, const fos_ccsds123_scratch_t *scratch, const neighbours_t *near,
                     uint32_t band_index, uint32_t col, int64_t sum, int64_t *differences)
{
    const fos_ccsds123_layout_t *layout = band->layout;
    if (layout->directions != 0) { directional(near, col, sum, differences); }
    for (uint32_t lane = layout->directions; lane < band->weight_count; lane++) {
        differences[lane] = central_of(layout, scratch, band_index - 1 - (lane - layout->directions))[col];
    }
    int64_t dot = 0;
    for (uint32_t lane = 0; lane < band->weight_count; lane++) { dot += band->weights[lane] * differences[lane]; }
    return dot;
}

fos_status_t fos_ccsds123_predict_plain(const fos_ccsds123_layout_t *layout, const fos_ccsds123_scratch_t *scratch,
                                        const fos_ccsds123_tables_t *tables, const fos_ccsds123_images_t *images,
                                        uint32_t band, uint32_t row)
{
    const uint8_t *seen = images->seen;
    const uint8_t *originals = images->originals;
    const uint32_t cols = layout->given.cols;
    const uint32_t before = band < layout->given.bands_used ? band : layout->given.bands_used;
    for (uint32_t lane = before; lane > 0 && !layout->is_interleaved; lane--) {
        load_central(layout, scratch, seen, band - lane, row);
    }
    const band_t settings = settings_of(layout, scratch, tables, band, row);
    const neighbours_t near = load_neighbours(layout, scratch, seen, band, row);
    if (originals != NULL) { fos_ccsds123_load_wide(layout, originals, band, row, scratch->wide_current); }
    uint32_t *mapped = scratch->mapped + (size_t)band * cols;
    int64_t *central = central_of(layout, scratch, band);
    const size_t place = ((size_t)band * layout->given.rows + row) * cols;
    uint64_t index_end;
    for (uint32_t col = 0; col < cols; col++) {
        const bool is_first = row == 0 && col == 0;
        const int64_t original = near.current[col];
        const int64_t sum = local_sum(&near, col);
        int64_t differences[FOS_CCSDS123_WEIGHTS_MAX];
        sample_t sample;
        if (is_first) {
            predict_first(&near, &sample);
        } else {
            predict(&settings, weigh(&settings, scratch, &near, band, col, sum, differences), sum, &sample);
        }
        const fos_status_t status = quantize(layout, originals == NULL ? NULL : &original, &mapped[col], &sample);
        if (status != FOS_OK) { return status; }
        near.current[col] = is_first ? sample.restored : represent(&settings, &sample);
        central[col] = is_first ? 0 : 4 * near.current[col] - sum;
        if (images->restored != NULL) { fos_ccsds123_store_sample(layout, images->restored, place + col, sample.restored); }
        if (images->kept != NULL) { fos_ccsds123_store_sample(layout, images->kept, place + col, near.current[col]); }
        if (is_first) { continue; }
        const int32_t exponent = fos_ccsds123_update_exponent(layout, (uint64_t)row * cols + col, &index_end);
        update_weights(&settings, differences, 2 * sample.restored < sample.doubled, exponent);
    }
    return FOS_OK;
}
