/* What this processor can run. */
#include "kernels_internal.h"

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
/* asm/hwcap.h names these HWCAP_ASIMD and HWCAP_CRC32; the numbers are the kernel's ABI. */
#define FOS_HWCAP_ASIMD (1ul << 1)
#define FOS_HWCAP_CRC32 (1ul << 7)
#define FOS_HWCAP_ASIMDDP (1ul << 20)
#endif

uint32_t fos_cpu_features(void)
{
    uint32_t features = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("sse4.2")) { features |= FOS_FEATURE_SSE42; }
    if (__builtin_cpu_supports("avx2")) { features |= FOS_FEATURE_AVX2; }
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
        features |= FOS_FEATURE_AVX512;
        if (__builtin_cpu_supports("avx512vnni")) { features |= FOS_FEATURE_AVX512_VNNI; }
        if (__builtin_cpu_supports("gfni")) { features |= FOS_FEATURE_GFNI; }
        if (__builtin_cpu_supports("vpclmulqdq")) { features |= FOS_FEATURE_VPCLMUL; }
    }
#elif defined(__aarch64__) && defined(__linux__)
    const unsigned long hwcap = getauxval(AT_HWCAP);
    if ((hwcap & FOS_HWCAP_ASIMD) != 0 && (hwcap & FOS_HWCAP_CRC32) != 0) { features |= FOS_FEATURE_NEON_CRC; }
    if ((hwcap & FOS_HWCAP_ASIMDDP) != 0) { features |= FOS_FEATURE_NEON_DOT; }
#endif
    return features;
}
