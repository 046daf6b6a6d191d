/* CCSDS 123.0-B-2, 4.7.1 and 4.10.3: dot product, sign of the error, weights, one sample after the other. */
#include "ccsds123_internal.h"
#include "kernels_internal.h"

/* lanes is a number that the compiler knows, so the loops become straight code. */
static inline __attribute__((always_inline)) void chain(const fos_ccsds123_row_t *row, uint32_t first, uint32_t end,
                                                        int32_t exponent, uint32_t lanes)
{
    const fos_ccsds123_layout_t layout = *row->layout;
    const uint32_t left = exponent < 0 ? (uint32_t)(-exponent - 1) : 0;
    const uint32_t right = exponent < 0 ? 0 : (uint32_t)exponent + 1;
    const int32_t half = exponent < 0 ? 0 : (int32_t)1 << exponent;
    int32_t weights[FOS_CCSDS123_WEIGHTS_MAX];
    memcpy(weights, row->weights, lanes * sizeof weights[0]);
    for (uint32_t col = first; col < end; col++) {
        const int32_t *restrict differences = row->differences + (size_t)col * lanes;
        int64_t dot = 0;
        for (uint32_t lane = 0; lane < lanes; lane++) { dot += (int64_t)weights[lane] * differences[lane]; }
        row->dots[col] = dot;
        const bool is_negative = dot >= (int64_t)row->central[col] * ((int64_t)1 << layout.given.weight_bits);
        const int32_t turn = is_negative ? -1 : 0;
        for (uint32_t lane = 0; lane < lanes; lane++) {
            const int32_t signed_difference = (differences[lane] ^ turn) - turn;
            const int32_t weight = weights[lane] + ((signed_difference * (1 << left) + half) >> right);
            const int32_t raised = weight < layout.weight_min ? layout.weight_min : weight;
            weights[lane] = raised > layout.weight_max ? layout.weight_max : raised;
        }
    }
    memcpy(row->weights, weights, lanes * sizeof weights[0]);
}

void fos_ccsds123_chain_portable(const fos_ccsds123_row_t *row, uint32_t first, uint32_t end, int32_t exponent)
{
    switch (row->layout->weight_count) {
    case 8: chain(row, first, end, exponent, 8); break;
    case 16: chain(row, first, end, exponent, 16); break;
    default: chain(row, first, end, exponent, 24); break;
    }
}

void fos_ccsds123_chain_pair_portable(const fos_ccsds123_row_t *row, const fos_ccsds123_row_t *partner, uint32_t first,
                                      uint32_t end, int32_t exponent)
{
    fos_ccsds123_chain_portable(row, first, end, exponent);
    fos_ccsds123_chain_portable(partner, first, end, exponent);
}

void fos_ccsds123_fill(fos_kernels_t *table, uint32_t features)
{
    table->ccsds123_chain = fos_ccsds123_chain_portable;
    table->ccsds123_chain_pair = fos_ccsds123_chain_pair_portable;
    table->ccsds123_restore = fos_ccsds123_restore_portable;
#ifdef FOS_HAVE_AVX2
    if ((features & FOS_FEATURE_AVX2) != 0) {
        table->ccsds123_chain = fos_ccsds123_chain_avx2;
        table->ccsds123_chain_pair = fos_ccsds123_chain_pair_avx2;
        table->ccsds123_restore = fos_ccsds123_restore_avx2;
    }
#else
    (void)features;
#endif
}
