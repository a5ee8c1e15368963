/* The configurations that chains go on from, parameter `first` of simulations: the last ones of a cube, computed when
 * the graph is read; and how many chains there are. 0, or -1 with the error set. */
#ifndef TWINCUBE_PROCESSES_LATTICE_CHAIN_FIRST_H
#define TWINCUBE_PROCESSES_LATTICE_CHAIN_FIRST_H

#include "processes/lattice/chain_arguments.h"

struct chain_first {
  const char *what;        /* "gauge fields", for messages */
  const char *apart;       /* the dimension of chains, of which every label counts */
  const struct node *node; /* of floating-point or complex elements; the field's dimensions are its last */
  size_t frames;           /* dimensions before those */
};

/* ProcessParameterInvalid: `first` must be a cube of fields as expected; it is as given. */
int chain_first_invalid(struct call *call, const struct chain_first *first, const char *expected, const char *given);

/* Leaves the last label of every frames' dimension but that of the chains, of which there must be *chains labels (1
 * where the cube has no such dimension); 0: as many as there are, then *chains says how many. */
int chain_first_pick(struct call *call, struct chain_first *first, size_t *chains);

/* All numbers of the node as doubles, complex ones as pairs, row-major, in the arena, and the text that identifies
 * them. They stay in memory as long as the graph: ProcessGraphComplexity where they leave nothing of it to compute them
 * in. *computed is false where the graph is only described: then the numbers are none. */
int chain_first_values(struct call *call, const struct chain_first *first, double **values, const char **text,
                       bool *computed);

/* chains and first_trajectory: whether the chains have a dimension, how many there are, and where they go on. */
int chain_read_chains(struct call *call, struct markov_chain *chain);

#endif
