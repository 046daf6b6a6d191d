/* CCSDS 123.0-B-2, 4.7 to 4.11, where samples are restored as they go: decoding, and coding with loss or with sample
 * representatives, whose predictor must see what the decoder will see. Sections are followed in their order, one sample
 * after the other; what never changes in an image is a number that the compiler knows.
 */
#include "ccsds123_internal.h"

typedef struct {
    bool has_loss;
    bool has_representatives;
    bool is_coding;
    uint32_t lanes; /* weight_count */
} mode_t;

typedef struct {
    int64_t high;        /* the high-resolution predicted sample value; unclipped */
    int32_t doubled;     /* the double-resolution predicted sample value */
    int32_t predicted;   /* s-hat */
    int32_t error_max;   /* m */
} prediction_t;

/* 4.8.2.1: the largest error that this sample may have. */
static inline int32_t error_max(const fos_ccsds123_row_t *row, int32_t predicted)
{
    const uint32_t used = row->layout->given.error_limits_used;
    const uint64_t magnitude = (uint64_t)(predicted < 0 ? -predicted : predicted);
    const int64_t relative = (int64_t)(((uint64_t)row->error_relative_max * magnitude) >> row->layout->given.sample_bits);
    if (used == 1 || (used == 3 && row->error_absolute_max < relative)) { return (int32_t)row->error_absolute_max; }
    return (int32_t)relative;
}

/* 4.7: from the dot product and the local sum to the prediction. */
static inline prediction_t predict(const fos_ccsds123_layout_t *layout, int64_t dot, int32_t local_sum)
{
    const uint32_t weight_bits = layout->given.weight_bits;
    const int64_t unit = (int64_t)1 << weight_bits;
    int64_t high = dot + unit * (local_sum - 4 * (int64_t)layout->sample_mid);
    if (layout->wraps) {
        const uint32_t unused_bits = 64 - layout->given.register_bits;
        high = (int64_t)((uint64_t)high << unused_bits) >> unused_bits;
    }
    prediction_t prediction;
    prediction.high = high + 4 * unit * layout->sample_mid + 2 * unit;
    const int64_t doubled = prediction.high >> (weight_bits + 1);
    const int32_t low = 2 * layout->sample_min;
    const int32_t top = 2 * layout->sample_max + 1;
    prediction.doubled = doubled < low ? low : doubled > top ? top : (int32_t)doubled;
    prediction.predicted = prediction.doubled >> 1;
    prediction.error_max = 0;
    return prediction;
}

/* The smaller and the larger distance to the ends of the range, as many quantizer steps (4.11): theta is the smaller one.
 * The division is the slowest step of all, so there is one, and none without loss. */
typedef struct {
    int32_t width;
    int32_t nearer;    /* theta */
    int32_t far_reach; /* distance to the farther end and the error, in samples */
    bool top_is_nearer;
} reach_t;

static inline reach_t reach_of(const fos_ccsds123_layout_t *layout, const prediction_t *prediction, mode_t mode)
{
    const int32_t error = mode.has_loss ? prediction->error_max : 0;
    const int32_t below = prediction->predicted - layout->sample_min + error;
    const int32_t above = layout->sample_max - prediction->predicted + error;
    reach_t reach = {.width = 2 * error + 1, .top_is_nearer = above < below};
    const int32_t near_reach = reach.top_is_nearer ? above : below;
    reach.far_reach = reach.top_is_nearer ? below : above;
    reach.nearer = mode.has_loss ? (int32_t)((uint32_t)near_reach / (uint32_t)reach.width) : near_reach;
    return reach;
}

/* 4.8.1 and 4.11: residual to quantizer index to mapped index. */
static inline uint32_t map_index(const prediction_t *prediction, const reach_t *reach, int32_t original, mode_t mode)
{
    const int32_t residual = original - prediction->predicted;
    int32_t magnitude = residual < 0 ? -residual : residual;
    if (mode.has_loss) { magnitude = (int32_t)((uint32_t)(magnitude + prediction->error_max) / (uint32_t)reach->width); }
    if (magnitude > reach->nearer) { return (uint32_t)(magnitude + reach->nearer); }
    const bool is_odd = (prediction->doubled & 1) != 0;
    const bool is_turned = is_odd ? residual > 0 : residual < 0;
    return (uint32_t)(2 * magnitude - (magnitude != 0 && is_turned));
}

/* The way back: a quantizer index; *is_possible is cleared when no sample has that mapped value. */
static inline int32_t unmap_index(const prediction_t *prediction, const reach_t *reach, int32_t mapped,
                                  bool *is_possible)
{
    if (__builtin_expect(mapped > 2 * reach->nearer, 0)) {
        const int32_t magnitude = mapped - reach->nearer;
        if ((int64_t)magnitude * reach->width > reach->far_reach) {
            *is_possible = false;
            return 0;
        }
        return reach->top_is_nearer ? -magnitude : magnitude;
    }
    const int32_t turn = -((mapped ^ prediction->doubled) & 1); /* odd values are against the side of the prediction */
    const int32_t magnitude = (mapped + 1) >> 1;
    return (magnitude ^ turn) - turn;
}

/* 4.9.2: the sample representative of a restored sample. */
static inline int32_t represent(const fos_ccsds123_row_t *row, const prediction_t *prediction, int32_t index,
                                int32_t restored)
{
    const fos_ccsds123_layout_t *layout = row->layout;
    const uint32_t weight_bits = layout->given.weight_bits;
    const uint32_t resolution = layout->given.representative_bits;
    const int64_t unit = (int64_t)1 << weight_bits;
    const int64_t low = 4 * unit * layout->sample_min;
    const int64_t top = 4 * unit * layout->sample_max + 2 * unit;
    const int64_t high = prediction->high < low ? low : prediction->high > top ? top : prediction->high;
    const int64_t step = index == 0 ? 0 : (int64_t)prediction->error_max * row->offset * (unit >> resolution);
    const int64_t center = restored * unit - (index < 0 ? -step : step);
    const int64_t damped = row->damping * (high - 2 * unit);
    const int64_t doubled = (4 * (((int64_t)1 << resolution) - row->damping) * center + damped)
                            >> (weight_bits + resolution + 1);
    return (int32_t)((doubled + 1) >> 1);
}

/* 4.8 to 4.11 for one sample: mapped value and restored sample. With an original it is mapped first. */
static inline int32_t restore(const fos_ccsds123_row_t *row, uint32_t col, prediction_t *prediction, mode_t mode,
                              bool *is_possible)
{
    const fos_ccsds123_layout_t *layout = row->layout;
    const reach_t reach = reach_of(layout, prediction, mode);
    if (mode.is_coding) { row->mapped[col] = map_index(prediction, &reach, row->originals[col], mode); }
    const int32_t index = unmap_index(prediction, &reach, (int32_t)row->mapped[col], is_possible);
    int32_t sample = prediction->predicted + (mode.has_loss ? index * reach.width : index);
    if (mode.has_loss) {
        sample = sample < layout->sample_min ? layout->sample_min
                 : sample > layout->sample_max ? layout->sample_max : sample;
    }
    if (mode.has_representatives) {
        if (!mode.is_coding) { row->originals[col] = sample; }
        row->current[col] = represent(row, prediction, index, sample);
    } else {
        row->current[col] = sample;
    }
    return sample;
}

/* 4.7.3, 4.8.1, 4.9.2: the first sample has a prediction of its own, no loss, and represents itself. */
static void restore_first(const fos_ccsds123_row_t *row, mode_t mode, bool *is_possible)
{
    prediction_t first = {.doubled = 2 * row->before_first, .predicted = row->before_first};
    mode.has_loss = false;
    mode.has_representatives = false;
    const int32_t sample = restore(row, 0, &first, mode, is_possible);
    if (row->layout->has_representatives && !mode.is_coding) { row->originals[0] = sample; }
    row->central[0] = 0;
}

/* 4.4, 4.5: what only the sample to the west completes. */
static inline void complete_from_west(const fos_ccsds123_row_t *row, uint32_t col, int32_t *differences)
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

static inline __attribute__((always_inline)) bool walk(const fos_ccsds123_row_t *row, mode_t mode)
{
    const fos_ccsds123_layout_t *layout = row->layout;
    const uint32_t cols = layout->given.cols;
    const uint64_t row_index = (uint64_t)row->row * cols;
    bool is_possible = true;
    uint64_t index_end = 0;
    int32_t exponent = 0;
    uint32_t col = 0;
    if (row->row == 0) {
        restore_first(row, mode, &is_possible);
        col = 1;
    }
    for (; col < cols; col++) {
        int32_t *differences = row->differences + (size_t)col * mode.lanes;
        complete_from_west(row, col, differences);
        int64_t dot = 0;
        for (uint32_t lane = 0; lane < mode.lanes; lane++) { dot += (int64_t)row->weights[lane] * differences[lane]; }
        prediction_t prediction = predict(layout, dot, row->sums[col]);
        if (mode.has_loss) { prediction.error_max = error_max(row, prediction.predicted); }
        const int32_t sample = restore(row, col, &prediction, mode, &is_possible);
        row->central[col] = 4 * row->current[col] - row->sums[col];
        if (row_index + col >= index_end) { exponent = fos_ccsds123_update_exponent(layout, row_index + col, &index_end); }
        fos_ccsds123_update_weights(layout, row->weights, differences, 2 * sample < prediction.doubled, exponent);
    }
    return is_possible;
}

/* Each combination as straight code of its own. */
#define WALK(loss, representatives, coding, count) \
    walk(row, (mode_t){.has_loss = loss, .has_representatives = representatives, .is_coding = coding, .lanes = count})

bool fos_ccsds123_predict_restoring(const fos_ccsds123_row_t *row)
{
    const fos_ccsds123_layout_t *layout = row->layout;
    const bool has_loss = !layout->is_lossless;
    if (layout->weight_count != 8) {
        return WALK(has_loss, layout->has_representatives, row->is_coding, layout->weight_count);
    }
    if (layout->has_representatives) { return WALK(has_loss, true, row->is_coding, 8); }
    if (row->is_coding) { return WALK(true, false, true, 8); }
    return has_loss ? WALK(true, false, false, 8) : WALK(false, false, false, 8);
}
