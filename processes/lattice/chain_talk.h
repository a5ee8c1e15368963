/* How rank 0 and the others talk: an order to the first ranks, an answer of each. A failure comes home as what that
 * rank could not do. Thread rule: a conversation has ranks->talk from its beginning to its end. */
#ifndef TWINCUBE_PROCESSES_LATTICE_CHAIN_TALK_H
#define TWINCUBE_PROCESSES_LATTICE_CHAIN_TALK_H

#include "hpc/ranks/ranks.h"
#include "processes/lattice/chain_orders.h"

/* Nothing to do where ranks is NULL. The end gives `status` back. */
void talk_begin(struct ranks *ranks);
int talk_end(struct ranks *ranks, int status);

/* To ranks 1 … busy - 1. */
int talk_order(struct ranks *ranks, size_t busy, const struct chain_order *order, struct error *error);
/* The answer of one of them; *well: it did what it was told, else `error` tells what not. -1: none came. */
int talk_hear(struct ranks *ranks, size_t rank, bool *well, struct error *error);

/* To rank 0: what became of its order, where no error is set all of it. */
int talk_answer(struct ranks *ranks, const struct error *what, struct error *error);

#endif
