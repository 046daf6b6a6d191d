/* Imaging, detection, SAR and geometry for every machine. */
#include "imaging_internal.h"

#include <math.h>
#include <string.h>

#include "imaging_plain.inc"
#define COUNT_LANES 16
#define FOS_IMAGING_TABLE fos_imaging_portable
#include "imaging.inc"
