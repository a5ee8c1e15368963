/* lft_rectangle: mean rectangle of 1 x 2 links of each configuration of a gauge cube. */
#include "processes/lattice/gauge_share.h"

#include "physics/lattice/gauge_observables.h"

static const char *const labels[] = {"all", "temporal", "spatial"};

static int measure_rectangle(const void *parameters, const struct gauge_job *job, struct error *error)
{
  struct gauge_loop_means means;
  (void)parameters;
  (void)error;
  gauge_rectangle(&job->field, job->threads, &means);
  job->out[0] = means.all;
  job->out[1] = means.temporal;
  job->out[2] = means.spatial;
  return 0;
}

static size_t reach(const void *parameters)
{
  (void)parameters;
  return 2;
}

const struct gauge_op gauge_rectangle_op = {.name = "rectangle", .compute = measure_rectangle, .reach = reach};

static int lft_rectangle_call(struct call *call, struct value *result)
{
  const struct gauge_measure measure = {.op = &gauge_rectangle_op};
  const struct dimension observable = dimension_texts("observable", DIMENSION_BANDS, labels, 3);
  struct gauge_cube cube;
  if (call_gauge_cube(call, "data", &cube) != 0)
    return -1;
  return gauge_cube_measure(call, &cube, &measure, &observable, 1, result);
}

const struct process process_lft_rectangle = {.id = "lft_rectangle", .shape = PROCESS_CUBE, .call = lft_rectangle_call};
