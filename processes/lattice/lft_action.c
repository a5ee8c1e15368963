/* lft_action: the gauge action of each configuration of a gauge cube. */
#include "processes/lattice/gauge_arguments.h"
#include "processes/lattice/gauge_share.h"
#include "processes/lattice/lattice_arguments.h"

#include "physics/lattice/gauge_action.h"

#define MAX_BETA 1e6

static int measure_action(const void *parameters, const struct gauge_job *job, struct error *error)
{
  const double *numbers = parameters; /* beta, c1 */
  const struct gauge_action action = {.beta = numbers[0], .c1 = numbers[1], .anisotropy = 1};
  (void)error;
  job->out[0] = gauge_action_value(&job->field, &action, job->threads);
  return 0;
}

/* With rectangles there are two links on the way. */
static size_t reach(const void *parameters)
{
  return ((const double *)parameters)[1] != 0 ? 2 : 1;
}

const struct gauge_op gauge_action_op = {.name = "action", .compute = measure_action, .reach = reach};

static int lft_action_call(struct call *call, struct value *result)
{
  double numbers[2];
  struct gauge_cube cube;
  if (call_gauge_cube(call, "data", &cube) != 0 ||
      lattice_number(call, "beta", -MAX_BETA, MAX_BETA, &numbers[0]) != 0 || gauge_read_c1(call, &numbers[1]) != 0)
    return -1;
  const struct gauge_measure measure = {.op = &gauge_action_op, .parameters = numbers, .size = sizeof numbers};
  return gauge_cube_measure(call, &cube, &measure, NULL, 0, result);
}

const struct process process_lft_action = {.id = "lft_action", .shape = PROCESS_CUBE, .call = lft_action_call};
