/* Codecs: CCSDS 121.0-B-3 and CCSDS 123.0-B-2 with Technical Corrigenda 1 to 3. Included by flightos_kernels.h. */
#ifndef FLIGHTOS_KERNELS_CODECS_H
#define FLIGHTOS_KERNELS_CODECS_H

/* ---- CCSDS 121.0-B-3, lossless data compression ------------------------------------------------------------------ */

/* Flags, with the values that libaec gives them. */
#define FOS_CCSDS121_SIGNED 1u        /* samples are two's complement */
#define FOS_CCSDS121_3BYTE 2u         /* samples of 17..24 bits lie in 3 bytes, not 4 */
#define FOS_CCSDS121_MSB 4u           /* the highest byte of a sample comes first */
#define FOS_CCSDS121_PREPROCESS 8u    /* code differences from the sample before (section 4) */
#define FOS_CCSDS121_RESTRICTED 16u   /* the short code options for 1..4 bits (5.1.2) */
#define FOS_CCSDS121_PAD_INTERVAL 32u /* each reference interval starts on a whole byte */

typedef struct {
    uint32_t bits_per_sample; /* 1..32; samples lie in 1, 2 or 4 bytes (or 3, see the flag), lowest byte first */
    uint32_t block_size;      /* 8, 16, 32, 64 samples */
    uint32_t interval_blocks; /* blocks from one reference sample to the next, 1..4096 */
    uint32_t flags;
} fos_ccsds121_parameters_t;

/* No input of sample_count samples needs more bytes than this; 0 for parameters outside their range. */
size_t fos_ccsds121_encoded_bytes_max(const fos_ccsds121_parameters_t *parameters, size_t sample_count);

/* FOS_ERR_RANGE when a sample needs more than bits_per_sample, FOS_ERR_CAPACITY when encoded is too small. */
fos_status_t fos_ccsds121_encode(const uint8_t *samples, size_t sample_count,
                                 const fos_ccsds121_parameters_t *parameters, uint8_t *encoded,
                                 size_t encoded_capacity_bytes, size_t *encoded_bytes);

/* Gives sample_count samples; the parameters are those of the coder, which the bytes do not carry.
 * FOS_ERR_CORRUPT when the bytes end too early or are no such code; *samples_bytes is then 0. Bytes beyond the last
 * sample are not looked at. */
fos_status_t fos_ccsds121_decode(const uint8_t *encoded, size_t encoded_bytes,
                                 const fos_ccsds121_parameters_t *parameters, uint8_t *samples, size_t sample_count,
                                 size_t samples_capacity_bytes, size_t *samples_bytes);

/* ---- CCSDS 123.0-B-2, lossless and near-lossless compression of images with several bands ------------------------- */

#define FOS_CCSDS123_WIDE_NEIGHBOUR 0u
#define FOS_CCSDS123_NARROW_NEIGHBOUR 1u
#define FOS_CCSDS123_WIDE_COLUMN 2u
#define FOS_CCSDS123_NARROW_COLUMN 3u

#define FOS_CCSDS123_SAMPLE_ADAPTIVE 0u
#define FOS_CCSDS123_HYBRID 1u
#define FOS_CCSDS123_BLOCK_ADAPTIVE 2u

/* What a table may give instead of one number for the whole image: bits of tables_used, indexes of by_kind. */
#define FOS_CCSDS123_WEIGHTS_FIRST 0u            /* Lambda_z (4.6.3.3) */
#define FOS_CCSDS123_WEIGHT_EXPONENT_OFFSETS 1u  /* varsigma (4.10.4) */
#define FOS_CCSDS123_REPRESENTATIVE_DAMPING 2u   /* phi_z (4.9.1) */
#define FOS_CCSDS123_REPRESENTATIVE_OFFSET 3u    /* psi_z (4.9.1) */
#define FOS_CCSDS123_ACCUMULATOR_FIRST 4u        /* k''_z (5.4.3.2.3.3) */
#define FOS_CCSDS123_ERROR_ABSOLUTE 5u           /* a_z (4.8.2.3.1) */
#define FOS_CCSDS123_ERROR_RELATIVE 6u           /* r_z (4.8.2.3.2) */
#define FOS_CCSDS123_HYBRID_ACCUMULATOR_FIRST 7u /* high-resolution accumulators at t = 0 (5.4.3.3.4.3); never in the header */
#define FOS_CCSDS123_KIND_COUNT 8
#define FOS_CCSDS123_SUPPLEMENTARY_COUNT_MAX 15

/* The numbers that the header of a compressed image carries (5.3), in the standard's order. */
typedef struct {
    uint32_t cols, rows, bands;       /* N_X, N_Y, N_Z: 1..65536 each */
    uint32_t sample_bits;             /* D: 2..32; samples lie in 1, 2 (9 bits on) or 4 bytes (17 on), native byte order */
    uint32_t is_signed;               /* 0 or 1 */
    uint32_t interleave_bands;        /* coding order: 0 = BSQ, else M: 1 = BIL, bands = BIP (5.4.2) */
    uint32_t output_word_bytes;       /* B: 1..8 */
    uint32_t entropy_coder;
    uint32_t bands_used;              /* P: 0..15 bands before the current one */
    uint32_t is_reduced;              /* 1: no directional local differences (4.3) */
    uint32_t local_sum;               /* 4.4; neighbour-oriented sums need cols > 1 */
    uint32_t register_bits;           /* R: max(32, D + Omega + 2)..64 */
    uint32_t weight_bits;             /* Omega: 4..19 */
    uint32_t weight_interval_log2;    /* t_inc: 2^4..2^11 */
    int32_t weight_exponent_first;    /* nu_min: -6..9 */
    int32_t weight_exponent_last;     /* nu_max: nu_min..9 */
    uint32_t error_limits_used;       /* 0 = lossless, 1 = absolute, 2 = relative, 3 = both (4.8.2) */
    uint32_t error_absolute_max;      /* A*, below 2^D_A; this and the next mean nothing where a table is used */
    uint32_t error_relative_max;      /* R*, below 2^D_R: error at most this share of 2^D times the predicted value */
    uint32_t unary_zeros_max;         /* U_max: 8..32; this and the next two: sample-adaptive and hybrid coder */
    uint32_t counter_bits;            /* gamma*: max(4, gamma_0 + 1)..11 */
    uint32_t counter_first_bits;      /* gamma_0: 1..8 */
    uint32_t accumulator_first;       /* K: 0..min(D - 2, 14); sample-adaptive coder */
    uint32_t block_size;              /* J; this and the next two: block-adaptive coder */
    uint32_t interval_blocks;         /* r: 1..4096 */
    uint32_t is_restricted;           /* short code options, D up to 4 */
    uint32_t user_data;               /* 0..255, as the user likes (5.3.2.2) */
    uint32_t error_absolute_bits;     /* D_A: 1..min(D - 1, 16); 0 takes the fewest that hold all absolute limits */
    uint32_t error_relative_bits;     /* D_R: likewise */
    int32_t limits_period_log2;       /* u: limits change every 2^u rows, 0..9; -1: they do not (4.8.2.4). Not with BSQ */
    uint32_t representative_bits;     /* Theta: 0..4 (4.9.1) */
    uint32_t representative_damping;  /* phi: below 2^Theta */
    uint32_t representative_offset;   /* psi: below 2^Theta; 0 when lossless */
    uint32_t weights_first_bits;      /* Q: 3..Omega + 3 with the table of weights, else 0 */
    uint64_t hybrid_accumulator_first; /* below 2^(D + gamma_0); the decoder does not need it (5.4.3.3.4.3) */
    uint32_t tables_used;             /* 1 << FOS_CCSDS123_WEIGHTS_FIRST and so on */
    uint32_t tables_left_out;         /* of the first five kinds in use, those that the header does not carry */
    uint32_t supplementary_count;     /* tau: 0..15 (3.5.2.1) */
} fos_ccsds123_parameters_t;

/* Memory of the caller with room for count numbers. */
typedef struct {
    int64_t *values;
    size_t count;
} fos_ccsds123_table_t;

/* A supplementary information table (3.5): for the reader of the image, of no influence on its coding. */
typedef struct {
    uint32_t purpose;          /* table 3-1: 0..4, 10..15 */
    uint32_t kind;             /* 0 = unsigned, 1 = signed, 2 = float */
    uint32_t structure;        /* 0 = one element, 1 = by band, 2 = by band and column, 3 = by row and column */
    uint32_t user_data;        /* 0..15 */
    uint32_t integer_bits;     /* D_I: 1..32, not for floats */
    uint32_t significand_bits; /* D_F: 1..23; this and the next two: floats */
    uint32_t exponent_bits;    /* D_E: 2..8 */
    uint32_t exponent_bias;    /* beta: below 2^D_E */
    fos_ccsds123_table_t elements; /* floats as their bits: sign, exponent, significand, from high to low */
} fos_ccsds123_supplementary_t;

/* All tables beside the parameters. The coder reads those named in tables_used and the first supplementary_count others;
 * each has exactly as many values as its kind needs:
 * - by band: bands values; error limits with limits_period_log2 >= 0: that many for each period, one period after the other;
 * - error limits with limits_period_log2 >= 0 that are not in tables_used: one for each period, or none, and
 *   error_absolute_max or error_relative_max serves in all of them;
 * - weights and weight exponent offsets: for each band first those of the directions (full mode; weights N, W, NW, one
 *   common exponent offset), then those of the min(band, P) bands before, the nearest first, as in 5.3.3.3. */
typedef struct {
    fos_ccsds123_table_t by_kind[FOS_CCSDS123_KIND_COUNT];
    fos_ccsds123_supplementary_t supplementary[FOS_CCSDS123_SUPPLEMENTARY_COUNT_MAX];
} fos_ccsds123_tables_t;

/* Bytes of scratch memory for either direction, and of output that always suffice; 0 for impossible parameters. tables
 * may be NULL here and below where no table is used. */
size_t fos_ccsds123_scratch_bytes(const fos_ccsds123_parameters_t *parameters);
size_t fos_ccsds123_encoded_bytes_max(const fos_ccsds123_parameters_t *parameters, const fos_ccsds123_tables_t *tables);

/* image has shape (bands, rows, cols). FOS_ERR_RANGE when a sample needs more than sample_bits. */
fos_status_t fos_ccsds123_encode(const uint8_t *image, size_t image_bytes, const fos_ccsds123_parameters_t *parameters,
                                 const fos_ccsds123_tables_t *tables, uint8_t *scratch, size_t scratch_bytes,
                                 uint8_t *encoded, size_t encoded_capacity_bytes, size_t *encoded_bytes);

/* Reads the header of a compressed image. tables_used names what comes from tables, tables_left_out those of them that the
 * header does not carry. Limits that change travel in the body: the numbers here are 0 then. FOS_ERR_CORRUPT when it is no
 * header, FOS_ERR_UNSUPPORTED when it asks for what the standard reserves for later. */
fos_status_t fos_ccsds123_read_header(const uint8_t *encoded, size_t encoded_bytes,
                                      fos_ccsds123_parameters_t *parameters, size_t *header_bytes);

/* Reads the tables that the header carries: fills each whose values is not NULL, and sets every count to the number of
 * values in the header; a first call with all pointers NULL tells how much memory the second one needs.
 * Supplementary tables are described in full either way. FOS_ERR_CAPACITY when a count given was too small. */
fos_status_t fos_ccsds123_read_tables(const uint8_t *encoded, size_t encoded_bytes, fos_ccsds123_tables_t *tables);

/* Any bytes give a status; the image is whole only with FOS_OK. tables gives those that the header leaves out:
 * FOS_ERR_UNSUPPORTED without them, FOS_ERR_PARAMETER when they are no such tables. encoded_bytes must be the true length
 * where the hybrid coder is used, for its code is read from the end (5.4.3.3.1). */
fos_status_t fos_ccsds123_decode(const uint8_t *encoded, size_t encoded_bytes, const fos_ccsds123_tables_t *tables,
                                 uint8_t *image, size_t image_capacity_bytes, uint8_t *scratch, size_t scratch_bytes,
                                 size_t *image_bytes);

#endif
