/* CCSDS 123.0-B-2, 4.7 to 4.11, where all samples of the row are known: lossless coding. */
#include "ccsds123_internal.h"
#include "kernels_internal.h"

/* 4.10.2: rho, and the first sample index at which it may differ. */
int32_t fos_ccsds123_update_exponent(const fos_ccsds123_layout_t *layout, uint64_t index, uint64_t *index_end)
{
    const fos_ccsds123_parameters_t *given = &layout->given;
    const int32_t offset = (int32_t)given->sample_bits - (int32_t)given->weight_bits;
    *index_end = UINT64_MAX;
    int64_t exponent = given->weight_exponent_first;
    if (index < given->cols) {
        *index_end = given->cols + ((uint64_t)1 << given->weight_interval_log2);
    } else {
        const uint64_t steps = (index - given->cols) >> given->weight_interval_log2;
        exponent += (int64_t)steps;
        if (exponent < given->weight_exponent_last) {
            *index_end = given->cols + ((steps + 1) << given->weight_interval_log2);
        }
    }
    if (exponent > given->weight_exponent_last) { exponent = given->weight_exponent_last; }
    return (int32_t)exponent + offset;
}

/* 4.7.3 and 4.11: the double-resolution predicted values from the dot products, and from those the mapped residuals.
 * The local sum cancels s_mid: 2^Omega (sigma - 4 s_mid) + 2^(Omega + 2) s_mid = 2^Omega sigma. */
static void map_row(const fos_ccsds123_row_t *row, uint32_t first)
{
    const fos_ccsds123_layout_t *layout = row->layout;
    const uint32_t cols = layout->given.cols;
    const uint32_t weight_bits = layout->given.weight_bits;
    const int64_t *restrict dots = row->dots;
    int32_t *restrict doubled = row->sums;
    if (layout->weight_count == 8 && layout->given.sample_bits + weight_bits <= 23) {
        /* Eight products of D + 3 and Omega + 3 bits, and sigma: 32 bits hold them, and twice as many fit a vector. */
        for (uint32_t col = first; col < cols; col++) {
            doubled[col] = ((int32_t)dots[col] + (doubled[col] + 2) * (1 << weight_bits)) >> (weight_bits + 1);
        }
    } else {
        for (uint32_t col = first; col < cols; col++) {
            const int64_t high = dots[col] + ((int64_t)(doubled[col] + 2) * ((int64_t)1 << weight_bits));
            doubled[col] = (int32_t)(high >> (weight_bits + 1));
        }
    }
    const int32_t sample_min = layout->sample_min;
    const int32_t sample_max = layout->sample_max;
    const int32_t low = 2 * sample_min;
    const int32_t top = 2 * sample_max + 1;
    const int32_t *restrict samples = row->current;
    uint32_t *restrict mapped = row->mapped;
    for (uint32_t col = first; col < cols; col++) {
        int32_t twice = doubled[col];
        twice = twice < low ? low : twice > top ? top : twice;
        const int32_t predicted = twice >> 1;
        const int32_t residual = samples[col] - predicted;
        const int32_t below = predicted - sample_min;
        const int32_t above = sample_max - predicted;
        const int32_t nearer = below < above ? below : above;
        /* Signs as masks: no condition that could keep the loop from becoming vectors. */
        const int32_t sign = residual >> 31;
        const int32_t odd = -(twice & 1);
        const int32_t magnitude = (residual ^ sign) - sign;
        const int32_t turned = (residual ^ odd) - odd;
        const int32_t inside = 2 * magnitude + (turned >> 31);
        const int32_t beyond = (nearer - magnitude) >> 31;
        mapped[col] = (uint32_t)((beyond & (magnitude + nearer)) | (~beyond & inside));
    }
}

/* 4.7.3, 4.11 for the first sample of a band. */
static uint32_t map_first(const fos_ccsds123_row_t *row)
{
    const int32_t below = row->before_first - row->layout->sample_min;
    const int32_t above = row->layout->sample_max - row->before_first;
    const int32_t nearer = below < above ? below : above;
    const int32_t residual = row->current[0] - row->before_first;
    const int32_t magnitude = residual < 0 ? -residual : residual;
    return (uint32_t)(magnitude > nearer ? magnitude + nearer : 2 * magnitude - (residual < 0));
}

/* The dot products and weights when R bits can wrap (4.7.2): as the standard states them, one after the other. */
static void chain_wrapping(const fos_ccsds123_row_t *row, uint32_t first, uint32_t end, int32_t exponent)
{
    const fos_ccsds123_layout_t *layout = row->layout;
    const uint32_t unused_bits = 64 - layout->given.register_bits;
    const int64_t unit = (int64_t)1 << layout->given.weight_bits;
    const int64_t low = 4 * unit * layout->sample_min;
    const int64_t top = 4 * unit * layout->sample_max + 2 * unit;
    for (uint32_t col = first; col < end; col++) {
        const int32_t *differences = row->differences + (size_t)col * layout->weight_count;
        int64_t dot = 0;
        for (uint32_t lane = 0; lane < layout->weight_count; lane++) {
            dot += (int64_t)row->weights[lane] * differences[lane];
        }
        const int64_t sum = unit * (row->sums[col] - 4 * (int64_t)layout->sample_mid);
        const int64_t wrapped = (int64_t)((uint64_t)(dot + sum) << unused_bits) >> unused_bits;
        row->dots[col] = wrapped - sum;
        int64_t high = wrapped + 4 * unit * layout->sample_mid + 2 * unit;
        high = high < low ? low : high > top ? top : high;
        const bool is_negative = 2 * (int64_t)row->current[col] < high >> (layout->given.weight_bits + 1);
        fos_ccsds123_update_weights(layout, layout->weight_count, row->weights, differences, is_negative, exponent);
    }
}

/* The end of the samples from col on that share an update exponent. */
static uint32_t end_of_exponent(const fos_ccsds123_row_t *row, uint32_t col, int32_t *exponent)
{
    const uint32_t cols = row->layout->given.cols;
    const uint64_t row_index = (uint64_t)row->row * cols;
    uint64_t index_end;
    *exponent = fos_ccsds123_update_exponent(row->layout, row_index + col, &index_end);
    return index_end - row_index < cols ? (uint32_t)(index_end - row_index) : cols;
}

bool fos_ccsds123_predict_restoring(const fos_ccsds123_row_t *row, const fos_ccsds123_row_t *partner)
{
    return fos_kernels()->ccsds123_restore(row, partner);
}

void fos_ccsds123_predict_known(const fos_ccsds123_row_t *row)
{
    const uint32_t first = row->row == 0 ? 1 : 0;
    int32_t exponent;
    for (uint32_t col = first, end; col < row->layout->given.cols; col = end) {
        end = end_of_exponent(row, col, &exponent);
        if (row->layout->wraps) {
            chain_wrapping(row, col, end, exponent);
        } else {
            fos_kernels()->ccsds123_chain(row, col, end, exponent);
        }
    }
    if (first == 1) { row->mapped[0] = map_first(row); }
    map_row(row, first);
}

void fos_ccsds123_predict_known_pair(const fos_ccsds123_row_t *row, const fos_ccsds123_row_t *partner)
{
    if (row->layout->wraps) {
        fos_ccsds123_predict_known(row);
        fos_ccsds123_predict_known(partner);
        return;
    }
    const uint32_t first = row->row == 0 ? 1 : 0;
    int32_t exponent;
    for (uint32_t col = first, end; col < row->layout->given.cols; col = end) {
        end = end_of_exponent(row, col, &exponent);
        fos_kernels()->ccsds123_chain_pair(row, partner, col, end, exponent);
    }
    if (first == 1) {
        row->mapped[0] = map_first(row);
        partner->mapped[0] = map_first(partner);
    }
    map_row(row, first);
    map_row(partner, first);
}
