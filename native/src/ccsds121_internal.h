/* What the two directions of CCSDS 121.0-B-3 share: the parameters, checked and worked out. */
#ifndef FOS_CCSDS121_INTERNAL_H
#define FOS_CCSDS121_INTERNAL_H

#include "ccsds121_blocks.h"
#include "flightos_kernels.h"

#define FOS_CCSDS121_FLAGS_KNOWN                                                                                      \
    (FOS_CCSDS121_SIGNED | FOS_CCSDS121_3BYTE | FOS_CCSDS121_MSB | FOS_CCSDS121_PREPROCESS | FOS_CCSDS121_RESTRICTED  \
     | FOS_CCSDS121_PAD_INTERVAL)

typedef struct {
    fos_block_layout_t blocks;
    uint32_t bytes_per_sample;
    bool is_signed;
    bool high_byte_first;
    bool has_preprocessor;
    bool pads_interval;
    int64_t sample_min;
    int64_t sample_max;
} fos_ccsds121_layout_t;

/* False when a parameter is outside its range. */
bool fos_ccsds121_layout(const fos_ccsds121_parameters_t *parameters, fos_ccsds121_layout_t *layout);

#endif
