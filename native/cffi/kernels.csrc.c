#include "flightos_kernels.h"
