/* lft_plaquette: mean plaquette of each configuration of a gauge cube. */
#include "processes/lattice/gauge_share.h"

#include "physics/lattice/gauge_observables.h"

static const char *const labels[] = {"all", "temporal", "spatial"};

static int measure_plaquette(const void *parameters, const struct gauge_job *job, struct error *error)
{
  struct gauge_loop_means means;
  (void)parameters;
  (void)error;
  gauge_plaquette(&job->field, job->threads, &means);
  job->out[0] = means.all;
  job->out[1] = means.temporal;
  job->out[2] = means.spatial;
  return 0;
}

const struct gauge_op gauge_plaquette_op = {
    .name = "plaquette", .compute = measure_plaquette, .reach = gauge_reach_next};

static int lft_plaquette_call(struct call *call, struct value *result)
{
  const struct gauge_measure measure = {.op = &gauge_plaquette_op};
  const struct dimension observable = dimension_texts("observable", DIMENSION_BANDS, labels, 3);
  struct gauge_cube cube;
  if (call_gauge_cube(call, "data", &cube) != 0)
    return -1;
  return gauge_cube_measure(call, &cube, &measure, &observable, 1, result);
}

const struct process process_lft_plaquette = {.id = "lft_plaquette", .shape = PROCESS_CUBE, .call = lft_plaquette_call};
