/* CCSDS 123.0-B-2, 4.7 to 4.11 sample after sample, for every machine. */
#include "ccsds123_internal.h"

typedef struct {
    int32_t lane[FOS_CCSDS123_WEIGHTS_MAX];
} weights_t;

typedef const int32_t *vector_t;

static inline void load_weights(weights_t *weights, const int32_t *from, uint32_t lanes)
{
    for (uint32_t lane = 0; lane < lanes; lane++) { weights->lane[lane] = from[lane]; }
}

static inline void store_weights(const weights_t *weights, int32_t *to, uint32_t lanes)
{
    for (uint32_t lane = 0; lane < lanes; lane++) { to[lane] = weights->lane[lane]; }
}

static inline vector_t vector_of(const fos_ccsds123_row_t *row, size_t col, uint32_t lanes,
                                 const fos_ccsds123_fresh_t *fresh)
{
    int32_t *differences = row->differences + col * lanes;
    const uint32_t directions = row->layout->directions;
    if (directions != 0) {
        differences[0] = fresh->north;
        differences[1] = fresh->west;
        differences[2] = fresh->north_west;
    }
    if (fresh->has_nearest) { differences[directions] = fresh->nearest; }
    return differences;
}

static inline int64_t dot_of(const weights_t *weights, const vector_t *vector, uint32_t lanes)
{
    int64_t dot = 0;
    for (uint32_t lane = 0; lane < lanes; lane++) { dot += (int64_t)weights->lane[lane] * (*vector)[lane]; }
    return dot;
}

static inline void update_weights(const fos_ccsds123_layout_t *layout, weights_t *weights, const vector_t *vector,
                                  uint32_t lanes, bool error_is_negative, int32_t exponent)
{
    fos_ccsds123_update_weights(layout, lanes, weights->lane, *vector, error_is_negative, exponent);
}

#define FOS_CCSDS123_RESTORE fos_ccsds123_restore_portable
#include "ccsds123_restore.inc"
