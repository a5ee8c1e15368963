/* Folding: a program without inputs is the kernel of a cube without sources, run on one lane in f64. */
#include "datacube/base/missing.h"
#include "hpc/plan/fuse.h"

#include <stdlib.h>
#include <string.h>

enum { FOLD_LANES = 16 };

/* Runs the variant's kernel; element i of the array goes to out[i]. */
static int run_once(struct arena *arena, const struct variant *variant, size_t length, double *out, struct error *error)
{
  struct kernel kernel = variant->kernel;
  struct kernel_step *steps = arena_copy(arena, kernel.steps, kernel.step_count * sizeof *steps);
  ptrdiff_t *offsets = ARENA_ARRAY(arena, ptrdiff_t, length);
  if (!steps || !offsets)
    return error_memory(error);
  for (size_t i = 0; i < length; i++)
    offsets[i] = (ptrdiff_t)i;
  steps[variant->store_step[0]].offsets = offsets;
  steps[variant->store_step[0]].lane_stride = 1;
  kernel.steps = steps;
  kernel.lane_block = FOLD_LANES;
  void *scratch = aligned_alloc(64, (kernel_scratch_bytes(&kernel) + 63) & ~(size_t)63);
  if (!scratch)
    return error_memory(error);
  kernel_run(&kernel, scratch, NULL, out, 1);
  free(scratch);
  return 0;
}

/* The values, NaN in the place of NA: a store knows no payload. */
static int evaluate_plain(const struct program *p, struct lanes result, double *out, struct error *error)
{
  struct arena *arena = arena_new(0);
  if (!arena || p->failed) {
    arena_free(arena);
    return p->failed ? program_error(p, error) : error_memory(error);
  }
  struct cube cube = {.dimensions = result.is_array ? 1 : 0, .type = ELEMENT_F64};
  cube.dimension[0] = dimension_enumerated("array", DIMENSION_OTHER, result.length);
  const struct node *node =
      node_kernel(arena, (struct node_origin){"", ""}, &cube, NULL, 0, p, result, result.is_array ? 0 : NO_DIMENSION);
  struct stage_list list = {.arena = arena};
  struct stage stage = {.ops = &kernel_stage, .node = node, .cube = &cube, .mode = {MODE_AXIS}};
  struct variant variant = {0};
  size_t fixed[CUBE_MAX_DIMENSIONS] = {0};
  int status = node ? make_variant(&list, &stage, fixed, LANE_F64, &variant, error) : error_memory(error);
  if (status == 0)
    status = run_once(arena, &variant, result.is_array ? result.length : 1, out, error);
  arena_free(arena);
  return status;
}

int program_evaluate(const struct program *p, struct lanes result, double *out, struct error *error)
{
  struct arena *arena = arena_new(0);
  if (!arena)
    return error_memory(error);
  struct program asking = *p; /* a copy with one step more: which values are missing */
  asking.arena = arena;
  asking.capacity = asking.count; /* its steps are copied when it grows */
  struct lanes is_missing = program_unary(&asking, KOP_IS_NODATA, result);
  size_t length = result.is_array ? result.length : 1;
  double *missing = ARENA_ARRAY(arena, double, length);
  int status = missing ? evaluate_plain(p, result, out, error) : error_memory(error);
  if (status == 0)
    status = evaluate_plain(&asking, is_missing, missing, error);
  for (size_t i = 0; status == 0 && i < length; i++)
    if (missing[i] == 1)
      out[i] = na_f64();
  arena_free(arena);
  return status;
}
