/* flightos kernels: the one public header, and the C ABI.
 *
 * Rules for every function: the caller owns all memory; no function allocates, blocks, keeps a pointer or has state of
 * its own beyond the instruction-set choice, so all are safe in any thread or worker. Counts are elements unless the
 * name says _bytes. Outputs must not overlap inputs. Inputs are only read. On a status other than FOS_OK the outputs
 * are unspecified. Every instruction set gives the same bits.
 *
 * Images may be tiles of larger ones: `strides` has, for each image of the call in the order of the arguments, the elements
 * from one row to the next; NULL says that all rows follow without a gap. An output's stride is at least cols; an input's
 * may be anything, 0 uses one row for all (the gains of a line detector).
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
                                     size_t rows, size_t cols, const size_t *strides);
fos_status_t fos_correct_radiance_u16(const uint16_t *raw_dn, const float *gain, const float *dark_dn,
                                      float *radiance, size_t rows, size_t cols, const size_t *strides);

/* Normalised difference (a - b) / (a + b) in float32, 0 where a + b is 0, NaN where a or b is NaN. */
fos_status_t fos_ndiff_f32(const float *a, const float *b, float *index, size_t rows, size_t cols,
                           const size_t *strides);

/* mask = 1 where index > threshold (above) or index < threshold (below), else 0; NaN gives 0.
 * *set_count is the number of ones. threshold must not be NaN. */
fos_status_t fos_mask_above_f32(const float *index, float threshold, uint8_t *mask, size_t rows, size_t cols,
                                const size_t *strides, uint64_t *set_count);
fos_status_t fos_mask_below_f32(const float *index, float threshold, uint8_t *mask, size_t rows, size_t cols,
                                const size_t *strides, uint64_t *set_count);

/* Eight mask pixels to a byte, first pixel in the highest bit, last byte padded with 0; any non-zero pixel sets its
 * bit. packed needs (pixel_count + 7) / 8 bytes. */
fos_status_t fos_pack_bits(const uint8_t *mask, size_t pixel_count, uint8_t *packed, size_t packed_capacity_bytes);

/* Sum of rint(index * 2^30), round half to even: exact, so the order of pixels and of tiles does not matter.
 * NaN pixels are left out; *counted is the number of the others. FOS_ERR_RANGE above FOS_INDEX_ABS_MAX. */
fos_status_t fos_sum_fixed_f32(const float *index, size_t rows, size_t cols, const size_t *strides,
                               int64_t *sum_fixed, uint64_t *counted);

/* Elements of scratch for fos_label_regions; 0 when there are too many pixels. */
size_t fos_label_scratch_count(size_t rows, size_t cols);

/* 8-connected regions of a mask (non-zero = inside) with at least pixel_count_min pixels, in the order of their first
 * pixel. index may be NULL (sums are then 0); its NaN pixels add nothing. scratch needs fos_label_scratch_count() elements.
 * FOS_ERR_RANGE when |index| > FOS_INDEX_ABS_MAX inside the mask; FOS_ERR_CAPACITY when there are more regions than
 * region_capacity; *region_count is then the number needed. */
fos_status_t fos_label_regions(const uint8_t *mask, const float *index, size_t rows, size_t cols,
                               const size_t *strides, size_t pixel_count_min, uint32_t *scratch, size_t scratch_count,
                               fos_region_t *regions, size_t region_capacity, size_t *region_count);

/* CRC-16/CCITT-FALSE (CCSDS 132.0-B-3, 4.1.6): polynomial 0x1021, not reflected. Start with 0xFFFF; pass the last
 * value to go on. Check value of "123456789": 0x29B1. data may be NULL when byte_count is 0. */
uint16_t fos_crc16(uint16_t previous, const uint8_t *data, size_t byte_count);

/* CRC-32C (RFC 3720, 12.1): Castagnoli polynomial, reflected. Start with 0; pass the last value to go on.
 * Check value of "123456789": 0xE3069283. */
uint32_t fos_crc32c(uint32_t previous, const uint8_t *data, size_t byte_count);

#include "flightos_kernels_codecs.h"
#include "flightos_kernels_imaging.h"
#include "flightos_kernels_protection.h"

#ifdef __cplusplus
}
#endif

#endif
