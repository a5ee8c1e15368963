/* Random elements of SU(2) and U(1) near the unit, one a lane. See gauge_heatbath.h for the distributions. */
#ifndef TWINCUBE_PHYSICS_LATTICE_SU2_RANDOM_H
#define TWINCUBE_PHYSICS_LATTICE_SU2_RANDOM_H

#include "physics/lattice/su_real.h"
#include "physics/random/philox_lanes.h"

#define SU2_FEW_ALPHA 0.75 /* below, more uniform proposals are accepted than Kennedy and Pendleton's */

enum { SU2_ATTEMPTS = 4096, SU2_NO_ATTEMPT = 0xFFFFFF }; /* two in five are accepted at worst */

/* Where the numbers of a block's links come from. */
struct su2_counter {
  uint64_t seed, stream;
  uint32_t site[LATTICE_LANES]; /* of the lanes */
  uint32_t use;                 /* direction and subgroup, below 256 */
};

/* Four numbers in (0, 1) a lane: u[k][lane]. */
SU_INLINE void su2_uniforms(const struct su2_counter *counter, uint32_t attempt, double u[4][LATTICE_LANES])
{
  uint32_t word[4 * LATTICE_LANES];
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    word[l] = counter->site[l];
    word[LATTICE_LANES + l] = counter->use | attempt << 8;
    word[2 * LATTICE_LANES + l] = (uint32_t)counter->stream;
    word[3 * LATTICE_LANES + l] = (uint32_t)(counter->stream >> 32);
  }
  philox_rounds(word, LATTICE_LANES, counter->seed);
  for (size_t k = 0; k < 4; k++) {
#pragma omp simd
    for (size_t l = 0; l < LATTICE_LANES; l++) {
      u[k][l] = philox_open_word(word[k * LATTICE_LANES + l]);
    }
  }
}

/* Proposals of 1 - a0 by Kennedy and Pendleton, and whether each is accepted (1 or 0). */
SU_INLINE void su2_propose(const double *alpha, double u[4][LATTICE_LANES], double *delta, double *accept)
{
#pragma omp simd
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    double sine, cosine;
    philox_turn(u[1][l], &sine, &cosine);
    double d = -(philox_ln(u[0][l]) + philox_ln(u[2][l]) * (cosine * cosine)) / alpha[l];
    delta[l] = d;
    accept[l] = u[3][l] * u[3][l] <= 1.0 - 0.5 * d ? 1.0 : 0.0;
  }
}

/* The same with a uniform a0, for the lanes with small alpha. */
SU_INLINE void su2_propose_flat(const double *alpha, double u[4][LATTICE_LANES], double *delta, double *accept)
{
#pragma omp simd
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    double d = 2.0 * u[0][l];
    bool few = alpha[l] < SU2_FEW_ALPHA;
    double taken = philox_ln(u[3][l] * u[3][l] / (d * (2.0 - d))) <= -2.0 * alpha[l] * d ? 1.0 : 0.0;
    delta[l] = few ? d : delta[l];
    accept[l] = few ? taken : accept[l];
  }
}

SU_INLINE bool su2_any(const double *lanes, double below)
{
  bool any = false;
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    any |= lanes[l] < below;
  }
  return any;
}

/* a = (a0, a1, a2, a3)[lane] with weight sqrt(1 - a0^2) exp(alpha a0), alpha >= 0. */
SU_INLINE void su2_random(const struct su2_counter *counter, const double *alpha, double a[4][LATTICE_LANES])
{
  double u[4][LATTICE_LANES] __attribute__((aligned(64)));
  double delta[LATTICE_LANES] __attribute__((aligned(64))), next[LATTICE_LANES] __attribute__((aligned(64)));
  double accept[LATTICE_LANES] __attribute__((aligned(64))), done[LATTICE_LANES] __attribute__((aligned(64)));
  bool few = su2_any(alpha, SU2_FEW_ALPHA);
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    delta[l] = done[l] = 0;
  }
  for (uint32_t attempt = 0; attempt < SU2_ATTEMPTS && su2_any(done, 0.5); attempt++) {
    su2_uniforms(counter, attempt, u);
    su2_propose(alpha, u, next, accept);
    if (few) {
      su2_propose_flat(alpha, u, next, accept);
    }
    for (size_t l = 0; l < LATTICE_LANES; l++) {
      delta[l] = done[l] < accept[l] ? next[l] : delta[l];
      done[l] = done[l] < accept[l] ? 1.0 : done[l];
    }
  }
  su2_uniforms(counter, SU2_NO_ATTEMPT, u);
#pragma omp simd
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    double radius = sqrt(delta[l] * (2.0 - delta[l])), height = 2.0 * u[0][l] - 1.0, sine, cosine;
    double across = radius * sqrt(1.0 - height * height);
    philox_turn(u[1][l], &sine, &cosine);
    a[0][l] = 1.0 - delta[l];
    a[1][l] = across * cosine;
    a[2][l] = across * sine;
    a[3][l] = radius * height;
  }
}

/* (cosine, sine) of an angle with weight exp(kappa cos). With rho the envelope's parameter, s = 1 + rho^2:
 *   z = cos(pi u),  cos = (2 rho + s z) / (s + 2 rho z),  c = kappa s / (2 rho) - kappa cos,
 *   accepted where ln(c / u') + 1 >= c
 * written so that it holds for kappa = 0, too. */
SU_INLINE void u1_random(const struct su2_counter *counter, const double *kappa, double a[2][LATTICE_LANES])
{
  double u[4][LATTICE_LANES] __attribute__((aligned(64)));
  double done[LATTICE_LANES] __attribute__((aligned(64)));
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    done[l] = a[1][l] = 0;
    a[0][l] = 1;
  }
  for (uint32_t attempt = 0; attempt < SU2_ATTEMPTS && su2_any(done, 0.5); attempt++) {
    su2_uniforms(counter, attempt, u);
#pragma omp simd
    for (size_t l = 0; l < LATTICE_LANES; l++) {
      double k = kappa[l], q = sqrt(1.0 + 4.0 * k * k) + 1.0, root = sqrt(q), upper = (root + sqrt(2.0)) * q;
      double rho = 2.0 * k * root / upper, s = 1.0 + rho * rho, sine, z;
      philox_turn(0.5 * u[0][l], &sine, &z);
      double below = s + 2.0 * rho * z, cosine = (2.0 * rho + s * z) / below;
      double c = upper * s / (4.0 * root) - k * cosine;
      bool take = done[l] == 0.0 && philox_ln(c / u[1][l]) + 1.0 >= c;
      double across = (1.0 - rho * rho) * sine / below;
      a[0][l] = take ? cosine : a[0][l];
      a[1][l] = take ? (u[2][l] < 0.5 ? -across : across) : a[1][l];
      done[l] = take ? 1.0 : done[l];
    }
  }
}

#endif
