/* The imaging, detection, SAR and geometry functions behind the table: one set for each instruction set.
 *
 * The bodies are in *.inc, in plain C that vectorises, and are compiled once for each instruction set by
 * imaging_<isa>.c with the few pieces that need instructions by name. Elements depend on nothing but their own inputs and
 * every sum has one order, so all sets give the same bits.
 */
#ifndef FOS_IMAGING_INTERNAL_H
#define FOS_IMAGING_INTERNAL_H

#include "flightos_kernels.h"

/* What a filter needs to know about its edges and its last step. */
typedef struct {
    fos_edge_t edge;
    fos_finish_t finish;
    float limit;
} fos_filter_t;

#define FOS_TILE_IMAGE_COUNT_MAX 5

/* Row r of image i begins r * strides[i] elements after its first. */
typedef struct {
    size_t rows;
    size_t cols;
    size_t strides[FOS_TILE_IMAGE_COUNT_MAX];
} fos_tile_t;

/* Checks the extent that a caller gave: inputs first, then outputs. */
fos_status_t fos_open_tile(size_t rows, size_t cols, const size_t *strides, size_t input_count, size_t output_count,
                           fos_tile_t *tile);

/* The same for kernels that go pixel by pixel: rows without a gap anywhere become one run. */
fos_status_t fos_open_runs(size_t rows, size_t cols, const size_t *strides, size_t input_count, size_t output_count,
                           fos_tile_t *tile);

/* Range profiles, one below the other. */
typedef struct {
    size_t pulse_count;
    size_t bin_count;
    size_t stride; /* samples from one to the next */
} fos_profiles_t;

typedef struct {
    void (*correct_radiance_u8)(const uint8_t *, const float *, const float *, float *, size_t);
    void (*correct_radiance_u16)(const uint16_t *, const float *, const float *, float *, size_t);
    void (*ndiff_f32)(const float *, const float *, float *, size_t);
    void (*ndiff_u16)(const uint16_t *, const uint16_t *, float *, size_t);
    uint64_t (*ndiff_mask_f32)(const float *, const float *, float, float *, uint8_t *, size_t);
    uint64_t (*ndiff_mask_u16)(const uint16_t *, const uint16_t *, float, float *, uint8_t *, size_t);
    uint64_t (*mask_above_f32)(const float *, float, uint8_t *, size_t);
    uint64_t (*mask_below_f32)(const float *, float, uint8_t *, size_t);
    void (*pack_bits)(const uint8_t *, size_t, uint8_t *);
    fos_status_t (*sum_fixed_f32)(const float *, size_t, int64_t *, uint64_t *);
    void (*calibrate_u16)(const uint16_t *, const float *, const float *, uint16_t, float, float *, uint8_t *, size_t,
                          fos_calibration_counts_t *);
    void (*cloud_mask_u16)(const uint16_t *, const uint16_t *, const uint16_t *, const uint16_t *,
                           const fos_scene_limits_t *, uint8_t *, size_t, uint64_t *);
    void (*change_classes_u16)(const uint16_t *, const uint16_t *, const uint16_t *, const uint16_t *, const float *,
                               uint8_t *, size_t, uint64_t *);
    void (*convolve_3x3_f32)(const float *, const fos_tile_t *, const float *, const fos_filter_t *, float *, float *);
    void (*convolve_5x5_f32)(const float *, const fos_tile_t *, const float *, const fos_filter_t *, float *, float *);
    void (*convolve_separable_f32)(const float *, const fos_tile_t *, const float *, const float *, size_t,
                                   const fos_filter_t *, float *, float *);
    uint64_t (*cfar_u16)(const uint16_t *, const fos_tile_t *, const fos_cfar_limits_t *, double *, uint8_t *);
    uint64_t (*hotspot_u16)(const uint16_t *, const fos_tile_t *, const fos_hotspot_limits_t *, double *, uint8_t *);
    void (*corner_turn_c64)(const float *, const fos_tile_t *, float *);
    void (*matched_filter_c64)(const float *, const fos_tile_t *, const float *, const float *, float *, float *);
    void (*backproject_c64)(const float *, const fos_profiles_t *, const fos_pulse_t *, const fos_range_axis_t *,
                            const double *, size_t, const double *, size_t, float *, size_t);
    void (*pairs_in_sight)(const double *, size_t, double, double, double *, uint8_t *);
    void (*edges_in_sight)(const double *, const uint32_t *, size_t, double, double, double *, uint8_t *);
    void (*contact_scan)(const double *, size_t, const fos_station_t *, size_t, double *, double *, uint8_t *);
} fos_imaging_kernels_t;

extern const fos_imaging_kernels_t fos_imaging_portable;
extern const fos_imaging_kernels_t fos_imaging_avx2;
extern const fos_imaging_kernels_t fos_imaging_neon;

/* Puts those with 512-bit vectors into a set. */
void fos_imaging_use_avx512(fos_imaging_kernels_t *kernels);

#endif
