/* The doors of the majority vote, and its part of the table. */
#include "protection_internal.h"

void fos_vote_fill(fos_kernels_t *table, uint32_t features)
{
    table->vote = fos_vote_portable;
    table->vote_scrub = fos_vote_scrub_portable;
#ifdef FOS_HAVE_AVX2
    if ((features & FOS_FEATURE_AVX2) != 0) {
        table->vote = fos_vote_avx2;
        table->vote_scrub = fos_vote_scrub_avx2;
    }
#endif
    (void)features;
}

fos_status_t fos_vote(const uint8_t *first, const uint8_t *second, const uint8_t *third, uint8_t *voted,
                      size_t byte_count, fos_vote_faults_t *faults)
{
    if (first == NULL || second == NULL || third == NULL || voted == NULL || faults == NULL) { return FOS_ERR_NULL; }
    memset(faults, 0, sizeof *faults);
    fos_kernels()->vote(first, second, third, voted, byte_count, faults);
    return FOS_OK;
}

fos_status_t fos_vote_scrub(uint8_t *first, uint8_t *second, uint8_t *third, size_t byte_count,
                            fos_vote_faults_t *faults)
{
    if (first == NULL || second == NULL || third == NULL || faults == NULL) { return FOS_ERR_NULL; }
    memset(faults, 0, sizeof *faults);
    fos_kernels()->vote_scrub(first, second, third, byte_count, faults);
    return FOS_OK;
}
