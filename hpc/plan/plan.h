/* A plan: stages in order, with box mappings, kernels, tile grid and memory. Immutable and printable.
 *
 * plan_make compiles the node expression: sources and warps become stages that fill tiles, everything between them is
 * fused into kernels. The last stage is the output. */
#ifndef TWINCUBE_HPC_PLAN_PLAN_H
#define TWINCUBE_HPC_PLAN_PLAN_H

#include "datacube/base/buffer.h"
#include "hpc/plan/node.h"

struct plan;

struct plan_options {
  size_t memory;       /* bytes that tiles, registers and driver caches may take together; 0: 2 GiB */
  unsigned threads;    /* workers; 0: as many as the machine has cores */
  size_t prefer[CUBE_MAX_DIMENSIONS]; /* tile shape the sink writes best; 0: any */
};

/* Error ProcessGraphComplexity naming node and bytes where no tile fits the memory. */
int plan_make(struct arena *arena, const struct node *output, const struct plan_options *options,
              const struct plan **out, struct error *error);

const struct cube *plan_cube(const struct plan *plan); /* of the output */
size_t plan_tiles(const struct plan *plan);
double plan_read_bytes(const struct plan *plan);   /* estimate of stored bytes read */
size_t plan_peak_memory(const struct plan *plan);  /* bytes, all workers */
unsigned plan_threads(const struct plan *plan);

/* EXPLAIN as text, and as JSON. */
void plan_print(const struct plan *plan, struct buffer *out);

#endif
