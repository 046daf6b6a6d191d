/* Checksums of matrix products: every single wrong element is found and corrected, and no right product is accused. */
#include "harness.h"

#include <math.h>

typedef struct {
    size_t rows;
    size_t cols;
    size_t depth;
    float *a;
    float *b;
    float *product;
    fos_abft_sums_f64_t expected;
    double *scratch;
    size_t scratch_count;
} problem_t;

static problem_t new_problem(size_t rows, size_t cols, size_t depth)
{
    problem_t p = {.rows = rows, .cols = cols, .depth = depth, .scratch_count = rows + cols};
    p.a = guarded_new(rows * depth * sizeof(float));
    p.b = guarded_new(depth * cols * sizeof(float));
    p.product = guarded_new(rows * cols * sizeof(float));
    p.expected.row_sums = guarded_new(rows * sizeof(double));
    p.expected.row_tolerances = guarded_new(rows * sizeof(double));
    p.expected.column_sums = guarded_new(cols * sizeof(double));
    p.expected.column_tolerances = guarded_new(cols * sizeof(double));
    p.scratch = guarded_new(p.scratch_count * sizeof(double));
    for (size_t index = 0; index < rows * depth; index++) { p.a[index] = (float)next_random() / 2147483648.0f - 1.0f; }
    for (size_t index = 0; index < depth * cols; index++) { p.b[index] = (float)next_random() / 2147483648.0f - 1.0f; }
    for (size_t row = 0; row < rows; row++) {
        for (size_t col = 0; col < cols; col++) {
            float sum = 0.0f; /* the worst order there is */
            for (size_t index = 0; index < depth; index++) { sum += p.a[row * depth + index] * p.b[index * cols + col]; }
            p.product[row * cols + col] = sum;
        }
    }
    return p;
}

static void free_problem(const problem_t *p)
{
    guarded_free(p->a, p->rows * p->depth * sizeof(float));
    guarded_free(p->b, p->depth * p->cols * sizeof(float));
    guarded_free(p->product, p->rows * p->cols * sizeof(float));
    guarded_free(p->expected.row_sums, p->rows * sizeof(double));
    guarded_free(p->expected.row_tolerances, p->rows * sizeof(double));
    guarded_free(p->expected.column_sums, p->cols * sizeof(double));
    guarded_free(p->expected.column_tolerances, p->cols * sizeof(double));
    guarded_free(p->scratch, p->scratch_count * sizeof(double));
}

static void expect(const problem_t *p)
{
    CHECK(fos_abft_expect_f32(p->a, p->b, p->rows, p->cols, p->depth, &p->expected) == FOS_OK);
}

static fos_abft_faults_t correct(const problem_t *p)
{
    fos_abft_faults_t faults;
    CHECK(fos_abft_correct_f32(p->product, p->rows, p->cols, &p->expected, p->scratch, p->rows + p->cols, &faults) == FOS_OK);
    return faults;
}

static uint64_t bits_of(const double *values, size_t count)
{
    uint64_t bits = 0;
    for (size_t index = 0; index < count; index++) {
        uint64_t word;
        memcpy(&word, &values[index], sizeof word);
        bits = bits * 31 + word;
    }
    return bits;
}

/* Beyond one block of columns or of the depth, and beyond one group of rows: the sums are right, and every level gives the
 * same bits. */
static void test_several_blocks(void)
{
    static const size_t shapes[][3] = {{3, 1037, 5}, {19, 6, 1031}, {37, 1025, 513}, {16, 2049, 512}};
    static uint64_t first_bits[sizeof shapes / sizeof shapes[0]];
    static int is_first = 1;
    const uint64_t stream = test_stream;
    test_stream = 7654321;
    for (size_t shape = 0; shape < sizeof shapes / sizeof shapes[0]; shape++) {
        const problem_t p = new_problem(shapes[shape][0], shapes[shape][1], shapes[shape][2]);
        expect(&p);
        const fos_abft_faults_t faults = correct(&p);
        CHECK(faults.row_count == 0 && faults.column_count == 0);
        for (size_t row = 0; row < p.rows; row++) {
            double sum = 0.0;
            for (size_t index = 0; index < p.depth; index++) {
                double row_sum = 0.0;
                for (size_t col = 0; col < p.cols; col++) { row_sum += (double)p.b[index * p.cols + col]; }
                sum += (double)p.a[row * p.depth + index] * row_sum;
            }
            CHECK(fabs(p.expected.row_sums[row] - sum) < p.expected.row_tolerances[row] / 8);
        }
        const uint64_t bits = (bits_of(p.expected.row_sums, p.rows) * 31 + bits_of(p.expected.column_sums, p.cols)) * 31 +
                              bits_of(p.scratch, p.rows + p.cols); /* what correct() summed */
        if (is_first) { first_bits[shape] = bits; }
        CHECK(bits == first_bits[shape]);
        free_problem(&p);
    }
    is_first = 0;
    test_stream = stream;
}

/* Every level gives the bits of the first, and accuses no right product. */
static void test_expectations_and_no_false_alarm(void)
{
    static uint64_t first_bits[40];
    static size_t shape_count = 0;
    static int is_first = 1;
    const uint64_t stream = test_stream;
    test_stream = 1234567;
    shape_count = 0;
    for (size_t rows = 1; rows < 20; rows += 6) {
        for (size_t cols = 1; cols < 40; cols += 5) {
            const problem_t p = new_problem(rows, cols, 3 + rows * cols % 71);
            expect(&p);
            const fos_abft_faults_t faults = correct(&p);
            CHECK(faults.row_count == 0 && faults.column_count == 0 && faults.corrected_count == 0);
            uint64_t bits = 0;
            for (size_t row = 0; row < rows; row++) {
                uint64_t sum;
                memcpy(&sum, &p.expected.row_sums[row], sizeof sum);
                bits = bits * 31 + sum;
                memcpy(&sum, &p.expected.row_tolerances[row], sizeof sum);
                bits = bits * 31 + sum;
            }
            for (size_t col = 0; col < cols; col++) {
                uint64_t sum;
                memcpy(&sum, &p.expected.column_sums[col], sizeof sum);
                bits = bits * 31 + sum;
                memcpy(&sum, &p.expected.column_tolerances[col], sizeof sum);
                bits = bits * 31 + sum;
            }
            if (is_first) { first_bits[shape_count] = bits; }
            CHECK(bits == first_bits[shape_count]);
            shape_count++;
            free_problem(&p);
        }
    }
    is_first = 0;
    test_stream = stream;
}

/* Every bit of every element. An upset larger than the tolerances is located and corrected to within them; a smaller one
 * is no larger than rounding may be, and must at least not lead to harm elsewhere. */
static void test_every_single_bit(void)
{
    const problem_t p = new_problem(13, 21, 40);
    expect(&p);
    float *before = guarded_new(p.rows * p.cols * sizeof(float));
    memcpy(before, p.product, p.rows * p.cols * sizeof(float));
    unsigned long large_count = 0;
    unsigned long corrected_count = 0;
    unsigned long harmed_count = 0;
    for (size_t index = 0; index < p.rows * p.cols; index++) {
        const double row_tolerance = p.expected.row_tolerances[index / p.cols];
        const double column_tolerance = p.expected.column_tolerances[index % p.cols];
        for (unsigned bit = 0; bit < 32; bit++) {
            uint32_t word;
            memcpy(&word, &p.product[index], sizeof word);
            word ^= (uint32_t)1 << bit;
            memcpy(&p.product[index], &word, sizeof word);
            const double change = fabs((double)p.product[index] - (double)before[index]);
            /* The residuals hold the rounding noise as well, at most a tolerance. */
            const int is_large = !(change <= 2 * fmax(row_tolerance, column_tolerance));
            const fos_abft_faults_t faults = correct(&p);
            const double left = fabs((double)p.product[index] - (double)before[index]);
            large_count += (unsigned long)is_large;
            corrected_count += is_large && faults.corrected_count == 1 && faults.row_index == index / p.cols &&
                               faults.column_index == index % p.cols &&
                               left <= 2 * fmin(row_tolerance, column_tolerance);
            p.product[index] = before[index];
            harmed_count += memcmp(before, p.product, p.rows * p.cols * sizeof(float)) != 0;
        }
    }
    CHECK(large_count > 0 && corrected_count == large_count);
    CHECK(harmed_count == 0);
    guarded_free(before, p.rows * p.cols * sizeof(float));
    free_problem(&p);
}

/* Two wrong elements are detected, and never "corrected". */
static void test_two_wrong_elements(void)
{
    const problem_t p = new_problem(9, 10, 16);
    expect(&p);
    for (unsigned turn = 0; turn < 200; turn++) {
        const size_t first = next_random() % 90;
        const size_t second = (first + 1 + next_random() % 89) % 90;
        const float first_before = p.product[first];
        const float second_before = p.product[second];
        p.product[first] += 10.0f;
        p.product[second] += 7.0f;
        const fos_abft_faults_t faults = correct(&p);
        CHECK(faults.row_count + faults.column_count >= 3 && faults.corrected_count == 0);
        p.product[first] = first_before;
        p.product[second] = second_before;
    }
    free_problem(&p);
}

/* Tolerances are what the noise of rounding makes them: 8 eps sqrt(depth) times the norms, of a row of a and all of b or of
 * a column of b and all of a. Larger ones would be deaf to upsets, smaller ones cry wolf. */
static void test_tolerances_follow_the_noise(void)
{
    const problem_t p = new_problem(9, 17, 50);
    expect(&p);
    double a_squares = 0.0;
    double b_squares = 0.0;
    for (size_t index = 0; index < p.rows * p.depth; index++) { a_squares += (double)p.a[index] * (double)p.a[index]; }
    for (size_t index = 0; index < p.depth * p.cols; index++) { b_squares += (double)p.b[index] * (double)p.b[index]; }
    const double noise = 8.0 * 0x1p-24 * sqrt((double)p.depth);
    for (size_t row = 0; row < p.rows; row++) {
        double squares = 0.0;
        for (size_t index = 0; index < p.depth; index++) { squares += pow((double)p.a[row * p.depth + index], 2.0); }
        CHECK(fabs(p.expected.row_tolerances[row] / (noise * sqrt(squares * b_squares)) - 1.0) < 1e-4);
    }
    for (size_t col = 0; col < p.cols; col++) {
        double squares = 0.0;
        for (size_t index = 0; index < p.depth; index++) { squares += pow((double)p.b[index * p.cols + col], 2.0); }
        CHECK(fabs(p.expected.column_tolerances[col] / (noise * sqrt(squares * a_squares)) - 1.0) < 1e-4);
    }
    free_problem(&p);
}

/* The smallest and the largest bytes, in shapes beyond every block: sums are exact to the last bit. */
static void test_extremes_of_integers(void)
{
    static const size_t shapes[][3] = {{32771, 2, 3}, {3, 32771, 2}, {9, 5, 2048}, {1, 17, 4113}, {8, 8, 4096}, {41, 23, 70}};
    for (size_t turn = 0; turn < 3 * sizeof shapes / sizeof shapes[0]; turn++) {
        const size_t *shape = shapes[turn / 3];
        const size_t rows = shape[0];
        const size_t cols = shape[1];
        const size_t depth = shape[2];
        int8_t *a = guarded_new(rows * depth);
        int8_t *b = guarded_new(cols * depth);
        int64_t *sums = guarded_new((rows + cols) * sizeof *sums);
        int64_t *factors = calloc(2 * depth, sizeof *factors);
        if (factors == NULL) { abort(); }
        const int8_t extremes[][2] = {{-128, -128}, {-128, 127}, {127, 127}};
        memset(a, extremes[turn % 3][0], rows * depth);
        memset(b, extremes[turn % 3][1], cols * depth);
        for (size_t index = 0; index < depth; index++) { a[next_random() % (rows * depth)] = (int8_t)next_random(); }
        for (size_t index = 0; index < rows * depth; index++) { factors[index % depth] += a[index]; }
        for (size_t index = 0; index < cols * depth; index++) { factors[depth + index % depth] += b[index]; }
        CHECK(fos_abft_expect_i8(a, b, rows, cols, depth, sums, sums + rows) == FOS_OK);
        unsigned long wrong_count = 0;
        for (size_t line = 0; line < rows + cols; line++) {
            const int is_row = line < rows;
            const int8_t *values = is_row ? a + line * depth : b + (line - rows) * depth;
            int64_t sum = 0;
            for (size_t index = 0; index < depth; index++) { sum += values[index] * factors[(is_row ? depth : 0) + index]; }
            wrong_count += sums[line] != sum;
        }
        CHECK(wrong_count == 0);
        free(factors);
        guarded_free(a, rows * depth);
        guarded_free(b, cols * depth);
        guarded_free(sums, (rows + cols) * sizeof *sums);
    }
}

/* Sums of a product beyond 32 bits, more rows than are summed at once, and the last element wrong. */
static void test_long_lines_of_integers(void)
{
    enum { ROWS = 67, COLS = 45 };
    int32_t *product = guarded_new(ROWS * COLS * sizeof *product);
    int64_t row_sums[ROWS];
    int64_t column_sums[COLS];
    int64_t scratch[COLS];
    for (size_t index = 0; index < ROWS * COLS; index++) { product[index] = index / COLS % 3 == 0 ? INT32_MAX : INT32_MIN; }
    memset(row_sums, 0, sizeof row_sums);
    memset(column_sums, 0, sizeof column_sums);
    for (size_t index = 0; index < ROWS * COLS; index++) {
        row_sums[index / COLS] += product[index];
        column_sums[index % COLS] += product[index];
    }
    fos_abft_faults_t faults;
    CHECK(fos_abft_correct_i32(product, ROWS, COLS, row_sums, column_sums, scratch, COLS, &faults) == FOS_OK);
    CHECK(faults.row_count == 0 && faults.column_count == 0);
    for (size_t index = 0; index < ROWS * COLS; index += 13) {
        product[index] ^= 1 << 30;
        (void)fos_abft_correct_i32(product, ROWS, COLS, row_sums, column_sums, scratch, COLS, &faults);
        CHECK(faults.corrected_count == 1 && faults.row_index == index / COLS && faults.column_index == index % COLS);
    }
    guarded_free(product, ROWS * COLS * sizeof *product);
}

/* int8 products: every bit of every element is located and corrected to the bit. */
static void test_every_single_bit_of_integers(void)
{
    enum { ROWS = 11, COLS = 14, DEPTH = 33 };
    int8_t a[ROWS * DEPTH];
    int8_t b[COLS * DEPTH];
    int32_t product[ROWS * COLS];
    int32_t before[ROWS * COLS];
    int64_t row_sums[ROWS];
    int64_t column_sums[COLS];
    int64_t scratch[COLS];
    for (size_t index = 0; index < sizeof a; index++) { a[index] = (int8_t)next_random(); }
    for (size_t index = 0; index < sizeof b; index++) { b[index] = (int8_t)next_random(); }
    CHECK(fos_gemm_i8(a, b, ROWS, COLS, DEPTH, product) == FOS_OK);
    CHECK(fos_abft_expect_i8(a, b, ROWS, COLS, DEPTH, row_sums, column_sums) == FOS_OK);
    memcpy(before, product, sizeof before);
    fos_abft_faults_t faults;
    CHECK(fos_abft_correct_i32(product, ROWS, COLS, row_sums, column_sums, scratch, COLS, &faults) == FOS_OK);
    CHECK(faults.row_count == 0 && faults.column_count == 0);
    unsigned long corrected_count = 0;
    for (size_t index = 0; index < ROWS * COLS; index++) {
        for (unsigned bit = 0; bit < 32; bit++) {
            product[index] = (int32_t)((uint32_t)product[index] ^ (uint32_t)1 << bit);
            (void)fos_abft_correct_i32(product, ROWS, COLS, row_sums, column_sums, scratch, COLS, &faults);
            corrected_count += faults.corrected_count == 1 && faults.row_index == index / COLS &&
                               faults.column_index == index % COLS && memcmp(product, before, sizeof before) == 0;
        }
    }
    CHECK(corrected_count == ROWS * COLS * 32ul);
    product[3] += 5;
    product[40] -= 9;
    (void)fos_abft_correct_i32(product, ROWS, COLS, row_sums, column_sums, scratch, COLS, &faults);
    CHECK(faults.row_count == 2 && faults.column_count == 2 && faults.corrected_count == 0);
}

static void test_refusals(void)
{
    float value = 1.0f;
    double scratch[8];
    const fos_abft_sums_f64_t expected = {scratch, scratch + 1, scratch + 2, scratch + 3};
    const fos_abft_sums_f64_t missing = {scratch, NULL, scratch + 2, scratch + 3};
    fos_abft_faults_t faults;
    CHECK(fos_abft_expect_f32(&value, &value, 1, 1, 1, &missing) == FOS_ERR_NULL);
    CHECK(fos_abft_expect_f32(&value, &value, 1, 1, SIZE_MAX / 2, &expected) == FOS_ERR_TOO_LARGE);
    CHECK(fos_abft_correct_f32(&value, 1, 1, &expected, scratch + 4, 1, &faults) == FOS_ERR_CAPACITY);
    CHECK(fos_abft_correct_f32(&value, SIZE_MAX, 2, &expected, scratch + 4, 4, &faults) == FOS_ERR_TOO_LARGE);
    int8_t byte = 1;
    int32_t product = 1;
    int64_t sums[4] = {1, 1, 0, 0};
    CHECK(fos_abft_expect_i8(&byte, NULL, 1, 1, 1, sums, sums + 1) == FOS_ERR_NULL);
    CHECK(fos_abft_expect_i8(&byte, &byte, 1, 1, FOS_GEMM_DEPTH_MAX + 1, sums, sums + 1) == FOS_ERR_TOO_LARGE);
    CHECK(fos_abft_correct_i32(&product, 1, 1, sums, sums + 1, sums + 2, 0, &faults) == FOS_ERR_CAPACITY);
}

int main(void)
{
    on_every_isa(test_expectations_and_no_false_alarm);
    on_every_isa(test_several_blocks);
    on_every_isa(test_every_single_bit);
    on_every_isa(test_two_wrong_elements);
    on_every_isa(test_tolerances_follow_the_noise);
    on_every_isa(test_every_single_bit_of_integers);
    on_every_isa(test_extremes_of_integers);
    on_every_isa(test_long_lines_of_integers);
    test_refusals();
    return report();
}
