/* CCSDS 121.0-B-3 lossless decoder: block-adaptive coder (section 3), unit-delay preprocessor (section 4) undone.
 * Any bytes give a status and never touch memory outside what they were given.
 */
#include "ccsds121_internal.h"

/* 4.4 undone. mapped < 2^bits_per_sample, and then the sample is within its range, whatever the bytes were. */
static int64_t unmap_difference(uint32_t mapped, int64_t previous, int64_t sample_min, int64_t sample_max)
{
    const int64_t below = previous - sample_min;
    const int64_t above = sample_max - previous;
    const int64_t nearer = below < above ? below : above;
    const int64_t value = (int64_t)mapped;
    if (value > 2 * nearer) {
        const int64_t magnitude = value - nearer;
        return below < above ? previous + magnitude : previous - magnitude;
    }
    return (value & 1) != 0 ? previous - (value + 1) / 2 : previous + value / 2;
}

/* The same for unsigned samples of at most 16 bits. Differences that do not reach the edge of the range are the rule,
 * and with a branch for the others the next sample waits for one addition only. */
static int32_t unmap_block_narrow(const uint32_t *mapped, uint32_t count, int32_t previous, int32_t sample_max,
                                  uint16_t *values)
{
    for (uint32_t index = 0; index < count; index++) {
        const int32_t value = (int32_t)mapped[index];
        const int32_t nearer = previous < sample_max - previous ? previous : sample_max - previous;
        if (__builtin_expect(value <= 2 * nearer, 1)) {
            previous += (value >> 1) ^ -(value & 1);
        } else {
            previous = previous == nearer ? value : sample_max - value;
        }
        values[index] = (uint16_t)previous;
    }
    return previous;
}

static void store_samples(const fos_ccsds121_layout_t *layout, const int64_t *values, uint32_t count, uint8_t *samples)
{
    const uint32_t width = layout->bytes_per_sample;
    for (uint32_t index = 0; index < count; index++) {
        const uint32_t bits = (uint32_t)values[index];
        for (uint32_t byte = 0; byte < width; byte++) {
            const uint32_t shift = 8 * (layout->high_byte_first ? width - 1 - byte : byte);
            samples[index * width + byte] = (uint8_t)(bits >> shift);
        }
    }
}

static int64_t extend_sign(const fos_ccsds121_layout_t *layout, uint32_t bits)
{
    return layout->is_signed && (int64_t)bits > layout->sample_max
               ? (int64_t)bits - ((int64_t)1 << layout->blocks.bits_per_sample)
               : (int64_t)bits;
}

/* One block of mapped values to count samples in memory; gives the last sample. */
static int64_t restore_block(const fos_ccsds121_layout_t *layout, const uint32_t *mapped, uint32_t count,
                             int64_t previous, uint8_t *samples)
{
    const bool is_plain = FOS_LOW_BYTE_FIRST && !layout->is_signed && !layout->high_byte_first;
    if (is_plain && layout->has_preprocessor && layout->bytes_per_sample <= 2) {
        uint16_t values[FOS_BLOCK_SIZE_MAX];
        previous = unmap_block_narrow(mapped, count, (int32_t)previous, (int32_t)layout->sample_max, values);
        if (layout->bytes_per_sample == 2) {
            memcpy(samples, values, count * sizeof values[0]);
        } else {
            for (uint32_t index = 0; index < count; index++) { samples[index] = (uint8_t)values[index]; }
        }
        return previous;
    }
    int64_t values[FOS_BLOCK_SIZE_MAX];
    for (uint32_t index = 0; index < count; index++) {
        if (layout->has_preprocessor) {
            previous = unmap_difference(mapped[index], previous, layout->sample_min, layout->sample_max);
            values[index] = previous;
        } else {
            values[index] = extend_sign(layout, mapped[index]);
        }
    }
    store_samples(layout, values, count, samples);
    return previous;
}

fos_status_t fos_ccsds121_decode(const uint8_t *encoded, size_t encoded_bytes,
                                 const fos_ccsds121_parameters_t *parameters, uint8_t *samples, size_t sample_count,
                                 size_t samples_capacity_bytes, size_t *samples_bytes)
{
    fos_ccsds121_layout_t layout;
    if (encoded == NULL || parameters == NULL || samples == NULL || samples_bytes == NULL) { return FOS_ERR_NULL; }
    *samples_bytes = 0;
    if (sample_count > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    if (!fos_ccsds121_layout(parameters, &layout)) { return FOS_ERR_PARAMETER; }
    if (samples_capacity_bytes / layout.bytes_per_sample < sample_count) { return FOS_ERR_CAPACITY; }
    fos_block_decoder_t decoder;
    fos_block_decoder_start(&decoder, &layout.blocks, encoded, encoded_bytes);
    const uint32_t block_size = layout.blocks.block_size;
    int64_t previous = 0;
    for (size_t done = 0; done < sample_count; done += block_size) {
        const uint32_t count = sample_count - done < block_size ? (uint32_t)(sample_count - done) : block_size;
        const bool has_reference = layout.has_preprocessor && decoder.layout.block_in_interval == 0;
        uint32_t mapped[FOS_BLOCK_SIZE_MAX];
        uint32_t reference = 0;
        if (!fos_block_decode(&decoder, mapped, has_reference, &reference)) { return FOS_ERR_CORRUPT; }
        if (has_reference) { previous = extend_sign(&layout, reference); }
        previous = restore_block(&layout, mapped, count, previous, samples + done * layout.bytes_per_sample);
        if (layout.pads_interval && decoder.layout.block_in_interval == 0) { fos_bits_skip_to_byte(&decoder.reader); }
    }
    *samples_bytes = sample_count * layout.bytes_per_sample;
    return FOS_OK;
}
