/* Some of the chains of a simulation, in the memory of this process: all of them, or one rank's share (chain_crew.h).
 * They take each step together. */
#ifndef TWINCUBE_PROCESSES_LATTICE_CHAIN_GROUP_H
#define TWINCUBE_PROCESSES_LATTICE_CHAIN_GROUP_H

#include "processes/lattice/markov_chain.h"

#include <stdatomic.h>

struct chain_group {
  const struct markov_chain *parameters; /* borrowed; frame, apart and title are not looked at */
  size_t first, count;                   /* chains */
  unsigned threads;                      /* at most; the bits do not depend on them */
  void **memory;                         /* of each chain */
  double (*now)[CHAIN_MAX_DIAGNOSTICS];  /* of each chain, borrowed: the last trajectory's numbers */
  _Atomic(const char *) problem;         /* of one of the trajectories; or NULL */
};

/* Bytes of one chain's memory. */
size_t chain_group_state_bytes(const struct markov_chain *parameters);

/* Takes the chains' memory; `now` has a row for each. Error Internal. */
int chain_group_open(struct chain_group *group, const struct markov_chain *parameters, size_t first, size_t count,
                     struct error *error);
void chain_group_close(struct chain_group *group);

/* Before the trajectory of that number, which is the first. */
void chain_group_start(struct chain_group *group, uint64_t trajectory);
/* NULL, or why a trajectory could not be made. One that was cancelled means nothing. */
const char *chain_group_advance(struct chain_group *group, uint64_t trajectory);
/* Configurations of `count` of the group's chains from `first` on, `each` bytes apart. */
void chain_group_frames(struct chain_group *group, size_t first, size_t count, size_t each, unsigned char *to);

#endif
