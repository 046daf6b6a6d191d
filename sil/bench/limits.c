/* The limits of one core, as plain loops that do nothing else: what `flightos bench kernels` divides by.
 *
 * Compiled on the measured machine for exactly that machine (-O3 -march=native, no contraction) by machine_limits.py.
 * Each loop keeps enough independent chains to hide the latency of its instruction. Memory loops exist with ordinary
 * and with streaming stores; the caller takes the faster. Results are returned so that nothing can be left out.
 */
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <arm_neon.h>
#endif

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#define CHAINS 16
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#define CHAINS 12
#else
#define VECTOR_BYTES 16
#define CHAINS 12
#endif

/* Unrolled, so that the chains live in registers. */
#define EACH_CHAIN _Pragma("GCC unroll 16") for (size_t index = 0; index < CHAINS; index++)

typedef float floats_t __attribute__((vector_size(VECTOR_BYTES)));
typedef double doubles_t __attribute__((vector_size(VECTOR_BYTES)));
typedef uint64_t words_t __attribute__((vector_size(VECTOR_BYTES)));

/* x = x * a + b in every chain, `steps` times: one multiplication and one addition for each element. */
#define MULTIPLY_AND_ADD(name, vector, scalar)                                                     \
    double name(uint64_t steps, scalar a, scalar b)                                                \
    {                                                                                              \
        vector chain[CHAINS];                                                                      \
        EACH_CHAIN { chain[index] = (vector){0} + (scalar)index; }                                 \
        for (uint64_t step = 0; step < steps; step++) {                                            \
            EACH_CHAIN { chain[index] = chain[index] * a + b; }                                    \
        }                                                                                          \
        EACH_CHAIN { chain[0] += chain[index]; }                                                   \
        return (double)chain[0][0];                                                                \
    }

MULTIPLY_AND_ADD(limit_f32, floats_t, float)
MULTIPLY_AND_ADD(limit_f64, doubles_t, double)

uint64_t limit_f32_operations(void) { return 2 * CHAINS * VECTOR_BYTES / sizeof(float); }
uint64_t limit_f64_operations(void) { return 2 * CHAINS * VECTOR_BYTES / sizeof(double); }

/* Products of int8 added to int32. By instruction: with intrinsics the compiler takes equal products out of the loop. */
#if defined(__AVX512VNNI__) && defined(__AVX512F__)
#define BYTE_PRODUCTS 64
#define ADD_PRODUCTS(sum, a, b) __asm__ volatile("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b))
#elif defined(__AVXVNNI__)
#define BYTE_PRODUCTS 32
#define ADD_PRODUCTS(sum, a, b) __asm__ volatile("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b))
#elif defined(__AVX2__) /* widened before: the instruction for bytes saturates */
#define BYTE_PRODUCTS 16
#define ADD_PRODUCTS(sum, a, b)                                                                    \
    do {                                                                                           \
        words_t products;                                                                          \
        __asm__ volatile("vpmaddwd %2, %1, %0" : "=x"(products) : "x"(a), "x"(b));                 \
        __asm__ volatile("vpaddd %1, %0, %0" : "+x"(sum) : "x"(products));                         \
    } while (0)
#elif defined(__ARM_FEATURE_DOTPROD)
#define BYTE_PRODUCTS 16
#define ADD_PRODUCTS(sum, a, b) __asm__ volatile("sdot %0.4s, %1.16b, %2.16b" : "+w"(sum) : "w"(a), "w"(b))
#else
#define BYTE_PRODUCTS 0
#define ADD_PRODUCTS(sum, a, b) (void)((sum) + (a) + (b))
#endif

uint64_t limit_int8(uint64_t steps, uint64_t a, uint64_t b)
{
    words_t chain[CHAINS];
    words_t left = (words_t){0} + a, right = (words_t){0} + b;
    EACH_CHAIN { chain[index] = (words_t){0} + index; }
    for (uint64_t step = 0; step < steps; step++) {
        EACH_CHAIN { ADD_PRODUCTS(chain[index], left, right); }
    }
    EACH_CHAIN { chain[0] += chain[index]; }
    return chain[0][0];
}

/* Operations of a step; 0 where this machine has no instruction for it. */
uint64_t limit_int8_operations(void) { return (uint64_t)2 * CHAINS * BYTE_PRODUCTS; }

/* CRC-32C by the instruction: three chains, eight bytes each to a step; 0 bytes where there is none. */
#if defined(__SSE4_2__)
#define CRC_BYTES 24
#define CRC(value, word) (uint32_t) _mm_crc32_u64(value, word)
#elif defined(__ARM_FEATURE_CRC32)
#define CRC_BYTES 24
#define CRC(value, word) __crc32cd(value, word)
#else
#define CRC_BYTES 0
#define CRC(value, word) ((value) + (uint32_t)(word))
#endif

uint32_t limit_crc32c(uint64_t steps, uint64_t word)
{
    uint32_t first = 1, second = 2, third = 3;
    for (uint64_t step = 0; step < steps; step++) {
        first = CRC(first, word);
        second = CRC(second, word);
        third = CRC(third, word);
        __asm__ volatile("" : "+r"(first), "+r"(second), "+r"(third));
    }
    return first ^ second ^ third;
}

uint64_t limit_crc32c_bytes(void) { return CRC_BYTES; }

/* Read `count` vectors as four streams, which keeps more lines under way than one. */
uint64_t limit_read(const void *source, size_t count)
{
    const words_t *const words = source;
    const size_t part = count / 4;
    words_t first = {0}, second = {0}, third = {0}, fourth = {0};
    for (size_t index = 0; index < part; index++) {
        first |= words[index];
        second |= words[part + index];
        third |= words[2 * part + index];
        fourth |= words[3 * part + index];
    }
    first |= second | third | fourth;
    return first[0];
}

static inline void stream(words_t *target, words_t value)
{
#if defined(__AVX512F__)
    _mm512_stream_si512((__m512i *)(void *)target, (__m512i)value);
#elif defined(__AVX__)
    _mm256_stream_si256((__m256i *)(void *)target, (__m256i)value);
#elif defined(__x86_64__)
    _mm_stream_si128((__m128i *)(void *)target, (__m128i)value);
#else
    *target = value;
#endif
}

static inline void fence(void)
{
#if defined(__x86_64__)
    _mm_sfence();
#endif
}

void limit_copy(const void *source, void *target, size_t count)
{
    const words_t *const from = source;
    words_t *const to = target;
    for (size_t index = 0; index < count; index++) { to[index] = from[index]; }
}

void limit_copy_streamed(const void *source, void *target, size_t count)
{
    const words_t *const from = source;
    words_t *const to = target;
    for (size_t index = 0; index < count; index++) { stream(to + index, from[index]); }
    fence();
}

/* Two streams read, one written. */
void limit_triad(const void *first, const void *second, void *target, size_t count)
{
    const words_t *const left = first, *const right = second;
    words_t *const to = target;
    for (size_t index = 0; index < count; index++) { to[index] = left[index] ^ right[index]; }
}

void limit_triad_streamed(const void *first, const void *second, void *target, size_t count)
{
    const words_t *const left = first, *const right = second;
    words_t *const to = target;
    for (size_t index = 0; index < count; index++) { stream(to + index, left[index] ^ right[index]); }
    fence();
}

uint64_t limit_vector_bytes(void) { return VECTOR_BYTES; }
