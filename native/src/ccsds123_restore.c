/* CCSDS 123.0-B-2, 4.7 to 4.11, where samples are restored as they go: decoding, and near-lossless coding, whose
 * predictor must see what the decoder will see. Sections are followed in their order, one sample after the other.
 */
#include "ccsds123_internal.h"

typedef struct {
    int32_t predicted;   /* s-hat */
    int32_t doubled;     /* s-tilde, the double-resolution predicted sample value */
    int32_t error_max;   /* m */
} prediction_t;

/* 4.8.2: the largest error that this sample may have. */
static int32_t error_max(const fos_ccsds123_layout_t *layout, int32_t predicted)
{
    const fos_ccsds123_parameters_t *given = &layout->given;
    if (layout->is_lossless) { return 0; }
    const uint32_t magnitude = (uint32_t)(predicted < 0 ? -predicted : predicted);
    const uint32_t relative = (uint32_t)(((uint64_t)given->error_relative_max * magnitude) >> given->sample_bits);
    if (given->error_limits_used == 1) { return (int32_t)given->error_absolute_max; }
    if (given->error_limits_used == 2 || relative < given->error_absolute_max) { return (int32_t)relative; }
    return (int32_t)given->error_absolute_max;
}

/* 4.7: from the dot product and the local sum to the prediction. */
static prediction_t predict(const fos_ccsds123_layout_t *layout, int64_t dot, int32_t local_sum)
{
    const uint32_t unused_bits = 64 - layout->given.register_bits;
    const int64_t unit = (int64_t)1 << layout->given.weight_bits;
    const int64_t inner = dot + unit * (local_sum - 4 * (int64_t)layout->sample_mid);
    const int64_t wrapped = (int64_t)((uint64_t)inner << unused_bits) >> unused_bits;
    const int64_t high = wrapped + 4 * unit * layout->sample_mid + 2 * unit;
    const int64_t doubled = high >> (layout->given.weight_bits + 1);
    const int32_t low = 2 * layout->sample_min;
    const int32_t top = 2 * layout->sample_max + 1;
    prediction_t prediction;
    prediction.doubled = doubled < low ? low : doubled > top ? top : (int32_t)doubled;
    prediction.predicted = prediction.doubled >> 1;
    prediction.error_max = error_max(layout, prediction.predicted);
    return prediction;
}

/* 4.8.1 and 4.11: residual to quantizer index to mapped index. */
static uint16_t map_index(const fos_ccsds123_layout_t *layout, const prediction_t *prediction, int32_t original)
{
    const int32_t width = 2 * prediction->error_max + 1;
    const int32_t residual = original - prediction->predicted;
    const int32_t magnitude = ((residual < 0 ? -residual : residual) + prediction->error_max) / width;
    const int32_t below = (prediction->predicted - layout->sample_min + prediction->error_max) / width;
    const int32_t above = (layout->sample_max - prediction->predicted + prediction->error_max) / width;
    const int32_t nearer = below < above ? below : above;
    if (magnitude > nearer) { return (uint16_t)(magnitude + nearer); }
    const bool is_odd = (prediction->doubled & 1) != 0;
    const bool is_turned = is_odd ? residual > 0 : residual < 0;
    return (uint16_t)(2 * magnitude - (magnitude != 0 && is_turned));
}

/* The way back: a quantizer index; *is_possible is cleared when no sample has that mapped value. */
static int32_t unmap_index(const fos_ccsds123_layout_t *layout, const prediction_t *prediction, int32_t mapped,
                           bool *is_possible)
{
    const int32_t width = 2 * prediction->error_max + 1;
    const int32_t below = (prediction->predicted - layout->sample_min + prediction->error_max) / width;
    const int32_t above = (layout->sample_max - prediction->predicted + prediction->error_max) / width;
    const int32_t nearer = below < above ? below : above;
    if (mapped > below + above) {
        *is_possible = false;
        return 0;
    }
    if (mapped > 2 * nearer) { return below < above ? mapped - nearer : nearer - mapped; }
    const int32_t index = (mapped & 1) != 0 ? -((mapped + 1) >> 1) : mapped >> 1;
    return (prediction->doubled & 1) != 0 ? -index : index;
}

/* One sample: mapped value, restored sample; with an original it is mapped first. */
static int32_t restore(const fos_ccsds123_row_t *row, uint32_t col, const prediction_t *prediction, bool *is_possible)
{
    const fos_ccsds123_layout_t *layout = row->layout;
    if (row->originals != NULL) { row->mapped[col] = map_index(layout, prediction, row->originals[col]); }
    const int32_t index = unmap_index(layout, prediction, row->mapped[col], is_possible);
    const int32_t sample = prediction->predicted + index * (2 * prediction->error_max + 1);
    return sample < layout->sample_min ? layout->sample_min : sample > layout->sample_max ? layout->sample_max : sample;
}

/* 4.4, 4.5: what only the sample to the west completes. */
static void complete_from_west(const fos_ccsds123_row_t *row, uint32_t col, int32_t *differences)
{
    const fos_ccsds123_layout_t *layout = row->layout;
    const uint32_t local_sum = layout->given.local_sum;
    if (col > 0 && row->row == 0 && (local_sum & 1) == 0) { row->sums[col] = 4 * row->current[col - 1]; }
    if (col > 0 && row->row > 0 && local_sum == FOS_CCSDS123_WIDE_NEIGHBOUR) { row->sums[col] += row->current[col - 1]; }
    if (layout->directions == 0) { return; }
    if (row->row == 0) {
        differences[0] = differences[1] = differences[2] = 0;
        return;
    }
    const int32_t north = 4 * row->above[col] - row->sums[col];
    differences[0] = north;
    differences[1] = col == 0 ? north : 4 * row->current[col - 1] - row->sums[col];
    differences[2] = col == 0 ? north : 4 * row->above[col - 1] - row->sums[col];
}

bool fos_ccsds123_predict_restoring(const fos_ccsds123_row_t *row)
{
    const fos_ccsds123_layout_t *layout = row->layout;
    const uint32_t cols = layout->given.cols;
    const uint64_t row_index = (uint64_t)row->row * cols;
    bool is_possible = true;
    uint64_t index_end = 0;
    int32_t exponent = 0;
    for (uint32_t col = 0; col < cols; col++) {
        int32_t *differences = row->differences + (size_t)col * layout->weight_count;
        complete_from_west(row, col, differences);
        if (row_index + col == 0) { /* 4.7.3 and 4.8.1: the first sample has a rule of its own, and no loss */
            const prediction_t first = {row->before_first, 2 * row->before_first, 0};
            row->current[0] = restore(row, 0, &first, &is_possible);
            row->central[0] = 0;
            continue;
        }
        int64_t dot = 0;
        for (uint32_t lane = 0; lane < layout->weight_count; lane++) {
            dot += (int64_t)row->weights[lane] * differences[lane];
        }
        const prediction_t prediction = predict(layout, dot, row->sums[col]);
        row->current[col] = restore(row, col, &prediction, &is_possible);
        row->central[col] = 4 * row->current[col] - row->sums[col];
        if (row_index + col >= index_end) { exponent = fos_ccsds123_update_exponent(layout, row_index + col, &index_end); }
        const bool is_negative = 2 * row->current[col] < prediction.doubled;
        fos_ccsds123_update_weights(layout, row->weights, differences, is_negative, exponent);
    }
    return is_possible;
}
