/* What the kernel files share: the table of function pointers behind every public function, and processor features.
 *
 * Each public fos_* function checks its arguments at the door and calls through the table; the functions
 * in the table trust theirs. The public functions live in dispatch.c or in <area>.c. To add an instruction set to a
 * kernel: write <kernel>_<isa>.c, declare its function here (or in the area's own header), put it into the table in the
 * area's fill function and give the file its flags in CMakeLists.txt.
 */
#ifndef FOS_KERNELS_INTERNAL_H
#define FOS_KERNELS_INTERNAL_H

#include "imaging_internal.h"

/* Processor features, found once. */
#define FOS_FEATURE_SSE42 1u
#define FOS_FEATURE_AVX2 2u
#define FOS_FEATURE_NEON_CRC 4u
#define FOS_FEATURE_NEON_DOT 8u
#define FOS_FEATURE_AVX512 16u      /* F, BW, DQ and VL */
#define FOS_FEATURE_AVX512_VNNI 32u
#define FOS_FEATURE_AVX_VNNI 64u    /* VNNI in 256 bits, without AVX-512 */
#define FOS_FEATURE_GFNI 128u       /* with AVX-512: in 512 bits */
#define FOS_FEATURE_VPCLMUL 256u    /* with AVX-512: in 512 bits */

uint32_t fos_cpu_features(void);

struct fos_ccsds123_row_s;

typedef struct {
    const char *name;
    fos_imaging_kernels_t imaging;
    uint16_t (*crc16)(uint16_t, const uint8_t *, size_t);
    uint32_t (*crc32c)(uint32_t, const uint8_t *, size_t);
    void (*crc16_batch)(const uint8_t *, const fos_span_t *, size_t, uint16_t *);
    void (*crc32c_batch)(const uint8_t *, const fos_span_t *, size_t, uint32_t *);
    void (*vote)(const uint8_t *, const uint8_t *, const uint8_t *, uint8_t *, size_t, fos_vote_faults_t *);
    void (*vote_scrub)(uint8_t *, uint8_t *, uint8_t *, size_t, fos_vote_faults_t *);
    void (*secded_encode)(const uint64_t *, uint8_t *, size_t);
    void (*secded_check)(const uint64_t *, const uint8_t *, size_t, fos_secded_faults_t *);
    void (*secded_scrub)(uint64_t *, uint8_t *, size_t, fos_secded_faults_t *);
    void (*gf_combine)(const uint8_t *, size_t, size_t, const uint8_t *const *, uint8_t *const *, size_t);
    void (*xor_parity)(const uint8_t *, size_t, size_t, uint8_t *, size_t);
    void (*quantise)(const float *, size_t, float, int, int8_t *);
    void (*dequantise)(const int8_t *, size_t, float, int, float *);
    void (*gemm_i8)(const int8_t *, const int8_t *, size_t, size_t, size_t, int32_t *);
    void (*abft_expect)(const float *, const float *, size_t, size_t, size_t, const fos_abft_sums_f64_t *);
    void (*abft_sums)(const float *, size_t, size_t, double *, double *);
    void (*abft_expect_i8)(const int8_t *, const int8_t *, size_t, size_t, size_t, int64_t *, int64_t *);
    void (*abft_sums_i32)(const int32_t *, size_t, size_t, int64_t *, int64_t *);
    void (*ccsds123_chain)(const struct fos_ccsds123_row_s *, uint32_t, uint32_t, int32_t);
    void (*ccsds123_chain_pair)(const struct fos_ccsds123_row_s *, const struct fos_ccsds123_row_s *, uint32_t, uint32_t,
                                int32_t);
    _Bool (*ccsds123_restore)(const struct fos_ccsds123_row_s *, const struct fos_ccsds123_row_s *);
} fos_kernels_t;

/* The table in use, as it lies in memory: only pointers, so every byte of it means something. */
typedef struct {
    fos_kernels_t kernels;
    uint64_t table_checksum;  /* of kernels */
    uint64_t lookup_checksum; /* of all look-up tables */
} fos_guarded_kernels_t;

const fos_kernels_t *fos_kernels(void);

/* For the upset campaign of the C tests: where to put the upset. */
fos_guarded_kernels_t *fos_kernels_memory(void);

/* A look-up table: filled once, guarded by the same checksum. */
typedef struct {
    void *memory;
    size_t byte_count; /* a multiple of 8 */
} fos_lookup_t;

/* All of them, ended by one without memory. */
extern const fos_lookup_t fos_lookups[];

/* Each area's part of the table: portable code first, then what is better with these features. */
void fos_imaging_fill(fos_kernels_t *table, uint32_t features);
void fos_crc_fill(fos_kernels_t *table, uint32_t features);
void fos_vote_fill(fos_kernels_t *table, uint32_t features);
void fos_secded_fill(fos_kernels_t *table, uint32_t features);
void fos_erasure_fill(fos_kernels_t *table, uint32_t features);
void fos_ccsds123_fill(fos_kernels_t *table, uint32_t features);
void fos_integer_fill(fos_kernels_t *table, uint32_t features);
void fos_abft_fill(fos_kernels_t *table, uint32_t features);

/* Fills the CRC tables; called before any of them is in use. */
void fos_crc_tables_fill(void);

uint16_t fos_crc16_portable(uint16_t previous, const uint8_t *data, size_t byte_count);
uint32_t fos_crc32c_portable(uint32_t previous, const uint8_t *data, size_t byte_count);
uint32_t fos_crc32c_sse42(uint32_t previous, const uint8_t *data, size_t byte_count);
uint32_t fos_crc32c_neon(uint32_t previous, const uint8_t *data, size_t byte_count);

#endif
