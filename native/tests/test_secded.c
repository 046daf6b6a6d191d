/* SECDED(72,64): every single-bit error of a buffer corrected, every double-bit error of a word detected. */
#include "harness.h"

/* The code from its definition, bit by bit: no table of the library is used. */
static uint8_t column_of(unsigned bit)
{
    unsigned found = 0;
    if (bit >= 56) { return (uint8_t)((0x1Fu << (bit - 56)) | (0x1Fu >> (64 - bit))); }
    for (unsigned byte = 0;; byte++) {
        unsigned ones = 0;
        for (unsigned rest = byte; rest != 0; rest >>= 1) { ones += rest & 1u; }
        if (ones == 3 && found++ == bit) { return (uint8_t)byte; }
    }
}

static uint8_t check_by_definition(const uint8_t columns[64], uint64_t word)
{
    uint8_t check = 0;
    for (unsigned bit = 0; bit < 64; bit++) {
        if ((word >> bit & 1u) != 0) { check ^= columns[bit]; }
    }
    return check;
}

static uint64_t random_word(void)
{
    return (uint64_t)next_random() << 32 | next_random();
}

/* All lengths around the step of 32 words, against the definition; checks at odd addresses. */
static void test_encode(void)
{
    uint8_t columns[64];
    for (unsigned bit = 0; bit < 64; bit++) { columns[bit] = column_of(bit); }
    for (size_t word_count = 0; word_count < 140; word_count++) {
        uint64_t *words = guarded_new(word_count * 8);
        uint8_t *checks = guarded_new(word_count + 1);
        for (size_t index = 0; index < word_count; index++) { words[index] = random_word(); }
        CHECK(fos_secded_encode(words, checks + 1, word_count) == FOS_OK);
        int is_equal = 1;
        for (size_t index = 0; index < word_count; index++) {
            is_equal = is_equal && checks[1 + index] == check_by_definition(columns, words[index]);
        }
        CHECK(is_equal);
        fos_secded_faults_t faults;
        CHECK(fos_secded_check(words, checks + 1, word_count, &faults) == FOS_OK);
        CHECK(faults.data_bit_count == 0 && faults.check_bit_count == 0 && faults.lost_word_count == 0);
        guarded_free(words, word_count * 8);
        guarded_free(checks, word_count + 1);
    }
}

static void flip(uint64_t *words, uint8_t *checks, size_t index, unsigned bit)
{
    if (bit < 64) {
        words[index] ^= (uint64_t)1 << bit;
    } else {
        checks[index] ^= (uint8_t)(1u << (bit - 64));
    }
}

/* Each of the 72 bits of each word of a buffer that has whole and broken steps of 32. */
static void test_every_single_bit_is_corrected(void)
{
    enum { WORD_COUNT = 67 };
    uint64_t words[WORD_COUNT];
    uint64_t words_before[WORD_COUNT];
    uint8_t checks[WORD_COUNT];
    uint8_t checks_before[WORD_COUNT];
    for (size_t index = 0; index < WORD_COUNT; index++) { words[index] = random_word(); }
    (void)fos_secded_encode(words, checks, WORD_COUNT);
    memcpy(words_before, words, sizeof words);
    memcpy(checks_before, checks, sizeof checks);
    unsigned long corrected_count = 0;
    for (size_t index = 0; index < WORD_COUNT; index++) {
        for (unsigned bit = 0; bit < 72; bit++) {
            flip(words, checks, index, bit);
            fos_secded_faults_t found;
            fos_secded_faults_t scrubbed;
            (void)fos_secded_check(words, checks, WORD_COUNT, &found);
            (void)fos_secded_scrub(words, checks, WORD_COUNT, &scrubbed);
            corrected_count += found.data_bit_count == (bit < 64) && found.check_bit_count == (bit >= 64) &&
                               found.lost_word_count == 0 && memcmp(&found, &scrubbed, sizeof found) == 0 &&
                               memcmp(words, words_before, sizeof words) == 0 &&
                               memcmp(checks, checks_before, sizeof checks) == 0;
        }
    }
    CHECK(corrected_count == WORD_COUNT * 72ul);
}

/* All 72 choose 2 = 2556 pairs of bits in one word, at a place in a whole step and at one in the tail. */
static void test_every_double_bit_is_detected(void)
{
    enum { WORD_COUNT = 40 };
    uint64_t words[WORD_COUNT];
    uint8_t checks[WORD_COUNT];
    for (size_t index = 0; index < WORD_COUNT; index++) { words[index] = random_word(); }
    (void)fos_secded_encode(words, checks, WORD_COUNT);
    for (size_t index = 5; index < WORD_COUNT; index += 31) {
        unsigned long detected_count = 0;
        for (unsigned first = 0; first < 72; first++) {
            for (unsigned second = first + 1; second < 72; second++) {
                flip(words, checks, index, first);
                flip(words, checks, index, second);
                const uint64_t word = words[index];
                fos_secded_faults_t faults;
                (void)fos_secded_scrub(words, checks, WORD_COUNT, &faults);
                detected_count += faults.lost_word_count == 1 && faults.first_lost_word_index == index &&
                                  faults.data_bit_count == 0 && faults.check_bit_count == 0 && words[index] == word;
                flip(words, checks, index, first);
                flip(words, checks, index, second);
            }
        }
        CHECK(detected_count == 2556);
    }
}

/* Two lost words, and a single fault behind them: all are counted, and the first lost one is named. */
static void test_the_first_of_several_lost_words_is_named(void)
{
    enum { WORD_COUNT = 70 };
    uint64_t words[WORD_COUNT];
    uint8_t checks[WORD_COUNT];
    for (size_t index = 0; index < WORD_COUNT; index++) { words[index] = random_word(); }
    (void)fos_secded_encode(words, checks, WORD_COUNT);
    unsigned long named_count = 0;
    for (size_t first = 0; first + 1 < WORD_COUNT; first++) {
        const size_t second = first + 1 + next_random() % (WORD_COUNT - first - 1);
        words[first] ^= 3;
        words[second] ^= 6;
        size_t third = (second + 1) % WORD_COUNT;
        third += third == first;
        checks[third] ^= 1;
        fos_secded_faults_t found;
        (void)fos_secded_check(words, checks, WORD_COUNT, &found);
        named_count += found.lost_word_count == 2 && found.first_lost_word_index == first && found.check_bit_count == 1
                       && found.data_bit_count == 0;
        words[first] ^= 3;
        words[second] ^= 6;
        checks[third] ^= 1;
    }
    CHECK(named_count == WORD_COUNT - 1);
}

/* Three bits of a word can look like one: theory says how often. A triple is taken for a single bit when the sum of its
 * three odd columns is again one of the 72 columns; the others are detected. Counted over all triples of one word. */
static void test_triples_are_as_theory_says(void)
{
    uint8_t columns[72];
    int is_column[256] = {0};
    for (unsigned bit = 0; bit < 72; bit++) {
        columns[bit] = (uint8_t)(bit < 64 ? column_of(bit) : 1u << (bit - 64));
        is_column[columns[bit]] = 1;
    }
    uint64_t word = random_word();
    uint8_t check;
    (void)fos_secded_encode(&word, &check, 1);
    unsigned long missed_count = 0;
    unsigned long missed_count_expected = 0;
    for (unsigned first = 0; first < 72; first++) {
        for (unsigned second = first + 1; second < 72; second++) {
            for (unsigned third = second + 1; third < 72; third++) {
                uint64_t upset_word = word;
                uint8_t upset_check = check;
                flip(&upset_word, &upset_check, 0, first);
                flip(&upset_word, &upset_check, 0, second);
                flip(&upset_word, &upset_check, 0, third);
                fos_secded_faults_t faults;
                (void)fos_secded_check(&upset_word, &upset_check, 1, &faults);
                missed_count += faults.lost_word_count == 0;
                missed_count_expected += (unsigned long)is_column[columns[first] ^ columns[second] ^ columns[third]];
            }
        }
    }
    CHECK(missed_count == missed_count_expected);
    printf("secded: %lu of 59640 triples (%.1f %%) look like a single bit\n", missed_count,
           100.0 * (double)missed_count / 59640.0);
}

int main(void)
{
    on_every_isa(test_encode);
    on_every_isa(test_every_single_bit_is_corrected);
    on_every_isa(test_every_double_bit_is_detected);
    on_every_isa(test_the_first_of_several_lost_words_is_named);
    test_triples_are_as_theory_says();
    fos_secded_faults_t faults;
    uint64_t word = 0;
    uint8_t check = 0;
    CHECK(fos_secded_encode(NULL, &check, 1) == FOS_ERR_NULL);
    CHECK(fos_secded_check(&word, NULL, 1, &faults) == FOS_ERR_NULL);
    CHECK(fos_secded_scrub(&word, &check, FOS_PIXEL_COUNT_MAX + 1, &faults) == FOS_ERR_TOO_LARGE);
    return report();
}
