/* A plan: stages in phases, with box mappings, kernels, tile grids and memory. Immutable and printable.
 *
 * plan_make compiles node expressions: sources, warps and the like become stages that fill regions, everything between
 * them is fused into kernels. What must be whole before others can go on, or would be computed again and again, is
 * kept: a phase of its own makes it first. The last phases make the outputs. */
#ifndef TWINCUBE_HPC_PLAN_PLAN_H
#define TWINCUBE_HPC_PLAN_PLAN_H

#include "datacube/base/buffer.h"
#include "hpc/plan/node.h"

#define PLAN_MEMORY ((size_t)2 << 30) /* bytes, where plan_options.memory is 0 */

struct devices;
struct plan;

struct plan_options {
  size_t memory;    /* bytes that tiles, registers, kept results and driver caches take together; 0: PLAN_MEMORY */
  unsigned threads; /* workers; 0: as many as the machine has cores */
  struct devices *devices;            /* that kernels may run on, borrowed for as long as the plan runs; or NULL */
  const volatile int *cancel;         /* becomes nonzero: planning ends with RequestTimeout; or NULL */
  size_t prefer[CUBE_MAX_DIMENSIONS]; /* plan_make: tile shape the sink writes best; 0: any */
};

struct plan_output {
  const struct node *node;
  size_t prefer[CUBE_MAX_DIMENSIONS]; /* tile shape its sink writes best; 0: any */
};

/* Error ProcessGraphComplexity naming node and bytes where no tile fits the memory. */
int plan_make(struct arena *arena, const struct node *output, const struct plan_options *options,
              const struct plan **out, struct error *error);
/* The same for several outputs, which share what they have in common. options->prefer does not count. */
int plan_make_outputs(struct arena *arena, const struct plan_output *outputs, size_t count,
                      const struct plan_options *options, const struct plan **out, struct error *error);

size_t plan_outputs(const struct plan *plan);
const struct cube *plan_output_cube(const struct plan *plan, size_t output);
const struct cube *plan_cube(const struct plan *plan); /* of output 0 */
/* Shape of the output's tiles from index 0 on; 0 along dimensions whose first tile is shorter. */
void plan_output_tile(const struct plan *plan, size_t output, size_t *tile);
size_t plan_tiles(const struct plan *plan);      /* of all phases */
double plan_read_bytes(const struct plan *plan); /* estimate of stored bytes read */
/* The next source that the plan reads: *at is 0 at first. NULL behind the last one. */
const struct source *plan_source(const struct plan *plan, size_t *at);
double plan_computed(const struct plan *plan);      /* estimate of elements computed by kernels */
size_t plan_peak_memory(const struct plan *plan);   /* bytes, all workers and kept results in memory */
double plan_spilled_bytes(const struct plan *plan); /* of kept results that lie in files while the plan runs */
unsigned plan_threads(const struct plan *plan);     /* most workers of a phase */
struct hash plan_hash(const struct plan *plan);     /* of the outputs: same hash, same values */

/* EXPLAIN as text, and as JSON. */
void plan_print(const struct plan *plan, struct buffer *out);
void plan_print_json(const struct plan *plan, struct buffer *out);

#endif
