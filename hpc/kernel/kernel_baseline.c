/* The lane loops under the flags every machine of the architecture runs. */
#define ENGINE kernel_engine_baseline
#define ENGINE_LEVEL "baseline"
#include "hpc/kernel/kernel_level.inc"
