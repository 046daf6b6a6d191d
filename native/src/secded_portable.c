/* SECDED(72,64) by table: one look-up per byte of the word. */
#include "protection_internal.h"

#include "secded_words.inc"

void fos_secded_encode_portable(const uint64_t *words, uint8_t *checks, size_t word_count)
{
    encode_words(words, checks, 0, word_count);
}

void fos_secded_check_portable(const uint64_t *words, const uint8_t *checks, size_t word_count,
                               fos_secded_faults_t *faults)
{
    check_words(words, checks, 0, word_count, faults);
}

void fos_secded_scrub_portable(uint64_t *words, uint8_t *checks, size_t word_count, fos_secded_faults_t *faults)
{
    scrub_words(words, checks, 0, word_count, faults);
}
