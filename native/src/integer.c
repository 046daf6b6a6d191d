/* The doors of the int8 matrix product and of quantisation, and their part of the table. */
#include "integer_internal.h"

void fos_integer_fill(fos_kernels_t *table, uint32_t features)
{
    table->quantise = fos_quantise_portable;
    table->dequantise = fos_dequantise_portable;
    table->gemm_i8 = fos_gemm_i8_portable;
#ifdef FOS_HAVE_AVX2
    if ((features & FOS_FEATURE_AVX2) != 0) {
        table->quantise = fos_quantise_avx2;
        table->dequantise = fos_dequantise_avx2;
        table->gemm_i8 = fos_gemm_i8_avx2;
    }
#endif
#ifdef FOS_HAVE_AVX512
    if ((features & FOS_FEATURE_AVX512) != 0) {
        table->quantise = fos_quantise_avx512;
        table->dequantise = fos_dequantise_avx512;
    }
    if ((features & FOS_FEATURE_AVX512) != 0 && (features & FOS_FEATURE_AVX512_VNNI) != 0) {
        table->gemm_i8 = fos_gemm_i8_avx512;
    }
#endif
#ifdef FOS_HAVE_NEON_DOT
    if ((features & FOS_FEATURE_NEON_DOT) != 0) { table->gemm_i8 = fos_gemm_i8_neon_dot; }
#endif
    (void)features;
}

fos_status_t fos_gemm_i8(const int8_t *a, const int8_t *b_transposed, size_t rows, size_t cols, size_t depth,
                         int32_t *product)
{
    if (a == NULL || b_transposed == NULL || product == NULL) { return FOS_ERR_NULL; }
    if (depth > FOS_GEMM_DEPTH_MAX || rows > FOS_PIXEL_COUNT_MAX || cols > FOS_PIXEL_COUNT_MAX) {
        return FOS_ERR_TOO_LARGE;
    }
    fos_kernels()->gemm_i8(a, b_transposed, rows, cols, depth, product);
    return FOS_OK;
}

static fos_status_t check_channels(const void *values, const void *quantised, size_t channel_count,
                                   size_t channel_size, const float *scale, const int8_t *zero_point)
{
    if (values == NULL || quantised == NULL || scale == NULL || zero_point == NULL) { return FOS_ERR_NULL; }
    if (channel_count > FOS_PIXEL_COUNT_MAX || channel_size > FOS_PIXEL_COUNT_MAX ||
        (channel_size != 0 && channel_count > FOS_PIXEL_COUNT_MAX / channel_size)) {
        return FOS_ERR_TOO_LARGE;
    }
    for (size_t channel = 0; channel < channel_count; channel++) {
        /* False for NaN too; FLT_MAX is the largest finite scale. */
        if (!(scale[channel] > 0.0f && scale[channel] <= 3.40282347e38f)) { return FOS_ERR_PARAMETER; }
    }
    return FOS_OK;
}

fos_status_t fos_quantise_f32_i8(const float *values, size_t channel_count, size_t channel_size, const float *scale,
                                 const int8_t *zero_point, int8_t *quantised)
{
    const fos_status_t status = check_channels(values, quantised, channel_count, channel_size, scale, zero_point);
    if (status != FOS_OK) { return status; }
    const fos_kernels_t *kernels = fos_kernels();
    for (size_t channel = 0; channel < channel_count; channel++) {
        const size_t first = channel * channel_size;
        kernels->quantise(values + first, channel_size, scale[channel], zero_point[channel], quantised + first);
    }
    return FOS_OK;
}

fos_status_t fos_dequantise_i8_f32(const int8_t *quantised, size_t channel_count, size_t channel_size,
                                   const float *scale, const int8_t *zero_point, float *values)
{
    const fos_status_t status = check_channels(values, quantised, channel_count, channel_size, scale, zero_point);
    if (status != FOS_OK) { return status; }
    const fos_kernels_t *kernels = fos_kernels();
    for (size_t channel = 0; channel < channel_count; channel++) {
        const size_t first = channel * channel_size;
        kernels->dequantise(quantised + first, channel_size, scale[channel], zero_point[channel], values + first);
    }
    return FOS_OK;
}
