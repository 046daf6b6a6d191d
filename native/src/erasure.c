/* Erasure code: the doors, the field, the matrix, and which shards are combined into which.
 *
 * A Cauchy matrix has no singular square part, so any data_count shards restore the rest (Bloemer et al. 1995). Its
 * columns are scaled so that the first parity is a plain exclusive or; scaling keeps the property.
 */
#include "protection_internal.h"

#define GF_POLYNOMIAL 0x11Du

_Alignas(32) uint8_t fos_gf_nibbles[256][32];
uint64_t fos_gf_matrix[256];

static uint8_t multiply_bitwise(unsigned a, unsigned b)
{
    unsigned product = 0;
    for (; b != 0; b >>= 1) {
        if ((b & 1u) != 0) { product ^= a; }
        a = (a << 1) ^ ((a & 0x80u) != 0 ? GF_POLYNOMIAL : 0);
    }
    return (uint8_t)product;
}

void fos_gf_tables_fill(void)
{
    for (unsigned factor = 0; factor < 256; factor++) {
        for (unsigned nibble = 0; nibble < 16; nibble++) {
            fos_gf_nibbles[factor][nibble] = multiply_bitwise(factor, nibble);
            fos_gf_nibbles[factor][16 + nibble] = multiply_bitwise(factor, nibble << 4);
        }
        /* Row of result bit r is byte 7 - r of the word; its bit b says whether input bit b counts. */
        uint64_t matrix = 0;
        for (unsigned bit = 0; bit < 8; bit++) {
            const unsigned product = multiply_bitwise(factor, 1u << bit);
            for (unsigned row = 0; row < 8; row++) {
                matrix |= (uint64_t)(product >> row & 1u) << (8 * (7 - row) + bit);
            }
        }
        fos_gf_matrix[factor] = matrix;
    }
}

void fos_erasure_fill(fos_kernels_t *table, uint32_t features)
{
    table->gf_combine = fos_gf_combine_portable;
    table->xor_parity = fos_xor_portable;
#ifdef FOS_HAVE_AVX2
    if ((features & FOS_FEATURE_AVX2) != 0) {
        table->gf_combine = fos_gf_combine_avx2;
    }
#endif
#ifdef FOS_HAVE_AVX512
    if ((features & FOS_FEATURE_AVX512) != 0 && (features & FOS_FEATURE_GFNI) != 0) {
        table->gf_combine = fos_gf_combine_avx512;
    }
#endif
#ifdef FOS_HAVE_NEON
    if ((features & FOS_FEATURE_NEON_CRC) != 0) { table->gf_combine = fos_gf_combine_neon; }
#endif
    (void)features;
}

/* value^254 is 1 / value; 0 has no inverse and gives 0. */
static uint8_t invert(uint8_t value)
{
    uint8_t inverse = 1;
    uint8_t square = value;
    for (int bit = 1; bit < 8; bit++) {
        square = fos_gf_multiply(square, square);
        inverse = fos_gf_multiply(inverse, square);
    }
    return inverse;
}

static uint8_t matrix_factor(size_t parity, size_t data)
{
    return fos_gf_multiply((uint8_t)(255u ^ data), invert((uint8_t)((255u - parity) ^ data)));
}

static int fits(size_t shard_count, size_t stride_bytes, size_t shard_bytes, size_t capacity_bytes)
{
    if (shard_bytes > capacity_bytes) { return 0; }
    /* (shard_count - 1) * stride + shard <= capacity, without overflow. */
    return shard_count < 2 || stride_bytes <= (capacity_bytes - shard_bytes) / (shard_count - 1);
}

static fos_status_t check_shape(const fos_erasure_shape_t *shape, const uint8_t *data, size_t data_capacity_bytes,
                                const uint8_t *parity, size_t parity_capacity_bytes)
{
    if (shape == NULL || data == NULL || parity == NULL) { return FOS_ERR_NULL; }
    if (shape->data_count < 1 || shape->data_count > FOS_DATA_SHARD_COUNT_MAX || shape->parity_count < 1 ||
        shape->parity_count > FOS_PARITY_SHARD_COUNT_MAX || shape->data_stride_bytes < shape->shard_bytes ||
        shape->parity_stride_bytes < shape->shard_bytes) {
        return FOS_ERR_PARAMETER;
    }
    if (!fits(shape->data_count, shape->data_stride_bytes, shape->shard_bytes, data_capacity_bytes) ||
        !fits(shape->parity_count, shape->parity_stride_bytes, shape->shard_bytes, parity_capacity_bytes)) {
        return FOS_ERR_CAPACITY;
    }
    return FOS_OK;
}

fos_status_t fos_erasure_encode(const fos_erasure_shape_t *shape, const uint8_t *data, size_t data_capacity_bytes,
                                uint8_t *parity, size_t parity_capacity_bytes)
{
    const fos_status_t status = check_shape(shape, data, data_capacity_bytes, parity, parity_capacity_bytes);
    if (status != FOS_OK) { return status; }
    uint8_t factors[FOS_PARITY_SHARD_COUNT_MAX * FOS_DATA_SHARD_COUNT_MAX];
    const uint8_t *sources[FOS_DATA_SHARD_COUNT_MAX];
    uint8_t *targets[FOS_PARITY_SHARD_COUNT_MAX];
    (void)fos_kernels(); /* the field's tables are filled with the first choice */
    for (size_t column = 0; column < shape->data_count; column++) {
        sources[column] = data + column * shape->data_stride_bytes;
    }
    for (size_t row = 0; row < shape->parity_count; row++) {
        targets[row] = parity + row * shape->parity_stride_bytes;
        for (size_t column = 0; column < shape->data_count; column++) {
            factors[row * shape->data_count + column] = matrix_factor(row, column);
        }
    }
    fos_kernels()->gf_combine(factors, shape->parity_count, shape->data_count, sources, targets, shape->shard_bytes);
    return FOS_OK;
}

/* Inverts the square matrix of `size` rows by elimination without pivots: a Cauchy matrix and all its leading parts are
 * regular, so no diagonal element becomes 0. */
static void invert_matrix(uint8_t matrix[FOS_PARITY_SHARD_COUNT_MAX][2 * FOS_PARITY_SHARD_COUNT_MAX], size_t size)
{
    for (size_t pivot = 0; pivot < size; pivot++) {
        const uint8_t scale = invert(matrix[pivot][pivot]);
        for (size_t column = 0; column < 2 * size; column++) {
            matrix[pivot][column] = fos_gf_multiply(scale, matrix[pivot][column]);
        }
        for (size_t row = 0; row < size; row++) {
            const uint8_t factor = matrix[row][pivot];
            if (row == pivot || factor == 0) { continue; }
            for (size_t column = 0; column < 2 * size; column++) {
                matrix[row][column] ^= fos_gf_multiply(factor, matrix[pivot][column]);
            }
        }
    }
}

/* What is lost and what stands in for it. */
typedef struct {
    size_t lost_data[FOS_PARITY_SHARD_COUNT_MAX];
    size_t helping_parity[FOS_PARITY_SHARD_COUNT_MAX]; /* as many as there is lost data */
    size_t lost_data_count;
    size_t lost_parity[FOS_PARITY_SHARD_COUNT_MAX];
    size_t lost_parity_count;
} losses_t;

static fos_status_t find_losses(const fos_erasure_shape_t *shape, const uint8_t *is_present, losses_t *losses)
{
    memset(losses, 0, sizeof *losses);
    for (size_t data = 0; data < shape->data_count; data++) {
        if (is_present[data] != 0) { continue; }
        if (losses->lost_data_count == shape->parity_count) { return FOS_ERR_UNCORRECTABLE; }
        losses->lost_data[losses->lost_data_count++] = data;
    }
    size_t helping_count = 0;
    for (size_t parity = 0; parity < shape->parity_count; parity++) {
        if (is_present[shape->data_count + parity] == 0) {
            losses->lost_parity[losses->lost_parity_count++] = parity;
        } else if (helping_count < losses->lost_data_count) {
            losses->helping_parity[helping_count++] = parity;
        }
    }
    return helping_count == losses->lost_data_count ? FOS_OK : FOS_ERR_UNCORRECTABLE;
}

/* factors[lost][column]: columns are the data shards in order, each lost one replaced by its helping parity.
 * parity = M_lost * lost + M_kept * kept, so lost = inverse(M_lost) * (parity + M_kept * kept). */
static void fill_decoding_factors(const losses_t *losses, size_t data_count, const uint8_t *is_present,
                                  uint8_t *factors)
{
    const size_t size = losses->lost_data_count;
    uint8_t matrix[FOS_PARITY_SHARD_COUNT_MAX][2 * FOS_PARITY_SHARD_COUNT_MAX];
    for (size_t row = 0; row < size; row++) {
        for (size_t column = 0; column < size; column++) {
            matrix[row][column] = matrix_factor(losses->helping_parity[row], losses->lost_data[column]);
            matrix[row][size + column] = row == column;
        }
    }
    invert_matrix(matrix, size);
    size_t lost = 0;
    for (size_t column = 0; column < data_count; column++) {
        if (is_present[column] == 0) {
            for (size_t row = 0; row < size; row++) { factors[row * data_count + column] = matrix[row][size + lost]; }
            lost++;
            continue;
        }
        uint8_t kept[FOS_PARITY_SHARD_COUNT_MAX]; /* the column of M_kept */
        for (size_t helper = 0; helper < size; helper++) {
            kept[helper] = matrix_factor(losses->helping_parity[helper], column);
        }
        for (size_t row = 0; row < size; row++) {
            uint8_t factor = 0;
            for (size_t helper = 0; helper < size; helper++) {
                factor ^= fos_gf_multiply(matrix[row][size + helper], kept[helper]);
            }
            factors[row * data_count + column] = factor;
        }
    }
}

fos_status_t fos_erasure_restore(const fos_erasure_shape_t *shape, uint8_t *data, size_t data_capacity_bytes,
                                 uint8_t *parity, size_t parity_capacity_bytes, const uint8_t *is_present)
{
    if (is_present == NULL) { return FOS_ERR_NULL; }
    fos_status_t status = check_shape(shape, data, data_capacity_bytes, parity, parity_capacity_bytes);
    if (status != FOS_OK) { return status; }
    losses_t losses;
    status = find_losses(shape, is_present, &losses);
    if (status != FOS_OK) { return status; }
    uint8_t factors[FOS_PARITY_SHARD_COUNT_MAX * FOS_DATA_SHARD_COUNT_MAX];
    const uint8_t *sources[FOS_DATA_SHARD_COUNT_MAX];
    uint8_t *targets[FOS_PARITY_SHARD_COUNT_MAX];
    const fos_kernels_t *kernels = fos_kernels();
    size_t lost = 0;
    for (size_t column = 0; column < shape->data_count; column++) {
        sources[column] = data + column * shape->data_stride_bytes;
        if (is_present[column] == 0) {
            targets[lost] = data + column * shape->data_stride_bytes;
            sources[column] = parity + losses.helping_parity[lost] * shape->parity_stride_bytes;
            lost++;
        }
    }
    if (losses.lost_data_count > 0) {
        fill_decoding_factors(&losses, shape->data_count, is_present, factors);
        kernels->gf_combine(factors, losses.lost_data_count, shape->data_count, sources, targets, shape->shard_bytes);
    }
    if (losses.lost_parity_count == 0) { return FOS_OK; }
    for (size_t row = 0; row < losses.lost_parity_count; row++) {
        targets[row] = parity + losses.lost_parity[row] * shape->parity_stride_bytes;
        for (size_t column = 0; column < shape->data_count; column++) {
            sources[column] = data + column * shape->data_stride_bytes;
            factors[row * shape->data_count + column] = matrix_factor(losses.lost_parity[row], column);
        }
    }
    kernels->gf_combine(factors, losses.lost_parity_count, shape->data_count, sources, targets, shape->shard_bytes);
    return FOS_OK;
}

fos_status_t fos_xor_parity(const uint8_t *data, size_t data_capacity_bytes, size_t shard_count, size_t stride_bytes,
                            size_t shard_bytes, uint8_t *parity)
{
    if (data == NULL || parity == NULL) { return FOS_ERR_NULL; }
    if (shard_count < 1 || stride_bytes < shard_bytes) { return FOS_ERR_PARAMETER; }
    if (!fits(shard_count, stride_bytes, shard_bytes, data_capacity_bytes)) { return FOS_ERR_CAPACITY; }
    fos_kernels()->xor_parity(data, shard_count, stride_bytes, parity, shard_bytes);
    return FOS_OK;
}
