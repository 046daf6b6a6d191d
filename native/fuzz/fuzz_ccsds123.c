/* Fuzz target of fos_ccsds123_decode. Input: a compressed image.
 * Laws: an image that was decoded is coded with what its header says and decoded again, without loss to the same image;
 * every level gives the same image and the same code; without scratch memory nothing is decoded. Tables that the header
 * leaves out are made from the input. */
#include "../tests/ccsds123_cases.h"

size_t fos_fuzz_seed(uint8_t *bytes, size_t capacity, unsigned turn);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t byte_count);

#define IMAGE_BYTES_MAX 16384u
#define SCRATCH_BYTES_MAX (1u << 22)
#define TABLE_COUNT_MAX 4096u

/* The tables of a header, in memory of their own. */
typedef struct {
    fos_ccsds123_tables_t tables;
    int64_t numbers[FOS_CCSDS123_KIND_COUNT + FOS_CCSDS123_SUPPLEMENTARY_COUNT_MAX][TABLE_COUNT_MAX];
} carried_t;

static fos_status_t read_tables(const uint8_t *data, size_t byte_count, carried_t *carried)
{
    for (uint32_t kind = 0; kind < FOS_CCSDS123_KIND_COUNT; kind++) {
        carried->tables.by_kind[kind] = (fos_ccsds123_table_t){carried->numbers[kind], TABLE_COUNT_MAX};
    }
    for (uint32_t index = 0; index < FOS_CCSDS123_SUPPLEMENTARY_COUNT_MAX; index++) {
        carried->tables.supplementary[index].elements =
            (fos_ccsds123_table_t){carried->numbers[FOS_CCSDS123_KIND_COUNT + index], TABLE_COUNT_MAX};
    }
    return fos_ccsds123_read_tables(data, byte_count, &carried->tables);
}

static size_t numbers_of(const fos_ccsds123_parameters_t *given, uint32_t kind)
{
    if (kind > FOS_CCSDS123_WEIGHT_EXPONENT_OFFSETS) { return given->bands; }
    const size_t directions = given->is_reduced != 0 ? 0 : kind == FOS_CCSDS123_WEIGHTS_FIRST ? 3 : 1;
    size_t count = 0;
    for (size_t band = 0; band < given->bands && count <= TABLE_COUNT_MAX; band++) {
        count += directions + (band < given->bands_used ? band : given->bands_used);
    }
    return count;
}

/* All zero, which every kind allows, or a few numbers that not every kind does. */
static void make_tables_left_out(const fos_ccsds123_parameters_t *given, const uint8_t *data, size_t byte_count,
                                 carried_t *carried)
{
    const int64_t factor = data[byte_count - 1] % 4 - 1;
    for (uint32_t kind = 0; kind < FOS_CCSDS123_KIND_COUNT; kind++) {
        const size_t count = numbers_of(given, kind);
        if ((given->tables_left_out >> kind & 1) == 0 || count > TABLE_COUNT_MAX) { continue; }
        for (size_t index = 0; index < count; index++) {
            carried->numbers[kind][index] = factor * (data[(index + kind) % byte_count] % 4);
        }
        carried->tables.by_kind[kind] = (fos_ccsds123_table_t){carried->numbers[kind], count};
    }
}

/* Every level gives the same code. */
static void check_portable_code(const fos_ccsds123_parameters_t *given, const carried_t *carried, const uint8_t *image,
                                size_t image_bytes, uint8_t *scratch, size_t scratch_bytes, const uint8_t *encoded,
                                size_t encoded_bytes)
{
    const char *const best = fos_isa_name();
    uint8_t *again = malloc(encoded_bytes);
    if (again == NULL) { abort(); }
    size_t again_bytes = 0;
    (void)fos_isa_select("portable");
    if (fos_ccsds123_encode(image, image_bytes, given, &carried->tables, scratch, scratch_bytes, again, encoded_bytes,
                            &again_bytes)
            != FOS_OK
        || again_bytes != encoded_bytes || memcmp(again, encoded, encoded_bytes) != 0) {
        abort();
    }
    (void)fos_isa_select(best);
    free(again);
}

static void check_again(const fos_ccsds123_parameters_t *given, const carried_t *carried, const uint8_t *image,
                        size_t image_bytes, uint8_t *scratch, size_t scratch_bytes)
{
    const size_t capacity = fos_ccsds123_encoded_bytes_max(given, &carried->tables);
    uint8_t *encoded = malloc(capacity);
    uint8_t *restored = malloc(image_bytes);
    if (encoded == NULL || restored == NULL) { abort(); }
    size_t encoded_bytes = 0;
    size_t restored_bytes = 0;
    if (fos_ccsds123_encode(image, image_bytes, given, &carried->tables, scratch, scratch_bytes, encoded, capacity,
                            &encoded_bytes)
            != FOS_OK
        || fos_ccsds123_decode(encoded, encoded_bytes, &carried->tables, restored, image_bytes, scratch, scratch_bytes,
                               &restored_bytes)
               != FOS_OK
        || restored_bytes != image_bytes) {
        abort();
    }
    if (given->error_limits_used == 0 && memcmp(image, restored, image_bytes) != 0) { abort(); }
    if (encoded_bytes % 4 == 0) {
        check_portable_code(given, carried, image, image_bytes, scratch, scratch_bytes, encoded, encoded_bytes);
    }
    free(encoded);
    free(restored);
}

static void check_portable(const uint8_t *data, size_t byte_count, const carried_t *carried, const uint8_t *image,
                           size_t image_bytes, fos_status_t expected, uint8_t *scratch, size_t scratch_bytes)
{
    const char *const best = fos_isa_name();
    uint8_t *again = malloc(IMAGE_BYTES_MAX);
    if (again == NULL) { abort(); }
    size_t again_bytes = 0;
    (void)fos_isa_select("portable");
    const fos_status_t status = fos_ccsds123_decode(data, byte_count, &carried->tables, again, IMAGE_BYTES_MAX, scratch,
                                                    scratch_bytes, &again_bytes);
    if (status != expected || again_bytes != image_bytes || memcmp(again, image, image_bytes) != 0) { abort(); }
    if (fos_ccsds123_decode(data, byte_count, &carried->tables, again, IMAGE_BYTES_MAX, scratch, 0, &again_bytes)
        == FOS_OK) {
        abort();
    }
    (void)fos_isa_select(best);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t byte_count)
{
    static carried_t carried;
    fos_ccsds123_parameters_t given;
    size_t header_bytes = 0;
    if (fos_ccsds123_read_header(data, byte_count, &given, &header_bytes) != FOS_OK) { return 0; }
    const fos_status_t read = read_tables(data, byte_count, &carried);
    if (header_bytes > byte_count || (read != FOS_OK && read != FOS_ERR_CAPACITY)) { abort(); }
    make_tables_left_out(&given, data, byte_count, &carried);
    size_t scratch_bytes = fos_ccsds123_scratch_bytes(&given);
    if (scratch_bytes > SCRATCH_BYTES_MAX) { scratch_bytes = SCRATCH_BYTES_MAX; }
    uint8_t *scratch = malloc(scratch_bytes);
    uint8_t *image = malloc(IMAGE_BYTES_MAX);
    if (scratch == NULL || image == NULL) { abort(); }
    size_t image_bytes = 0;
    const fos_status_t status = fos_ccsds123_decode(data, byte_count, &carried.tables, image, IMAGE_BYTES_MAX, scratch,
                                                    scratch_bytes, &image_bytes);
    if (byte_count % 4 == 0) {
        check_portable(data, byte_count, &carried, image, image_bytes, status, scratch, scratch_bytes);
    }
    /* Limits that change travel in the body, where nobody reads them for us. */
    if (status == FOS_OK && read == FOS_OK && (given.error_limits_used == 0 || given.limits_period_log2 < 0)) {
        check_again(&given, &carried, image, image_bytes, scratch, scratch_bytes);
    }
    free(scratch);
    free(image);
    return 0;
}

/* Every turn another mode. */
size_t fos_fuzz_seed(uint8_t *data, size_t capacity_bytes, unsigned turn)
{
    static case_t test;
    static uint8_t image[BANDS_MAX * 9 * 40 * 4];
    static uint8_t scratch[1 << 20];
    test_stream = 0x9E3779B97F4A7C15u * (turn + 1);
    fos_status_t status;
    size_t encoded_bytes = 0;
    do { /* until it fits */
        draw_case(&test, next_random());
        fill(&test.given, image, next_random() % test.given.sample_bits);
        const size_t sample_count = (size_t)test.given.cols * test.given.rows * test.given.bands;
        status = fos_ccsds123_encode(image, sample_count * sample_bytes(&test.given), &test.given, &test.tables, scratch,
                                     sizeof scratch, data, capacity_bytes, &encoded_bytes);
    } while (status != FOS_OK);
    return encoded_bytes;
}
