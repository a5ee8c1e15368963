/* Ranks: processes that compute one result together, each with memory of its own, and what they say to each other.
 *
 * Rank 0 plans, reads and writes; the others wait for its orders (processes/lattice/chain_crew.h). Messages between two
 * ranks arrive in the order in which they were sent, and a receiver knows their length. Whoever waits looks at `cancel`
 * and leaves its core to others. A transport is a few functions that never wait: MPI (ranks_mpi.h), or threads of one
 * process (ranks_threads.h).
 * Thread rule: one conversation at a time: whoever begins one takes `talk` until all its answers are there. */
#ifndef TWINCUBE_HPC_RANKS_RANKS_H
#define TWINCUBE_HPC_RANKS_RANKS_H

#include "datacube/base/error.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct ranks_transport { /* of at most RANKS_PIECE bytes a message; -1: the transport has failed */
  /* Begins to send; the data stay until `sent` has said 1. */
  int (*send)(void *state, size_t to, const void *data, size_t bytes, uintptr_t *ticket);
  int (*sent)(void *state, uintptr_t *ticket);
  /* 1: the next message of that rank was there, and is in `data`; else 0. */
  int (*receive)(void *state, size_t from, void *data, size_t bytes);
};

enum { RANKS_PIECE = 1 << 28 };

struct ranks {
  const struct ranks_transport *transport;
  void *state;                /* the transport's */
  size_t rank, count;         /* rank below count */
  size_t beside;              /* those on this one's machine, with it: at least 1 */
  const volatile int *cancel; /* becomes nonzero: nobody waits any more; or NULL */
  pthread_mutex_t talk;
  uint32_t talks; /* conversations that were begun */
  bool broken;    /* a message was given up: nothing is said any more */
};

/* Errors: RequestTimeout, Internal. After one of them nothing is said any more. */
int ranks_send(struct ranks *ranks, size_t to, const void *data, size_t bytes, struct error *error);
int ranks_receive(struct ranks *ranks, size_t from, void *data, size_t bytes, struct error *error);

struct ranks_message {
  size_t rank; /* where it goes to, or comes from */
  void *data;
  size_t bytes;
};

/* Sends one message and receives another at the same time, so that ranks in a circle do not wait for each other. */
int ranks_exchange(struct ranks *ranks, const struct ranks_message *out, const struct ranks_message *in,
                   struct error *error);

/* `count` things dealt to the ranks in order, the first of which get one more where it does not come out even: where
 * those of a rank begin; those of rank `ranks` would at count. */
static inline size_t ranks_share(size_t count, size_t rank, size_t ranks)
{
  size_t more = count % ranks;
  return count / ranks * rank + (rank < more ? rank : more);
}

#endif
