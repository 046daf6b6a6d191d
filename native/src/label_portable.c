/* 8-connected regions by union-find over runs of pixels.
 *
 * Theory of operation: a row is cut into runs of inside pixels; a run joins every run of the row above that it touches, a
 * diagonal step included. Every run points to an earlier run of its region, the first run to itself; joining always
 * points the later root at the earlier one, so the root of a finished region holds its first pixel in raster order,
 * and raster order of the roots is the order of the regions: no set, no sort, one answer. Eight pixels at a time are
 * looked at where they are all outside or all inside, which is most of most masks. This is the same code on every
 * instruction set.
 */
#include "kernels_internal.h"

#include <math.h>
#include <string.h>

/* Three numbers for each run, one after another in the caller's scratch. */
typedef struct {
    uint32_t first_pixel;
    uint32_t pixel_count;
    uint32_t parent; /* a run; later the root's place among the regions plus 1, 0 for a region too small */
} run_t;

static uint32_t root_of(run_t *runs, uint32_t run)
{
    while (runs[run].parent != run) {
        runs[run].parent = runs[runs[run].parent].parent; /* halve the path, so that it stays short */
        run = runs[run].parent;
    }
    return run;
}

static void join(run_t *runs, uint32_t run, uint32_t above)
{
    const uint32_t root = root_of(runs, run);
    const uint32_t other = root_of(runs, above);
    if (other < root) {
        runs[root].parent = other;
    } else {
        runs[other].parent = root;
    }
}

/* 0x01 in each byte that is not 0. */
static uint64_t ones_of(const uint8_t *pixels)
{
    const uint64_t low_bits = 0x7F7F7F7F7F7F7F7Fu;
    uint64_t word;
    memcpy(&word, pixels, sizeof word);
    return ((((word & low_bits) + low_bits) | word) >> 7) & 0x0101010101010101u;
}

/* The first column at or after col whose pixel is inside (wanted 1) or outside (wanted 0), or cols. */
static size_t find_next(const uint8_t *row, size_t col, size_t cols, unsigned wanted)
{
    const uint64_t skipped = wanted != 0 ? 0u : 0x0101010101010101u;
    while (col + 8 <= cols && ones_of(row + col) == skipped) { col += 8; }
    while (col < cols && (row[col] != 0) != wanted) { col++; }
    return col;
}

/* Joins the runs of a row (from..end) with those of the row above (above..from), both in order of columns; `shift` is the
 * distance of a pixel from the one above it. */
static void join_rows(run_t *runs, uint32_t above, uint32_t from, uint32_t end, uint32_t shift)
{
    for (uint32_t run = from; run < end; run++) {
        const uint32_t first = runs[run].first_pixel;
        const uint32_t past = first + runs[run].pixel_count;
        /* A run above touches when it ends at or after the pixel up left, and begins at or before the one up right. */
        while (above < from && runs[above].first_pixel + runs[above].pixel_count + shift < first) { above++; }
        uint32_t touching = above;
        while (touching < from && runs[touching].first_pixel + shift <= past) {
            join(runs, run, touching);
            touching++;
        }
        if (touching > above) { above = touching - 1; } /* the last one may touch the next run too */
    }
}

/* The runs of the whole mask, joined; their number. */
static uint32_t find_runs(const uint8_t *mask, const fos_tile_t *tile, run_t *runs)
{
    const size_t rows = tile->rows;
    const size_t cols = tile->cols;
    uint32_t above = 0;
    uint32_t from = 0;
    uint32_t end = 0;
    for (size_t row = 0; row < rows; row++) {
        const uint8_t *const line = mask + row * tile->strides[0];
        for (size_t col = find_next(line, 0, cols, 1); col < cols;) {
            const size_t past = find_next(line, col, cols, 0);
            runs[end] = (run_t){(uint32_t)(row * cols + col), (uint32_t)(past - col), end};
            end++;
            col = find_next(line, past, cols, 1);
        }
        join_rows(runs, above, from, end, (uint32_t)cols);
        above = from;
        from = end;
    }
    return end;
}

static fos_status_t sum_index(const float *index, size_t count, int64_t *sum_fixed)
{
    const double scale = (double)((int64_t)1 << FOS_FIXED_POINT_BITS);
    int64_t sum = 0;
    for (size_t pixel = 0; pixel < count; pixel++) {
        if (isnan(index[pixel])) { continue; }
        if (fabsf(index[pixel]) > FOS_INDEX_ABS_MAX) { return FOS_ERR_RANGE; }
        sum += llrint((double)index[pixel] * scale);
    }
    *sum_fixed = sum;
    return FOS_OK;
}

static void add_run(fos_region_t *region, int64_t row, int64_t col, int64_t count, int64_t index_sum_fixed)
{
    if (region->pixel_count == 0) {
        region->row_min = row;
        region->col_min = col;
    }
    const int64_t col_last = col + count - 1;
    region->pixel_count += count;
    region->row_sum += row * count;
    region->col_sum += (col + col_last) * count / 2;
    region->row_max = row;
    if (col < region->col_min) { region->col_min = col; }
    if (col_last > region->col_max) { region->col_max = col_last; }
    region->index_sum_fixed += index_sum_fixed;
}

/* After this pixel_count of a root is that of its region, in `sizes`, and parent of every run its root. */
static void count_pixels(run_t *runs, uint32_t run_count, uint32_t *sizes)
{
    for (uint32_t run = 0; run < run_count; run++) {
        runs[run].parent = runs[runs[run].parent].parent; /* earlier runs already point at their root */
        const uint32_t root = runs[run].parent;
        if (root == run) { sizes[run] = 0; }
        sizes[root] += runs[run].pixel_count;
    }
}

/* sizes[root] turns from a pixel count into 1 + the region's place, or 0 for a region too small to report. */
static size_t open_regions(const run_t *runs, uint32_t run_count, size_t pixel_count_min, uint32_t *sizes,
                           fos_region_t *regions, size_t region_capacity)
{
    size_t found = 0;
    for (uint32_t run = 0; run < run_count; run++) {
        if (runs[run].parent != run) { continue; }
        if (sizes[run] < pixel_count_min) {
            sizes[run] = 0;
            continue;
        }
        if (found < region_capacity) {
            regions[found] = (fos_region_t){.first_pixel_index = (int64_t)runs[run].first_pixel};
        }
        found++;
        sizes[run] = (uint32_t)found;
    }
    return found;
}

static fos_status_t measure_regions(const float *index, const fos_tile_t *tile, const run_t *runs, uint32_t run_count,
                                    const uint32_t *places, fos_region_t *regions)
{
    const size_t cols = tile->cols;
    /* Runs come row by row, so the row follows without a division for each. */
    uint64_t row = 0;
    uint64_t row_end = cols;
    for (uint32_t run = 0; run < run_count; run++) {
        while (runs[run].first_pixel >= row_end) {
            row++;
            row_end += cols;
        }
        const uint64_t col = runs[run].first_pixel - (row_end - cols);
        int64_t index_sum_fixed = 0;
        if (index != NULL) {
            const float *const first = index + row * tile->strides[1] + col;
            const fos_status_t status = sum_index(first, runs[run].pixel_count, &index_sum_fixed);
            if (status != FOS_OK) { return status; }
        }
        const uint32_t place = places[runs[run].parent];
        if (place == 0) { continue; }
        add_run(&regions[place - 1], (int64_t)row, (int64_t)col, (int64_t)runs[run].pixel_count, index_sum_fixed);
    }
    return FOS_OK;
}

size_t fos_label_scratch_count(size_t rows, size_t cols)
{
    if (rows > FOS_PIXEL_COUNT_MAX || cols > FOS_PIXEL_COUNT_MAX || rows * cols > FOS_PIXEL_COUNT_MAX) { return 0; }
    return 4 * rows * ((cols + 1) / 2); /* no row has more runs than every other pixel */
}

fos_status_t fos_label_regions(const uint8_t *mask, const float *index, size_t rows, size_t cols,
                               const size_t *strides, size_t pixel_count_min, uint32_t *scratch, size_t scratch_count,
                               fos_region_t *regions, size_t region_capacity, size_t *region_count)
{
    if (mask == NULL || scratch == NULL || region_count == NULL) { return FOS_ERR_NULL; }
    if (regions == NULL && region_capacity > 0) { return FOS_ERR_NULL; }
    fos_tile_t tile;
    const fos_status_t status = fos_open_tile(rows, cols, strides, index == NULL ? 1 : 2, 0, &tile);
    if (status != FOS_OK) { return status; }
    if (scratch_count < fos_label_scratch_count(rows, cols)) { return FOS_ERR_CAPACITY; }
    run_t *const runs = (run_t *)(void *)scratch; /* three words of the scratch's own type and alignment */
    uint32_t *const sizes = scratch + 3 * (rows * ((cols + 1) / 2));

    const uint32_t run_count = find_runs(mask, &tile, runs);
    count_pixels(runs, run_count, sizes);
    const size_t found = open_regions(runs, run_count, pixel_count_min, sizes, regions, region_capacity);
    *region_count = found;
    if (found > region_capacity) { return FOS_ERR_CAPACITY; }
    return measure_regions(index, &tile, runs, run_count, sizes, regions);
}
