/* Registers share memory: each lives from its first write to its last use, and takes the first gap that fits. */
#include "hpc/plan/fuse.h"

#include <stdlib.h>
#include <string.h>

static const size_t cache_bytes = 32 * 1024; /* the registers of a piece stay in the first-level cache */
enum { FEWEST_LANES = 32, MOST_LANES = 512, NARROW_LANES = 16 };
static const size_t long_blocks = 4096; /* registers of long arrays: fewer lanes, or memory runs out */

struct life {
  size_t first, last;
  bool used;
};

static void note(struct life *life, size_t step)
{
  if (!life->used)
    life->first = step;
  life->used = true;
  life->last = step;
}

static void find_lives(const struct kernel *kernel, struct life *lives)
{
  for (size_t i = 0; i < kernel->step_count; i++) {
    const struct kernel_step *step = &kernel->steps[i];
    int operands = step->kind == STEP_ELEMENT                               ? kernel_op_arity((enum kernel_op)step->op)
                   : step->kind == STEP_CONSTANT || step->kind == STEP_LOAD ? 0
                                                                            : 1;
    for (int k = 0; k < operands; k++)
      note(&lives[step->operand[k].reg], i);
    if (step->kind != STEP_STORE)
      note(&lives[step->dst], i);
  }
}

struct register_place {
  size_t start, blocks, last;
};

/* Lowest start of `blocks` free blocks; the places are sorted by start. */
static size_t find_gap(const struct register_place *places, size_t count, size_t blocks, size_t *at)
{
  size_t start = 0;
  for (size_t i = 0; i < count; i++) {
    if (places[i].start - start >= blocks) {
      *at = i;
      return start;
    }
    start = places[i].start + places[i].blocks;
  }
  *at = count;
  return start;
}

static void choose_lanes(struct kernel *kernel)
{
  size_t lane_bytes = (kernel->lane_type == LANE_F32 ? 4 : 8) * kernel->scratch_blocks + 8 * kernel->work_blocks;
  size_t lanes = cache_bytes / (lane_bytes ? lane_bytes : 1);
  size_t fewest = kernel->scratch_blocks > long_blocks ? NARROW_LANES : FEWEST_LANES;
  lanes = lanes > MOST_LANES ? MOST_LANES : lanes < fewest ? fewest : lanes;
  kernel->lane_block = lanes & ~(size_t)15;
}

int allocate_registers(struct arena *arena, struct kernel *kernel, const uint32_t *blocks, size_t count)
{
  struct life *lives = calloc(count + 1, sizeof *lives);
  struct register_place *places = calloc(count + 1, sizeof *places);
  size_t *offset = ARENA_ARRAY(arena, size_t, count + 1);
  int status = lives && places && offset ? 0 : -1;
  if (status == 0) {
    size_t live = 0;
    find_lives(kernel, lives);
    for (size_t i = 0; i < kernel->step_count; i++) {
      const struct kernel_step *step = &kernel->steps[i];
      size_t kept = 0;
      for (size_t k = 0; k < live; k++)
        if (places[k].last >= i)
          places[kept++] = places[k];
      live = kept;
      if (step->kind != STEP_STORE && lives[step->dst].first == i) {
        size_t at, start = find_gap(places, live, blocks[step->dst], &at);
        memmove(&places[at + 1], &places[at], (live - at) * sizeof *places);
        places[at] = (struct register_place){start, blocks[step->dst], lives[step->dst].last};
        live++;
        offset[step->dst] = start;
        if (start + blocks[step->dst] > kernel->scratch_blocks)
          kernel->scratch_blocks = start + blocks[step->dst];
      }
      size_t work = kernel_step_work_blocks(step);
      if (work > kernel->work_blocks)
        kernel->work_blocks = work;
    }
    kernel->register_offset = offset;
    kernel->register_count = count;
    choose_lanes(kernel);
  }
  free(lives);
  free(places);
  return status;
}
