/* lft_action: the gauge action of each configuration of a gauge cube. */
#include "processes/lattice/gauge_cube.h"
#include "processes/lattice/lattice_arguments.h"

#include "physics/lattice/gauge_observables.h"

#define MAX_BETA 1e6

struct action {
  double beta, c1; /* coefficient of the rectangles; that of the plaquettes is 1 - 8 c1 */
};

static const char *const names[] = {"wilson", "symanzik", "iwasaki", "dbw2", NULL};
static const double rectangles[] = {0, -1.0 / 12, -0.331, -1.4088};

static int measure_action(const void *parameters, const struct gauge_job *job, struct error *error)
{
  const struct action *action = parameters;
  struct gauge_loop_means means;
  (void)error;
  gauge_plaquette(&job->field, job->threads, job->scratch, &means);
  double sum = (1 - 8 * action->c1) * (means.temporal_count + means.spatial_count) * (1 - means.all);
  if (action->c1 != 0) {
    gauge_rectangle(&job->field, job->threads, job->scratch, &means);
    sum += action->c1 * (means.temporal_count + means.spatial_count) * (1 - means.all);
  }
  job->out[0] = action->beta * sum;
  return 0;
}

static const struct gauge_op action_op = {
    .name = "action", .scratch = gauge_observables_scratch, .compute = measure_action};

static int lft_action_call(struct call *call, struct value *result)
{
  struct action action;
  struct gauge_cube cube;
  size_t kind;
  if (call_gauge_cube(call, "data", &cube) != 0 ||
      lattice_number(call, "beta", -MAX_BETA, MAX_BETA, &action.beta) != 0 ||
      lattice_choice(call, "action", names, &kind) != 0)
    return -1;
  action.c1 = rectangles[kind];
  const struct gauge_measure measure = {.op = &action_op, .parameters = &action, .size = sizeof action};
  return gauge_cube_measure(call, &cube, &measure, NULL, 0, result);
}

const struct process process_lft_action = {.id = "lft_action", .shape = PROCESS_CUBE, .call = lft_action_call};
