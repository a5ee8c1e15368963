/* A stage: what fills regions of a cube. The planner, the tile chooser, the runner and EXPLAIN are loops over this
 * interface; each kind is one file beside this one and knows itself alone.
 *
 *   make   while planning: describes the stage of a node and finds the stages that it reads
 *   bytes  while choosing tiles: what a worker holds to fill a region of that shape
 *   start, fill, stop   while running, one state a worker: start allocates, fill does not in steady state */
#ifndef TWINCUBE_HPC_STAGE_STAGE_H
#define TWINCUBE_HPC_STAGE_STAGE_H

#include "datacube/base/buffer.h"
#include "hpc/plan/node.h"

struct block_cache;
struct devices;
struct plan;
struct stage;
struct stage_list;
struct tile_worker;

/* Region of a stage's cube: per dimension a run or a list of indexes (NO_INDEX: anything, it is not looked at). */
struct region {
  size_t dimensions;
  size_t start[CUBE_MAX_DIMENSIONS], count[CUBE_MAX_DIMENSIONS];
  const size_t *list[CUBE_MAX_DIMENSIONS]; /* NULL: start … start + count */
};

static inline size_t region_index(const struct region *region, size_t dimension, size_t i)
{
  return region->list[dimension] ? region->list[dimension][i] : region->start[dimension] + i;
}

size_t region_elements(const struct region *region);
size_t region_bytes(const struct cube *cube, const struct region *region); /* saturated */
void region_strides(const struct region *region, size_t *strides);         /* of the dense elements, last dimension 1 */

/* What of one dimension of a stage another stage needs for a region of its own. */
enum need_kind {
  NEED_LIST,  /* the same indexes, whatever the region */
  NEED_RUN,   /* the region's own range of output dimension `out`, through map or offset, widened by a window */
  NEED_SPREAD /* some range around that of output dimension `out`: only the stage itself knows (a warp) */
};

struct need {
  enum need_kind kind;
  const size_t *list; /* LIST: ascending indexes */
  size_t count;
  int out; /* RUN, SPREAD */
  const size_t *map;
  size_t offset;
  size_t before,
      after;    /* RUN: window around each index; what passes the edges is the border's. SPREAD: around each grain */
  size_t size;  /* of the dimension */
  double share; /* SPREAD: of the dimension, about, for all of the stage. RUN: of the runs, about; 0: all */
};

struct stage_input { /* elements of another stage, dense over the needs */
  size_t stage;
  struct need need[CUBE_MAX_DIMENSIONS]; /* one per dimension of that stage's cube */
};

/* How a dimension of the output is driven: any range of it, one index at a time, or always whole. */
enum dim_mode { MODE_OUT, MODE_FIXED, MODE_AXIS };

struct stage_ops {
  const char *name; /* EXPLAIN */
  /* Describes stage->node: data, mode, inputs. NULL for kinds that the planner makes itself. */
  int (*make)(struct stage_list *list, struct stage *stage, struct error *error);
  /* Bytes a worker holds while it fills a region of that shape: own state, inputs' elements, and what their stages
   * hold. Not the region itself. */
  size_t (*bytes)(const struct plan *plan, const struct stage *stage, const size_t *count);
  int (*start)(struct tile_worker *worker, const struct stage *stage, void **state, struct error *error);
  /* Fills `data`, dense. The region has no lists unless takes_lists. */
  int (*fill)(struct tile_worker *worker, const struct stage *stage, void *state, const struct region *region,
              void *data, struct error *error);
  void (*stop)(const struct stage *stage, void *state); /* state: what start gave, or NULL */
  void (*print)(const struct plan *plan, const struct stage *stage, struct buffer *out); /* behind the name and id */
  void (*print_more)(const struct plan *plan, const struct stage *stage, struct buffer *out); /* own lines; or NULL */
  bool takes_lists;
  bool passes;  /* asks of its one input, at most, what it is asked for, with the needs' offsets */
  bool is_kept; /* made once, whole: others read parts of it in any order */
  bool reduces; /* gives few elements for many: kept where they are asked for again and again */
  double cost;  /* of an element, about, where copying one costs 1: for what is kept */
};

struct stage {
  const struct stage_ops *ops;
  const struct node *node;
  const struct cube *cube;
  const void *data; /* the kind's own */
  enum dim_mode mode[CUBE_MAX_DIMENSIONS];
  const struct stage_input *const *inputs; /* all that it may read */
  size_t input_count;
  size_t
      grain[CUBE_MAX_DIMENSIONS];   /* made in pieces of so many indexes from 0 on: parts of one cost as much; 0: any */
  size_t slab[CUBE_MAX_DIMENSIONS]; /* inside a plan: filled in parts of at most this shape; SIZE_MAX: any */
  size_t phases;                    /* that read it, itself or through others; once they are known */
  bool on_device;                   /* kernels, frames: by devices, as long as they work; see place_stages.c */
  bool awaits_device;               /* it, or a stage that it reads, is on a device */
  double cpu_seconds, device_seconds; /* estimates, where they were compared; else 0 */
  const char *place;                  /* of what devices can do, where a plan knows them: where and why, for EXPLAIN */
};

extern const struct stage_ops source_stage, warp_stage, kernel_stage, pass_stage, kept_stage;

/* ---- for make ---------------------------------------------------------------------------------------------------- */

/* The stage that gives a node's elements, made at the first use. */
int stage_of(struct stage_list *list, const struct node *node, size_t *out, struct error *error);
struct arena *stage_list_arena(const struct stage_list *list);
const struct stage *stage_at(const struct stage_list *list, size_t index); /* until the next stage is made */
/* An input of the stage: every dimension whole until changed; in the list's arena. NULL: error set. */
struct stage_input *stage_reads(struct stage_list *list, const struct node *node, struct error *error);
/* Sets the stage's inputs. */
int stage_set_inputs(struct stage_list *list, struct stage *stage, const struct stage_input *const *inputs,
                     size_t count, struct error *error);

/* ---- for bytes ----------------------------------------------------------------------------------------------------
 */

const struct stage *plan_stage(const struct plan *plan, size_t index);
size_t plan_stage_bytes(const struct plan *plan, size_t index, const size_t *count); /* ops->bytes of it */
size_t cube_part_bytes(const struct cube *cube, const size_t *count);
/* Shape of an input for a region of that shape; NEED_SPREAD dimensions are left as they are. */
void input_counts(const struct stage_input *input, const struct cube *cube, const size_t *count, size_t *in);

/* EXPLAIN: "    reads stage 0: t: all 3, …" */
void stage_input_print(const struct plan *plan, const struct stage *stage, const struct stage_input *input,
                       struct buffer *out);

/* ---- for fill -----------------------------------------------------------------------------------------------------
 */

/* Elements of a stage, into dense `data`. */
int worker_pull(struct tile_worker *worker, size_t stage, const struct region *region, void *data, struct error *error);
struct devices *plan_devices(const struct plan *plan); /* or NULL */
const struct plan *worker_plan(const struct tile_worker *worker);
unsigned worker_threads(const struct tile_worker *worker);           /* that a stage may use itself */
struct block_cache *worker_blocks(const struct tile_worker *worker); /* of all workers of the run; or NULL */
/* Becomes nonzero when the run is no longer wanted: for what takes long within a region. Or NULL. */
const volatile int *worker_cancel(const struct tile_worker *worker);
/* Region of an input for a region of the stage; windows end at the edges. */
void input_region(const struct stage_input *input, size_t dimensions, const struct region *out, struct region *in);
void fill_missing(const struct cube *cube, void *data, size_t count); /* the cube's no-data; NaN; else 0 */
/* The next of the positions 0 … count - 1 of the first `dimensions` dimensions; false after the last. */
bool next_position(const size_t *count, size_t *position, size_t dimensions);

struct room { /* growing buffer */
  void *data;
  size_t bytes;
};
int room_for(struct room *room, size_t bytes, struct error *error);
void room_free(struct room *room);

#endif
