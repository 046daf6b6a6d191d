/* Fuzz target of fos_ccsds121_decode. Input: 6 bytes of parameters and count, then the code.
 * Law: samples that were decoded are coded and decoded again to the same samples. */
#include "flightos_kernels.h"

#include <stdlib.h>
#include <string.h>

size_t fos_fuzz_seed(uint8_t *bytes, size_t capacity, unsigned turn);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t byte_count);

#define HEAD_BYTES 6
#define SAMPLE_COUNT_MAX 2048u

static fos_ccsds121_parameters_t read_head(const uint8_t *data, size_t *sample_count)
{
    *sample_count = ((uint32_t)data[4] << 8 | data[5]) % SAMPLE_COUNT_MAX;
    /* Now and then one step outside every range. */
    return (fos_ccsds121_parameters_t){data[0] % 34u, 8u << data[1] % 4u, data[2] % 131u, data[3] % 65u};
}

static void check_again(const fos_ccsds121_parameters_t *parameters, const uint8_t *samples, size_t sample_count,
                        size_t samples_bytes)
{
    const size_t capacity = fos_ccsds121_encoded_bytes_max(parameters, sample_count);
    uint8_t *encoded = malloc(capacity);
    uint8_t *restored = malloc(samples_bytes + 1);
    if (encoded == NULL || restored == NULL) { abort(); }
    size_t encoded_bytes = 0;
    size_t restored_bytes = 0;
    if (fos_ccsds121_encode(samples, sample_count, parameters, encoded, capacity, &encoded_bytes) != FOS_OK
        || fos_ccsds121_decode(encoded, encoded_bytes, parameters, restored, sample_count, samples_bytes,
                               &restored_bytes) != FOS_OK
        || restored_bytes != samples_bytes || memcmp(samples, restored, samples_bytes) != 0) {
        abort();
    }
    free(encoded);
    free(restored);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t byte_count)
{
    if (byte_count < HEAD_BYTES) { return 0; }
    size_t sample_count;
    const fos_ccsds121_parameters_t parameters = read_head(data, &sample_count);
    const size_t capacity = 4 * sample_count;
    uint8_t *samples = malloc(capacity + 1);
    if (samples == NULL) { abort(); }
    size_t samples_bytes = 0;
    const fos_status_t status = fos_ccsds121_decode(data + HEAD_BYTES, byte_count - HEAD_BYTES, &parameters, samples,
                                                    sample_count, capacity, &samples_bytes);
    if (status == FOS_OK) { check_again(&parameters, samples, sample_count, samples_bytes); }
    free(samples);
    return 0;
}

size_t fos_fuzz_seed(uint8_t *data, size_t capacity_bytes, unsigned turn)
{
    const uint32_t seed = (turn + 1) * 2654435761u; /* every turn another mode */
    uint8_t samples[4 * 512];
    for (uint32_t index = 0; index < sizeof samples; index++) {
        samples[index] = (uint8_t)(index % 4 == 0 ? index * (seed % 5) + (seed >> 7) % (1 + index % 7) : 0);
    }
    data[0] = (uint8_t)(8 + seed % 25);
    data[1] = (uint8_t)(seed >> 5);
    data[2] = (uint8_t)(1 + (seed >> 8) % 130);
    data[3] = (uint8_t)((seed >> 16) % 64) & (uint8_t)~FOS_CCSDS121_RESTRICTED;
    data[4] = 1;
    data[5] = (uint8_t)(seed >> 24);
    size_t sample_count;
    const fos_ccsds121_parameters_t parameters = read_head(data, &sample_count);
    size_t encoded_bytes = 0;
    (void)fos_ccsds121_encode(samples, sample_count, &parameters, data + HEAD_BYTES, capacity_bytes - HEAD_BYTES,
                              &encoded_bytes);
    return HEAD_BYTES + encoded_bytes;
}
