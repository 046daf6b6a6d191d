/* Fuzz target of fos_ccsds123_decode. Input: a compressed image.
 * Law: an image that was decoded without loss is coded and decoded again to the same image. */
#include "flightos_kernels.h"

#include <stdlib.h>
#include <string.h>

size_t fos_fuzz_seed(uint8_t *bytes, size_t capacity, unsigned turn);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t byte_count);

#define IMAGE_BYTES_MAX 16384u
#define SCRATCH_BYTES_MAX (1u << 22)

static void check_again(const fos_ccsds123_parameters_t *given, const uint8_t *image, size_t image_bytes,
                        uint8_t *scratch, size_t scratch_bytes)
{
    const size_t capacity = fos_ccsds123_encoded_bytes_max(given);
    uint8_t *encoded = malloc(capacity);
    uint8_t *restored = malloc(image_bytes);
    if (encoded == NULL || restored == NULL) { abort(); }
    size_t encoded_bytes = 0;
    size_t restored_bytes = 0;
    if (fos_ccsds123_encode(image, image_bytes, given, scratch, scratch_bytes, encoded, capacity, &encoded_bytes)
            != FOS_OK
        || fos_ccsds123_decode(encoded, encoded_bytes, restored, image_bytes, scratch, scratch_bytes, &restored_bytes)
               != FOS_OK
        || restored_bytes != image_bytes || memcmp(image, restored, image_bytes) != 0) {
        abort();
    }
    free(encoded);
    free(restored);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t byte_count)
{
    fos_ccsds123_parameters_t given;
    size_t header_bytes = 0;
    if (fos_ccsds123_read_header(data, byte_count, &given, &header_bytes) != FOS_OK) { return 0; }
    size_t scratch_bytes = fos_ccsds123_scratch_bytes(&given);
    if (scratch_bytes > SCRATCH_BYTES_MAX) { scratch_bytes = SCRATCH_BYTES_MAX; }
    uint8_t *scratch = malloc(scratch_bytes);
    uint8_t *image = malloc(IMAGE_BYTES_MAX);
    if (scratch == NULL || image == NULL) { abort(); }
    size_t image_bytes = 0;
    const fos_status_t status =
        fos_ccsds123_decode(data, byte_count, image, IMAGE_BYTES_MAX, scratch, scratch_bytes, &image_bytes);
    if (status == FOS_OK && given.error_limits_used == 0) {
        check_again(&given, image, image_bytes, scratch, scratch_bytes);
    }
    free(scratch);
    free(image);
    return 0;
}

size_t fos_fuzz_seed(uint8_t *data, size_t capacity_bytes, unsigned turn)
{
    const uint32_t seed = (turn + 1) * 2654435761u; /* every turn another mode */
    const fos_ccsds123_parameters_t given = {.cols = 2 + seed % 17,
                                             .rows = 1 + (seed >> 3) % 5,
                                             .bands = 1 + (seed >> 6) % 4,
                                             .sample_bits = 9 + (seed >> 9) % 8,
                                             .interleave_bands = (seed >> 12) % 2,
                                             .output_word_bytes = 1,
                                             .entropy_coder = (seed >> 13) % 2 * FOS_CCSDS123_BLOCK_ADAPTIVE,
                                             .bands_used = (seed >> 14) % 4,
                                             .is_reduced = (seed >> 16) % 2,
                                             .local_sum = (seed >> 17) % 4,
                                             .register_bits = (seed >> 19) % 2 != 0 ? 64 : 40,
                                             .weight_bits = 4 + (seed >> 20) % 16,
                                             .weight_interval_log2 = 6,
                                             .weight_exponent_first = -1,
                                             .weight_exponent_last = 3,
                                             .error_limits_used = (seed >> 24) % 4,
                                             .error_absolute_max = 2,
                                             .error_relative_max = 9,
                                             .unary_zeros_max = 16,
                                             .counter_bits = 6,
                                             .counter_first_bits = 1,
                                             .block_size = 8,
                                             .interval_blocks = 64};
    uint16_t image[18 * 5 * 4];
    for (uint32_t index = 0; index < sizeof image / sizeof image[0]; index++) {
        image[index] = (uint16_t)((index * 3 + (seed >> index % 24) % 16) % (1u << given.sample_bits));
    }
    static uint8_t scratch[1 << 18];
    size_t encoded_bytes = 0;
    (void)fos_ccsds123_encode((const uint8_t *)image, (size_t)2 * given.cols * given.rows * given.bands, &given, scratch,
                              sizeof scratch, data, capacity_bytes, &encoded_bytes);
    return encoded_bytes;
}
