/* Registers share memory: each lives from its first write to its last use, and takes the first gap that fits. What is
 * set once a run keeps its place, and what a relay names its own until the relay ends; windows that are only weighed
 * need no memory. */
#include "hpc/plan/fuse.h"

#include "datacube/base/missing.h"
#include "hpc/kernel/kernel_relay.h"

#include <stdlib.h>
#include <string.h>

static const size_t cache_bytes = 32 * 1024; /* the registers of a piece stay in the first-level cache */
enum { FEWEST_LANES = 32, MOST_LANES = 512, NARROW_LANES = 16 };
static const size_t long_blocks = 4096; /* registers of long arrays: fewer lanes, or memory runs out */

struct life {
  size_t first, last;
  bool used;
};

static void note(struct life *life, size_t step, size_t last)
{
  if (!life->used)
    life->first = step;
  life->used = true;
  life->last = last > life->last ? last : life->last;
}

static void find_lives(const struct kernel *kernel, struct life *lives)
{
  size_t relay_end = 0; /* of the relay at hand */
  for (size_t i = 0; i < kernel->step_count; i++) {
    const struct kernel_step *step = &kernel->steps[i];
    relay_end = step->leg.steps ? i + step->leg.steps : relay_end;
    const size_t last = i < relay_end ? relay_end - 1 : i;
    int operands = step->kind == STEP_ELEMENT                               ? kernel_op_arity((enum kernel_op)step->op)
                   : step->kind == STEP_CONSTANT || step->kind == STEP_LOAD ? 0
                                                                            : 1;
    for (int k = 0; k < operands; k++)
      note(&lives[step->operand[k].reg], i, last);
    if (step->kind != STEP_STORE)
      note(&lives[step->dst], i, last);
    if (step->once)
      note(&lives[step->dst], i, kernel->step_count - 1);
  }
}

/* Whether a load gives its elements as they are. */
static bool copies(const struct kernel_step *load, enum lane_type type)
{
  return load->kind == STEP_LOAD && load->type == (type == LANE_F32 ? ELEMENT_F32 : ELEMENT_F64) && load->has_nodata &&
         is_na_f64(load->nodata);
}

/* A window's elements that nothing but a weighted sum reads, right after: the same ones serve many lanes, so they stay
 * where they are. */
static void leave_in_place(const struct fuse *f, enum lane_type type, const struct life *lives)
{
  for (size_t i = 0; i + 1 < f->step_count; i++) {
    struct kernel_step *load = &f->steps[i], *sum = load + 1;
    const bool weighs = sum->kind == STEP_REDUCE && sum->op == KRED_WEIGHTED_SUM && sum->operand[0].block == 0;
    if (!weighs || !copies(load, type) || sum->operand[0].reg != load->dst || lives[load->dst].last != i + 1)
      continue;
    load->in_place = sum->in_place = true;
    f->reg_blocks[load->dst] = 0;
  }
}

struct register_place {
  size_t start, blocks, last;
};

struct register_places { /* of the registers that live at a step, sorted by start */
  struct register_place *place;
  size_t count;
};

/* Gives the lowest start of `blocks` free blocks to a register that lives until step `last`. */
static size_t place_register(struct register_places *live, size_t blocks, size_t last)
{
  size_t start = 0, at = 0;
  for (; at < live->count && live->place[at].start - start < blocks; at++)
    start = live->place[at].start + live->place[at].blocks;
  memmove(&live->place[at + 1], &live->place[at], (live->count++ - at) * sizeof *live->place);
  live->place[at] = (struct register_place){start, blocks, last};
  return start;
}

/* Forgets the registers that have died before the step. */
static void drop_dead(struct register_places *live, size_t step)
{
  size_t kept = 0;
  for (size_t k = 0; k < live->count; k++)
    if (live->place[k].last >= step)
      live->place[kept++] = live->place[k];
  live->count = kept;
}

/* Gives each register its first block. */
static void place_registers(struct kernel *kernel, const uint32_t *blocks, const struct life *lives,
                            struct register_place *places, size_t *offset)
{
  struct register_places live = {.place = places};
  for (int once = 1; once >= 0; once--) /* what keeps its place comes first */
    for (size_t i = 0; i < kernel->step_count; i++) {
      const struct kernel_step *step = &kernel->steps[i];
      if (!once)
        drop_dead(&live, i);
      if (step->kind == STEP_STORE || step->once != (once == 1) || lives[step->dst].first != i)
        continue;
      offset[step->dst] = place_register(&live, blocks[step->dst], lives[step->dst].last);
      if (offset[step->dst] + blocks[step->dst] > kernel->scratch_blocks)
        kernel->scratch_blocks = offset[step->dst] + blocks[step->dst];
    }
}

static bool has_relays(const struct kernel *kernel)
{
  for (size_t i = 0; i < kernel->step_count; i++)
    if (kernel->steps[i].leg.steps)
      return true;
  return false;
}

static void choose_lanes(struct kernel *kernel)
{
  size_t lane_bytes = (kernel->lane_type == LANE_F32 ? 4 : 8) * kernel->scratch_blocks + 8 * kernel->work_blocks;
  size_t lanes = cache_bytes / (lane_bytes ? lane_bytes : 1);
  size_t fewest = kernel->scratch_blocks > long_blocks ? NARROW_LANES : FEWEST_LANES;
  const size_t chunk = !has_relays(kernel) ? 16 : kernel->lane_type == LANE_F32 ? RELAY_LANES_F32 : RELAY_LANES_F64;
  lanes = lanes > MOST_LANES ? MOST_LANES : lanes < fewest ? fewest : lanes;
  kernel->lane_block = lanes < chunk ? chunk : lanes - lanes % chunk;
}

int allocate_registers(struct fuse *f, struct kernel *kernel)
{
  const size_t count = f->reg_count;
  struct life *lives = calloc(count + 1, sizeof *lives);
  struct register_place *places = calloc(count + 1, sizeof *places);
  size_t *offset = ARENA_ARRAY(f->arena, size_t, count + 1);
  int status = lives && places && offset ? 0 : -1;
  if (status == 0) {
    find_lives(kernel, lives);
    leave_in_place(f, kernel->lane_type, lives);
    place_registers(kernel, f->reg_blocks, lives, places, offset);
    for (size_t i = 0; i < kernel->step_count; i++) {
      const size_t work = kernel_step_work_blocks(&kernel->steps[i]);
      kernel->work_blocks = work > kernel->work_blocks ? work : kernel->work_blocks;
    }
    kernel->register_offset = offset;
    kernel->register_count = count;
    choose_lanes(kernel);
  }
  free(lives);
  free(places);
  return status;
}
