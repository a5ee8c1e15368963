/* Markov chains of scalar field configurations, phi^4, behind markov_chain.h.
 *
 *   quantity field    dimensions (configuration, [chain,] x0, x1, …), float64
 *   quantity history  dimensions (configuration, [chain,] diagnostic), float64
 *
 * A trajectory is one of hybrid Monte Carlo, or a Metropolis sweep, or that and flips of clusters behind it. The state
 * is phi and the trajectory's number. Chain c has the key seed | c << 53. */
#ifndef TWINCUBE_PROCESSES_LATTICE_SCALAR_CHAIN_H
#define TWINCUBE_PROCESSES_LATTICE_SCALAR_CHAIN_H

#include "physics/lattice/hmc.h"
#include "processes/lattice/markov_chain.h"

enum scalar_update { SCALAR_HMC, SCALAR_METROPOLIS, SCALAR_CLUSTER };

struct chain_parameters {
  struct scalar_action action;
  struct hmc hmc;           /* its seed is that of every update */
  struct gauge_split split; /* of a chain that lies on several ranks; else all 0 */
  enum scalar_update update;
  double width;           /* of Metropolis proposals, above 0; else unused */
  const double *first;    /* fields to begin with, [chain][site], row-major; NULL: phi = 0 */
  size_t first_chain;     /* the chain of the first of these: on other ranks not 0 */
  const char *first_text; /* identity of these; NULL without */
  size_t configurations;  /* all below: trajectories */
  size_t thermalisation;  /* before the first that counts */
  size_t separation;      /* for each configuration, at least 1 */
  enum chain_quantity quantity;
};

/* Diagnostics of a configuration. "dH" and "accepted" belong to the trajectory that ended in it; "acceptance" and
 * "exp_minus_dH" are means over all trajectories since the configuration before; "action" is S. "accepted" is 1 or 0,
 * or the share of a sweep's proposals that were accepted; sweeps have dH = 0. With clusters one more: "cluster", the
 * mean share of sites that the largest had. */
enum { CHAIN_DIAGNOSTICS = 5 };

/* Fills ops, model, frame, diagnostics, title, work, grain and sites of the chain; all in the arena. first is borrowed
 * while the chain lives. */
int scalar_chain_describe(struct arena *arena, const struct chain_parameters *parameters, struct markov_chain *chain,
                          struct error *error);

/* One chain. The parameters were checked (extents, signs, limits). The chain's memory dies with the arena. Error
 * Internal. */
int scalar_chain_source(struct arena *arena, const struct chain_parameters *parameters, const struct source **out,
                        struct error *error);

#endif
