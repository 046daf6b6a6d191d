/* The majority vote: equal to its definition bit by bit, on every length and alignment; and every upset is voted out. */
#include "harness.h"

static uint64_t ones(uint8_t byte)
{
    uint64_t count = 0;
    for (; byte != 0; byte = (uint8_t)(byte & (byte - 1))) { count++; }
    return count;
}

/* Three copies with a few random faults each, also on the same bit. */
static void fill_copies(uint8_t *copies[3], size_t byte_count, unsigned fault_count)
{
    for (size_t byte = 0; byte < byte_count; byte++) {
        copies[0][byte] = (uint8_t)next_random();
        copies[1][byte] = copies[0][byte];
        copies[2][byte] = copies[0][byte];
    }
    for (unsigned fault = 0; byte_count > 0 && fault < fault_count; fault++) {
        copies[next_random() % 3][next_random() % byte_count] ^= (uint8_t)(1u << (next_random() % 8));
    }
}

static void expect(uint8_t *const copies[3], size_t byte_count, uint8_t *expected, fos_vote_faults_t *faults)
{
    memset(faults, 0, sizeof *faults);
    for (size_t byte = 0; byte < byte_count; byte++) {
        uint8_t majority = 0;
        for (unsigned bit = 0; bit < 8; bit++) {
            unsigned votes = 0;
            for (size_t copy = 0; copy < 3; copy++) { votes += (unsigned)copies[copy][byte] >> bit & 1u; }
            majority |= (uint8_t)((votes >= 2 ? 1u : 0u) << bit);
        }
        expected[byte] = majority;
        faults->first_bit_count += ones(copies[0][byte] ^ majority);
        faults->second_bit_count += ones(copies[1][byte] ^ majority);
        faults->third_bit_count += ones(copies[2][byte] ^ majority);
    }
}

static void check_once(size_t byte_count, size_t offset, unsigned fault_count)
{
    uint8_t *blocks[3];
    uint8_t *copies[3];
    for (size_t copy = 0; copy < 3; copy++) {
        blocks[copy] = guarded_new(byte_count + offset * (copy + 1));
        copies[copy] = blocks[copy] + offset * (copy + 1);
    }
    uint8_t *voted = guarded_new(byte_count + offset);
    uint8_t *expected = guarded_new(byte_count);
    fill_copies(copies, byte_count, fault_count);
    fos_vote_faults_t faults_expected;
    fos_vote_faults_t faults;
    expect(copies, byte_count, expected, &faults_expected);
    CHECK(fos_vote(copies[0], copies[1], copies[2], voted + offset, byte_count, &faults) == FOS_OK);
    CHECK(memcmp(voted + offset, expected, byte_count) == 0);
    CHECK(memcmp(&faults, &faults_expected, sizeof faults) == 0);
    CHECK(fos_vote_scrub(copies[0], copies[1], copies[2], byte_count, &faults) == FOS_OK);
    CHECK(memcmp(&faults, &faults_expected, sizeof faults) == 0);
    for (size_t copy = 0; copy < 3; copy++) {
        CHECK(memcmp(copies[copy], expected, byte_count) == 0);
        guarded_free(blocks[copy], byte_count + offset * (copy + 1));
    }
    guarded_free(voted, byte_count + offset);
    guarded_free(expected, byte_count);
}

static void test_lengths_and_alignments(void)
{
    for (size_t byte_count = 0; byte_count < 300; byte_count += byte_count < 140 ? 1 : 7) {
        for (size_t offset = 0; offset < 9; offset += 2) { check_once(byte_count, offset, (unsigned)(byte_count % 5)); }
    }
    check_once(5000, 3, 4000);
}

/* Large outputs take another way to memory. */
static void test_large(void)
{
    check_once(((size_t)1 << 20) + 77, 5, 50);
}

/* Every bit of every copy, one at a time: 100 % voted out, counted for the right copy, scrubbed away. */
static void test_every_upset(void)
{
    enum { BYTE_COUNT = 200 };
    uint8_t blocks[3][BYTE_COUNT];
    uint8_t *copies[3] = {blocks[0], blocks[1], blocks[2]};
    uint8_t original[BYTE_COUNT];
    uint8_t voted[BYTE_COUNT];
    fill_copies(copies, BYTE_COUNT, 0);
    memcpy(original, copies[0], BYTE_COUNT);
    unsigned long good_count = 0;
    for (size_t copy = 0; copy < 3; copy++) {
        for (size_t bit = 0; bit < 8 * BYTE_COUNT; bit++) {
            copies[copy][bit / 8] ^= (uint8_t)(1u << (bit % 8));
            fos_vote_faults_t faults;
            fos_vote_faults_t scrubbed;
            (void)fos_vote(copies[0], copies[1], copies[2], voted, BYTE_COUNT, &faults);
            (void)fos_vote_scrub(copies[0], copies[1], copies[2], BYTE_COUNT, &scrubbed);
            good_count += memcmp(voted, original, BYTE_COUNT) == 0 &&
                          memcmp(copies[copy], original, BYTE_COUNT) == 0 &&
                          faults.first_bit_count == (copy == 0) && faults.second_bit_count == (copy == 1) &&
                          faults.third_bit_count == (copy == 2) && memcmp(&faults, &scrubbed, sizeof faults) == 0;
        }
    }
    CHECK(good_count == 3ul * 8 * BYTE_COUNT);
}

int main(void)
{
    on_every_isa(test_lengths_and_alignments);
    on_every_isa(test_large);
    on_every_isa(test_every_upset);
    fos_vote_faults_t faults;
    uint8_t byte = 0;
    CHECK(fos_vote(NULL, &byte, &byte, &byte, 1, &faults) == FOS_ERR_NULL);
    CHECK(fos_vote_scrub(&byte, &byte, &byte, 1, NULL) == FOS_ERR_NULL);
    return report();
}
