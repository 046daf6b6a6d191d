/* CCSDS 123.0-B-2, what its files share. Symbols of the standard stand beside the words used here:
 * D sample_bits, P bands_used, N_X cols, N_Y rows, N_Z bands, M interleave_bands, R register_bits,
 * Omega weight_bits, t_inc weight_interval, nu_min / nu_max weight_exponent_first / _last.
 *
 * Two facts carry the design, both for prediction without loss (m_z(t) = 0, phi = psi = 0):
 * - All local sums and differences come from the image alone, so a whole row of them is prepared at once. What is left
 *   to do one sample after the other is: dot product, the sign of the error, weights.
 * - With d = 4 s - sigma (4.5.2), the sign of the error e (4.10.1) is negative exactly when the dot product reaches
 *   d * 2^Omega: clipping and rounding (4.7.2, 4.7.3) cannot change it. So neither delays the next sample.
 * Where a sample is restored (decoder, or near-lossless coder) the row is walked in one go instead.
 */
#ifndef FOS_CCSDS123_INTERNAL_H
#define FOS_CCSDS123_INTERNAL_H

#include "ccsds121_blocks.h"
#include "flightos_kernels.h"

#define FOS_CCSDS123_WEIGHTS_MAX 24 /* 15 bands and 3 directions, in whole vectors of 8 */

/* The parameters, checked and worked out. */
typedef struct {
    fos_ccsds123_parameters_t given;
    int32_t sample_min, sample_mid, sample_max; /* 3.3.2 */
    uint32_t sample_bytes;
    uint32_t directions;   /* 3 with directional differences, else 0 */
    uint32_t weight_count; /* directions + P, in whole vectors of 8 */
    int32_t weight_min, weight_max; /* 4.6.2.1 */
    bool wraps;            /* R bits can overflow (4.7.2); with the usual R they cannot */
    bool is_lossless;
    bool is_interleaved;   /* BI, not BSQ (5.4.2) */
    fos_block_layout_t blocks;
} fos_ccsds123_layout_t;

/* The caller's scratch memory, divided. Rows of samples have one more on each side. */
typedef struct {
    int32_t *weights;       /* bands x weight_count */
    uint32_t *accumulators; /* bands */
    uint32_t *counters;     /* bands */
    int32_t *current;       /* cols */
    int32_t *above;         /* cols */
    int32_t *originals;     /* cols */
    int32_t *sums;          /* cols: sigma */
    int32_t *centrals;      /* (bands_used + 2) x cols: d of a pair of bands and those before, by band modulo their number */
    int32_t *differences;   /* cols x weight_count: the vectors U */
    int64_t *dots;          /* cols */
    uint16_t *mapped;       /* bands x cols: delta */
    uint8_t *restored;      /* the image as the decoder will see it; near-lossless only */
    size_t partner_bytes;   /* from current, above, originals, sums, differences and dots to those of the partner */
} fos_ccsds123_scratch_t;

/* One row of one band, ready for prediction. */
typedef struct fos_ccsds123_row_s {
    const fos_ccsds123_layout_t *layout;
    int32_t *weights;
    int32_t *differences;
    int32_t *sums;
    int32_t *central;
    int32_t *current;         /* samples as the decoder has them */
    const int32_t *originals; /* near-lossless coder only: samples as they were */
    const int32_t *above;
    int64_t *dots;
    uint16_t *mapped;       /* coder: written, decoder: read */
    uint32_t band, row;
    int32_t before_first;   /* sample of the band before at the first pixel */
} fos_ccsds123_row_t;

/* ccsds123_header.c */
fos_status_t fos_ccsds123_layout(const fos_ccsds123_parameters_t *parameters, fos_ccsds123_layout_t *layout);
size_t fos_ccsds123_divide(const fos_ccsds123_layout_t *layout, bool keeps_restored, uint8_t *memory,
                           fos_ccsds123_scratch_t *scratch);
/* The same memory with row buffers of its own, so that two bands can be predicted together. */
fos_ccsds123_scratch_t fos_ccsds123_partner(const fos_ccsds123_scratch_t *scratch);
void fos_ccsds123_put_header(const fos_ccsds123_layout_t *layout, fos_bit_writer_t *writer);

/* ccsds123_rows.c: from the image to a row that can be predicted. */
void fos_ccsds123_load_row(const fos_ccsds123_layout_t *layout, const uint8_t *image, uint32_t band, uint32_t row,
                           int32_t *samples);
void fos_ccsds123_store_row(const fos_ccsds123_layout_t *layout, uint8_t *image, uint32_t band, uint32_t row,
                            const int32_t *samples);
void fos_ccsds123_start_weights(const fos_ccsds123_layout_t *layout, uint32_t band, int32_t *weights);
/* Before the first row. */
void fos_ccsds123_clear_differences(const fos_ccsds123_layout_t *layout, const fos_ccsds123_scratch_t *scratch);
/* 4.4 and 4.5.2 for a row of which all samples are known: sigma and d. */
void fos_ccsds123_central_row(const fos_ccsds123_layout_t *layout, const fos_ccsds123_scratch_t *scratch,
                              const uint8_t *image, uint32_t band, uint32_t row);
/* Weights, differences from the bands before, and the places of all else. */
void fos_ccsds123_prepare(const fos_ccsds123_layout_t *layout, const fos_ccsds123_scratch_t *scratch,
                          const uint8_t *image, uint32_t band, uint32_t row, fos_ccsds123_row_t *prepared);
/* 4.4 as far as the rows above and the bands before tell: what is to come from the west is left out. */
void fos_ccsds123_prepare_sums(const fos_ccsds123_row_t *row, const fos_ccsds123_scratch_t *scratch,
                               const uint8_t *image);
/* Adds the directional differences of a row of which all samples are known. */
void fos_ccsds123_prepare_directions(const fos_ccsds123_row_t *row);

/* ccsds123_predict.c */
int32_t fos_ccsds123_update_exponent(const fos_ccsds123_layout_t *layout, uint64_t index, uint64_t *index_end);
void fos_ccsds123_predict_known(const fos_ccsds123_row_t *row);
/* The same row of two bands. One has to wait for its own last weights at each sample; the other fills that time. */
void fos_ccsds123_predict_known_pair(const fos_ccsds123_row_t *row, const fos_ccsds123_row_t *partner);

/* 4.10.3: the weights after one sample; differences and weights have weight_count lanes. 2^-rho as a step to the left or
 * a rounded one to the right; no step leaves 32 bits, for D + 2 + (Omega - D - nu_min) is at most 27. */
static inline void fos_ccsds123_update_weights(const fos_ccsds123_layout_t *layout, int32_t *weights,
                                               const int32_t *differences, bool error_is_negative, int32_t exponent)
{
    const uint32_t left = exponent < 0 ? (uint32_t)(-exponent - 1) : 0;
    const uint32_t right = exponent < 0 ? 0 : (uint32_t)exponent + 1;
    const int32_t half = exponent < 0 ? 0 : (int32_t)1 << exponent;
    const int32_t turn = error_is_negative ? -1 : 0;
    for (uint32_t lane = 0; lane < layout->weight_count; lane++) {
        const int32_t signed_difference = (differences[lane] ^ turn) - turn;
        const int32_t step = (signed_difference * (1 << left) + half) >> right;
        const int32_t weight = weights[lane] + step;
        weights[lane] = weight < layout->weight_min ? layout->weight_min
                        : weight > layout->weight_max ? layout->weight_max : weight;
    }
}

/* ccsds123_restore.c: with originals (near-lossless coder) maps, without (decoder) unmaps, and restores the samples, one
 * after the other. False when a mapped value belongs to no sample. */
bool fos_ccsds123_predict_restoring(const fos_ccsds123_row_t *row);

/* ccsds123_chain_*.c: for samples first .. end - 1 of a row, dots[x] = weights . differences[x], and the weights' update
 * (4.10.3), where the error is negative when dots[x] >= central[x] * 2^Omega. */
typedef void fos_ccsds123_chain_t(const fos_ccsds123_row_t *row, uint32_t first, uint32_t end, int32_t exponent);
typedef void fos_ccsds123_chain_pair_t(const fos_ccsds123_row_t *row, const fos_ccsds123_row_t *partner, uint32_t first,
                                       uint32_t end, int32_t exponent);
fos_ccsds123_chain_t fos_ccsds123_chain_portable;
fos_ccsds123_chain_t fos_ccsds123_chain_avx2;
fos_ccsds123_chain_pair_t fos_ccsds123_chain_pair_portable;
fos_ccsds123_chain_pair_t fos_ccsds123_chain_pair_avx2;

/* ccsds123_entropy_*.c: mapped values of lines to bits and back, in the order of 5.4.2. */
typedef struct {
    const fos_ccsds123_layout_t *layout;
    const fos_ccsds123_scratch_t *scratch;
    fos_bit_writer_t writer; /* sample-adaptive coder */
    fos_block_encoder_t blocks;
    uint32_t block[FOS_BLOCK_SIZE_MAX];
    uint32_t block_used;
} fos_ccsds123_encoder_t;

typedef struct {
    const fos_ccsds123_layout_t *layout;
    const fos_ccsds123_scratch_t *scratch;
    fos_bit_reader_t reader;
    fos_block_decoder_t blocks;
    uint32_t block[FOS_BLOCK_SIZE_MAX];
    uint32_t block_used;
} fos_ccsds123_decoder_t;

void fos_ccsds123_encoder_start(fos_ccsds123_encoder_t *encoder, const fos_ccsds123_layout_t *layout,
                                const fos_ccsds123_scratch_t *scratch, uint8_t *encoded, size_t capacity_bytes);
/* Bands first_band .. band_end - 1 of one row, all samples of a pixel together, from scratch->mapped. */
void fos_ccsds123_encode_line(fos_ccsds123_encoder_t *encoder, uint32_t row, uint32_t first_band, uint32_t band_end);
/* False when the memory was too small. */
bool fos_ccsds123_encoder_finish(fos_ccsds123_encoder_t *encoder, const uint8_t *encoded, size_t *encoded_bytes);

void fos_ccsds123_decoder_start(fos_ccsds123_decoder_t *decoder, const fos_ccsds123_layout_t *layout,
                                const fos_ccsds123_scratch_t *scratch, const uint8_t *encoded, size_t encoded_bytes);
/* Into scratch->mapped. False when the bytes are no such code. */
bool fos_ccsds123_decode_line(fos_ccsds123_decoder_t *decoder, uint32_t row, uint32_t first_band, uint32_t band_end);

/* 5.4.3.2.2: accumulator and counter before the second sample of a band. */
void fos_ccsds123_start_statistics(const fos_ccsds123_layout_t *layout, uint32_t *accumulator, uint32_t *counter);

/* 5.4.3.2.4.4: k, the largest with counter * 2^k <= scaled, within 0..D - 2. From the lengths of both numbers it is known
 * but for one. */
static inline uint32_t fos_ccsds123_code_bits(uint32_t accumulator, uint32_t counter, uint32_t code_bits_max)
{
    const uint32_t scaled = accumulator + (counter * 49 >> 7);
    if (scaled < 2 * counter) { return 0; }
    uint32_t code_bits = (uint32_t)(__builtin_clz(counter) - __builtin_clz(scaled));
    code_bits -= counter << code_bits > scaled;
    return code_bits < code_bits_max ? code_bits : code_bits_max;
}

/* 5.4.3.2.4.3: the statistics move on by one sample. */
static inline void fos_ccsds123_count(uint32_t *accumulator, uint32_t *counter, uint32_t mapped, uint32_t counter_last)
{
    if (*counter < counter_last) {
        *accumulator += mapped;
        *counter += 1;
    } else {
        *accumulator = (*accumulator + mapped + 1) >> 1;
        *counter = (*counter + 1) >> 1;
    }
}

#endif
