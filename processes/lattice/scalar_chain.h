/* A Markov chain of scalar field configurations as a source of boxes.
 *
 *   quantity field    dimensions (configuration, x0, x1, …), float64
 *   quantity history  dimensions (configuration, diagnostic), float64, labels scalar_chain_diagnostics
 *
 * The chain discards `thermalisation` trajectories from phi = 0; from then on the end of every separation-th trajectory
 * is a configuration. Readers share one chain under a lock: it makes only as many configurations as are asked for, in
 * order, and remembers the last ones (8 MiB of them, at least two). A read of what is no longer remembered starts the
 * chain anew; counter-based random numbers make it the same chain. So does a read after one that was cut off by
 * hmc.cancel (RequestTimeout), which must live as long as the source. Sweeps share their rows among the threads that a
 * reader is opened with; the bits do not depend on them. */
#ifndef TWINCUBE_PROCESSES_LATTICE_SCALAR_CHAIN_H
#define TWINCUBE_PROCESSES_LATTICE_SCALAR_CHAIN_H

#include "datacube/source.h"
#include "physics/lattice/hmc.h"

enum chain_quantity { CHAIN_FIELD, CHAIN_HISTORY };

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
extern const char *const scalar_chain_diagnostics[CHAIN_DIAGNOSTICS];

/* The parameters were checked (extents, signs, limits). The chain's memory dies with the arena. Error Internal. */
int scalar_chain_source(struct arena *arena, const struct chain_parameters *parameters, const struct source **out,
                        struct error *error);

#endif
