/* lft_gauge_fixing: the fields of a gauge cube in Landau or Coulomb gauge. */
#include "processes/lattice/gauge_cube.h"
#include "processes/lattice/lattice_arguments.h"

#include "physics/lattice/gauge_fixing.h"

enum { MAX_SWEEPS = 10000000 };
static const char *const conditions[] = {"landau", "coulomb", NULL};

static size_t scratch_bytes(const struct gauge_cube *cube, const void *parameters)
{
  const struct lattice lattice = gauge_cube_lattice(cube);
  (void)parameters;
  return gauge_fixing_bytes(&lattice);
}

static int fix_field(const void *parameters, const struct gauge_job *job, struct error *error)
{
  const struct gauge_fixing *fixing = parameters;
  struct gauge_field field = job->field;
  double residual = gauge_fix(&field, fixing, job->threads, job->cancel, job->scratch);
  if (residual <= fixing->tolerance || (job->cancel && *job->cancel))
    return 0;
  return error_set(error, ERROR_ProcessParameterInvalid,
                   "the gauge is not fixed after %zu sweeps: the residual is %g, not %g; more sweeps are wanted, or "
                   "another overrelaxation than %g",
                   fixing->sweeps, residual, fixing->tolerance, fixing->overrelaxation);
}

static const struct gauge_op fixing_op = {.name = "gauge fixing", .scratch = scratch_bytes, .compute = fix_field};

static int lft_gauge_fixing_call(struct call *call, struct value *result)
{
  struct gauge_fixing *fixing = ARENA_NEW(call->arena, struct gauge_fixing); /* zeroed: it is hashed */
  struct gauge_cube cube;
  size_t condition;
  if (fixing == NULL)
    return error_memory(call->error);
  if (call_gauge_cube(call, "data", &cube) != 0 || lattice_choice(call, "gauge", conditions, &condition) != 0 ||
      lattice_number(call, "tolerance", 1e-26, 1, &fixing->tolerance) != 0 ||
      lattice_count(call, "sweeps", 1, MAX_SWEEPS, &fixing->sweeps) != 0 ||
      lattice_number(call, "overrelaxation", 1, 1.99, &fixing->overrelaxation) != 0)
    return -1;
  fixing->condition = (enum gauge_condition)condition;
  if (!gauge_cube_lattice(&cube).has_parity)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data",
                           "gauge fixing needs a checkerboard: all extents of the lattice must be even");
  const struct gauge_measure measure = {.op = &fixing_op, .parameters = fixing, .size = sizeof *fixing};
  return gauge_cube_change(call, &cube, &measure, result);
}

const struct process process_lft_gauge_fixing = {
    .id = "lft_gauge_fixing", .shape = PROCESS_CUBE, .call = lft_gauge_fixing_call};
