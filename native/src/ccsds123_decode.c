/* CCSDS 123.0-B-2: a compressed image back to an image. Any bytes give a status: sizes come from a header that has been
 * checked, memory is compared with them before anything is written, and each line is checked before it is used.
 */
#include "ccsds123_internal.h"

static bool restore_row(const fos_ccsds123_layout_t *layout, const fos_ccsds123_scratch_t *scratch, uint8_t *image,
                        uint32_t band, uint32_t row)
{
    if (row == 0) {
        fos_ccsds123_start_weights(layout, band, scratch->weights + (size_t)band * layout->weight_count);
    }
    fos_ccsds123_row_t prepared;
    fos_ccsds123_prepare(layout, scratch, image, band, row, &prepared);
    fos_ccsds123_prepare_sums(&prepared, scratch, image);
    const bool is_possible = fos_ccsds123_predict_restoring(&prepared);
    fos_ccsds123_store_row(layout, image, band, row, prepared.current);
    return is_possible;
}

static bool decode_sequential(fos_ccsds123_decoder_t *decoder, uint8_t *image)
{
    for (uint32_t band = 0; band < decoder->layout->given.bands; band++) {
        for (uint32_t row = 0; row < decoder->layout->given.rows; row++) {
            if (!fos_ccsds123_decode_line(decoder, row, band, band + 1)) { return false; }
            if (!restore_row(decoder->layout, decoder->scratch, image, band, row)) { return false; }
        }
    }
    return true;
}

static bool decode_interleaved(fos_ccsds123_decoder_t *decoder, uint8_t *image)
{
    const uint32_t bands = decoder->layout->given.bands;
    const uint32_t depth = decoder->layout->given.interleave_bands;
    for (uint32_t row = 0; row < decoder->layout->given.rows; row++) {
        for (uint32_t band = 0; band < bands; band += depth) {
            const uint32_t band_end = bands - band < depth ? bands : band + depth;
            if (!fos_ccsds123_decode_line(decoder, row, band, band_end)) { return false; }
        }
        for (uint32_t band = 0; band < bands; band++) {
            if (!restore_row(decoder->layout, decoder->scratch, image, band, row)) { return false; }
        }
    }
    return true;
}

fos_status_t fos_ccsds123_decode(const uint8_t *encoded, size_t encoded_bytes, uint8_t *image,
                                 size_t image_capacity_bytes, uint8_t *scratch, size_t scratch_bytes,
                                 size_t *image_bytes)
{
    if (encoded == NULL || image == NULL || scratch == NULL || image_bytes == NULL) { return FOS_ERR_NULL; }
    *image_bytes = 0;
    fos_ccsds123_parameters_t given;
    size_t header_bytes = 0;
    fos_status_t status = fos_ccsds123_read_header(encoded, encoded_bytes, &given, &header_bytes);
    if (status != FOS_OK) { return status; }
    fos_ccsds123_layout_t layout;
    status = fos_ccsds123_layout(&given, &layout);
    if (status != FOS_OK) { return status; }
    const size_t needed_bytes = (size_t)given.cols * given.rows * given.bands * layout.sample_bytes;
    fos_ccsds123_scratch_t divided;
    if (needed_bytes > image_capacity_bytes
        || fos_ccsds123_divide(&layout, false, scratch, &divided) > scratch_bytes) {
        return FOS_ERR_CAPACITY;
    }
    fos_ccsds123_clear_differences(&layout, &divided);
    fos_ccsds123_decoder_t decoder;
    fos_ccsds123_decoder_start(&decoder, &layout, &divided, encoded + header_bytes, encoded_bytes - header_bytes);
    const bool is_whole = layout.is_interleaved ? decode_interleaved(&decoder, image)
                                                : decode_sequential(&decoder, image);
    if (!is_whole) { return FOS_ERR_CORRUPT; }
    *image_bytes = needed_bytes;
    return FOS_OK;
}
