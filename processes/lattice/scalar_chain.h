/* A Markov chain of scalar field configurations: phi^4 by hybrid Monte Carlo from phi = 0, behind markov_chain.h.
 *
 *   quantity field    dimensions (configuration, x0, x1, …), float64
 *   quantity history  dimensions (configuration, diagnostic), float64 */
#ifndef TWINCUBE_PROCESSES_LATTICE_SCALAR_CHAIN_H
#define TWINCUBE_PROCESSES_LATTICE_SCALAR_CHAIN_H

#include "physics/lattice/hmc.h"
#include "processes/lattice/markov_chain.h"

struct chain_parameters {
  struct scalar_action action;
  struct hmc hmc;
  size_t configurations; /* all below: trajectories */
  size_t thermalisation; /* before the first that counts */
  size_t separation;     /* for each configuration, at least 1 */
  enum chain_quantity quantity;
};

/* Diagnostics of a configuration. "dH" and "accepted" (1 or 0) belong to the trajectory that ended in it; "acceptance"
 * and "exp_minus_dH" are means over all trajectories since the configuration before; "action" is S. */
enum { CHAIN_DIAGNOSTICS = 5 };

/* Fills ops, model, frame, diagnostics, title, work, grain and sites of the chain; all in the arena. */
int scalar_chain_describe(struct arena *arena, const struct chain_parameters *parameters, struct markov_chain *chain,
                          struct error *error);

/* The parameters were checked (extents, signs, limits). The chain's memory dies with the arena. Error Internal. */
int scalar_chain_source(struct arena *arena, const struct chain_parameters *parameters, const struct source **out,
                        struct error *error);

#endif
