/* Where the pixels of a call lie: rows apart by strides, or one run when nothing lies between them. */
#include "imaging_internal.h"

fos_status_t fos_open_tile(size_t rows, size_t cols, const size_t *strides, size_t input_count, size_t output_count,
                           fos_tile_t *tile)
{
    const size_t image_count = input_count + output_count;
    if (rows > FOS_PIXEL_COUNT_MAX || cols > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    if (rows * cols > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; } /* 2^56 at most: the product is exact */
    for (size_t image = 0; image < image_count; image++) {
        const size_t stride = strides == NULL ? cols : strides[image];
        if (stride > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
        if (image >= input_count && stride < cols && rows > 1) { return FOS_ERR_PARAMETER; }
        tile->strides[image] = stride;
    }
    tile->rows = rows;
    tile->cols = cols;
    return FOS_OK;
}

fos_status_t fos_open_runs(size_t rows, size_t cols, const size_t *strides, size_t input_count, size_t output_count,
                           fos_tile_t *tile)
{
    const fos_status_t status = fos_open_tile(rows, cols, strides, input_count, output_count, tile);
    if (status != FOS_OK) { return status; }
    for (size_t image = 0; image < input_count + output_count; image++) {
        if (tile->strides[image] != cols) { return FOS_OK; }
    }
    tile->rows = 1;
    tile->cols = rows * cols;
    return FOS_OK;
}
