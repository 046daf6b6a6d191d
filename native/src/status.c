/* Names of the status codes. */
#include "flightos_kernels.h"

int32_t fos_abi_version(void)
{
    return FOS_ABI_VERSION;
}

const char *fos_status_name(fos_status_t status)
{
    switch (status) {
    case FOS_OK: return "FOS_OK";
    case FOS_ERR_NULL: return "FOS_ERR_NULL";
    case FOS_ERR_TOO_LARGE: return "FOS_ERR_TOO_LARGE";
    case FOS_ERR_CAPACITY: return "FOS_ERR_CAPACITY";
    case FOS_ERR_RANGE: return "FOS_ERR_RANGE";
    case FOS_ERR_PARAMETER: return "FOS_ERR_PARAMETER";
    case FOS_ERR_UNSUPPORTED: return "FOS_ERR_UNSUPPORTED";
    case FOS_ERR_CORRUPT: return "FOS_ERR_CORRUPT";
    case FOS_ERR_UNCORRECTABLE: return "FOS_ERR_UNCORRECTABLE";
    }
    return "FOS_UNKNOWN";
}
