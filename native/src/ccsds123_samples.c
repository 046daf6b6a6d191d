/* CCSDS 123.0-B-2: rows of samples, or of mapped values in their place, out of images and into them. */
#include "ccsds123_internal.h"

static size_t place_of(const fos_ccsds123_layout_t *layout, uint32_t band, uint32_t row)
{
    return ((size_t)band * layout->given.rows + row) * layout->given.cols;
}

void fos_ccsds123_load_row(const fos_ccsds123_layout_t *layout, const uint8_t *image, uint32_t band, uint32_t row,
                           int32_t *restrict samples)
{
    const uint8_t *restrict from = image + place_of(layout, band, row) * layout->sample_bytes;
    const uint32_t cols = layout->given.cols;
    if (layout->sample_bytes == 1 && layout->given.is_signed == 0) {
        for (uint32_t col = 0; col < cols; col++) { samples[col] = from[col]; }
    } else if (layout->sample_bytes == 1) {
        for (uint32_t col = 0; col < cols; col++) { samples[col] = (int8_t)from[col]; }
    } else if (layout->given.is_signed == 0) {
        for (uint32_t col = 0; col < cols; col++) {
            uint16_t sample;
            memcpy(&sample, from + 2 * (size_t)col, 2);
            samples[col] = sample;
        }
    } else {
        for (uint32_t col = 0; col < cols; col++) {
            int16_t sample;
            memcpy(&sample, from + 2 * (size_t)col, 2);
            samples[col] = sample;
        }
    }
}

void fos_ccsds123_store_row(const fos_ccsds123_layout_t *layout, uint8_t *image, uint32_t band, uint32_t row,
                            const int32_t *restrict samples)
{
    uint8_t *restrict to = image + place_of(layout, band, row) * layout->sample_bytes;
    const uint32_t cols = layout->given.cols;
    if (layout->sample_bytes == 1) {
        for (uint32_t col = 0; col < cols; col++) { to[col] = (uint8_t)samples[col]; }
        return;
    }
    for (uint32_t col = 0; col < cols; col++) {
        const uint16_t sample = (uint16_t)samples[col];
        memcpy(to + 2 * (size_t)col, &sample, 2);
    }
}

void fos_ccsds123_load_wide(const fos_ccsds123_layout_t *layout, const uint8_t *image, uint32_t band, uint32_t row,
                            int64_t *restrict samples)
{
    const uint32_t cols = layout->given.cols;
    const size_t bytes = layout->sample_bytes;
    const uint8_t *restrict from = image + place_of(layout, band, row) * bytes;
    for (size_t col = 0; col < cols; col++) {
        uint32_t sample = from[col];
        uint16_t half;
        if (bytes == 2) {
            memcpy(&half, from + 2 * col, 2);
            sample = half;
        } else if (bytes == 4) {
            memcpy(&sample, from + 4 * col, 4);
        }
        const int64_t sign = layout->given.is_signed != 0 ? (int64_t)1 << (8 * bytes - 1) : 0;
        samples[col] = ((int64_t)sample ^ sign) - sign;
    }
}

void fos_ccsds123_store_sample(const fos_ccsds123_layout_t *layout, uint8_t *image, size_t index, int64_t sample)
{
    const uint32_t word = (uint32_t)(uint64_t)sample;
    const uint16_t half = (uint16_t)word;
    switch (layout->sample_bytes) {
    case 1: image[index] = (uint8_t)word; break;
    case 2: memcpy(image + 2 * index, &half, 2); break;
    default: memcpy(image + 4 * index, &word, 4); break;
    }
}

void fos_ccsds123_load_mapped(const fos_ccsds123_layout_t *layout, const uint8_t *image, uint32_t band, uint32_t row,
                              uint32_t *restrict mapped)
{
    const uint32_t cols = layout->given.cols;
    const uint8_t *restrict from = image + place_of(layout, band, row) * layout->sample_bytes;
    if (layout->sample_bytes == 1) {
        for (size_t col = 0; col < cols; col++) { mapped[col] = from[col]; }
    } else if (layout->sample_bytes == 2) {
        for (size_t col = 0; col < cols; col++) {
            uint16_t half;
            memcpy(&half, from + 2 * col, 2);
            mapped[col] = half;
        }
    } else {
        memcpy(mapped, from, (size_t)cols * 4);
    }
}

void fos_ccsds123_store_mapped(const fos_ccsds123_layout_t *layout, uint8_t *image, uint32_t band, uint32_t row,
                               const uint32_t *restrict mapped)
{
    const uint32_t cols = layout->given.cols;
    uint8_t *restrict to = image + place_of(layout, band, row) * layout->sample_bytes;
    if (layout->sample_bytes == 1) {
        for (size_t col = 0; col < cols; col++) { to[col] = (uint8_t)mapped[col]; }
    } else if (layout->sample_bytes == 2) {
        for (size_t col = 0; col < cols; col++) {
            const uint16_t half = (uint16_t)mapped[col];
            memcpy(to + 2 * col, &half, 2);
        }
    } else {
        memcpy(to, mapped, (size_t)cols * 4);
    }
}
