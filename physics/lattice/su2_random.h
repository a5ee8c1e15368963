/* Random elements of SU(2) and U(1) near the unit, one a lane. See gauge_heatbath.h for the distributions. */
#ifndef TWINCUBE_PHYSICS_LATTICE_SU2_RANDOM_H
#define TWINCUBE_PHYSICS_LATTICE_SU2_RANDOM_H

#include "physics/lattice/su_matrix.h"
#include "physics/random/philox_lanes.h"

#define SU2_FEW_ALPHA 0.75 /* below, more uniform proposals are accepted than Kennedy and Pendleton's */

enum { SU2_ATTEMPTS = 4096, SU2_NO_ATTEMPT = 0xFFFFFF }; /* two in five are accepted at worst */

/* Where the numbers of a block's links come from. */
struct su2_counter {
  uint64_t seed, stream;
  uint32_t site[LATTICE_LANES]; /* of the lanes */
  uint32_t use;                 /* direction and subgroup, below 256 */
};

/* Functions of the numbers, in the type of the translation unit. */
#ifdef SU_SINGLE
#define su2_open_word philox_open_word_f32
#define su2_ln philox_ln_f32
#define su2_turn philox_turn_f32
#else
#define su2_open_word philox_open_word
#define su2_ln philox_ln
#define su2_turn philox_turn
#endif

/* Four words a lane: word[k * LATTICE_LANES + lane]. */
SU_INLINE void su2_words(const struct su2_counter *counter, uint32_t attempt, uint32_t word[4 * LATTICE_LANES])
{
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    word[l] = counter->site[l];
    word[LATTICE_LANES + l] = counter->use | attempt << 8;
    word[2 * LATTICE_LANES + l] = (uint32_t)counter->stream;
    word[3 * LATTICE_LANES + l] = (uint32_t)(counter->stream >> 32);
  }
  philox_rounds(word, LATTICE_LANES, counter->seed);
}

/* Four numbers in (0, 1) a lane: u[k][lane]. */
SU_INLINE void su2_uniforms(const struct su2_counter *counter, uint32_t attempt, su_real u[4][LATTICE_LANES])
{
  uint32_t word[4 * LATTICE_LANES];
  su2_words(counter, attempt, word);
  for (size_t k = 0; k < 4; k++) {
#pragma omp simd
    for (size_t l = 0; l < LATTICE_LANES; l++) {
      u[k][l] = su2_open_word(word[k * LATTICE_LANES + l]);
    }
  }
}

/* Proposals of 1 - a0 by Kennedy and Pendleton, and whether each is accepted (1 or 0). */
SU_INLINE void su2_propose(const su_real *alpha, su_real u[4][LATTICE_LANES], su_real *delta, su_real *accept)
{
  const su_real half = (su_real)0.5, zero = 0, one = 1;
#pragma omp simd
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    su_real sine, cosine;
    su2_turn(u[1][l], &sine, &cosine);
    su_real d = -(su2_ln(u[0][l]) + su2_ln(u[2][l]) * (cosine * cosine)) / alpha[l];
    delta[l] = d;
    accept[l] = u[3][l] * u[3][l] <= one - half * d ? one : zero;
  }
}

/* The same with a uniform a0, for the lanes with small alpha. */
SU_INLINE void su2_propose_flat(const su_real *alpha, su_real u[4][LATTICE_LANES], su_real *delta, su_real *accept)
{
  const su_real zero = 0, one = 1, two = 2;
#pragma omp simd
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    su_real d = two * u[0][l];
    bool few = alpha[l] < (su_real)SU2_FEW_ALPHA;
    su_real taken = su2_ln(u[3][l] * u[3][l] / (d * (two - d))) <= -two * alpha[l] * d ? one : zero;
    delta[l] = few ? d : delta[l];
    accept[l] = few ? taken : accept[l];
  }
}

SU_INLINE bool su2_any(const su_real *lanes, su_real below)
{
  bool any = false;
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    any |= lanes[l] < below;
  }
  return any;
}

/* a = (a0, a1, a2, a3)[lane] with weight sqrt(1 - a0^2) exp(alpha a0), alpha >= 0. */
SU_INLINE void su2_random(const struct su2_counter *counter, const su_real *alpha, su_real a[4][LATTICE_LANES])
{
  const su_real one = 1, two = 2;
  su_real u[4][LATTICE_LANES] __attribute__((aligned(64)));
  SU_LANES(delta);
  SU_LANES(next);
  SU_LANES(accept);
  SU_LANES(done);
  bool few = su2_any(alpha, (su_real)SU2_FEW_ALPHA);
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    delta[l] = done[l] = 0;
  }
  for (uint32_t attempt = 0; attempt < SU2_ATTEMPTS && su2_any(done, (su_real)0.5); attempt++) {
    su2_uniforms(counter, attempt, u);
    su2_propose(alpha, u, next, accept);
    if (few) {
      su2_propose_flat(alpha, u, next, accept);
    }
    for (size_t l = 0; l < LATTICE_LANES; l++) {
      delta[l] = done[l] < accept[l] ? next[l] : delta[l];
      done[l] = done[l] < accept[l] ? one : done[l];
    }
  }
  su2_uniforms(counter, SU2_NO_ATTEMPT, u);
#pragma omp simd
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    su_real radius = su_root(delta[l] * (two - delta[l])), height = two * u[0][l] - one, sine, cosine;
    su_real across = radius * su_root(one - height * height);
    su2_turn(u[1][l], &sine, &cosine);
    a[0][l] = one - delta[l];
    a[1][l] = across * cosine;
    a[2][l] = across * sine;
    a[3][l] = radius * height;
  }
}

/* (cosine, sine) of an angle with weight exp(kappa cos). With rho the envelope's parameter, s = 1 + rho^2:
 *   z = cos(pi u),  cos = (2 rho + s z) / (s + 2 rho z),  c = kappa s / (2 rho) - kappa cos,
 *   accepted where ln(c / u') + 1 >= c
 * written so that it holds for kappa = 0, too. In doubles whatever the links are: c is a small difference of large
 * numbers.
 */
SU_INLINE void u1_random(const struct su2_counter *counter, const double *kappa, double a[2][LATTICE_LANES])
{
  uint32_t word[4 * LATTICE_LANES];
  double done[LATTICE_LANES] __attribute__((aligned(64)));
  bool left = true;
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    done[l] = a[1][l] = 0;
    a[0][l] = 1;
  }
  for (uint32_t attempt = 0; attempt < SU2_ATTEMPTS && left; attempt++) {
    su2_words(counter, attempt, word);
    left = false;
#pragma omp simd
    for (size_t l = 0; l < LATTICE_LANES; l++) {
      double k = kappa[l], q = sqrt(1.0 + 4.0 * k * k) + 1.0, root = sqrt(q), upper = (root + sqrt(2.0)) * q;
      double rho = 2.0 * k * root / upper, s = 1.0 + rho * rho, sine, z;
      philox_turn(0.5 * philox_open_word(word[l]), &sine, &z);
      double below = s + 2.0 * rho * z, cosine = (2.0 * rho + s * z) / below;
      double c = upper * s / (4.0 * root) - k * cosine;
      bool take = done[l] == 0.0 && philox_ln(c / philox_open_word(word[LATTICE_LANES + l])) + 1.0 >= c;
      double across = (1.0 - rho * rho) * sine / below;
      a[0][l] = take ? cosine : a[0][l];
      a[1][l] = take ? (philox_open_word(word[2 * LATTICE_LANES + l]) < 0.5 ? -across : across) : a[1][l];
      done[l] = take ? 1.0 : done[l];
    }
    for (size_t l = 0; l < LATTICE_LANES; l++) {
      left |= done[l] < 0.5;
    }
  }
}

#endif
