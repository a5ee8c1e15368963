/* A Markov chain of gauge fields: what it is, its memory, and one trajectory.
 *
 * A trajectory is either one heat bath sweep with `overrelaxation` sweeps behind it (actions without rectangles, even
 * extents), or one of hybrid Monte Carlo: momenta, molecular dynamics for steps * step_size, acceptance with min(1,
 * exp(-dH)). Both end with all links put back to the group. The state is the links and the number of the next
 * trajectory, nothing else: a chain continued from a configuration in double precision is bit for bit the chain that
 * went on.
 *
 * With `single` the links and momenta that move are floats, put back to the group in floats; sums over the lattice and
 * with them dH stay doubles. Then the same holds of configurations in single precision.
 *
 * With kappa there are two flavours of Wilson fermions beside (U(1) in two dimensions, hybrid Monte Carlo): their
 * forces at the steps, and between them `gauge_steps` steps of the gauge field's, which are cheap and large.
 *
 * Random numbers: key seed | chain << 53, streams 8 t + (1 momenta, 2 acceptance, 3 pseudofermions, 4 heat bath) of
 * trajectory t. Thread rule: one caller at a time a chain; the bits do not depend on `threads`. */
#ifndef TWINCUBE_PHYSICS_LATTICE_GAUGE_CHAIN_H
#define TWINCUBE_PHYSICS_LATTICE_GAUGE_CHAIN_H

#include "physics/lattice/gauge_action.h"
#include "physics/lattice/gauge_slab.h"
#include "physics/lattice/gauge_start.h"
#include "physics/lattice/md_scheme.h"
#include "physics/lattice/schwinger.h"

enum { GAUGE_STREAMS = 8, GAUGE_STREAM_EXCHANGE = 5 }; /* 5: of replicas that change places */

enum gauge_method { GAUGE_HEATBATH, GAUGE_HMC };

struct gauge_chain_parameters {
  size_t dimensions, extent[LATTICE_MAX_DIMENSIONS], colours;
  struct gauge_action action;
  enum gauge_method method;
  size_t overrelaxation; /* sweeps behind each heat bath */
  enum md_order order;   /* all below: of HMC */
  size_t steps;
  double step_size;
  double kappa;      /* of the fermions; 0: none */
  bool antiperiodic; /* they, in x0 */
  size_t gauge_steps;
  bool single; /* links of floats; without fermions */
  uint64_t seed;
  enum gauge_start start;
  struct gauge_instanton instanton;
  bool rough; /* links to begin with are rounded more than a chain's own: they are put back to the group */
  struct gauge_split split; /* without fermions and instanton: the slab of x0 that the chain has here */
};

struct gauge_chain {                               /* stays where it was opened */
  const struct gauge_chain_parameters *parameters; /* borrowed */
  uint64_t seed;                                   /* with the chain's number */
  double beta;                                     /* in place of the action's */
  struct lattice lattice;
  struct gauge_field field;   /* with `single` behind `moving`: see gauge_chain_field */
  struct gauge_field narrow;  /* with `single` */
  struct gauge_field *moving; /* the one of the two that is simulated */
  bool stale;                 /* narrow has moved on */
  void *momentum, *before;    /* of HMC, in the layout and type of the links that move; else NULL */
  double current;             /* S; NaN: not known */
  struct schwinger fermions;  /* with kappa */
  struct gauge_slab slab;     /* with a split; the field's */
};

struct gauge_outcome {
  double dh; /* 0 for heat bath; infinite where the trajectory ran away */
  bool accepted;
  bool failed;       /* a solver did not converge: the outcome means nothing */
  size_t iterations; /* of solvers */
};

/* Bytes of a chain's memory; saturated. */
size_t gauge_chain_bytes(const struct gauge_chain_parameters *parameters);

/* A chain in `memory` (gauge_chain_bytes, aligned to 64, borrowed), at its start. Links: values[site][mu][row][column]
 * as in gauge_field_set to begin with instead, or NULL. */
void gauge_chain_open(struct gauge_chain *chain, const struct gauge_chain_parameters *parameters, size_t number,
                      const double *links, unsigned threads, void *memory);

/* Trajectory t. One that `cancel` cuts off means nothing. */
struct gauge_outcome gauge_chain_advance(struct gauge_chain *chain, uint64_t t, unsigned threads,
                                         const volatile int *cancel);

/* The links as they are, in doubles; borrowed. */
struct gauge_field *gauge_chain_field(struct gauge_chain *chain, unsigned threads);

/* The action with the chain's beta, and S. */
struct gauge_action gauge_chain_action(const struct gauge_chain *chain);
double gauge_chain_value(struct gauge_chain *chain, unsigned threads);

/* Two chains of the same lattice exchange their configurations. */
void gauge_chain_exchange(struct gauge_chain *a, struct gauge_chain *b);

/* For tests: molecular dynamics alone, from the links and momenta as they are. */
void gauge_chain_follow(struct gauge_chain *chain, unsigned threads, const volatile int *cancel);

#endif
