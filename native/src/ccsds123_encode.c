/* CCSDS 123.0-B-2: an image to a compressed image. Rows are predicted band by band in either order of coding; only the
 * entropy coder sees the difference, for a line of all its bands is predicted before it is coded.
 */
#include "ccsds123_entropy.h"

typedef struct {
    const fos_ccsds123_layout_t *layout;
    const fos_ccsds123_tables_t *tables;
    fos_ccsds123_scratch_t scratch;
    fos_ccsds123_images_t images;
    bool is_known; /* the samples themselves predict: all of a row is known before it is predicted */
} coding_t;

/* False when a sample needs more than D bits. */
static bool is_in_range(const fos_ccsds123_layout_t *layout, const int32_t *samples)
{
    if (layout->given.sample_bits == 8 * layout->sample_bytes) { return true; }
    int32_t low = samples[0];
    int32_t top = samples[0];
    for (uint32_t col = 0; col < layout->given.cols; col++) {
        low = samples[col] < low ? samples[col] : low;
        top = samples[col] > top ? samples[col] : top;
    }
    return low >= layout->sample_min && top <= layout->sample_max;
}

/* All local sums and differences at once. False on a sample out of range. */
static bool prepare_lossless(const coding_t *coding, const fos_ccsds123_scratch_t *scratch, uint32_t band, uint32_t row,
                             fos_ccsds123_row_t *prepared)
{
    fos_ccsds123_prepare(coding->layout, scratch, coding->images.originals, band, row, prepared);
    fos_ccsds123_central_row(coding->layout, scratch, coding->images.originals, band, row);
    fos_ccsds123_prepare_directions(prepared);
    return is_in_range(coding->layout, prepared->current);
}

static bool predict_lossless(const coding_t *coding, uint32_t band, uint32_t row)
{
    fos_ccsds123_row_t prepared;
    if (!prepare_lossless(coding, &coding->scratch, band, row, &prepared)) { return false; }
    fos_ccsds123_predict_known(&prepared);
    return true;
}

/* Two bands at a time: the second needs the differences of the first, but not its prediction. */
static bool predict_lossless_pair(const coding_t *coding, uint32_t band, uint32_t row)
{
    const fos_ccsds123_scratch_t partner = fos_ccsds123_partner(&coding->scratch);
    fos_ccsds123_row_t prepared[2];
    if (!prepare_lossless(coding, &coding->scratch, band, row, &prepared[0])) { return false; }
    if (!prepare_lossless(coding, &partner, band + 1, row, &prepared[1])) { return false; }
    fos_ccsds123_predict_known_pair(&prepared[0], &prepared[1]);
    return true;
}

/* Against the image as the decoder will have it. False on a sample out of range. */
static bool prepare_restoring(const coding_t *coding, const fos_ccsds123_scratch_t *scratch, uint32_t band, uint32_t row,
                              fos_ccsds123_row_t *prepared)
{
    fos_ccsds123_prepare(coding->layout, scratch, coding->images.seen, band, row, prepared);
    fos_ccsds123_prepare_sums(prepared, scratch, coding->images.seen);
    fos_ccsds123_prepare_quantizer(prepared, coding->tables);
    fos_ccsds123_load_row(coding->layout, coding->images.originals, band, row, scratch->originals);
    prepared->is_coding = true;
    return is_in_range(coding->layout, scratch->originals);
}

/* The row joins that image. */
static bool predict_restoring(const coding_t *coding, uint32_t band, uint32_t row)
{
    fos_ccsds123_row_t prepared;
    if (!prepare_restoring(coding, &coding->scratch, band, row, &prepared)) { return false; }
    (void)fos_ccsds123_predict_restoring(&prepared, NULL);
    fos_ccsds123_store_row(coding->layout, coding->images.kept, band, row, prepared.current);
    return true;
}

static bool predict_restoring_pair(const coding_t *coding, uint32_t band, uint32_t row)
{
    const fos_ccsds123_scratch_t partner = fos_ccsds123_partner(&coding->scratch);
    fos_ccsds123_row_t prepared[2];
    if (!prepare_restoring(coding, &coding->scratch, band, row, &prepared[0])) { return false; }
    if (!prepare_restoring(coding, &partner, band + 1, row, &prepared[1])) { return false; }
    (void)fos_ccsds123_predict_restoring(&prepared[0], &prepared[1]);
    fos_ccsds123_store_row(coding->layout, coding->images.kept, band, row, prepared[0].current);
    fos_ccsds123_store_row(coding->layout, coding->images.kept, band + 1, row, prepared[1].current);
    return true;
}

static void start_bands(const coding_t *coding)
{
    const fos_ccsds123_layout_t *layout = coding->layout;
    for (uint32_t band = 0; band < layout->given.bands; band++) {
        int32_t *weights = coding->scratch.weights + (size_t)band * layout->weight_count;
        fos_ccsds123_start_weights(layout, coding->tables, band, weights);
    }
}

static bool predict_row(const coding_t *coding, uint32_t band, uint32_t row)
{
    if (coding->is_known) { return predict_lossless(coding, band, row); }
    if (!coding->layout->is_plain) { return predict_restoring(coding, band, row); }
    return fos_ccsds123_predict_plain(coding->layout, &coding->scratch, coding->tables, &coding->images, band, row)
           == FOS_OK;
}

static bool predict_line(const coding_t *coding, uint32_t row)
{
    const uint32_t bands = coding->layout->given.bands;
    uint32_t band = 0;
    const bool is_in_pairs = coding->is_known || (!coding->layout->is_plain && row > 0);
    for (; is_in_pairs && band + 1 < bands; band += 2) {
        if (!(coding->is_known ? predict_lossless_pair : predict_restoring_pair)(coding, band, row)) { return false; }
    }
    for (; band < bands; band++) {
        if (!predict_row(coding, band, row)) { return false; }
    }
    return true;
}

/* 5.4.2.3: band by band. False on a sample out of range. */
static bool encode_sequential(const coding_t *coding, fos_ccsds123_encoder_t *encoder)
{
    for (uint32_t band = 0; band < coding->layout->given.bands; band++) {
        for (uint32_t row = 0; row < coding->layout->given.rows; row++) {
            if (!predict_row(coding, band, row)) { return false; }
            fos_ccsds123_encode_line(encoder, row, band, band + 1);
        }
    }
    return true;
}

/* 4.8.2.4, 5.4.2.2.2: the limits of the period that begins with this row. */
static void put_limits(const coding_t *coding, fos_ccsds123_encoder_t *encoder, uint32_t row)
{
    const fos_ccsds123_layout_t *layout = coding->layout;
    if (layout->given.limits_period_log2 < 0 || row % layout->period_rows != 0) { return; }
    for (uint32_t which = 0; which < 2; which++) {
        const uint32_t kind = FOS_CCSDS123_ERROR_ABSOLUTE + which;
        if ((layout->given.error_limits_used >> which & 1) == 0) { continue; }
        const uint32_t count = fos_ccsds123_uses_table(&layout->given, kind) ? layout->given.bands : 1;
        const uint32_t width = fos_ccsds123_error_bits(layout, coding->tables, kind);
        for (uint32_t band = 0; band < count; band++) {
            const int64_t limit = fos_ccsds123_limit(layout, coding->tables, kind, band, row);
            fos_ccsds123_encode_limit(encoder, (uint32_t)limit, width);
        }
    }
}

/* 5.4.2.2: line by line; within it M bands at a time, pixel by pixel. */
static bool encode_interleaved(const coding_t *coding, fos_ccsds123_encoder_t *encoder)
{
    const uint32_t bands = coding->layout->given.bands;
    const uint32_t depth = coding->layout->given.interleave_bands;
    for (uint32_t row = 0; row < coding->layout->given.rows; row++) {
        put_limits(coding, encoder, row);
        if (!predict_line(coding, row)) { return false; }
        for (uint32_t band = 0; band < bands; band += depth) {
            fos_ccsds123_encode_line(encoder, row, band, bands - band < depth ? bands : band + depth);
        }
    }
    return true;
}

fos_status_t fos_ccsds123_encode(const uint8_t *image, size_t image_bytes, const fos_ccsds123_parameters_t *parameters,
                                 const fos_ccsds123_tables_t *tables, uint8_t *scratch, size_t scratch_bytes,
                                 uint8_t *encoded, size_t encoded_capacity_bytes, size_t *encoded_bytes)
{
    if (image == NULL || parameters == NULL || scratch == NULL || encoded == NULL || encoded_bytes == NULL) {
        return FOS_ERR_NULL;
    }
    *encoded_bytes = 0;
    fos_ccsds123_layout_t layout;
    const fos_status_t status = fos_ccsds123_layout(parameters, &layout);
    if (status != FOS_OK) { return status; }
    if (!fos_ccsds123_tables_fit(&layout, tables, UINT32_MAX) || !fos_ccsds123_supplementary_fit(&layout, tables)) {
        return FOS_ERR_PARAMETER;
    }
    const size_t samples = (size_t)parameters->cols * parameters->rows * parameters->bands;
    if (image_bytes != samples * layout.sample_bytes) { return FOS_ERR_PARAMETER; }
    coding_t coding = {.layout = &layout, .tables = tables};
    if (fos_ccsds123_divide(&layout, true, scratch, &coding.scratch) > scratch_bytes) { return FOS_ERR_CAPACITY; }
    const bool sees_originals = layout.is_lossless && !layout.has_representatives;
    uint8_t *kept = sees_originals ? NULL : coding.scratch.representatives;
    coding.images = (fos_ccsds123_images_t){.seen = sees_originals ? image : kept, .originals = image, .kept = kept};
    coding.is_known = sees_originals && !layout.is_plain;
    start_bands(&coding);
    if (!layout.is_plain) { fos_ccsds123_clear_differences(&layout, &coding.scratch); }
    fos_ccsds123_encoder_t encoder;
    fos_ccsds123_encoder_start(&encoder, &layout, tables, &coding.scratch, encoded, encoded_capacity_bytes);
    const bool in_range = layout.is_interleaved ? encode_interleaved(&coding, &encoder)
                                                : encode_sequential(&coding, &encoder);
    if (!in_range) { return FOS_ERR_RANGE; }
    return fos_ccsds123_encoder_finish(&encoder, encoded, encoded_bytes) ? FOS_OK : FOS_ERR_CAPACITY;
}
