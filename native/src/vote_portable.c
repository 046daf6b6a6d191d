/* Bitwise majority of three copies, 64 bytes at a time. */
#include "protection_internal.h"

#include "vote_words.inc"

#define BLOCK_BYTES 64u

static inline uint64_t difference(const uint8_t *first, const uint8_t *second, const uint8_t *third)
{
    uint64_t different = 0;
    for (size_t byte = 0; byte < BLOCK_BYTES; byte += 8) {
        const uint64_t word = load_u64(first + byte);
        different |= (word ^ load_u64(second + byte)) | (word ^ load_u64(third + byte));
    }
    return different;
}

void fos_vote_portable(const uint8_t *first, const uint8_t *second, const uint8_t *third, uint8_t *voted,
                       size_t byte_count, fos_vote_faults_t *faults)
{
    for (; byte_count >= BLOCK_BYTES; byte_count -= BLOCK_BYTES) {
        if (difference(first, second, third) == 0) {
            memcpy(voted, first, BLOCK_BYTES);
        } else {
            vote_bytes(first, second, third, voted, BLOCK_BYTES, faults);
        }
        first += BLOCK_BYTES;
        second += BLOCK_BYTES;
        third += BLOCK_BYTES;
        voted += BLOCK_BYTES;
    }
    vote_bytes(first, second, third, voted, byte_count, faults);
}

void fos_vote_scrub_portable(uint8_t *first, uint8_t *second, uint8_t *third, size_t byte_count,
                             fos_vote_faults_t *faults)
{
    for (; byte_count >= BLOCK_BYTES; byte_count -= BLOCK_BYTES) {
        if (difference(first, second, third) != 0) { scrub_bytes(first, second, third, BLOCK_BYTES, faults); }
        first += BLOCK_BYTES;
        second += BLOCK_BYTES;
        third += BLOCK_BYTES;
    }
    scrub_bytes(first, second, third, byte_count, faults);
}
