/* Markov chains as a source of boxes: whatever the model, configurations come out one after the other.
 *
 *   quantity field    dimensions (configuration, [chain,] the model's own)
 *   quantity history  dimensions (configuration, [chain,] diagnostic), float64
 *
 * Chains advance by trajectories (or sweeps: whatever the model calls one). `thermalisation` of them are discarded;
 * from then on the end of every separation-th is a configuration. Readers share the chains under a lock: only as many
 * configurations are made as are asked for, in order, and the last ones are remembered (8 MiB of them, at least two). A
 * read of what is no longer remembered starts the chains anew, and so does one after a read that was cut off
 * (RequestTimeout). Large chains (16 MiB) give their memory back with the last reader, and start anew with the next.
 * That gives the same numbers, because a model's state is a pure function of its parameters, the chain's number and the
 * trajectory's. Several chains advance on a thread each, one chain shares its work among them; where there are ranks,
 * they are dealt to these (chain_crew.h). The bits depend on neither. */
#ifndef TWINCUBE_PROCESSES_LATTICE_MARKOV_CHAIN_H
#define TWINCUBE_PROCESSES_LATTICE_MARKOV_CHAIN_H

#include "datacube/source.h"
#include "hpc/ranks/ranks.h"

enum chain_quantity { CHAIN_FIELD, CHAIN_HISTORY };
enum { CHAIN_MAX_DIAGNOSTICS = 12, CHAIN_MAX_CHAINS = 1024 };

struct chain_step {
  size_t chain;
  uint64_t trajectory;
  unsigned threads;           /* that it may use */
  const volatile int *cancel; /* becomes nonzero: what is made means nothing; or NULL */
};

static inline bool chain_is_cancelled(const volatile int *cancel)
{
  return cancel != NULL && *cancel != 0;
}

/* What is numbered by a trajectory. */
struct chain_diagnostic {
  const char *label;
  bool mean; /* over all trajectories since the configuration before; else of the one that ended in it */
};

struct chain_model_ops {
  const char *name;                   /* for EXPLAIN, begins the identity */
  size_t (*bytes)(const void *model); /* of one chain's state */
  /* The state before the first trajectory, in memory aligned to 64. */
  void (*start)(const void *model, const struct chain_step *step, void *memory);
  /* One trajectory; writes a value for each diagnostic. NULL, or why it could not be made: a sentence. */
  const char *(*advance)(const void *model, const struct chain_step *step, void *memory, double *diagnostics);
  /* Optional: what chains do with each other after trajectory t; may exchange the pointers. diagnostics[chain][…]. */
  void (*couple)(const void *model, size_t chains, uint64_t trajectory, void **memory,
                 double (*diagnostics)[CHAIN_MAX_DIAGNOSTICS]);
  /* The configuration as elements of the cube. */
  void (*frame)(const void *model, void *memory, unsigned threads, void *out);
  void (*identity)(const void *model, struct buffer *out);
  /* Optional, for other ranks: the model as bytes, with what belongs to these chains; and from such bytes, which the
   * arena keeps, aligned for doubles. NULL: out of memory. */
  void (*pack)(const void *model, size_t first, size_t count, struct buffer *out);
  const void *(*unpack)(struct arena *arena, const void *bytes, const volatile int *cancel);
  /* Optional, for one chain on several ranks: pieces that it can be dealt in, at most, slabs of x0; where that is 1,
   * *why is the reason. And the model of this rank's pieces, where the first `parts` ranks take part, each the share
   * that ranks_share gives it. Its chain starts and advances at the same time as theirs; its frame is its pieces', one
   * after the other. */
  size_t (*pieces)(const void *model, const char **why);
  const void *(*split)(struct arena *arena, const void *model, struct ranks *ranks, size_t parts);
};

struct markov_chain {
  const struct chain_model_ops *ops;
  const void *model; /* borrowed, as all below */
  const char *title;
  const struct cube *frame; /* dimensions and type of one configuration */
  const struct chain_diagnostic *diagnostics;
  size_t diagnostic_count;       /* at most CHAIN_MAX_DIAGNOSTICS */
  size_t chains;                 /* at least 1 */
  const struct dimension *apart; /* the chains' dimension; NULL: one chain without */
  size_t configurations;         /* all below: trajectories */
  size_t thermalisation;         /* before the first that counts */
  size_t separation;             /* for each configuration, at least 1 */
  uint64_t first_trajectory;     /* number of the first, thermalisation or not */
  enum chain_quantity quantity;
  size_t held;                /* bytes that the model keeps besides: what the chains go on from */
  size_t work;                /* of a trajectory of one chain, about nanoseconds */
  size_t grain;               /* fewest sites worth a thread */
  size_t sites;               /* of one chain */
  const volatile int *cancel; /* lives as long as the source; or NULL */
  struct ranks *ranks;        /* that the chains may lie on; they too; NULL: here */
  size_t pieces;              /* set by markov_chain_deal: of the one chain, which lies on several ranks; else 0 */
};

/* Deals chains, or pieces of the only one, to the ranks: sets its model and pieces, or `ranks` to NULL, where there is
 * nothing to deal. Error Internal. */
int markov_chain_deal(struct arena *arena, struct markov_chain *chain, struct error *error);
/* Ranks that the chains were dealt to, 1 without any. */
size_t markov_chain_ranks(const struct markov_chain *dealt);

/* The parameters were checked, and dealt where there are ranks. The chains' memory dies with the arena. Error Internal.
 */
int markov_chain_source(struct arena *arena, const struct markov_chain *parameters, const struct source **out,
                        struct error *error);

#endif
