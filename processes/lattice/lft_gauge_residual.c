/* lft_gauge_residual: how far each configuration of a gauge cube is from a gauge. */
#include "processes/lattice/gauge_cube.h"
#include "processes/lattice/lattice_arguments.h"

#include "physics/lattice/gauge_fixing.h"

static const char *const conditions[] = {"landau", "coulomb", NULL};

static size_t scratch_bytes(const struct gauge_cube *cube, const void *parameters)
{
  const struct lattice lattice = gauge_cube_lattice(cube);
  (void)parameters;
  return gauge_fixing_bytes(&lattice);
}

static int measure_residual(const void *parameters, const struct gauge_job *job, struct error *error)
{
  size_t condition = *(const size_t *)parameters;
  (void)error;
  job->out[0] = gauge_residual(&job->field, (enum gauge_condition)condition, job->threads, job->scratch);
  return 0;
}

static const struct gauge_op residual_op = {
    .name = "gauge residual", .scratch = scratch_bytes, .compute = measure_residual};

static int lft_gauge_residual_call(struct call *call, struct value *result)
{
  struct gauge_cube cube;
  size_t condition;
  if (call_gauge_cube(call, "data", &cube) != 0 || lattice_choice(call, "gauge", conditions, &condition) != 0)
    return -1;
  const struct gauge_measure measure = {.op = &residual_op, .parameters = &condition, .size = sizeof condition};
  return gauge_cube_measure(call, &cube, &measure, NULL, 0, result);
}

const struct process process_lft_gauge_residual = {
    .id = "lft_gauge_residual", .shape = PROCESS_CUBE, .call = lft_gauge_residual_call};
