/* lft_polyakov_loop: the mean loop around the lattice of each configuration of a gauge cube. */
#include "processes/lattice/gauge_share.h"
#include "processes/lattice/lattice_arguments.h"

#include "physics/lattice/gauge_observables.h"

#include <math.h>

static const char *const labels[] = {"absolute", "real", "imaginary"};
static const char *const axes[] = {"x0", "x1", "x2", "x3", NULL};

static int measure_loop(const void *parameters, const struct gauge_job *job, struct error *error)
{
  double loop[2];
  (void)error;
  gauge_polyakov(&job->field, *(const size_t *)parameters, job->threads, loop);
  job->out[0] = hypot(loop[0], loop[1]);
  job->out[1] = loop[0];
  job->out[2] = loop[1];
  return 0;
}

const struct gauge_op gauge_polyakov_op = {.name = "Polyakov loop", .compute = measure_loop, .reach = gauge_reach_next};

static int lft_polyakov_loop_call(struct call *call, struct value *result)
{
  const struct dimension observable = dimension_texts("observable", DIMENSION_BANDS, labels, 3);
  struct gauge_cube cube;
  size_t axis;
  if (call_gauge_cube(call, "data", &cube) != 0 || lattice_choice(call, "axis", axes, &axis) != 0)
    return -1;
  if (axis >= cube.dimensions)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "axis",
                           "parameter 'axis' of process '%s' must be an axis of the lattice, x0 to x%zu; it is '%s'",
                           call->process->id, cube.dimensions - 1, axes[axis]);
  const struct gauge_measure measure = {.op = &gauge_polyakov_op, .parameters = &axis, .size = sizeof axis};
  return gauge_cube_measure(call, &cube, &measure, &observable, 1, result);
}

const struct process process_lft_polyakov_loop = {
    .id = "lft_polyakov_loop", .shape = PROCESS_CUBE, .call = lft_polyakov_loop_call};
