/* Fuzz target of fos_ccsds121_decode. Input: 6 bytes of parameters and count, then the code.
 * Laws: samples that were decoded are coded and decoded again to the same samples; one byte less of memory is refused. */
#include "flightos_kernels.h"

#include <stdlib.h>
#include <string.h>

size_t fos_fuzz_seed(uint8_t *bytes, size_t capacity, unsigned turn);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t byte_count);

#define HEAD_BYTES 6
#define SAMPLE_COUNT_MAX 1024u

static fos_ccsds121_parameters_t read_head(const uint8_t *data, size_t *sample_count)
{
    *sample_count = ((uint32_t)data[4] << 8 | data[5]) % SAMPLE_COUNT_MAX;
    /* Now and then one step outside every range, the block size apart. */
    const uint32_t interval_blocks = data[2] < 192 ? data[2] % 160u : data[2] < 250 ? 4096u : 4097u;
    return (fos_ccsds121_parameters_t){data[0] % 34u, data[1] < 252 ? 8u << data[1] % 4u : data[1], interval_blocks,
                                       data[3] % 65u};
}

static size_t bytes_per_sample(const fos_ccsds121_parameters_t *parameters)
{
    const uint32_t bits = parameters->bits_per_sample;
    if (bits > 16) { return bits <= 24 && (parameters->flags & FOS_CCSDS121_3BYTE) != 0 ? 3 : 4; }
    return bits > 8 ? 2 : 1;
}

static void check_again(const fos_ccsds121_parameters_t *parameters, const uint8_t *samples, size_t sample_count,
                        size_t samples_bytes)
{
    const size_t capacity = fos_ccsds121_encoded_bytes_max(parameters, sample_count);
    uint8_t *encoded = malloc(capacity);
    uint8_t *restored = malloc(samples_bytes + (samples_bytes == 0));
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
    const size_t capacity = sample_count * bytes_per_sample(&parameters);
    uint8_t *samples = malloc(capacity + (capacity == 0));
    if (samples == NULL) { abort(); }
    size_t samples_bytes = 0;
    const fos_status_t status = fos_ccsds121_decode(data + HEAD_BYTES, byte_count - HEAD_BYTES, &parameters, samples,
                                                    sample_count, capacity, &samples_bytes);
    if (status == FOS_OK) {
        if (samples_bytes != capacity) { abort(); }
        check_again(&parameters, samples, sample_count, samples_bytes);
    } else if (samples_bytes != 0 || (status != FOS_ERR_CORRUPT && status != FOS_ERR_PARAMETER)) {
        abort();
    }
    if (status != FOS_ERR_PARAMETER && capacity > 0
        && fos_ccsds121_decode(data + HEAD_BYTES, byte_count - HEAD_BYTES, &parameters, samples, sample_count,
                               capacity - 1, &samples_bytes)
               != FOS_ERR_CAPACITY) {
        abort();
    }
    free(samples);
    return 0;
}

/* Small values with a run of zeros and a few steps, so that every option of the coder is the best for some block. */
static void fill_samples(const fos_ccsds121_parameters_t *parameters, uint32_t seed, uint8_t *samples, size_t sample_count)
{
    const size_t width = bytes_per_sample(parameters);
    const uint32_t bits = parameters->bits_per_sample < 8 ? parameters->bits_per_sample - 1 : 7;
    memset(samples, 0, sample_count * width);
    for (size_t index = 0; index < sample_count; index++) {
        const uint32_t spread = (uint32_t)(index / 64) % 4;
        const uint32_t value = spread == 0 ? 5u : (uint32_t)(index * (seed % 31)) >> (spread + seed % 3);
        const size_t lowest = (parameters->flags & FOS_CCSDS121_MSB) != 0 ? width - 1 : 0;
        samples[index * width + lowest] = (uint8_t)(value & ((1u << bits) - 1));
    }
}

size_t fos_fuzz_seed(uint8_t *data, size_t capacity_bytes, unsigned turn)
{
    static const uint8_t bits[] = {8, 16, 12, 2, 32, 20, 24, 4, 1, 10, 3, 28};
    if (turn >= 2 * sizeof bits) { return 0; }
    const uint32_t seed = (turn + 1) * 2654435761u; /* every turn another mode */
    data[0] = bits[turn % sizeof bits];
    data[1] = (uint8_t)(turn % 4);
    data[2] = (uint8_t)(1 + (seed >> 8) % 130);
    data[3] = (uint8_t)((seed >> 16) % 64) & (uint8_t)~(bits[turn % sizeof bits] <= 4 ? 0u : FOS_CCSDS121_RESTRICTED);
    data[4] = 1;
    data[5] = (uint8_t)(seed >> 24);
    size_t sample_count;
    const fos_ccsds121_parameters_t parameters = read_head(data, &sample_count);
    uint8_t samples[4 * 512];
    fill_samples(&parameters, seed, samples, sample_count);
    size_t encoded_bytes = 0;
    (void)fos_ccsds121_encode(samples, sample_count, &parameters, data + HEAD_BYTES, capacity_bytes - HEAD_BYTES,
                              &encoded_bytes);
    return HEAD_BYTES + encoded_bytes;
}
