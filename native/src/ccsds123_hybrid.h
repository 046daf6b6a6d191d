/* CCSDS 123.0-B-2, 5.4.3.3: what coder and decoder of the hybrid entropy coder share. */
#ifndef FOS_CCSDS123_HYBRID_H
#define FOS_CCSDS123_HYBRID_H

#include "ccsds123_entropy.h"

/* A low-entropy code (table 5-16, annex B) is a machine: its state is the active prefix, 0 the empty one. Each input
 * symbol, 0..symbol_max or symbol_max + 1 for the escape symbol, leads to another state, or puts out a word and empties
 * the prefix. */
typedef struct {
    uint32_t threshold;   /* T_i */
    uint16_t symbol_max;  /* L_i */
    uint16_t state_count;
    uint16_t first_flush; /* of its states in fos_ccsds123_low_flushes */
    uint16_t first_step;  /* of its states and symbols in fos_ccsds123_low_steps */
} fos_ccsds123_low_code_t;

extern const fos_ccsds123_low_code_t fos_ccsds123_low_codes[FOS_CCSDS123_LOW_CODES];
extern const uint32_t fos_ccsds123_low_steps[];   /* length << 24 | word; length 0: the next state */
extern const uint16_t fos_ccsds123_low_flushes[]; /* length << 12 | word */

#define FOS_CCSDS123_STEP_LENGTH_SHIFT 24
#define FOS_CCSDS123_STEP_WORD_MASK 0xFFFFFFu
#define FOS_CCSDS123_FLUSH_LENGTH_SHIFT 12
#define FOS_CCSDS123_FLUSH_WORD_MASK 0xFFFu

/* 5.4.3.3.4.4: the counter that belongs to sample t, for all bands the same. */
static inline uint32_t fos_ccsds123_hybrid_counter(const fos_ccsds123_parameters_t *given, uint64_t t)
{
    const uint64_t first = (uint64_t)1 << given->counter_first_bits;
    const uint64_t full = ((uint64_t)1 << given->counter_bits) - 1;
    const uint64_t half = (uint64_t)1 << (given->counter_bits - 1);
    return (uint32_t)(first + t <= full ? first + t : half + ((first + t - full - 1) & (half - 1)));
}

/* Whether the statistics are halved at sample t: the sample before had a full counter. */
static inline bool fos_ccsds123_hybrid_halves(const fos_ccsds123_parameters_t *given, uint64_t t)
{
    return t > 0 && fos_ccsds123_hybrid_counter(given, t - 1) == (1u << given->counter_bits) - 1;
}

/* Which way a sample is coded (5.4.3.3.5.1.4, 5.4.3.3.5.3.1): 0 for a high-entropy word, else 1 + the index of the
 * low-entropy code, the last one whose threshold lies above the mean. The search starts at the way of the last sample of
 * the band. */
static inline uint32_t fos_ccsds123_hybrid_way(uint64_t accumulator, uint32_t counter, uint32_t way)
{
    const uint64_t scaled = accumulator << 14;
    while (way > 0 && scaled >= (uint64_t)counter * fos_ccsds123_low_codes[way - 1].threshold) { way--; }
    while (way < FOS_CCSDS123_LOW_CODES && scaled < (uint64_t)counter * fos_ccsds123_low_codes[way].threshold) { way++; }
    return way;
}

/* 5.4.3.3.5.2: k of a high-entropy sample, at most max(D - 2, 2). */
static inline uint32_t fos_ccsds123_hybrid_code_bits(uint64_t accumulator, uint32_t counter, uint32_t sample_bits)
{
    const uint32_t code_bits_max = sample_bits > 4 ? sample_bits - 2 : 2;
    return fos_ccsds123_largest_shift(accumulator + (counter * 49 >> 5), (uint64_t)counter * 4, code_bits_max);
}

#endif
