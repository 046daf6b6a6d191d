/* The public functions: arguments checked at the door, then straight to the best implementation that runs here.
 *
 * The choice is made once (pthread_once), not in a loop and not per call: candidates are listed best first, and the
 * first whose features this processor has wins, unless FLIGHTOS_CPU names another.
 */
#include "kernels_internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A level names only what it does better; the rest is the portable code, compiled for that processor's baseline. */
#define PORTABLE_BANDMATH                                                                                             \
    .correct_radiance_u8 = fos_correct_radiance_u8_portable,                                                          \
    .correct_radiance_u16 = fos_correct_radiance_u16_portable, .ndiff_f32 = fos_ndiff_f32_portable,                   \
    .mask_above_f32 = fos_mask_above_f32_portable, .mask_below_f32 = fos_mask_below_f32_portable,                     \
    .pack_bits = fos_pack_bits_portable, .sum_fixed_f32 = fos_sum_fixed_f32_portable, .crc16 = fos_crc16_portable

static const fos_kernels_t kernels_portable = {
    .name = "portable", .features_needed = 0, PORTABLE_BANDMATH, .crc32c = fos_crc32c_portable};
#ifdef FOS_HAVE_SSE42
static const fos_kernels_t kernels_sse42 = {
    .name = "sse42", .features_needed = FOS_FEATURE_SSE42, PORTABLE_BANDMATH, .crc32c = fos_crc32c_sse42};
#endif
#ifdef FOS_HAVE_NEON
static const fos_kernels_t kernels_neon = {
    .name = "neon", .features_needed = FOS_FEATURE_NEON_CRC, PORTABLE_BANDMATH, .crc32c = fos_crc32c_neon};
#endif

static const fos_kernels_t *const candidates[] = {
#ifdef FOS_HAVE_SSE42
    &kernels_sse42,
#endif
#ifdef FOS_HAVE_NEON
    &kernels_neon,
#endif
    &kernels_portable,
};
#define CANDIDATE_COUNT (sizeof candidates / sizeof candidates[0])

static pthread_once_t choose_once = PTHREAD_ONCE_INIT;
static const fos_kernels_t *chosen = &kernels_portable;

static const fos_kernels_t *find_runnable(const char *name)
{
    const uint32_t features = fos_cpu_features();
    for (size_t candidate = 0; candidate < CANDIDATE_COUNT; candidate++) {
        const fos_kernels_t *kernels = candidates[candidate];
        if ((kernels->features_needed & ~features) != 0) { continue; }
        if (name == NULL || strcmp(name, kernels->name) == 0) { return kernels; }
    }
    return NULL;
}

static void choose(void)
{
    fos_crc_tables_fill();
    const fos_kernels_t *named = NULL;
    const char *name = getenv("FLIGHTOS_CPU");
    if (name != NULL) { named = find_runnable(name); }
    chosen = named != NULL ? named : find_runnable(NULL);
}

static const fos_kernels_t *kernels(void)
{
    (void)pthread_once(&choose_once, choose);
    return chosen;
}

const char *fos_isa_name(void)
{
    return kernels()->name;
}

fos_status_t fos_isa_select(const char *name)
{
    if (name == NULL) { return FOS_ERR_NULL; }
    (void)kernels(); /* the first choice must not come later and undo this one */
    const fos_kernels_t *named = find_runnable(name);
    if (named == NULL) { return FOS_ERR_UNSUPPORTED; }
    chosen = named;
    return FOS_OK;
}

fos_status_t fos_correct_radiance_u8(const uint8_t *raw_dn, const float *gain, const float *dark_dn, float *radiance,
                                     size_t pixel_count)
{
    if (raw_dn == NULL || gain == NULL || dark_dn == NULL || radiance == NULL) { return FOS_ERR_NULL; }
    if (pixel_count > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    kernels()->correct_radiance_u8(raw_dn, gain, dark_dn, radiance, pixel_count);
    return FOS_OK;
}

fos_status_t fos_correct_radiance_u16(const uint16_t *raw_dn, const float *gain, const float *dark_dn,
                                      float *radiance, size_t pixel_count)
{
    if (raw_dn == NULL || gain == NULL || dark_dn == NULL || radiance == NULL) { return FOS_ERR_NULL; }
    if (pixel_count > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    kernels()->correct_radiance_u16(raw_dn, gain, dark_dn, radiance, pixel_count);
    return FOS_OK;
}

fos_status_t fos_ndiff_f32(const float *a, const float *b, float *index, size_t pixel_count)
{
    if (a == NULL || b == NULL || index == NULL) { return FOS_ERR_NULL; }
    if (pixel_count > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    kernels()->ndiff_f32(a, b, index, pixel_count);
    return FOS_OK;
}

fos_status_t fos_mask_above_f32(const float *index, float threshold, uint8_t *mask, size_t pixel_count,
                                uint64_t *set_count)
{
    if (index == NULL || mask == NULL || set_count == NULL) { return FOS_ERR_NULL; }
    if (pixel_count > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    if (threshold != threshold) { return FOS_ERR_PARAMETER; }
    *set_count = kernels()->mask_above_f32(index, threshold, mask, pixel_count);
    return FOS_OK;
}

fos_status_t fos_mask_below_f32(const float *index, float threshold, uint8_t *mask, size_t pixel_count,
                                uint64_t *set_count)
{
    if (index == NULL || mask == NULL || set_count == NULL) { return FOS_ERR_NULL; }
    if (pixel_count > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    if (threshold != threshold) { return FOS_ERR_PARAMETER; }
    *set_count = kernels()->mask_below_f32(index, threshold, mask, pixel_count);
    return FOS_OK;
}

fos_status_t fos_pack_bits(const uint8_t *mask, size_t pixel_count, uint8_t *packed, size_t packed_capacity_bytes)
{
    if (mask == NULL || packed == NULL) { return FOS_ERR_NULL; }
    if (pixel_count > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    if (packed_capacity_bytes < (pixel_count + 7) / 8) { return FOS_ERR_CAPACITY; }
    kernels()->pack_bits(mask, pixel_count, packed);
    return FOS_OK;
}

fos_status_t fos_sum_fixed_f32(const float *index, size_t pixel_count, int64_t *sum_fixed, uint64_t *counted)
{
    if (index == NULL || sum_fixed == NULL || counted == NULL) { return FOS_ERR_NULL; }
    if (pixel_count > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    return kernels()->sum_fixed_f32(index, pixel_count, sum_fixed, counted);
}

uint16_t fos_crc16(uint16_t previous, const uint8_t *data, size_t byte_count)
{
    return data == NULL ? previous : kernels()->crc16(previous, data, byte_count);
}

uint32_t fos_crc32c(uint32_t previous, const uint8_t *data, size_t byte_count)
{
    return data == NULL ? previous : kernels()->crc32c(previous, data, byte_count);
}
