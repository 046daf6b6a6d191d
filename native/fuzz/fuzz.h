/* A fuzz target: libFuzzer calls the first function where clang is there; standalone.c calls both with gcc alone. */
#ifndef FOS_FUZZ_H
#define FOS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Must come back from any bytes, touch only what it was given, and abort() when a law is broken. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t byte_count);

/* Writes a sound input, the start of mutations, and gives its length; another one for each seed. */
size_t fuzz_sound_input(uint32_t seed, uint8_t *data, size_t capacity_bytes);

#endif
