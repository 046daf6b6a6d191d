/* Protection and integer kernels: batches of CRCs, majority vote, SECDED, erasure code, int8 products and their checksums.
 *
 * Part of flightos_kernels.h, which includes it; the rules stated there hold here. What was found and corrected goes to
 * an out-structure and is never an error. Kernels that scrub work in place.
 */
#ifndef FLIGHTOS_KERNELS_PROTECTION_H
#define FLIGHTOS_KERNELS_PROTECTION_H

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

/* Depth of an int8 product: 131071 * 128 * 128 still fits an int32. */
#define FOS_GEMM_DEPTH_MAX ((size_t)131071)

/* product[i][j] = sum over p of a[i][p] * b_transposed[j][p], exact. a is rows x depth, b_transposed cols x depth (the
 * usual layout of weights), product rows x cols, all without gaps. */
fos_status_t fos_gemm_i8(const int8_t *a, const int8_t *b_transposed, size_t rows, size_t cols, size_t depth,
                         int32_t *product);

/* quantised = clamp(rint(value / scale) + zero_point, -128, 127), half to even, NaN to zero_point; each of channel_count
 * channels of channel_size values has its scale and zero point. FOS_ERR_PARAMETER for a scale that is not finite and
 * positive. */
fos_status_t fos_quantise_f32_i8(const float *values, size_t channel_count, size_t channel_size, const float *scale,
                                 const int8_t *zero_point, int8_t *quantised);

/* value = (quantised - zero_point) * scale. */
fos_status_t fos_dequantise_i8_f32(const int8_t *quantised, size_t channel_count, size_t channel_size,
                                   const float *scale, const int8_t *zero_point, float *values);

/* What the sums of a product's rows and columns must be, and how far rounding may take them. Caller's memory: rows, rows,
 * cols and cols elements. */
typedef struct {
    double *row_sums;
    double *row_tolerances;
    double *column_sums;
    double *column_tolerances;
} fos_abft_sums_f64_t;

/* What a check found. With one faulty row and column the element at their crossing was wrong and is corrected
 * (corrected_count 1); with more, or with sums that contradict each other, nothing is touched. row_index and column_index
 * are the first faulty ones, and mean something only when their count is not 0. */
typedef struct {
    uint64_t row_count;
    uint64_t column_count;
    uint64_t row_index;
    uint64_t column_index;
    uint64_t corrected_count;
} fos_abft_faults_t;

/* Expected sums of the float32 product of a (rows x depth) and b (depth x cols), from a and b alone. Tolerances
 * hold for any order of summation of finite products; beyond float32's range the check cries wolf, but corrects nothing. */
fos_status_t fos_abft_expect_f32(const float *a, const float *b, size_t rows, size_t cols, size_t depth,
                                 const fos_abft_sums_f64_t *expected);

/* Checks a product against its expected sums and corrects one wrong element, an infinity or NaN too, to within the
 * tolerance. scratch needs rows + cols elements. */
fos_status_t fos_abft_correct_f32(float *product, size_t rows, size_t cols, const fos_abft_sums_f64_t *expected,
                                  double *scratch, size_t scratch_count, fos_abft_faults_t *faults);

/* The same for fos_gemm_i8: exact, so every wrong element shows and is corrected to the bit. scratch needs cols
 * elements. */
fos_status_t fos_abft_expect_i8(const int8_t *a, const int8_t *b_transposed, size_t rows, size_t cols, size_t depth,
                                int64_t *row_sums, int64_t *column_sums);
fos_status_t fos_abft_correct_i32(int32_t *product, size_t rows, size_t cols, const int64_t *row_sums,
                                  const int64_t *column_sums, int64_t *scratch, size_t scratch_count,
                                  fos_abft_faults_t *faults);

#endif
