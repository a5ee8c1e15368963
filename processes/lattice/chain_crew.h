/* The chains of a simulation, dealt to ranks: each has its share in its memory, and rank 0 says when they take a step.
 *
 * Rank 0 sends an order and then does its own share; each other rank that has chains does the same with its own, and
 * answers. A model goes to them once, as its parameters (chain_model_ops.pack): they read no graph and no file. Which
 * rank a chain is on changes no bit of it. Where there is but one, its pieces may be dealt instead
 * (chain_model_ops.split): then all have that chain. Without ranks all chains are here. Thread rule: one caller at a
 * time a crew. */
#ifndef TWINCUBE_PROCESSES_LATTICE_CHAIN_CREW_H
#define TWINCUBE_PROCESSES_LATTICE_CHAIN_CREW_H

#include "hpc/ranks/ranks.h"
#include "processes/lattice/chain_group.h"

struct chain_crew {
  struct ranks *ranks; /* NULL: one */
  uint32_t number;     /* of the crew, for its orders */
  bool is_told;        /* others were told of its chains */
  struct chain_group own;
  double (*now)[CHAIN_MAX_DIAGNOSTICS]; /* of all chains: the last trajectory's numbers */
};

/* Most chains that a rank has. */
size_t chain_crew_chains(const struct markov_chain *parameters);

/* Takes memory for the chains, here and there. Errors: Internal, ProcessGraphComplexity, RequestTimeout. */
int chain_crew_open(struct chain_crew *crew, const struct markov_chain *parameters, struct error *error);
void chain_crew_close(struct chain_crew *crew);

/* As in chain_group.h. Errors: ProcessParameterInvalid (a trajectory could not be made), Internal, RequestTimeout. */
int chain_crew_start(struct chain_crew *crew, uint64_t trajectory, struct error *error);
int chain_crew_advance(struct chain_crew *crew, uint64_t trajectory, struct error *error);
/* All configurations, `each` bytes a chain. */
int chain_crew_frames(struct chain_crew *crew, size_t each, unsigned char *to, struct error *error);

/* A rank other than 0: does what it is told until it is told that all is done; chains that need more than `memory`
 * bytes it does not take (rank 0 hears ProcessGraphComplexity). Errors: Internal, RequestTimeout. */
int chain_crew_help(struct ranks *ranks, unsigned threads, size_t memory, struct error *error);
/* Rank 0: tells the others that all is done. */
void chain_crew_dismiss(struct ranks *ranks);

#endif
