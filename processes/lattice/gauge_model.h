/* Gauge fields as a model of Markov chains (markov_chain.h), alone or as replicas at several couplings.
 *
 * Diagnostics: action and plaquette of the configuration, dH, accepted, acceptance, exp_minus_dH of hybrid Monte Carlo;
 * for U(1) in two dimensions the geometric charge Q and e^(i theta Q) as theta_real, theta_imaginary; with replicas
 * "exchange", the share of trajectories behind which the replica's configuration changed places with the next one's. */
#ifndef TWINCUBE_PROCESSES_LATTICE_GAUGE_MODEL_H
#define TWINCUBE_PROCESSES_LATTICE_GAUGE_MODEL_H

#include "physics/lattice/gauge_chain.h"
#include "processes/lattice/markov_chain.h"

struct gauge_model {
  struct gauge_chain_parameters chain; /* single: frames of complex64 */
  double theta;
  bool measures;          /* diagnostics are asked for; replicas need them */
  const double *first;    /* configurations to begin with, [chain][site][mu][row][column][re, im]; or NULL */
  size_t first_chain;     /* the chain of the first of these: on other ranks not 0 */
  const char *first_text; /* identity of these; NULL without */
  const double *betas;    /* of the replicas; NULL: all have the action's */
  size_t replicas;        /* set by gauge_model_describe: betas, or 0 */
};

/* Work of a trajectory, about nanoseconds. */
size_t gauge_model_work(const struct gauge_chain_parameters *parameters);

/* Fills ops, model, frame, diagnostics, work, grain and sites of the chain; model and frame in the arena. */
int gauge_model_describe(struct arena *arena, const struct gauge_model *model, struct markov_chain *chain,
                         struct error *error);

#endif
