/* The inside of a plan: stages, phases and kept results. Made by plan.c and tiles.c, read by hpc/run. */
#ifndef TWINCUBE_HPC_PLAN_PLAN_INTERNAL_H
#define TWINCUBE_HPC_PLAN_PLAN_INTERNAL_H

#include "hpc/plan/plan.h"
#include "hpc/stage/stage.h"

struct tile_grid {                   /* of a phase's cube */
  size_t tile[CUBE_MAX_DIMENSIONS];  /* tile shape */
  size_t lead[CUBE_MAX_DIMENSIONS];  /* size of the first tile where it is smaller, or 0 */
  size_t tiles[CUBE_MAX_DIMENSIONS]; /* tiles per dimension */
  size_t order[CUBE_MAX_DIMENSIONS]; /* dimensions from the slowest to the fastest in the order of tiles */
  size_t count;                      /* tiles in all */
  size_t group;                      /* consecutive tiles that a worker takes together: they read the same elements */
};

struct keep { /* a result that is made once and then held whole */
  const struct node *node;
  const struct cube *cube; /* of the node */
  size_t phase;            /* that makes it */
  size_t bytes;
  bool in_memory;        /* else a file that is mapped */
  bool given;            /* from outside, by run_give: no phase makes it */
  bool idle;             /* no stage reads it in the end: nor does any */
  const char *why;       /* for EXPLAIN */
  const char *on_device; /* what devices whose kernels read it have of it, for EXPLAIN; or NULL */
};

/* What a phase's tiles go to. */
enum phase_end { PHASE_OUTPUT, PHASE_KEEP };

struct phase { /* one stage run over its whole cube, tile by tile, with all that it pulls */
  size_t stage;
  enum phase_end end;
  size_t target; /* number of the output, or of the kept result */
  struct tile_grid grid;
  bool sequential;                 /* in order, by one worker: a chain is read */
  bool whole[CUBE_MAX_DIMENSIONS]; /* dimensions that a tile has whole */
  unsigned threads;
  size_t worker_bytes;
  double read_bytes; /* stored bytes */
  double computed;   /* elements that kernels compute, inner stages included */
};

struct plan {
  const struct cube *const *cubes; /* of the outputs */
  size_t output_count;
  struct stage *stages;
  size_t stage_count;
  struct phase *phases; /* in the order of running: every kept result before those that read it */
  size_t phase_count;
  const size_t *output_phase; /* per output */
  const struct keep *keeps;
  size_t keep_count;
  unsigned threads;
  size_t memory, kept_bytes, shared_bytes; /* limit; kept results in memory; in all beside workers and kept results */
  size_t block_bytes;                      /* of shared_bytes: for decoded blocks; 0: no source keeps any */
  bool keeps_blocks;                       /* of files that several phases read, as far as those find room */
  struct hash hash;                        /* of the outputs' nodes */
  struct devices *devices;                 /* or NULL */
};

/* A plan of one output in which `given` stands for a cube that run_give brings. */
int plan_make_given(struct arena *arena, const struct plan_output *output, const struct node *given,
                    const struct plan_options *options, const struct plan **out, struct error *error);
const struct keep *stage_keep(const struct plan *plan,
                              const struct stage *stage);            /* whose elements it gives; or NULL */
void plan_print_stages(const struct plan *plan, struct buffer *out); /* EXPLAIN's stages and phases */

/* Marks the phases that make what the stages of phase p read. room: 2 * stage_count numbers, zero at the first call of
 * several for one plan. phases.c */
void phase_inputs(const struct plan *plan, size_t p, size_t *room, bool *wanted);
/* Takes out the phases that no output needs. */
int plan_drop_idle(struct arena *arena, struct plan *plan, struct error *error);
/* Counts the phases that read each stage. */
int plan_count_phases(struct arena *arena, struct plan *plan, struct error *error);

/* Tile number `index` of a phase. */
void phase_tile(const struct plan *plan, const struct phase *phase, size_t index, struct region *out);
size_t grid_tiles(struct tile_grid *grid, const struct cube *cube); /* fills tiles and count; SIZE_MAX: too many */

/* ---- while planning ------------------------------------------------------------------------------------------------
 */

struct node_table; /* decisions about nodes, by address: keep.h */

struct stage_list {
  struct arena *arena;
  struct stage *stages;
  size_t count, capacity;
  const struct node_table *decisions;
  const struct keep *keeps;
  const volatile int *cancel; /* or NULL */
  unsigned depth; /* of the walk over nodes, all kernels in work together; a stage counts as STAGE_DEPTH nodes */
};
enum { MAX_DEPTH = 1500, STAGE_DEPTH = 10 };

/* stages.c: the stage of a node, without looking for one that stands. */
int make_stage(struct stage_list *list, const struct node *node, size_t *out, struct error *error);
/* place_stages.c: which kernels run on devices. */
int plan_place_stages(struct arena *arena, struct plan *plan, struct error *error);
/* tiles.c: tile grids and memory of a plan whose stages and phases stand. */
int plan_choose_tiles(struct plan *plan, const struct plan_output *outputs, struct error *error);
/* rewrite.c: the outputs' nodes in a form that is cheaper to compute. */
int rewrite_nodes(struct arena *arena, const struct plan_output *outputs, size_t count, const struct node **out,
                  struct error *error);

#endif
