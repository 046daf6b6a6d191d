/* What this processor can run. */
#include "kernels_internal.h"

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
/* asm/hwcap.h names these HWCAP_ASIMD and HWCAP_CRC32; the numbers are the kernel's ABI. */
#define FOS_HWCAP_ASIMD (1ul << 1)
#define FOS_HWCAP_CRC32 (1ul << 7)
#endif

uint32_t fos_cpu_features(void)
{
    uint32_t features = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("sse4.2")) { features |= FOS_FEATURE_SSE42; }
    if (__builtin_cpu_supports("avx2")) { features |= FOS_FEATURE_AVX2; }
#elif defined(__aarch64__) && defined(__linux__)
    const unsigned long hwcap = getauxval(AT_HWCAP);
    if ((hwcap & FOS_HWCAP_ASIMD) != 0 && (hwcap & FOS_HWCAP_CRC32) != 0) { features |= FOS_FEATURE_NEON_CRC; }
#endif
    return features;
}
