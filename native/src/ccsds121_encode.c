/* CCSDS 121.0-B-3 lossless coder: samples, unit-delay preprocessor (section 4), block-adaptive coder (section 3).
 *
 * Output equals libaec's, bit for bit, for the same parameters: in what the standard leaves open (which of equally short
 * splits, how the last block is filled) this does what libaec does, so ground tools that exist can read it.
 */
#include "ccsds121_internal.h"

bool fos_ccsds121_layout(const fos_ccsds121_parameters_t *parameters, fos_ccsds121_layout_t *layout)
{
    const uint32_t bits = parameters->bits_per_sample;
    const uint32_t flags = parameters->flags;
    if ((flags & ~FOS_CCSDS121_FLAGS_KNOWN) != 0) { return false; }
    if (!fos_block_layout_start(&layout->blocks, bits, parameters->block_size, parameters->interval_blocks,
                                (flags & FOS_CCSDS121_RESTRICTED) != 0)) {
        return false;
    }
    layout->bytes_per_sample = bits > 24 ? 4 : bits > 16 ? ((flags & FOS_CCSDS121_3BYTE) != 0 ? 3 : 4) : bits > 8 ? 2 : 1;
    layout->is_signed = (flags & FOS_CCSDS121_SIGNED) != 0;
    layout->high_byte_first = (flags & FOS_CCSDS121_MSB) != 0;
    layout->has_preprocessor = (flags & FOS_CCSDS121_PREPROCESS) != 0;
    layout->pads_interval = (flags & FOS_CCSDS121_PAD_INTERVAL) != 0;
    const uint32_t value_max = (uint32_t)(((uint64_t)1 << bits) - 1);
    layout->sample_min = layout->is_signed ? -((int64_t)1 << (bits - 1)) : 0;
    layout->sample_max = layout->sample_min + value_max;
    return true;
}

size_t fos_ccsds121_encoded_bytes_max(const fos_ccsds121_parameters_t *parameters, size_t sample_count)
{
    fos_ccsds121_layout_t layout;
    if (parameters == NULL || sample_count > FOS_PIXEL_COUNT_MAX) { return 0; }
    if (!fos_ccsds121_layout(parameters, &layout)) { return 0; }
    /* No option is longer than the plain one: identifier, reference and block; 7 bits fill an interval. */
    const size_t block_count = (sample_count + layout.blocks.block_size - 1) / layout.blocks.block_size;
    const size_t block_bits = 14 + (size_t)(layout.blocks.block_size + 1) * layout.blocks.bits_per_sample;
    return (block_count * block_bits + 7) / 8 + 1;
}

/* The samples of one block as numbers. False when one needs more than bits_per_sample. */
static bool load_block(const fos_ccsds121_layout_t *layout, const uint8_t *samples, uint32_t count, int64_t *values)
{
    const uint32_t width = layout->bytes_per_sample;
    for (uint32_t index = 0; index < count; index++) {
        uint32_t bits = 0;
        for (uint32_t byte = 0; byte < width; byte++) {
            const uint32_t shift = 8 * (layout->high_byte_first ? width - 1 - byte : byte);
            bits |= (uint32_t)samples[index * width + byte] << shift;
        }
        const uint32_t unused = 32 - 8 * width;
        values[index] = layout->is_signed ? (int64_t)((int32_t)(bits << unused) >> unused) : (int64_t)bits;
    }
    bool fits = true;
    for (uint32_t index = 0; index < count; index++) {
        fits = fits && values[index] >= layout->sample_min && values[index] <= layout->sample_max;
    }
    return fits;
}

/* The same for the two forms that images come in, in int32, in loops that the compiler turns into vectors. */
static bool load_block_u8(const fos_ccsds121_layout_t *layout, const uint8_t *samples, uint32_t count, int32_t *values)
{
    uint32_t seen = 0;
    for (uint32_t index = 0; index < count; index++) {
        values[index] = samples[index];
        seen |= samples[index];
    }
    return (int64_t)seen <= layout->sample_max;
}

static bool load_block_u16(const fos_ccsds121_layout_t *layout, const uint8_t *samples, uint32_t count,
                           int32_t *values)
{
    uint16_t words[FOS_BLOCK_SIZE_MAX];
    memcpy(words, samples, count * sizeof words[0]);
    uint32_t seen = 0;
    for (uint32_t index = 0; index < count; index++) {
        values[index] = words[index];
        seen |= words[index];
    }
    return (int64_t)seen <= layout->sample_max;
}

/* 4.4: the difference from the sample before, mapped so that likely ones are small. previous is the predicted value. */
static uint32_t map_difference(int64_t sample, int64_t previous, int64_t sample_min, int64_t sample_max)
{
    const int64_t difference = sample - previous;
    const int64_t below = previous - sample_min;
    const int64_t above = sample_max - previous;
    const int64_t nearer = below < above ? below : above;
    const int64_t magnitude = difference < 0 ? -difference : difference;
    return (uint32_t)(magnitude > nearer ? nearer + magnitude : 2 * magnitude - (difference < 0));
}

/* The same over a block of at most 16-bit samples: values[-1] is there. */
static void map_block_narrow(const int32_t *values, uint32_t count, int32_t sample_min, int32_t sample_max,
                             uint32_t *mapped)
{
    for (uint32_t index = 0; index < count; index++) {
        const int32_t previous = values[(ptrdiff_t)index - 1];
        const int32_t difference = values[index] - previous;
        const int32_t below = previous - sample_min;
        const int32_t above = sample_max - previous;
        const int32_t nearer = below < above ? below : above;
        const int32_t magnitude = difference < 0 ? -difference : difference;
        const int32_t inside = 2 * magnitude - (difference < 0);
        mapped[index] = (uint32_t)(magnitude > nearer ? nearer + magnitude : inside);
    }
}

typedef struct {
    const fos_ccsds121_layout_t *layout;
    int64_t previous;
} mapper_t;

/* One block of count samples, filled up with its last one, to mapped values. False on a sample out of range. */
static bool map_block(mapper_t *mapper, const uint8_t *samples, uint32_t count, bool starts_interval,
                      uint32_t *mapped, uint32_t *reference)
{
    const fos_ccsds121_layout_t *layout = mapper->layout;
    const uint32_t block_size = layout->blocks.block_size;
    const uint32_t value_mask = (uint32_t)(((uint64_t)1 << layout->blocks.bits_per_sample) - 1);
    const bool is_plain = FOS_LOW_BYTE_FIRST && !layout->is_signed && !layout->high_byte_first && layout->has_preprocessor;
    if (is_plain && layout->bytes_per_sample <= 2 && count == block_size) {
        int32_t values[1 + FOS_BLOCK_SIZE_MAX];
        const bool fits = layout->bytes_per_sample == 1 ? load_block_u8(layout, samples, count, values + 1)
                                                        : load_block_u16(layout, samples, count, values + 1);
        values[0] = starts_interval ? values[1] : (int32_t)mapper->previous;
        *reference = (uint32_t)values[1];
        map_block_narrow(values + 1, count, (int32_t)layout->sample_min, (int32_t)layout->sample_max, mapped);
        mapper->previous = values[count];
        return fits;
    }
    int64_t values[FOS_BLOCK_SIZE_MAX];
    if (!load_block(layout, samples, count, values)) { return false; }
    for (uint32_t index = count; index < block_size; index++) { values[index] = values[count - 1]; }
    *reference = (uint32_t)values[0] & value_mask;
    if (!layout->has_preprocessor) {
        for (uint32_t index = 0; index < block_size; index++) { mapped[index] = (uint32_t)values[index] & value_mask; }
        return true;
    }
    int64_t previous = starts_interval ? values[0] : mapper->previous;
    for (uint32_t index = 0; index < block_size; index++) {
        mapped[index] = map_difference(values[index], previous, layout->sample_min, layout->sample_max);
        previous = values[index];
    }
    mapper->previous = previous;
    return true;
}

fos_status_t fos_ccsds121_encode(const uint8_t *samples, size_t sample_count,
                                 const fos_ccsds121_parameters_t *parameters, uint8_t *encoded,
                                 size_t encoded_capacity_bytes, size_t *encoded_bytes)
{
    fos_ccsds121_layout_t layout;
    if (samples == NULL || parameters == NULL || encoded == NULL || encoded_bytes == NULL) { return FOS_ERR_NULL; }
    if (sample_count > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    if (!fos_ccsds121_layout(parameters, &layout)) { return FOS_ERR_PARAMETER; }
    fos_block_encoder_t encoder;
    fos_block_encoder_start(&encoder, &layout.blocks, encoded, encoded_capacity_bytes);
    mapper_t mapper = {&layout, 0};
    const uint32_t block_size = layout.blocks.block_size;
    for (size_t done = 0; done < sample_count && !encoder.writer.overflowed; done += block_size) {
        const size_t left = sample_count - done;
        const uint32_t count = left < block_size ? (uint32_t)left : block_size;
        const bool starts_interval = encoder.layout.block_in_interval == 0;
        uint32_t mapped[FOS_BLOCK_SIZE_MAX];
        uint32_t reference;
        const uint8_t *block = samples + done * layout.bytes_per_sample;
        if (!map_block(&mapper, block, count, starts_interval, mapped, &reference)) { return FOS_ERR_RANGE; }
        const bool has_reference = starts_interval && layout.has_preprocessor;
        fos_block_encode(&encoder, mapped, has_reference, reference, left <= block_size);
        if (layout.pads_interval && encoder.layout.block_in_interval == 0) { fos_bits_pad_byte(&encoder.writer); }
    }
    if (!fos_bits_finish(&encoder.writer)) { return FOS_ERR_CAPACITY; }
    *encoded_bytes = (size_t)(encoder.writer.next - encoded);
    return FOS_OK;
}
