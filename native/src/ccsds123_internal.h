/* CCSDS 123.0-B-2, what its files share. Symbols of the standard stand beside the words used here:
 * D sample_bits, P bands_used, N_X cols, N_Y rows, N_Z bands, M interleave_bands, R register_bits,
 * Omega weight_bits, t_inc weight_interval, nu_min / nu_max weight_exponent_first / _last.
 *
 * A row of a band is predicted in one of three ways:
 * - ccsds123_predict.c, where the samples themselves predict (lossless, no sample representatives) and all are known. All
 *   local sums and differences of the row are prepared at once; what is left to do one sample after the other is dot
 *   product, sign of the error, weights. With d = 4 s - sigma (4.5.1), the sign of the error e (4.10.1) is negative exactly
 *   when the dot product reaches d * 2^Omega: clipping and rounding (4.7.2, 4.7.3) cannot change it, so neither delays the
 *   next sample.
 * - ccsds123_restore.inc, where samples are restored as they go: decoder, near-lossless coder, sample representatives.
 * - ccsds123_plain.c, in 64 bits: more than 16 bits to a sample, or weight exponent offsets.
 */
#ifndef FOS_CCSDS123_INTERNAL_H
#define FOS_CCSDS123_INTERNAL_H

#include "ccsds121_blocks.h"
#include "flightos_kernels.h"

#define FOS_CCSDS123_WEIGHTS_MAX 24 /* 15 bands and 3 directions, in whole vectors of 8 */
#define FOS_CCSDS123_HEADER_KINDS 7u /* kinds of tables that the header can carry */

/* The parameters, checked and worked out. */
typedef struct {
    fos_ccsds123_parameters_t given;
    int64_t wide_min, wide_mid, wide_max;         /* 3.3.2 */
    int32_t sample_min, sample_mid, sample_max;   /* the same, for up to 16 bits */
    uint32_t sample_bytes;
    uint32_t directions;   /* 3 with directional differences, else 0 */
    uint32_t weight_count; /* directions + P, in whole vectors of 8 */
    int32_t weight_min, weight_max; /* 4.6.1.3 */
    bool wraps;            /* R bits can overflow (4.7.2); with the usual R they cannot */
    bool is_lossless;
    bool is_interleaved;   /* BI, not BSQ (5.4.2) */
    bool has_representatives; /* a sample's representative may differ from the sample as it is restored (4.9) */
    bool is_plain;         /* predicted by ccsds123_plain.c */
    uint32_t period_rows;  /* rows that share their error limits (4.8.2.4.2) */
    uint32_t period_count;
    fos_block_layout_t blocks;
} fos_ccsds123_layout_t;

/* The caller's scratch memory, divided. Rows of samples have one more on each side. */
typedef struct {
    int32_t *weights;       /* bands x weight_count */
    uint64_t *accumulators; /* bands */
    uint32_t *counters;     /* bands */
    uint32_t *codes;        /* bands: hybrid coder, the code of the last sample */
    int32_t *current;       /* cols */
    int32_t *above;         /* cols */
    int32_t *originals;     /* cols; what the decoder restores, where that is not what predicts */
    int32_t *sums;          /* cols: sigma */
    int32_t *centrals;      /* (bands_used + 2) x cols: d of a pair of bands and those before, by band modulo their count */
    int32_t *differences;   /* cols x weight_count: the vectors U */
    int64_t *dots;          /* cols */
    uint32_t *mapped;       /* bands x cols: delta */
    int64_t *wide_current, *wide_above, *wide_before; /* cols: the same in 64 bits, ccsds123_plain.c */
    int64_t *wide_centrals; /* bands_used + 1 rows */
    uint8_t *representatives; /* the image as it predicts (4.9), where that is another than the one in the caller's hands */
    uint16_t *tries;        /* ccsds123_hybrid_decode.c */
    fos_ccsds123_tables_t tables; /* decoder: what header and body carry */
    size_t partner_bytes;   /* from current, above, originals, sums, differences and dots to those of the partner */
} fos_ccsds123_scratch_t;

/* The images of one run. Some are one and the same. */
typedef struct {
    const uint8_t *seen;      /* what predicts: sample representatives */
    const uint8_t *originals; /* coder only: samples as they are to be coded */
    uint8_t *kept;            /* where new representatives go, when `seen` does not have them from the start */
    uint8_t *restored;        /* decoder only: where samples go */
} fos_ccsds123_images_t;

/* One row of one band, ready for prediction. */
typedef struct fos_ccsds123_row_s {
    const fos_ccsds123_layout_t *layout;
    int32_t *weights;
    int32_t *differences;
    int32_t *sums;
    int32_t *central;
    int32_t *current;         /* samples as they predict */
    int32_t *originals;       /* samples as they were (coder) or are restored (decoder), where that may be another thing */
    const int32_t *above;
    int64_t *dots;
    uint32_t *mapped;         /* coder: written, decoder: read */
    uint32_t band, row;
    int32_t before_first;     /* sample of the band before at the first pixel */
    bool is_coding;
    int64_t error_absolute_max, error_relative_max; /* a_z, r_z (4.8.2.3) */
    int32_t damping, offset;  /* phi_z, psi_z (4.9.1) */
} fos_ccsds123_row_t;


/* ccsds123_layout.c */
fos_status_t fos_ccsds123_layout(const fos_ccsds123_parameters_t *parameters, fos_ccsds123_layout_t *layout);
size_t fos_ccsds123_divide(const fos_ccsds123_layout_t *layout, bool is_coding, uint8_t *memory,
                           fos_ccsds123_scratch_t *scratch);
/* The same memory with row buffers of its own, so that two bands can be predicted together. */
fos_ccsds123_scratch_t fos_ccsds123_partner(const fos_ccsds123_scratch_t *scratch);

/* ccsds123_tables.c */
static inline bool fos_ccsds123_uses_table(const fos_ccsds123_parameters_t *given, uint32_t kind)
{
    return (given->tables_used >> kind & 1) != 0;
}
/* D_A or D_R as it is coded, for kind FOS_CCSDS123_ERROR_ABSOLUTE or _RELATIVE. */
uint32_t fos_ccsds123_error_bits(const fos_ccsds123_layout_t *layout, const fos_ccsds123_tables_t *tables, uint32_t kind);
/* How many numbers a table of this kind has; and how many bands before this one lie in a table by weights. */
size_t fos_ccsds123_table_count(const fos_ccsds123_layout_t *layout, uint32_t kind);
size_t fos_ccsds123_weights_before(const fos_ccsds123_layout_t *layout, uint32_t kind, uint32_t band);
/* Whether the tables of these kinds have the numbers that they must have, within their ranges. */
bool fos_ccsds123_tables_fit(const fos_ccsds123_layout_t *layout, const fos_ccsds123_tables_t *tables, uint32_t kinds);
bool fos_ccsds123_supplementary_fit(const fos_ccsds123_layout_t *layout, const fos_ccsds123_tables_t *tables);
size_t fos_ccsds123_element_count(const fos_ccsds123_parameters_t *given, uint32_t structure);
/* A number by band: from its table, or the one for all. */
int64_t fos_ccsds123_of_band(const fos_ccsds123_layout_t *layout, const fos_ccsds123_tables_t *tables, uint32_t kind,
                             uint32_t band);
/* a_z or r_z in this row (4.8.2.3, 4.8.2.4). */
int64_t fos_ccsds123_limit(const fos_ccsds123_layout_t *layout, const fos_ccsds123_tables_t *tables, uint32_t kind,
                           uint32_t band, uint32_t row);

/* ccsds123_header_write.c, ccsds123_header_read.c */
void fos_ccsds123_put_header(const fos_ccsds123_layout_t *layout, const fos_ccsds123_tables_t *tables,
                             fos_bit_writer_t *writer);
/* Reads header and tables at once; tables as in fos_ccsds123_read_tables. */
fos_status_t fos_ccsds123_take_header(const uint8_t *encoded, size_t encoded_bytes, fos_ccsds123_tables_t *tables,
                                      fos_ccsds123_layout_t *layout, size_t *header_bytes);

/* ccsds123_samples.c */
void fos_ccsds123_load_row(const fos_ccsds123_layout_t *layout, const uint8_t *image, uint32_t band, uint32_t row,
                           int32_t *samples);
void fos_ccsds123_store_row(const fos_ccsds123_layout_t *layout, uint8_t *image, uint32_t band, uint32_t row,
                            const int32_t *samples);
/* The same in 64 bits, for samples of all sizes. */
void fos_ccsds123_load_wide(const fos_ccsds123_layout_t *layout, const uint8_t *image, uint32_t band, uint32_t row,
                            int64_t *samples);
void fos_ccsds123_store_sample(const fos_ccsds123_layout_t *layout, uint8_t *image, size_t index, int64_t sample);
/* Mapped values in the place of samples: the hybrid decoder finds all of them before the first sample can be restored. */
void fos_ccsds123_load_mapped(const fos_ccsds123_layout_t *layout, const uint8_t *image, uint32_t band, uint32_t row,
                              uint32_t *mapped);
void fos_ccsds123_store_mapped(const fos_ccsds123_layout_t *layout, uint8_t *image, uint32_t band, uint32_t row,
                               const uint32_t *mapped);

/* ccsds123_rows.c: from the image to a row that can be predicted. */
void fos_ccsds123_start_weights(const fos_ccsds123_layout_t *layout, const fos_ccsds123_tables_t *tables, uint32_t band,
                                int32_t *weights);
/* Before the first row. */
void fos_ccsds123_clear_differences(const fos_ccsds123_layout_t *layout, const fos_ccsds123_scratch_t *scratch);
/* 4.4 and 4.5.1 for a row of which all samples are known: sigma and d. */
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
/* What 4.8.2 and 4.9.1 give this band in this row. */
void fos_ccsds123_prepare_quantizer(fos_ccsds123_row_t *row, const fos_ccsds123_tables_t *tables);

/* ccsds123_predict.c */
int32_t fos_ccsds123_update_exponent(const fos_ccsds123_layout_t *layout, uint64_t index, uint64_t *index_end);
void fos_ccsds123_predict_known(const fos_ccsds123_row_t *row);
/* The same row of two bands. One has to wait for its own last weights at each sample; the other fills that time. */
void fos_ccsds123_predict_known_pair(const fos_ccsds123_row_t *row, const fos_ccsds123_row_t *partner);

/* 4.10.3: the weights after one sample; differences and weights have weight_count lanes. 2^-rho as a step to the left or
 * a rounded one to the right; no step leaves 32 bits, for D + 2 + (Omega - D - nu_min) is at most 27. */
static inline void fos_ccsds123_update_weights(const fos_ccsds123_layout_t *layout, uint32_t lanes, int32_t *weights,
                                               const int32_t *differences, bool error_is_negative, int32_t exponent)
{
    const uint32_t left = exponent < 0 ? (uint32_t)(-exponent - 1) : 0;
    const uint32_t right = exponent < 0 ? 0 : (uint32_t)exponent + 1;
    const int32_t half = exponent < 0 ? 0 : (int32_t)1 << exponent;
    const int32_t turn = error_is_negative ? -1 : 0;
    for (uint32_t lane = 0; lane < lanes; lane++) {
        const int32_t signed_difference = (differences[lane] ^ turn) - turn;
        const int32_t step = (signed_difference * (1 << left) + half) >> right;
        const int32_t weight = weights[lane] + step;
        weights[lane] = weight < layout->weight_min ? layout->weight_min
                        : weight > layout->weight_max ? layout->weight_max : weight;
    }
}

/* ccsds123_restore_*.c: maps (coder) or unmaps (decoder) and restores the samples, one after the other. False when a
 * mapped value belongs to no sample. partner is the same row of the band after, or NULL; it needs rows of its own in
 * scratch, and the first row of a band has none. */
bool fos_ccsds123_predict_restoring(const fos_ccsds123_row_t *row, const fos_ccsds123_row_t *partner);
typedef bool fos_ccsds123_restore_t(const fos_ccsds123_row_t *row, const fos_ccsds123_row_t *partner);
fos_ccsds123_restore_t fos_ccsds123_restore_portable;
fos_ccsds123_restore_t fos_ccsds123_restore_avx2;

/* Differences of a sample that are known only when the one before it is: of the directions, and, where the band before is
 * on its way too, that of the band before. */
typedef struct {
    int32_t north, west, north_west;
    int32_t nearest;
    bool has_nearest;
} fos_ccsds123_fresh_t;

/* ccsds123_plain.c: the same for a row as it lies in the images. FOS_ERR_RANGE when a sample needs more than D bits,
 * FOS_ERR_CORRUPT when a mapped value belongs to no sample. */
fos_status_t fos_ccsds123_predict_plain(const fos_ccsds123_layout_t *layout, const fos_ccsds123_scratch_t *scratch,
                                        const fos_ccsds123_tables_t *tables, const fos_ccsds123_images_t *images,
                                        uint32_t band, uint32_t row);

/* ccsds123_chain_*.c: for samples first .. end - 1 of a row, dots[x] = weights . differences[x], and the weights' update
 * (4.10.3), where the error is negative when dots[x] >= central[x] * 2^Omega. */
typedef void fos_ccsds123_chain_t(const fos_ccsds123_row_t *row, uint32_t first, uint32_t end, int32_t exponent);
typedef void fos_ccsds123_chain_pair_t(const fos_ccsds123_row_t *row, const fos_ccsds123_row_t *partner, uint32_t first,
                                       uint32_t end, int32_t exponent);
fos_ccsds123_chain_t fos_ccsds123_chain_portable;
fos_ccsds123_chain_t fos_ccsds123_chain_avx2;
fos_ccsds123_chain_pair_t fos_ccsds123_chain_pair_portable;
fos_ccsds123_chain_pair_t fos_ccsds123_chain_pair_avx2;

#endif
