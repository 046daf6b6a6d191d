/* CCSDS 123.0-B-2: a compressed image back to an image. Any bytes give a status: sizes come from a header that has been
 * checked, memory is compared with them before anything is written, and each line is checked before it is used.
 */
#include "ccsds123_entropy.h"

typedef struct {
    const fos_ccsds123_layout_t *layout;
    fos_ccsds123_scratch_t scratch;
    fos_ccsds123_images_t images;
    fos_ccsds123_decoder_t decoder;
} decoding_t;

static void start_bands(const decoding_t *decoding)
{
    const fos_ccsds123_layout_t *layout = decoding->layout;
    for (uint32_t band = 0; band < layout->given.bands; band++) {
        int32_t *weights = decoding->scratch.weights + (size_t)band * layout->weight_count;
        fos_ccsds123_start_weights(layout, &decoding->scratch.tables, band, weights);
    }
}

static void prepare_row(const decoding_t *decoding, const fos_ccsds123_scratch_t *scratch, uint32_t band, uint32_t row,
                        fos_ccsds123_row_t *prepared)
{
    fos_ccsds123_prepare(decoding->layout, scratch, decoding->images.seen, band, row, prepared);
    fos_ccsds123_prepare_sums(prepared, scratch, decoding->images.seen);
    fos_ccsds123_prepare_quantizer(prepared, &decoding->scratch.tables);
}

static void store_row(const decoding_t *decoding, const fos_ccsds123_row_t *row)
{
    const fos_ccsds123_images_t *images = &decoding->images;
    const bool is_another = images->kept != NULL;
    if (is_another) { fos_ccsds123_store_row(decoding->layout, images->kept, row->band, row->row, row->current); }
    fos_ccsds123_store_row(decoding->layout, images->restored, row->band, row->row,
                           is_another ? row->originals : row->current);
}

static bool restore_row(const decoding_t *decoding, uint32_t band, uint32_t row)
{
    const fos_ccsds123_scratch_t *scratch = &decoding->scratch;
    if (decoding->layout->is_plain) {
        return fos_ccsds123_predict_plain(decoding->layout, scratch, &scratch->tables, &decoding->images, band, row)
               == FOS_OK;
    }
    fos_ccsds123_row_t prepared;
    prepare_row(decoding, scratch, band, row, &prepared);
    const bool is_possible = fos_ccsds123_predict_restoring(&prepared, NULL);
    store_row(decoding, &prepared);
    return is_possible;
}

/* Two bands of a row that is not the first. */
static bool restore_pair(const decoding_t *decoding, uint32_t band, uint32_t row)
{
    const fos_ccsds123_scratch_t partner = fos_ccsds123_partner(&decoding->scratch);
    fos_ccsds123_row_t prepared[2];
    prepare_row(decoding, &decoding->scratch, band, row, &prepared[0]);
    prepare_row(decoding, &partner, band + 1, row, &prepared[1]);
    const bool is_possible = fos_ccsds123_predict_restoring(&prepared[0], &prepared[1]);
    store_row(decoding, &prepared[0]);
    store_row(decoding, &prepared[1]);
    return is_possible;
}

static bool restore_line(const decoding_t *decoding, uint32_t row)
{
    const uint32_t bands = decoding->layout->given.bands;
    uint32_t band = 0;
    for (; row > 0 && !decoding->layout->is_plain && band + 1 < bands; band += 2) {
        if (!restore_pair(decoding, band, row)) { return false; }
    }
    for (; band < bands; band++) {
        if (!restore_row(decoding, band, row)) { return false; }
    }
    return true;
}

/* 4.8.2.4, 5.4.2.2.2: the limits of the period that begins with this row. */
static bool take_limits(decoding_t *decoding, uint32_t row)
{
    const fos_ccsds123_layout_t *layout = decoding->layout;
    if (layout->given.limits_period_log2 < 0 || row % layout->period_rows != 0) { return true; }
    for (uint32_t which = 0; which < 2; which++) {
        const uint32_t kind = FOS_CCSDS123_ERROR_ABSOLUTE + which;
        if ((layout->given.error_limits_used >> which & 1) == 0) { continue; }
        const size_t count = fos_ccsds123_uses_table(&layout->given, kind) ? layout->given.bands : 1;
        const uint32_t width = fos_ccsds123_error_bits(layout, NULL, kind);
        int64_t *limits = decoding->scratch.tables.by_kind[kind].values + row / layout->period_rows * count;
        for (size_t index = 0; index < count; index++) {
            if (!fos_ccsds123_decode_limit(&decoding->decoder, width, &limits[index])) { return false; }
        }
    }
    return true;
}

static bool decode_sequential(decoding_t *decoding)
{
    for (uint32_t band = 0; band < decoding->layout->given.bands; band++) {
        for (uint32_t row = 0; row < decoding->layout->given.rows; row++) {
            if (!fos_ccsds123_decode_line(&decoding->decoder, row, band, band + 1)) { return false; }
            if (!restore_row(decoding, band, row)) { return false; }
        }
    }
    return true;
}

static bool decode_interleaved(decoding_t *decoding)
{
    const uint32_t bands = decoding->layout->given.bands;
    const uint32_t depth = decoding->layout->given.interleave_bands;
    for (uint32_t row = 0; row < decoding->layout->given.rows; row++) {
        if (!take_limits(decoding, row)) { return false; }
        for (uint32_t band = 0; band < bands; band += depth) {
            const uint32_t band_end = bands - band < depth ? bands : band + depth;
            if (!fos_ccsds123_decode_line(&decoding->decoder, row, band, band_end)) { return false; }
        }
        if (!restore_line(decoding, row)) { return false; }
    }
    return true;
}

/* Puts those tables in their places that the header leaves out and the caller gives. */
static fos_status_t add_tables(const fos_ccsds123_layout_t *layout, const fos_ccsds123_tables_t *given,
                               fos_ccsds123_tables_t *tables)
{
    const uint32_t left_out = layout->given.tables_left_out;
    for (uint32_t kind = 0; kind < FOS_CCSDS123_HEADER_KINDS; kind++) {
        if ((left_out >> kind & 1) != 0 && fos_ccsds123_table_count(layout, kind) > 0) {
            if (given == NULL || given->by_kind[kind].values == NULL) { return FOS_ERR_UNSUPPORTED; }
            tables->by_kind[kind] = given->by_kind[kind];
        } else {
            tables->by_kind[kind].count = fos_ccsds123_table_count(layout, kind);
        }
    }
    if (!fos_ccsds123_tables_fit(layout, tables, left_out)) { return FOS_ERR_PARAMETER; }
    /* Limits that change are still to come. */
    const uint32_t limits = 1u << FOS_CCSDS123_ERROR_ABSOLUTE | 1u << FOS_CCSDS123_ERROR_RELATIVE;
    const uint32_t in_header = ~left_out & ~(layout->given.limits_period_log2 >= 0 ? limits : 0)
                               & ~(1u << FOS_CCSDS123_HYBRID_ACCUMULATOR_FIRST);
    return fos_ccsds123_tables_fit(layout, tables, in_header) ? FOS_OK : FOS_ERR_CORRUPT;
}

fos_status_t fos_ccsds123_decode(const uint8_t *encoded, size_t encoded_bytes, const fos_ccsds123_tables_t *tables,
                                 uint8_t *image, size_t image_capacity_bytes, uint8_t *scratch, size_t scratch_bytes,
                                 size_t *image_bytes)
{
    if (encoded == NULL || image == NULL || scratch == NULL || image_bytes == NULL) { return FOS_ERR_NULL; }
    *image_bytes = 0;
    fos_ccsds123_layout_t layout;
    size_t header_bytes = 0;
    fos_status_t status = fos_ccsds123_take_header(encoded, encoded_bytes, NULL, &layout, &header_bytes);
    if (status != FOS_OK) { return status; }
    const fos_ccsds123_parameters_t *given = &layout.given;
    const size_t needed_bytes = (size_t)given->cols * given->rows * given->bands * layout.sample_bytes;
    decoding_t decoding = {.layout = &layout};
    if (needed_bytes > image_capacity_bytes
        || fos_ccsds123_divide(&layout, false, scratch, &decoding.scratch) > scratch_bytes) {
        return FOS_ERR_CAPACITY;
    }
    status = fos_ccsds123_take_header(encoded, encoded_bytes, &decoding.scratch.tables, &layout, &header_bytes);
    if (status == FOS_OK) { status = add_tables(&layout, tables, &decoding.scratch.tables); }
    if (status != FOS_OK) { return status; }
    uint8_t *kept = layout.has_representatives ? decoding.scratch.representatives : NULL;
    decoding.images = (fos_ccsds123_images_t){.seen = kept != NULL ? kept : image, .kept = kept, .restored = image};
    start_bands(&decoding);
    if (!layout.is_plain) { fos_ccsds123_clear_differences(&layout, &decoding.scratch); }
    if (!fos_ccsds123_decoder_start(&decoding.decoder, &layout, &decoding.scratch, encoded + header_bytes,
                                    encoded_bytes - header_bytes, image)) {
        return FOS_ERR_CORRUPT;
    }
    const bool is_whole = layout.is_interleaved ? decode_interleaved(&decoding) : decode_sequential(&decoding);
    if (!is_whole) { return FOS_ERR_CORRUPT; }
    *image_bytes = needed_bytes;
    return FOS_OK;
}
