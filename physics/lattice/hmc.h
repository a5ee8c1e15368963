/* Hybrid Monte Carlo for the scalar field.
 *
 * A trajectory draws momenta p ~ N(0, 1), follows H = sum p^2 / 2 + S(phi) for a time steps * step_size, and accepts
 * the end with probability min(1, exp(-dH)). Exact for any step size; it decides only how many are accepted.
 *
 *   leapfrog  (drift step/2) (kick step) (drift step) … (kick step) (drift step/2)      dH ~ step^2, one force a step
 *   omelyan   second-order minimum norm, xi = 0.1931833275: two forces a step, dH about ten times smaller
 * Exact, but not always ergodic: a nearly free mode of frequency w moves on the spot where w times the trajectory's
 * length is a multiple of pi (P. B. Mackenzie, Phys. Lett. B 226 (1989) 369). A shorter trajectory cures it. Inner
 * drifts of neighbouring steps are one drift, and a kick with the drift behind it is one pass over the lattice.
 *
 * Randomness: trajectory t uses the streams 2t (momentum of site x is normal number x, row-major) and 2t + 1 (the
 * accept step); phi is a pure function of (action, seed, parameters, t).
 * Sources: S. Duane et al., Phys. Lett. B 195 (1987) 216; I. P. Omelyan et al., Comp. Phys. Comm. 151 (2003) 272. */
#ifndef TWINCUBE_PHYSICS_LATTICE_HMC_H
#define TWINCUBE_PHYSICS_LATTICE_HMC_H

#include "physics/lattice/scalar_field.h"

#include <stdbool.h>

enum hmc_integrator { HMC_LEAPFROG, HMC_OMELYAN };

struct hmc {
  uint64_t seed;
  double step_size; /* molecular dynamics time a step, positive */
  size_t steps;     /* a trajectory, at least 1 */
  enum hmc_integrator integrator;
  const volatile int *cancel; /* becomes nonzero: the trajectory is cut off and means nothing; or NULL */
};

static inline bool hmc_is_cancelled(const struct hmc *hmc)
{
  return hmc->cancel != NULL && *hmc->cancel != 0;
}

struct hmc_outcome {
  double dh; /* H(end) - H(start); infinite where the trajectory ran away (then it is rejected) */
  bool accepted;
};

/* Momenta of trajectory t. */
void hmc_momenta(struct scalar_field *field, const struct hmc *hmc, uint64_t t);

/* Follows field->momentum from field->phi: the end is in field->trial, phi stays. */
void hmc_follow(struct scalar_field *field, const struct hmc *hmc);

/* Trajectory t: momenta, way, accept step; phi and current_action are the chain's next state. */
struct hmc_outcome hmc_trajectory(struct scalar_field *field, const struct hmc *hmc, uint64_t t);

#endif
