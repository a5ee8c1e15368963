/* The lane loops under AVX2 flags (CMakeLists.txt). */
#define ENGINE kernel_engine_avx2
#define ENGINE_LEVEL "avx2"
#include "hpc/kernel/kernel_level.inc"
