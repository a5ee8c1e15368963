/* The type of matrices in lanes, one for a translation unit: doubles, or floats where SU_SINGLE is defined in front of
 * the first of these headers. Bodies that are wanted in both are in an .inc file, which two translation units include;
 * what they export ends in _f64 or _f32 (SU_TYPED). Scalars that the lanes share are doubles, rounded where they meet
 * them. */
#ifndef TWINCUBE_PHYSICS_LATTICE_SU_REAL_H
#define TWINCUBE_PHYSICS_LATTICE_SU_REAL_H

#include "physics/lattice/lattice.h"

#include <math.h>

#define SU_INLINE static inline __attribute__((always_inline))

/* SU_TERMS: of the exponential's series, that matter where the norm is at most 1. SU_TINY: a square that is not told
 * from 0. */
#ifdef SU_SINGLE
typedef float su_real;
#define SU_TYPED(name) name##_f32
#define SU_TINY 1e-30F
enum { SU_TERMS = 11 };
#else
typedef double su_real;
#define SU_TYPED(name) name##_f64
#define SU_TINY 1e-280
enum { SU_TERMS = 19 };
#endif

/* 32 bytes of the lanes of one number. */
typedef su_real su_vector __attribute__((vector_size(32), may_alias));

enum { SU_HALVES = LATTICE_LANES * sizeof(su_real) / sizeof(su_vector) }; /* vectors of the lanes of one number */

SU_INLINE su_real su_root(su_real x)
{
#ifdef SU_SINGLE
  return sqrtf(x);
#else
  return sqrt(x);
#endif
}

/* to[i] = from[i] with the lanes l and l ^ 1, 2 or 4 exchanged. */
SU_INLINE void su_exchange_1(su_vector *to, const su_vector *from, size_t i)
{
#ifdef SU_SINGLE
  to[i] = __builtin_shufflevector(from[i], from[i], 1, 0, 3, 2, 5, 4, 7, 6);
#else
  to[i] = __builtin_shufflevector(from[i], from[i], 1, 0, 3, 2);
#endif
}

SU_INLINE void su_exchange_2(su_vector *to, const su_vector *from, size_t i)
{
#ifdef SU_SINGLE
  to[i] = __builtin_shufflevector(from[i], from[i], 2, 3, 0, 1, 6, 7, 4, 5);
#else
  to[i] = __builtin_shufflevector(from[i], from[i], 2, 3, 0, 1);
#endif
}

SU_INLINE void su_exchange_4(su_vector *to, const su_vector *from, size_t i)
{
#ifdef SU_SINGLE
  to[i] = __builtin_shufflevector(from[i], from[i], 4, 5, 6, 7, 0, 1, 2, 3);
#else
  to[i] = from[i ^ 1];
#endif
}

#endif
