/* 8-connected regions by union-find.
 *
 * Theory of operation: every inside pixel points to an earlier pixel of its region, the first pixel of the region
 * (in raster order) to itself. Joining always points the later root at the earlier one, so the root of a finished
 * region is its first pixel, and raster order of the roots is the order of the regions: no set, no sort, one answer.
 * This is the same code on every instruction set (it waits for memory, not for arithmetic).
 */
#include "kernels_internal.h"

#include <math.h>

#define BACKGROUND UINT32_MAX

static uint32_t root_of(uint32_t *parent, uint32_t pixel)
{
    while (parent[pixel] != pixel) {
        parent[pixel] = parent[parent[pixel]]; /* halve the path, so that it stays short */
        pixel = parent[pixel];
    }
    return pixel;
}

static void join(uint32_t *parent, uint32_t pixel, uint32_t neighbour)
{
    if (parent[neighbour] == BACKGROUND) { return; }
    const uint32_t root = root_of(parent, pixel);
    const uint32_t other = root_of(parent, neighbour);
    if (other < root) {
        parent[root] = other;
    } else {
        parent[other] = root;
    }
}

static void connect_pixels(const uint8_t *mask, size_t rows, size_t cols, uint32_t *parent)
{
    for (size_t row = 0; row < rows; row++) {
        for (size_t col = 0; col < cols; col++) {
            const uint32_t pixel = (uint32_t)(row * cols + col);
            if (mask[pixel] == 0) {
                parent[pixel] = BACKGROUND;
                continue;
            }
            parent[pixel] = pixel;
            if (col > 0) { join(parent, pixel, pixel - 1); }
            if (row > 0) {
                const uint32_t above = pixel - (uint32_t)cols;
                if (col > 0) { join(parent, pixel, above - 1); }
                join(parent, pixel, above);
                if (col + 1 < cols) { join(parent, pixel, above + 1); }
            }
        }
    }
}

/* After this parent[p] is the root itself, and slot[root] the number of pixels. */
static void count_pixels(size_t pixel_count, uint32_t *parent, uint32_t *slot)
{
    for (uint32_t pixel = 0; pixel < pixel_count; pixel++) {
        if (parent[pixel] == BACKGROUND) { continue; }
        parent[pixel] = parent[parent[pixel]]; /* earlier pixels already point at their root */
        if (parent[pixel] == pixel) { slot[pixel] = 0; }
        slot[parent[pixel]]++;
    }
}

static void open_region(fos_region_t *region, uint32_t first_pixel, size_t cols)
{
    const int64_t row = (int64_t)(first_pixel / cols);
    const int64_t col = (int64_t)(first_pixel % cols);
    *region = (fos_region_t){.first_pixel_index = first_pixel,
                             .row_min = row,
                             .row_max = row,
                             .col_min = col,
                             .col_max = col};
}

static void add_pixel(fos_region_t *region, int64_t row, int64_t col, int64_t index_fixed)
{
    region->pixel_count++;
    region->row_sum += row;
    region->col_sum += col;
    if (row > region->row_max) { region->row_max = row; }
    if (col < region->col_min) { region->col_min = col; }
    if (col > region->col_max) { region->col_max = col; }
    region->index_sum_fixed += index_fixed;
}

static fos_status_t measure_regions(const float *index, size_t rows, size_t cols, const uint32_t *parent,
                                    const uint32_t *slot, fos_region_t *regions)
{
    const double scale = (double)((int64_t)1 << FOS_FIXED_POINT_BITS);
    for (size_t row = 0; row < rows; row++) {
        for (size_t col = 0; col < cols; col++) {
            const size_t pixel = row * cols + col;
            if (parent[pixel] == BACKGROUND) { continue; }
            int64_t index_fixed = 0;
            if (index != NULL && !isnan(index[pixel])) {
                if (fabsf(index[pixel]) > FOS_INDEX_ABS_MAX) { return FOS_ERR_RANGE; }
                index_fixed = llrint((double)index[pixel] * scale);
            }
            const uint32_t place = slot[parent[pixel]];
            if (place == 0) { continue; } /* too small to report */
            add_pixel(&regions[place - 1], (int64_t)row, (int64_t)col, index_fixed);
        }
    }
    return FOS_OK;
}

fos_status_t fos_label_regions(const uint8_t *mask, const float *index, size_t rows, size_t cols,
                               size_t pixel_count_min, uint32_t *scratch, size_t scratch_count,
                               fos_region_t *regions, size_t region_capacity, size_t *region_count)
{
    if (mask == NULL || scratch == NULL || region_count == NULL) { return FOS_ERR_NULL; }
    if (regions == NULL && region_capacity > 0) { return FOS_ERR_NULL; }
    if (rows > FOS_PIXEL_COUNT_MAX || cols > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; }
    if (rows * cols > FOS_PIXEL_COUNT_MAX) { return FOS_ERR_TOO_LARGE; } /* 2^56 at most: the product is exact */
    const size_t pixel_count = rows * cols;
    if (scratch_count < 2 * pixel_count) { return FOS_ERR_CAPACITY; }
    uint32_t *parent = scratch;
    uint32_t *slot = scratch + pixel_count;

    connect_pixels(mask, rows, cols, parent);
    count_pixels(pixel_count, parent, slot);

    /* slot[root] turns from a pixel count into 1 + the region's place, or 0 for a region too small to report. */
    size_t found = 0;
    for (uint32_t pixel = 0; pixel < pixel_count; pixel++) {
        if (parent[pixel] != pixel) { continue; }
        if (slot[pixel] < pixel_count_min) {
            slot[pixel] = 0;
            continue;
        }
        if (found < region_capacity) { open_region(&regions[found], pixel, cols); }
        found++;
        slot[pixel] = (uint32_t)found;
    }
    *region_count = found;
    if (found > region_capacity) { return FOS_ERR_CAPACITY; }
    return measure_regions(index, rows, cols, parent, slot, regions);
}
