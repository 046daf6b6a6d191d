/* flightos kernels: the one public header, and the C ABI.
 *
 * Rules for every function: the caller owns all memory; no function allocates, blocks, keeps a pointer or has state of
 * its own beyond the instruction-set choice, so all are safe in any thread or worker. Counts are elements unless the
 * name says _bytes. Outputs must not overlap inputs. Inputs are only read. On a status other than FOS_OK the outputs
 * are unspecified. Every instruction set gives the same bits.
 */
#ifndef FLIGHTOS_KERNELS_H
#define FLIGHTOS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FOS_ABI_VERSION 1

/* Pixels in one call. With FOS_INDEX_ABS_MAX it keeps every fixed-point sum inside int64: 2^28 * 4 * 2^30 = 2^60. */
#define FOS_PIXEL_COUNT_MAX ((size_t)1 << 28)
/* Largest magnitude that a fixed-point sum takes. A normalised difference of non-negative bands is within 1. */
#define FOS_INDEX_ABS_MAX 4.0f
/* One unit of a fixed-point sum is 2^-30 of an index. */
#define FOS_FIXED_POINT_BITS 30

typedef enum {
    FOS_OK = 0,
    FOS_ERR_NULL = -1,        /* a pointer that is needed is NULL */
    FOS_ERR_TOO_LARGE = -2,   /* more elements than FOS_PIXEL_COUNT_MAX */
    FOS_ERR_CAPACITY = -3,    /* the caller's output or scratch is too small */
    FOS_ERR_RANGE = -4,       /* a value outside the range that the result can hold */
    FOS_ERR_PARAMETER = -5,   /* a parameter outside its stated range */
    FOS_ERR_UNSUPPORTED = -6, /* this machine or build does not have it */
    FOS_ERR_CORRUPT = -7,     /* bytes or memory that are not as they were written */
    FOS_ERR_UNCORRECTABLE = -8 /* more is lost than the code can restore */
} fos_status_t;

/* One 8-connected region. Rows and columns count from 0 at the first pixel of the image given. */
typedef struct {
    int64_t first_pixel_index; /* smallest row * cols + col of the region; regions are ordered by it */
    int64_t pixel_count;
    int64_t row_sum;           /* centroid row = row_sum / pixel_count */
    int64_t col_sum;
    int64_t row_min;
    int64_t row_max;           /* inclusive */
    int64_t col_min;
    int64_t col_max;           /* inclusive */
    int64_t index_sum_fixed;   /* sum of rint(index * 2^30) over the region */
} fos_region_t;

int32_t fos_abi_version(void);

/* "FOS_ERR_RANGE" and so on; "FOS_UNKNOWN" for a value that is no status. Never NULL. */
const char *fos_status_name(fos_status_t status);

/* The instruction-set level in use: "portable", "sse42", "avx2", "avx512", "neon", "neon_dot". Chosen once, at first use, as the best that runs
 * here; the environment variable FLIGHTOS_CPU names a lower one (an unknown or impossible name is ignored). */
const char *fos_isa_name(void);

/* Choose a level by name, for tests. FOS_ERR_UNSUPPORTED, and no change, when it cannot run here.
 * Not to be called while other threads run kernels. */
fos_status_t fos_isa_select(const char *name);

/* The table of function pointers and the look-up tables carry a checksum. FOS_ERR_CORRUPT when they no longer fit it: an
 * upset hit them, and no other function may be called before fos_dispatch_renew(), which fills them anew, at the same
 * level where that can still be told, else at the level of the first choice. Not while other threads run kernels. */
fos_status_t fos_dispatch_verify(void);
void fos_dispatch_renew(void);

/* Detector counts to radiance: gain * (raw - dark), pixel by pixel. A bad pixel has NaN gain and becomes NaN. */
fos_status_t fos_correct_radiance_u8(const uint8_t *raw_dn, const float *gain, const float *dark_dn, float *radiance,
                                     size_t pixel_count);
fos_status_t fos_correct_radiance_u16(const uint16_t *raw_dn, const float *gain, const float *dark_dn,
                                      float *radiance, size_t pixel_count);

/* Normalised difference (a - b) / (a + b) in float32, 0 where a + b is 0, NaN where a or b is NaN. */
fos_status_t fos_ndiff_f32(const float *a, const float *b, float *index, size_t pixel_count);

/* mask = 1 where index > threshold (above) or index < threshold (below), else 0; NaN gives 0.
 * *set_count is the number of ones. threshold must not be NaN. */
fos_status_t fos_mask_above_f32(const float *index, float threshold, uint8_t *mask, size_t pixel_count,
                                uint64_t *set_count);
fos_status_t fos_mask_below_f32(const float *index, float threshold, uint8_t *mask, size_t pixel_count,
                                uint64_t *set_count);

/* Eight mask pixels to a byte, first pixel in the highest bit, last byte padded with 0; any non-zero pixel sets its
 * bit. packed needs (pixel_count + 7) / 8 bytes. */
fos_status_t fos_pack_bits(const uint8_t *mask, size_t pixel_count, uint8_t *packed, size_t packed_capacity_bytes);

/* Sum of rint(index * 2^30), round half to even: exact, so the order of pixels and of tiles does not matter.
 * NaN pixels are left out; *counted is the number of the others. FOS_ERR_RANGE above FOS_INDEX_ABS_MAX. */
fos_status_t fos_sum_fixed_f32(const float *index, size_t pixel_count, int64_t *sum_fixed, uint64_t *counted);

/* 8-connected regions of a mask (non-zero = inside) with at least pixel_count_min pixels, in the order of their first
 * pixel. index may be NULL (sums are then 0); its NaN pixels add nothing. scratch needs 2 * rows * cols elements.
 * FOS_ERR_RANGE when |index| > FOS_INDEX_ABS_MAX inside the mask; FOS_ERR_CAPACITY when there are more regions than
 * region_capacity; *region_count is then the number needed. */
fos_status_t fos_label_regions(const uint8_t *mask, const float *index, size_t rows, size_t cols,
                               size_t pixel_count_min, uint32_t *scratch, size_t scratch_count,
                               fos_region_t *regions, size_t region_capacity, size_t *region_count);

/* CRC-16/CCITT-FALSE (CCSDS 132.0-B-3, 4.1.6): polynomial 0x1021, not reflected. Start with 0xFFFF; pass the last
 * value to go on. Check value of "123456789": 0x29B1. data may be NULL when byte_count is 0. */
uint16_t fos_crc16(uint16_t previous, const uint8_t *data, size_t byte_count);

/* CRC-32C (RFC 3720, 12.1): Castagnoli polynomial, reflected. Start with 0; pass the last value to go on.
 * Check value of "123456789": 0xE3069283. */
uint32_t fos_crc32c(uint32_t previous, const uint8_t *data, size_t byte_count);

/* Part of a buffer: a frame in a batch. */
typedef struct {
    uint64_t offset_bytes;
    uint64_t length_bytes;
} fos_span_t;

/* CRC-32C of two pieces laid end to end, from their CRCs and the length of the second. */
uint32_t fos_crc32c_combine(uint32_t first_crc, uint32_t second_crc, uint64_t second_byte_count);

/* The CRC of each frame, from its start value, in one call. Frames may overlap and leave gaps. FOS_ERR_RANGE, and
 * nothing written, when a frame does not lie inside the data. */
fos_status_t fos_crc16_batch(const uint8_t *data, size_t byte_count, const fos_span_t *frames, size_t frame_count,
                             uint16_t *crcs);
fos_status_t fos_crc32c_batch(const uint8_t *data, size_t byte_count, const fos_span_t *frames, size_t frame_count,
                              uint32_t *crcs);

/* Bits of each of three copies that the other two outvoted. */
typedef struct {
    uint64_t first_bit_count;
    uint64_t second_bit_count;
    uint64_t third_bit_count;
} fos_vote_faults_t;

/* Triple modular redundancy: each bit of voted is what at least two of the copies say. */
fos_status_t fos_vote(const uint8_t *first, const uint8_t *second, const uint8_t *third, uint8_t *voted,
                      size_t byte_count, fos_vote_faults_t *faults);

/* The same in place: all three copies become the majority; memory without a fault is not written. */
fos_status_t fos_vote_scrub(uint8_t *first, uint8_t *second, uint8_t *third, size_t byte_count,
                            fos_vote_faults_t *faults);

/* What a check or scrub of SECDED words found. A lost word has an error that is detected but not correctable, such as
 * two bits; it is left as it is. first_lost_word_index means something only when lost_word_count is not 0. */
typedef struct {
    uint64_t data_bit_count;
    uint64_t check_bit_count;
    uint64_t lost_word_count;
    uint64_t first_lost_word_index;
} fos_secded_faults_t;

/* SECDED(72,64), odd-weight columns (Hsiao 1970): 8 check bits for 64 data bits, any one bit of the 72 corrected, any
 * two detected. Column of data bit i: for i < 56 the i-th byte, in rising order, with three ones; for the others 0x1F
 * rotated left by i - 56. Check bit j is the parity of the data bits whose column has bit j. */
fos_status_t fos_secded_encode(const uint64_t *words, uint8_t *checks, size_t word_count);
fos_status_t fos_secded_check(const uint64_t *words, const uint8_t *checks, size_t word_count,
                              fos_secded_faults_t *faults);
fos_status_t fos_secded_scrub(uint64_t *words, uint8_t *checks, size_t word_count, fos_secded_faults_t *faults);

/* Shards of an erasure code: data_count of data and parity_count of parity, all of shard_bytes, a stride apart. */
#define FOS_DATA_SHARD_COUNT_MAX 128u
#define FOS_PARITY_SHARD_COUNT_MAX 32u

typedef struct {
    size_t data_count;
    size_t parity_count;
    size_t shard_bytes;
    size_t data_stride_bytes;
    size_t parity_stride_bytes;
} fos_erasure_shape_t;

/* Erasure code over GF(2^8), x^8 + x^4 + x^3 + x^2 + 1, systematic, from a Cauchy matrix: factor of data shard i in
 * parity shard j is (255 ^ i) / ((255 - j) ^ i), so the first parity shard is the exclusive or of the data. Any
 * data_count of the shards restore all. Capacities are those of the two buffers: FOS_ERR_CAPACITY when the shards do not
 * fit, FOS_ERR_PARAMETER for counts outside 1..max or a stride below shard_bytes. */
fos_status_t fos_erasure_encode(const fos_erasure_shape_t *shape, const uint8_t *data, size_t data_capacity_bytes,
                                uint8_t *parity, size_t parity_capacity_bytes);

/* Writes the shards that are not present (0 in is_present, data first, then parity, data_count + parity_count flags).
 * FOS_ERR_UNCORRECTABLE, and nothing written, when fewer than data_count are. The code finds no wrong byte in a shard
 * that is present: that is for the CRC of each. */
fos_status_t fos_erasure_restore(const fos_erasure_shape_t *shape, uint8_t *data, size_t data_capacity_bytes,
                                 uint8_t *parity, size_t parity_capacity_bytes, const uint8_t *is_present);

/* Exclusive or of shard_count shards, each stride_bytes after the one before. */
fos_status_t fos_xor_parity(const uint8_t *data, size_t data_capacity_bytes, size_t shard_count, size_t stride_bytes,
                            size_t shard_bytes, uint8_t *parity);

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

#ifdef __cplusplus
}
#endif

#endif
