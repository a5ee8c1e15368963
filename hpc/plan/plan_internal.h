/* The inside of a plan: stages, variants, bindings. Made by fuse.c and tiles.c, read by hpc/run.
 *
 * An index of an input dimension is bound to one of
 *   BIND_OUT    the running index of output dimension `id`: the tile's position
 *   BIND_AXIS   an axis of the kernel: expanded over the blocks of a register (dates of a reducer, bands of a pick)
 *   BIND_FIXED  one index
 * through map[k], or k + offset where there is no map. */
#ifndef TWINCUBE_HPC_PLAN_PLAN_INTERNAL_H
#define TWINCUBE_HPC_PLAN_PLAN_INTERNAL_H

#include "datacube/warp.h"
#include "hpc/plan/plan.h"

enum bind_kind { BIND_OUT, BIND_AXIS, BIND_FIXED };

struct binding {
  enum bind_kind kind;
  int id;            /* OUT: output dimension; AXIS: axis of the variant */
  const size_t *map; /* OUT, AXIS: index of each position, or NULL */
  size_t offset;     /* OUT, AXIS without a map */
  size_t fixed;      /* FIXED */
};

/* What of one dimension of a stage a kernel needs: a fixed list of indexes, or the tile's own range. */
struct need {
  bool is_static;
  const size_t *list; /* static: ascending indexes */
  size_t count;
  int out;            /* else: output dimension, with map or offset */
  const size_t *map;
  size_t offset;
};

struct stage_input { /* a buffer of another stage's elements, dense over its needs */
  size_t stage;
  struct need need[CUBE_MAX_DIMENSIONS]; /* one per dimension of that stage's cube */
};

struct load { /* one LOAD step */
  size_t step;  /* index of the step in the kernel */
  size_t input; /* index into the variant's inputs */
  struct binding dim[CUBE_MAX_DIMENSIONS];
  const size_t *position[CUBE_MAX_DIMENSIONS]; /* AXIS, FIXED: positions in the need's list, per axis index */
  size_t axes;  /* axes of the register, outermost first */
  int axis[CUBE_MAX_DIMENSIONS];
};

struct variant { /* the kernel of one combination of the output's FIXED indexes */
  struct kernel kernel;
  const struct stage_input *inputs;
  size_t input_count;
  const struct load *loads; /* in the order of kernel_run's bases */
  size_t load_count;
  const size_t *axis_length;
  size_t axis_count;
  size_t store_step;        /* index of the STORE step */
  int out_axis[CUBE_MAX_DIMENSIONS]; /* output dimensions that are AXIS: their axis; else -1 */
};

enum dim_mode { MODE_OUT, MODE_FIXED, MODE_AXIS };
enum stage_kind { STAGE_SOURCE, STAGE_WARP, STAGE_KERNEL, STAGE_PASS };

struct stage {
  enum stage_kind kind;
  const struct node *node;
  const struct cube *cube;
  size_t upstream;                        /* WARP: stage that fills its input; PASS: stage passed through */
  struct grid from;                       /* WARP: grid of the input */
  double ratio[2];                        /* WARP: input pixels per output pixel along y and x, by resolution */
  struct stage_input pass;                /* PASS */
  enum dim_mode mode[CUBE_MAX_DIMENSIONS]; /* KERNEL; MODE_AXIS of a WARP: upstream gives the dimension whole */
  const struct variant *variants;         /* KERNEL: row-major over the FIXED dimensions */
  size_t variant_count;
  size_t slab[CUBE_MAX_DIMENSIONS];       /* KERNEL inside a plan: computed in parts of at most this shape */
};

struct plan {
  const struct cube *cube;
  struct stage *stages;       /* the last is the output */
  size_t stage_count;
  size_t tile[CUBE_MAX_DIMENSIONS];  /* tile shape */
  size_t phase[CUBE_MAX_DIMENSIONS]; /* size of the first tile where it is smaller, or 0 */
  size_t tiles[CUBE_MAX_DIMENSIONS]; /* tiles per dimension */
  size_t tile_count;
  unsigned threads;
  unsigned reader_threads; /* that a sequential source may use inside a read */
  size_t memory, worker_bytes, shared_bytes; /* limit; per worker; in all beside the workers */
  double read_bytes;
};

/* Region of a stage's cube: per dimension a run or a list of indexes. */
struct region {
  size_t dimensions;
  size_t start[CUBE_MAX_DIMENSIONS], count[CUBE_MAX_DIMENSIONS];
  const size_t *list[CUBE_MAX_DIMENSIONS]; /* NULL: start … start + count */
};

static inline size_t region_index(const struct region *region, size_t dimension, size_t i)
{
  return region->list[dimension] ? region->list[dimension][i] : region->start[dimension] + i;
}

static inline size_t binding_index(const struct binding *binding, size_t k)
{
  return binding->kind == BIND_FIXED ? binding->fixed : binding->map ? binding->map[k] : k + binding->offset;
}

size_t region_elements(const struct region *region);
/* Region of an input for a region of the output cube. */
void input_region(const struct stage_input *input, size_t dimensions, const struct region *out, struct region *in);
/* Output tile number `index` (row-major over the tile grid). */
void plan_tile(const struct plan *plan, size_t index, struct region *out);
/* Variant for the FIXED indexes of an output region (counts 1 there). */
const struct variant *stage_variant(const struct stage *stage, const struct region *out);

/* Node expression to stages; a growing list in the arena. */
struct stage_list {
  struct arena *arena;
  struct stage *stages;
  size_t count, capacity;
  unsigned depth; /* of the walk over nodes, all kernels in work together; a stage counts as STAGE_DEPTH nodes */
};
enum { MAX_DEPTH = 1500, STAGE_DEPTH = 10 };
/* stages.c */
int fuse_stage(struct stage_list *list, const struct node *node, size_t *out, struct error *error);
/* The source's or warp's stage, made at the first use. */
int stage_of(struct stage_list *list, const struct node *node, size_t *out, struct error *error);
/* variant.c */
int make_variant(struct stage_list *list, const struct stage *stage, const size_t *fixed, enum lane_type type,
                 struct variant *variant, struct error *error);
/* fuse.c. Binding of a view's input dimension; outer has `length` indexes. */
int binding_compose(struct arena *arena, const struct binding *outer, const struct view_dimension *view, size_t length,
                    struct binding *inner, struct error *error);

/* tiles.c: tile grid and memory of a plan whose stages stand. */
int plan_choose_tiles(struct plan *plan, const struct plan_options *options, struct error *error);

/* registers.c: memory of the registers, lanes of a piece. blocks: per register. */
int allocate_registers(struct arena *arena, struct kernel *kernel, const uint32_t *blocks, size_t count);

#endif
