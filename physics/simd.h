/* One loop body, three instruction sets.
 *
 * SIMD_LEVELS(name, (parameters), (arguments)) turns the always-inline function name##_body into name##_baseline,
 * name##_avx2 and name##_avx512; SIMD_PICK(name) is a pointer to the one that hpc/kernel chose for this machine. Bodies
 * are elementwise, or sum in eight lanes of their own, and contraction to fused multiply-add is off in the whole build:
 * all three give the same bits. */
#ifndef TWINCUBE_PHYSICS_SIMD_H
#define TWINCUBE_PHYSICS_SIMD_H

#include "hpc/kernel/kernel.h"

#include <string.h>

#define SIMD_BODY static inline __attribute__((always_inline)) void

/* Whether there is more than the baseline. Not where TWINCUBE_PLAIN is defined: for programs that are built more often
 * than they compute, fuzzers. */
#if defined(__x86_64__) && !defined(TWINCUBE_PLAIN)
#define SIMD_HAS_LEVELS 1
#else
#define SIMD_HAS_LEVELS 0
#endif

#if SIMD_HAS_LEVELS
#define SIMD_LEVELS(name, parameters, arguments)                                                                       \
  static void name##_baseline parameters                                                                               \
  {                                                                                                                    \
    name##_body arguments;                                                                                             \
  }                                                                                                                    \
  __attribute__((target("avx2"))) static void name##_avx2 parameters                                                   \
  {                                                                                                                    \
    name##_body arguments;                                                                                             \
  }                                                                                                                    \
  __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl"))) static void name##_avx512 parameters                   \
  {                                                                                                                    \
    name##_body arguments;                                                                                             \
  }
#define SIMD_PICK(name)                                                                                                \
  (simd_level_is("avx512") ? name##_avx512 : simd_level_is("avx2") ? name##_avx2 : name##_baseline)
#else
#define SIMD_LEVELS(name, parameters, arguments)                                                                       \
  static void name##_baseline parameters                                                                               \
  {                                                                                                                    \
    name##_body arguments;                                                                                             \
  }
#define SIMD_PICK(name) (name##_baseline)
#endif

static inline int simd_level_is(const char *level)
{
  return strcmp(kernel_simd_level(), level) == 0;
}

#endif
