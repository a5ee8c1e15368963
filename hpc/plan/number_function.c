/* Functions of numbers: a fit's kernel with a load before it and a store behind it. */
#include "hpc/plan/number_function.h"

#include "datacube/base/missing.h"
#include "hpc/plan/fuse.h"

/* Offsets 0 … count - 1. */
static const ptrdiff_t *dense_offsets(struct arena *arena, size_t count)
{
  ptrdiff_t *offsets = ARENA_ARRAY(arena, ptrdiff_t, count);
  for (size_t i = 0; offsets && i < count; i++)
    offsets[i] = (ptrdiff_t)i;
  return offsets;
}

/* Makes of the step at an end of a curve's kernel one that reads or writes memory. */
static int reach_memory(struct arena *arena, struct kernel_step *step, enum kernel_step_kind kind, size_t count)
{
  step->kind = kind;
  step->blocks = (uint32_t)count;
  step->offsets = dense_offsets(arena, count);
  step->lane_stride = (ptrdiff_t)count;
  step->type = ELEMENT_F64;
  step->has_nodata = true;
  step->nodata = na_f64();
  return step->offsets ? 0 : -1;
}

int number_function_make(struct arena *arena, const struct program *program, struct lanes result,
                         struct number_function *out, struct error *error)
{
  struct stage_list list = {.arena = arena};
  struct fuse f = {.list = &list, .arena = arena, .scratch = arena, .error = error};
  struct kernel_curve curve;
  if (program_failed(program))
    return program_error(program, error);
  if (fuse_curve(&f, &(struct program_curve){program, result.value}, &curve) != 0)
    return -1;
  *out = (struct number_function){.kernel = curve.model, .inputs = program->steps[0].length, .outputs = result.length};
  hash_program(&out->hash, program);
  struct kernel_step *steps = arena_copy(arena, curve.model.steps, curve.model.step_count * sizeof *steps);
  if (!steps || reach_memory(arena, &steps[0], STEP_LOAD, out->inputs) != 0 ||
      reach_memory(arena, &steps[curve.model.step_count - 1], STEP_STORE, out->outputs) != 0)
    return error_memory(error);
  out->kernel.steps = steps;
  out->kernel.load_count = 1;
  return 0;
}

size_t number_function_work(const struct number_function *function)
{
  return (kernel_scratch_bytes(&function->kernel) + 63) & ~(size_t)63;
}

void number_function_run(const struct number_function *function, void *work, const double *in, double *out,
                         size_t count)
{
  const void *const bases[] = {in};
  kernel_run(&function->kernel, work, bases, out, count);
}
