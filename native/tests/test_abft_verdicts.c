/* What the checksums of a product decide: only a clear verdict is reason enough to write. */
#include "harness.h"

static fos_abft_faults_t correct_three_by_three(float product[9], double row_sums[3], double row_tolerances[3],
                                                double column_sums[3], double column_tolerances[3])
{
    const fos_abft_sums_f64_t expected = {row_sums, row_tolerances, column_sums, column_tolerances};
    double scratch[6];
    fos_abft_faults_t faults;
    CHECK(fos_abft_correct_f32(product, 3, 3, &expected, scratch, 6, &faults) == FOS_OK);
    return faults;
}

/* Only one row and one column that agree on the value are reason enough to write. */
static void test_unclear_verdicts_touch_nothing(void)
{
    static const float untouched[3][9] = {{0, 0, 0, 10.0f, 0.5f, 0}, {0, 0, 0, 0, 2.0f, 0}, {0}};
    float product[9];
    double zeros[3] = {0};
    double ones[3] = {1.0, 1.0, 1.0};
    /* Two in one row, the second too small to contradict the first. */
    double narrow_column[3] = {1.0, 0.1, 1.0};
    memcpy(product, untouched[0], sizeof product);
    fos_abft_faults_t faults = correct_three_by_three(product, zeros, ones, zeros, narrow_column);
    CHECK(faults.row_count == 1 && faults.column_count == 2 && faults.corrected_count == 0);
    CHECK(memcmp(product, untouched[0], sizeof product) == 0);
    /* One that only its row finds, and one that only its column finds. */
    double wide[3] = {5.0, 5.0, 5.0};
    memcpy(product, untouched[1], sizeof product);
    faults = correct_three_by_three(product, zeros, ones, zeros, wide);
    CHECK(faults.row_count == 1 && faults.column_count == 0 && faults.corrected_count == 0);
    faults = correct_three_by_three(product, zeros, wide, zeros, ones);
    CHECK(faults.row_count == 0 && faults.column_count == 1 && faults.corrected_count == 0);
    CHECK(memcmp(product, untouched[1], sizeof product) == 0);
    /* The product is right; the expected sums were hit. */
    double hit_rows[3] = {0.0, 100.0, 0.0};
    double hit_columns[3] = {0.0, 0.0, -50.0};
    memcpy(product, untouched[2], sizeof product);
    faults = correct_three_by_three(product, hit_rows, ones, hit_columns, ones);
    CHECK(faults.row_count == 1 && faults.column_count == 1 && faults.corrected_count == 0);
    CHECK(memcmp(product, untouched[2], sizeof product) == 0);
}

/* The value comes from the sum that is known better, be it the row's or the column's. */
static void test_the_better_sum_gives_the_value(void)
{
    double fine[3] = {0.001, 0.001, 0.001};
    double coarse[3] = {1.0, 1.0, 1.0};
    double five[3] = {0.0, 5.0, 0.0};
    double nearly[3] = {0.0, 5.5, 0.0};
    float product[9] = {0, 0, 0, 0, 100.0f, 0, 0, 0, 0};
    CHECK(correct_three_by_three(product, five, fine, nearly, coarse).corrected_count == 1);
    CHECK(product[4] == 5.0f);
    product[4] = 100.0f;
    CHECK(correct_three_by_three(product, nearly, coarse, five, fine).corrected_count == 1);
    CHECK(product[4] == 5.0f);
}

/* Sums that disagree, or that ask for a value beyond an int32, were hit themselves. */
static void test_impossible_sums_of_integers_touch_nothing(void)
{
    int32_t product[4] = {1, 2, 3, 4};
    const int32_t before[4] = {1, 2, 3, 4};
    int64_t scratch[2];
    fos_abft_faults_t faults;
    const int64_t sums[][4] = {
        {3, 7 + ((int64_t)1 << 40), 4, 6 + ((int64_t)1 << 40)}, /* the same for the row and the column, and too large */
        {3, 7 - ((int64_t)1 << 40), 4, 6 - ((int64_t)1 << 40)},
        {3, 7 + 5, 4, 6 + 4},
    };
    for (size_t turn = 0; turn < sizeof sums / sizeof sums[0]; turn++) {
        CHECK(fos_abft_correct_i32(product, 2, 2, sums[turn], sums[turn] + 2, scratch, 2, &faults) == FOS_OK);
        CHECK(faults.row_count == 1 && faults.column_count == 1 && faults.corrected_count == 0);
        CHECK(memcmp(product, before, sizeof product) == 0);
    }
}

int main(void)
{
    on_every_isa(test_unclear_verdicts_touch_nothing);
    on_every_isa(test_the_better_sum_gives_the_value);
    on_every_isa(test_impossible_sums_of_integers_touch_nothing);
    return report();
}
