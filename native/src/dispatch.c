/* The table of function pointers: chosen once, protected by a checksum, renewed on demand.
 *
 * The choice is made once (pthread_once), not in a loop and not per call. A level is a set of processor features that
 * may be used. Each area of kernels has one fill function, which first puts the portable code into the table and then,
 * feature by feature, what is better; the best level that runs here wins, unless FLIGHTOS_CPU names another.
 * The table and the look-up tables are the only state of this library: an upset there would send a call anywhere or make
 * results wrong for good, so they carry a checksum, can be verified, and can be filled anew from code.
 */
#include "protection_internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    uint32_t features_needed;
    uint32_t features_used; /* where the processor has them */
} level_t;

#define X86_AVX2 (FOS_FEATURE_SSE42 | FOS_FEATURE_AVX2)

/* Best first. */
static const level_t levels[] = {
#ifdef FOS_HAVE_AVX512
    {"avx512", X86_AVX2 | FOS_FEATURE_AVX512, UINT32_MAX},
#endif
#ifdef FOS_HAVE_AVX2
    {"avx2", X86_AVX2, X86_AVX2 | FOS_FEATURE_AVX_VNNI},
#endif
#ifdef FOS_HAVE_SSE42
    {"sse42", FOS_FEATURE_SSE42, FOS_FEATURE_SSE42},
#endif
#ifdef FOS_HAVE_NEON_DOT
    {"neon_dot", FOS_FEATURE_NEON_CRC | FOS_FEATURE_NEON_DOT, UINT32_MAX},
#endif
#ifdef FOS_HAVE_NEON
    {"neon", FOS_FEATURE_NEON_CRC, FOS_FEATURE_NEON_CRC},
#endif
    {"portable", 0, 0},
};
#define LEVEL_COUNT (sizeof levels / sizeof levels[0])

/* One per area of kernels. */
static void (*const fills[])(fos_kernels_t *table, uint32_t features) = {
    fos_imaging_fill,
    fos_crc_fill,
    fos_vote_fill,
    fos_secded_fill,
    fos_erasure_fill,
    fos_ccsds123_fill,
    fos_integer_fill,
    fos_abft_fill,
};

static pthread_once_t choose_once = PTHREAD_ONCE_INIT;
static fos_guarded_kernels_t chosen;

static const level_t *find_runnable(const char *name)
{
    const uint32_t features = fos_cpu_features();
    for (size_t index = 0; index < LEVEL_COUNT; index++) {
        if ((levels[index].features_needed & ~features) != 0) { continue; }
        if (name == NULL || strcmp(name, levels[index].name) == 0) { return &levels[index]; }
    }
    return NULL;
}

/* Fowler-Noll-Vo 1a over words of 64 bits: every step is a bijection, so an upset within one word is always found; and
 * it needs no table, which might be what is in doubt. */
#define MIX_START 0xCBF29CE484222325u
static uint64_t mix(uint64_t hash, const void *memory, size_t byte_count)
{
    for (size_t byte = 0; byte < byte_count; byte += 8) {
        hash = (hash ^ load_u64((const uint8_t *)memory + byte)) * 0x100000001B3u;
    }
    return hash;
}

static uint64_t table_checksum(void)
{
    return mix(MIX_START, &chosen.kernels, sizeof chosen.kernels);
}

static uint64_t lookup_checksum(void)
{
    uint64_t hash = MIX_START;
    for (const fos_lookup_t *lookup = fos_lookups; lookup->memory != NULL; lookup++) {
        hash = mix(hash, lookup->memory, lookup->byte_count);
    }
    return hash;
}

static void fill(const level_t *level)
{
    fos_kernels_t table;
    memset(&table, 0, sizeof table);
    table.name = level->name;
    const uint32_t features = fos_cpu_features() & level->features_used;
    for (size_t area = 0; area < sizeof fills / sizeof fills[0]; area++) { fills[area](&table, features); }
    chosen.kernels = table;
    chosen.table_checksum = table_checksum();
}

static void fill_lookups(void)
{
    fos_crc_tables_fill();
    fos_secded_tables_fill();
    fos_gf_tables_fill();
    chosen.lookup_checksum = lookup_checksum();
}

static const level_t *initial_level(void)
{
    const char *name = getenv("FLIGHTOS_CPU");
    const level_t *named = name != NULL ? find_runnable(name) : NULL;
    return named != NULL ? named : find_runnable(NULL);
}

static void choose(void)
{
    fill_lookups();
    fill(initial_level());
}

const fos_kernels_t *fos_kernels(void)
{
    (void)pthread_once(&choose_once, choose);
    return &chosen.kernels;
}

fos_guarded_kernels_t *fos_kernels_memory(void)
{
    (void)fos_kernels();
    return &chosen;
}

const char *fos_isa_name(void)
{
    return fos_kernels()->name;
}

fos_status_t fos_isa_select(const char *name)
{
    if (name == NULL) { return FOS_ERR_NULL; }
    (void)fos_kernels(); /* the first choice must not come later and undo this one */
    const level_t *named = find_runnable(name);
    if (named == NULL) { return FOS_ERR_UNSUPPORTED; }
    fill(named);
    return FOS_OK;
}

fos_status_t fos_dispatch_verify(void)
{
    (void)fos_kernels();
    const int is_intact = table_checksum() == chosen.table_checksum && lookup_checksum() == chosen.lookup_checksum;
    return is_intact ? FOS_OK : FOS_ERR_CORRUPT;
}

void fos_dispatch_renew(void)
{
    (void)fos_kernels();
    /* The level is found by the address of its name, which may itself be hit: then the initial choice is made again. */
    const level_t *level = initial_level();
    for (size_t index = 0; index < LEVEL_COUNT; index++) {
        if (levels[index].name == chosen.kernels.name) { level = &levels[index]; }
    }
    if (lookup_checksum() != chosen.lookup_checksum) { fill_lookups(); }
    fill(level);
}
