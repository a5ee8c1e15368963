/* Layout of registers: axes in ascending order, then the array; bringing one layout into another. */
#include "hpc/plan/fuse.h"

#include "datacube/base/checked.h"

#include <string.h>

static const size_t max_blocks = (size_t)1 << 26;
struct kernel_step *fuse_add_step(struct fuse *f, enum kernel_step_kind kind)
{
  if (!GROW(f, arena, steps, step_count, step_capacity)) {
    error_memory(f->error);
    return NULL;
  }
  struct kernel_step *step = &f->steps[f->step_count++];
  *step = (struct kernel_step){.kind = kind};
  return step;
}

int fuse_add_register(struct fuse *f, size_t blocks, uint32_t *out)
{
  if (blocks > max_blocks)
    return error_set(f->error, ERROR_ProcessGraphComplexity,
                     "an array of %zu values per position is too long to process at once", blocks);
  if (!GROW(f, scratch, reg_blocks, reg_count, reg_capacity))
    return error_memory(f->error);
  f->reg_blocks[f->reg_count] = (uint32_t)blocks;
  *out = (uint32_t)f->reg_count++;
  return 0;
}

int fuse_add_axis(struct fuse *f, size_t length, int *out)
{
  if (!GROW(f, arena, axis_length, axis_count, axis_capacity))
    return error_memory(f->error);
  f->axis_length[f->axis_count] = length;
  *out = (int)f->axis_count++;
  return 0;
}

size_t fuse_outer_blocks(const struct fuse *f, const struct operand *o)
{
  size_t blocks = 1;
  for (size_t i = 0; i < o->axes; i++)
    blocks = saturated_mul(blocks, f->axis_length[o->axis[i]]);
  return blocks;
}

size_t fuse_blocks(const struct fuse *f, const struct operand *o)
{
  return saturated_mul(fuse_outer_blocks(f, o), o->tail);
}

static bool same_axes(const struct operand *a, const struct operand *b)
{
  return a->axes == b->axes && memcmp(a->axis, b->axis, a->axes * sizeof *a->axis) == 0;
}

bool operand_has_axis(const struct operand *o, int axis)
{
  for (size_t i = 0; i < o->axes; i++)
    if (o->axis[i] == axis)
      return true;
  return false;
}

void operand_insert_axis(struct operand *o, int axis)
{
  size_t at = o->axes++;
  for (; at > 0 && o->axis[at - 1] > axis; at--)
    o->axis[at] = o->axis[at - 1];
  o->axis[at] = axis;
}

/* Block of `from` for each block of the layout `to`; an axis or tail that `from` lacks repeats it. tail_axis: the axis
 * of `to` that is the tail of `from`, or -1 (tail to tail). */
static uint32_t *layout_map(struct fuse *f, const struct operand *from, const struct operand *to, int tail_axis)
{
  size_t blocks = fuse_blocks(f, to);
  uint32_t *map = ARENA_ARRAY(f->arena, uint32_t, blocks);
  size_t stride[CUBE_MAX_DIMENSIONS + 1] = {0}, index[CUBE_MAX_DIMENSIONS + 1] = {0};
  size_t step = tail_axis < 0 ? from->tail : 1;
  if (!map)
    return NULL;
  if (tail_axis >= 0)
    step = from->tail;
  for (size_t i = from->axes; i-- > 0;) {
    for (size_t k = 0; k < to->axes; k++)
      if (to->axis[k] == from->axis[i])
        stride[k] = step;
    step *= f->axis_length[from->axis[i]];
  }
  for (size_t k = 0; k < to->axes; k++)
    if (to->axis[k] == tail_axis)
      stride[k] = 1;
  stride[to->axes] = tail_axis < 0 && from->tail > 1 ? 1 : 0;
  for (size_t b = 0; b < blocks; b++) {
    size_t block = 0;
    for (size_t k = 0; k <= to->axes; k++)
      block += index[k] * stride[k];
    map[b] = (uint32_t)block;
    for (size_t k = to->axes + 1; k-- > 0;) {
      if (++index[k] < (k == to->axes ? to->tail : f->axis_length[to->axis[k]]))
        break;
      index[k] = 0;
    }
  }
  return map;
}

int fuse_gather(struct fuse *f, const struct operand *from, const uint32_t *map, size_t blocks,
                const struct operand *to)
{
  struct kernel_step *step = map ? fuse_add_step(f, STEP_GATHER) : NULL;
  if (!step)
    return error_memory(f->error);
  step->dst = to->reg;
  step->dst_block = to->block;
  step->blocks = (uint32_t)blocks;
  step->operand[0] = (struct kernel_operand){from->reg, from->block, 1};
  step->map = map;
  return 0;
}

/* `from` in the layout of `to` (its axes and tail); to's register is set. */
int fuse_relayout(struct fuse *f, const struct operand *from, struct operand *to, int tail_axis)
{
  if (tail_axis < 0 && same_axes(from, to) && from->tail == to->tail) {
    *to = *from;
    return 0;
  }
  size_t blocks = fuse_blocks(f, to);
  if (fuse_add_register(f, blocks, &to->reg) != 0)
    return -1;
  to->block = 0;
  return fuse_gather(f, from, layout_map(f, from, to, tail_axis), blocks, to);
}
