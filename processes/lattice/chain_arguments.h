/* Arguments that simulations share, beside lattice_arguments.h: 0, or -1 with ProcessParameterInvalid naming the
 * parameter, what it must be and what it is. */
#ifndef TWINCUBE_PROCESSES_LATTICE_CHAIN_ARGUMENTS_H
#define TWINCUBE_PROCESSES_LATTICE_CHAIN_ARGUMENTS_H

#include "processes/lattice/lattice_arguments.h"
#include "processes/lattice/markov_chain.h"

#define CHAIN_MAX_COUPLING 1e6
#define CHAIN_MAX_SEED INT64_C(9007199254740991)
#define CHAIN_MAX_CONFIGURATIONS 10000000

struct shape_limits {
  size_t least, most; /* dimensions */
  size_t sites;       /* in all, at most */
};

/* `shape`: extents x0, x1, … */
int chain_read_shape(struct call *call, const struct shape_limits *limits, size_t *dimensions, size_t *extent);

/* A number above 0, to maximum. */
int chain_read_positive(struct call *call, const char *name, double maximum, double *out);

/* seed, configurations, thermalisation, separation and quantity, which every simulation has. */
int chain_read_common(struct call *call, struct markov_chain *chain, uint64_t *seed);

/* Work within the limits: 1000 seconds for the first configuration, 100 for each; names the count to lower. */
int chain_check_work(struct call *call, const struct markov_chain *chain);

/* "8 x 8"; NULL when out of memory. */
const char *chain_shape_text(struct arena *arena, size_t dimensions, const size_t *extent);

/* The chains as a node. Sets *result. */
int chain_result(struct call *call, const struct markov_chain *chain, struct value *result);

#endif
