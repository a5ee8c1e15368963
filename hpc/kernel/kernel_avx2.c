/* The lane loops under AVX2 flags (CMakeLists.txt). */
#include "hpc/kernel/kernel_engine.h"

#if KERNEL_HAS_LEVELS
#define ENGINE kernel_engine_avx2
#define ENGINE_LEVEL "avx2"
#include "hpc/kernel/kernel_level.inc"
#endif
