/* Algorithm-based fault tolerance of matrix products (Huang and Abraham 1984): the doors and the verdict.
 *
 * The sum of a row of C = A * B is that row of A times the row sums of B; the sum of a column likewise. Both are reckoned
 * from A and B, apart from the product; where a row and a column of C disagree with them, their crossing is wrong.
 */
#include "integer_internal.h"

#include <math.h>

/* How often the expected rounding noise a sum may be off: eps * sqrt(depth) * norms is the standard deviation of a bound
 * on it (Higham 2002, 3.1, with independent errors); eight of them are not met by chance. */
#define NOISE_FACTOR 8.0
#define FLOAT_EPSILON 0x1p-24
#define ROWS_AT_ONCE ((size_t)32)

void fos_abft_fill(fos_kernels_t *table, uint32_t features)
{
    table->abft_sums = fos_abft_sums_portable;
    table->abft_expect = fos_abft_expect_portable;
    table->abft_expect_i8 = fos_abft_expect_i8_portable;
    table->abft_sums_i32 = fos_abft_sums_i32_portable;
#ifdef FOS_HAVE_AVX2
    if ((features & FOS_FEATURE_AVX2) != 0) {
        table->abft_sums = fos_abft_sums_avx2;
        table->abft_expect = fos_abft_expect_avx2;
        table->abft_expect_i8 = fos_abft_expect_i8_avx2;
        table->abft_sums_i32 = fos_abft_sums_i32_avx2;
    }
#endif
#ifdef FOS_HAVE_AVX512
    if ((features & FOS_FEATURE_AVX512) != 0) {
        table->abft_expect_i8 = fos_abft_expect_i8_avx512;
        table->abft_sums_i32 = fos_abft_sums_i32_avx512;
    }
#endif
    (void)features;
}

static int is_too_large(size_t rows, size_t cols)
{
    return rows > FOS_PIXEL_COUNT_MAX || (rows != 0 && cols > FOS_PIXEL_COUNT_MAX / rows);
}

fos_status_t fos_abft_expect_f32(const float *a, const float *b, size_t rows, size_t cols, size_t depth,
                                 const fos_abft_sums_f64_t *expected)
{
    if (a == NULL || b == NULL || expected == NULL || expected->row_sums == NULL || expected->column_sums == NULL ||
        expected->row_tolerances == NULL || expected->column_tolerances == NULL) {
        return FOS_ERR_NULL;
    }
    if (is_too_large(rows, depth) || is_too_large(depth, cols) || is_too_large(rows, cols)) { return FOS_ERR_TOO_LARGE; }
    memset(expected->row_sums, 0, rows * sizeof *expected->row_sums);
    memset(expected->row_tolerances, 0, rows * sizeof *expected->row_tolerances);
    memset(expected->column_sums, 0, cols * sizeof *expected->column_sums);
    memset(expected->column_tolerances, 0, cols * sizeof *expected->column_tolerances);
    fos_kernels()->abft_expect(a, b, rows, cols, depth, expected);
    double a_squares = 0.0;
    double b_squares = 0.0;
    for (size_t row = 0; row < rows; row++) { a_squares += expected->row_tolerances[row]; }
    for (size_t col = 0; col < cols; col++) { b_squares += expected->column_tolerances[col]; }
    const double noise = NOISE_FACTOR * FLOAT_EPSILON * sqrt((double)depth);
    for (size_t row = 0; row < rows; row++) {
        expected->row_tolerances[row] = noise * sqrt(expected->row_tolerances[row] * b_squares);
    }
    for (size_t col = 0; col < cols; col++) {
        expected->column_tolerances[col] = noise * sqrt(expected->column_tolerances[col] * a_squares);
    }
    return FOS_OK;
}

/* False for a difference that is not a number: an infinite element makes it so. */
static int is_within(double difference, double tolerance)
{
    return fabs(difference) <= tolerance;
}

fos_status_t fos_abft_correct_f32(float *product, size_t rows, size_t cols, const fos_abft_sums_f64_t *expected,
                                  double *scratch, size_t scratch_count, fos_abft_faults_t *faults)
{
    if (product == NULL || expected == NULL || expected->row_sums == NULL || expected->column_sums == NULL ||
        expected->row_tolerances == NULL || expected->column_tolerances == NULL || scratch == NULL || faults == NULL) {
        return FOS_ERR_NULL;
    }
    if (is_too_large(rows, cols)) { return FOS_ERR_TOO_LARGE; }
    if (scratch_count < cols || scratch_count - cols < rows) { return FOS_ERR_CAPACITY; }
    memset(faults, 0, sizeof *faults);
    double *const column_sums = scratch;
    double *const row_sums = scratch + cols;
    memset(scratch, 0, (cols + rows) * sizeof *scratch);
    fos_kernels()->abft_sums(product, rows, cols, column_sums, row_sums);
    for (size_t row = rows; row-- > 0;) {
        if (is_within(row_sums[row] - expected->row_sums[row], expected->row_tolerances[row])) { continue; }
        faults->row_count++;
        faults->row_index = row;
    }
    for (size_t col = cols; col-- > 0;) {
        if (is_within(column_sums[col] - expected->column_sums[col], expected->column_tolerances[col])) { continue; }
        faults->column_count++;
        faults->column_index = col;
    }
    if (faults->row_count != 1 || faults->column_count != 1) { return FOS_OK; }
    /* What the element must be: the expected sum less the other elements, which also undoes an infinity. */
    double row_value = expected->row_sums[faults->row_index];
    double column_value = expected->column_sums[faults->column_index];
    for (size_t col = 0; col < cols; col++) {
        if (col != faults->column_index) { row_value -= (double)product[faults->row_index * cols + col]; }
    }
    for (size_t row = 0; row < rows; row++) {
        if (row != faults->row_index) { column_value -= (double)product[row * cols + faults->column_index]; }
    }
    const double row_tolerance = expected->row_tolerances[faults->row_index];
    const double column_tolerance = expected->column_tolerances[faults->column_index];
    /* Two faults that share neither row nor column show as more; this guards against sums that were hit themselves. */
    if (!is_within(row_value - column_value, row_tolerance + column_tolerance)) { return FOS_OK; }
    const double value = row_tolerance <= column_tolerance ? row_value : column_value;
    product[faults->row_index * cols + faults->column_index] = (float)value;
    faults->corrected_count = 1;
    return FOS_OK;
}

fos_status_t fos_abft_expect_i8(const int8_t *a, const int8_t *b_transposed, size_t rows, size_t cols, size_t depth,
                                int64_t *row_sums, int64_t *column_sums)
{
    if (a == NULL || b_transposed == NULL || row_sums == NULL || column_sums == NULL) { return FOS_ERR_NULL; }
    if (depth > FOS_GEMM_DEPTH_MAX || rows > FOS_PIXEL_COUNT_MAX || cols > FOS_PIXEL_COUNT_MAX) {
        return FOS_ERR_TOO_LARGE;
    }
    memset(row_sums, 0, rows * sizeof *row_sums);
    memset(column_sums, 0, cols * sizeof *column_sums);
    fos_kernels()->abft_expect_i8(a, b_transposed, rows, cols, depth, row_sums, column_sums);
    return FOS_OK;
}

fos_status_t fos_abft_correct_i32(int32_t *product, size_t rows, size_t cols, const int64_t *row_sums,
                                  const int64_t *column_sums, int64_t *scratch, size_t scratch_count,
                                  fos_abft_faults_t *faults)
{
    if (product == NULL || row_sums == NULL || column_sums == NULL || scratch == NULL || faults == NULL) {
        return FOS_ERR_NULL;
    }
    if (is_too_large(rows, cols)) { return FOS_ERR_TOO_LARGE; }
    if (scratch_count < cols) { return FOS_ERR_CAPACITY; }
    memset(faults, 0, sizeof *faults);
    memset(scratch, 0, cols * sizeof *scratch);
    int64_t row_difference = 0;
    int64_t column_difference = 0;
    int64_t sums[ROWS_AT_ONCE];
    for (size_t first = 0; first < rows; first += ROWS_AT_ONCE) {
        const size_t count = rows - first < ROWS_AT_ONCE ? rows - first : ROWS_AT_ONCE;
        fos_kernels()->abft_sums_i32(product + first * cols, count, cols, scratch, sums);
        for (size_t row = 0; row < count; row++) {
            if (sums[row] == row_sums[first + row]) { continue; }
            if (faults->row_count == 0) {
                faults->row_index = first + row;
                row_difference = (int64_t)((uint64_t)sums[row] - (uint64_t)row_sums[first + row]);
            }
            faults->row_count++;
        }
    }
    for (size_t col = 0; col < cols; col++) {
        if (scratch[col] == column_sums[col]) { continue; }
        if (faults->column_count == 0) {
            faults->column_index = col;
            column_difference = (int64_t)((uint64_t)scratch[col] - (uint64_t)column_sums[col]);
        }
        faults->column_count++;
    }
    if (faults->row_count != 1 || faults->column_count != 1 || row_difference != column_difference) { return FOS_OK; }
    int32_t *const element = &product[faults->row_index * cols + faults->column_index];
    const int64_t value = (int64_t)((uint64_t)*element - (uint64_t)row_difference);
    if (value < INT32_MIN || value > INT32_MAX) { return FOS_OK; }
    *element = (int32_t)value;
    faults->corrected_count = 1;
    return FOS_OK;
}
