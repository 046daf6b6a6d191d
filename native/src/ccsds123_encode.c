/* CCSDS 123.0-B-2: an image to a compressed image. Rows are predicted band by band in either order of coding; only the
 * entropy coder sees the difference, for a line of all its bands is predicted before it is coded.
 */
#include "ccsds123_internal.h"

typedef struct {
    const fos_ccsds123_layout_t *layout;
    fos_ccsds123_scratch_t scratch;
    const uint8_t *image;
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
    fos_ccsds123_prepare(coding->layout, scratch, coding->image, band, row, prepared);
    fos_ccsds123_central_row(coding->layout, scratch, coding->image, band, row);
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

/* From the image as the decoder will have it; the row joins that image. */
static bool predict_near_lossless(const coding_t *coding, uint32_t band, uint32_t row)
{
    fos_ccsds123_row_t prepared;
    fos_ccsds123_prepare(coding->layout, &coding->scratch, coding->scratch.restored, band, row, &prepared);
    fos_ccsds123_prepare_sums(&prepared, &coding->scratch, coding->scratch.restored);
    fos_ccsds123_load_row(coding->layout, coding->image, band, row, coding->scratch.originals);
    if (!is_in_range(coding->layout, coding->scratch.originals)) { return false; }
    prepared.originals = coding->scratch.originals;
    (void)fos_ccsds123_predict_restoring(&prepared);
    fos_ccsds123_store_row(coding->layout, coding->scratch.restored, band, row, prepared.current);
    return true;
}

static void start_bands(const coding_t *coding)
{
    const fos_ccsds123_layout_t *layout = coding->layout;
    for (uint32_t band = 0; band < layout->given.bands; band++) {
        fos_ccsds123_start_weights(layout, band, coding->scratch.weights + (size_t)band * layout->weight_count);
    }
}

static bool predict_row(const coding_t *coding, uint32_t band, uint32_t row)
{
    return coding->layout->is_lossless ? predict_lossless(coding, band, row) : predict_near_lossless(coding, band, row);
}

static bool predict_line(const coding_t *coding, uint32_t row)
{
    const uint32_t bands = coding->layout->given.bands;
    uint32_t band = 0;
    for (; coding->layout->is_lossless && band + 1 < bands; band += 2) {
        if (!predict_lossless_pair(coding, band, row)) { return false; }
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

/* 5.4.2.2: line by line; within it M bands at a time, pixel by pixel. */
static bool encode_interleaved(const coding_t *coding, fos_ccsds123_encoder_t *encoder)
{
    const uint32_t bands = coding->layout->given.bands;
    const uint32_t depth = coding->layout->given.interleave_bands;
    for (uint32_t row = 0; row < coding->layout->given.rows; row++) {
        if (!predict_line(coding, row)) { return false; }
        for (uint32_t band = 0; band < bands; band += depth) {
            fos_ccsds123_encode_line(encoder, row, band, bands - band < depth ? bands : band + depth);
        }
    }
    return true;
}

fos_status_t fos_ccsds123_encode(const uint8_t *image, size_t image_bytes, const fos_ccsds123_parameters_t *parameters,
                                 uint8_t *scratch, size_t scratch_bytes, uint8_t *encoded,
                                 size_t encoded_capacity_bytes, size_t *encoded_bytes)
{
    if (image == NULL || parameters == NULL || scratch == NULL || encoded == NULL || encoded_bytes == NULL) {
        return FOS_ERR_NULL;
    }
    *encoded_bytes = 0;
    fos_ccsds123_layout_t layout;
    const fos_status_t status = fos_ccsds123_layout(parameters, &layout);
    if (status != FOS_OK) { return status; }
    const size_t samples = (size_t)parameters->cols * parameters->rows * parameters->bands;
    if (image_bytes != samples * layout.sample_bytes) { return FOS_ERR_PARAMETER; }
    coding_t coding = {.layout = &layout, .image = image};
    if (fos_ccsds123_divide(&layout, !layout.is_lossless, scratch, &coding.scratch) > scratch_bytes) {
        return FOS_ERR_CAPACITY;
    }
    start_bands(&coding);
    fos_ccsds123_clear_differences(&layout, &coding.scratch);
    fos_ccsds123_encoder_t encoder;
    fos_ccsds123_encoder_start(&encoder, &layout, &coding.scratch, encoded, encoded_capacity_bytes);
    const bool in_range = layout.is_interleaved ? encode_interleaved(&coding, &encoder)
                                                : encode_sequential(&coding, &encoder);
    if (!in_range) { return FOS_ERR_RANGE; }
    return fos_ccsds123_encoder_finish(&encoder, encoded, encoded_bytes) ? FOS_OK : FOS_ERR_CAPACITY;
}
