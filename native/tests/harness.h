/* The smallest test harness that does: counted checks, arrays with canaries, and every instruction set in turn.
 *
 * Each test program prints 'N passed, N failed' and exits 1 when something failed.
 */
#ifndef FOS_TEST_HARNESS_H
#define FOS_TEST_HARNESS_H

#include "flightos_kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long passed_count = 0;
static unsigned long failed_count = 0;

#define CHECK(condition)                                                            \
    do {                                                                            \
        if (condition) {                                                            \
            passed_count++;                                                         \
        } else {                                                                    \
            failed_count++;                                                         \
            printf("%s:%d [%s]: %s\n", __FILE__, __LINE__, fos_isa_name(), #condition); \
        }                                                                           \
    } while (0)

#define CANARY_BYTES 64

/* Memory of byte_count bytes (filled with 0xA5) between two canaries; NULL on no memory. */
static inline void *guarded_new(size_t byte_count)
{
    unsigned char *block = malloc(byte_count + 2 * CANARY_BYTES);
    if (block == NULL) { abort(); }
    memset(block, 0xC7, CANARY_BYTES);
    memset(block + CANARY_BYTES, 0xA5, byte_count);
    memset(block + CANARY_BYTES + byte_count, 0xC7, CANARY_BYTES);
    return block + CANARY_BYTES;
}

/* Checks both canaries and frees the memory. */
static inline void guarded_free(void *memory, size_t byte_count)
{
    unsigned char *block = (unsigned char *)memory - CANARY_BYTES;
    int intact = 1;
    for (size_t byte = 0; byte < CANARY_BYTES; byte++) {
        intact = intact && block[byte] == 0xC7 && block[CANARY_BYTES + byte_count + byte] == 0xC7;
    }
    CHECK(intact);
    free(block);
}

/* A fixed stream of numbers, the same on every machine (xorshift64, Marsaglia 2003). */
static uint64_t test_stream = 88172645463325252u;
static inline uint32_t next_random(void)
{
    test_stream ^= test_stream << 13;
    test_stream ^= test_stream >> 7;
    test_stream ^= test_stream << 17;
    return (uint32_t)(test_stream >> 32);
}

static const char *const isa_names[] = {"portable", "sse42", "avx2", "avx512", "neon", "neon_dot"};

/* Runs the test once on each instruction set that this machine has. */
static inline void on_every_isa(void (*test)(void))
{
    for (size_t isa = 0; isa < sizeof isa_names / sizeof isa_names[0]; isa++) {
        if (fos_isa_select(isa_names[isa]) == FOS_OK) {
            CHECK(strcmp(fos_isa_name(), isa_names[isa]) == 0);
            test();
        }
    }
}

static inline int report(void)
{
    printf("%lu passed, %lu failed\n", passed_count, failed_count);
    return failed_count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
