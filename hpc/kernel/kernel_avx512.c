/* The lane loops under AVX-512 F, BW, DQ, VL flags (CMakeLists.txt). */
#include "hpc/kernel/kernel_engine.h"

#if KERNEL_HAS_LEVELS
#define ENGINE kernel_engine_avx512
#define ENGINE_LEVEL "avx512"
#include "hpc/kernel/kernel_level.inc"
#endif
