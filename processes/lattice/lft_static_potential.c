/* lft_static_potential: of static quarks, from Wilson loops. */
#include "processes/lattice/lattice_series.h"

#include "processes/cube/shape.h"

#include <math.h>

static const char *const sizes[] = {"r", "t"};

static void compute_potential(const struct lattice_series *series, const double *parameters, const double *in,
                              double *out)
{
  size_t t = series->size[1];
  (void)parameters;
  for (size_t r = 0; r < series->size[0]; r++)
    for (size_t i = 0; i + 1 < t; i++) {
      double ratio = in[r * t + i] / in[r * t + i + 1];
      double steps = series->labels[1][i + 1] - series->labels[1][i];
      out[r * (t - 1) + i] = ratio > 0 ? log(ratio) / steps : (double)NAN;
    }
}

static const struct series_op potential_op = {"static potential", compute_potential};

static int lft_static_potential_call(struct call *call, struct value *result)
{
  struct lattice_series series;
  if (call_lattice_series(call, sizes, 2, &series) != 0)
    return -1;
  if (series.size[1] < 2)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data",
                           "the potential is the ratio of loops at two values of 't'; there is one");
  struct dimension to[2];
  size_t *kept = ARENA_ARRAY(call->arena, size_t, series.size[1]);
  if (kept == NULL)
    return error_memory(call->error);
  for (size_t i = 0; i < series.size[1]; i++)
    kept[i] = i;
  to[0] = series.node->cube->dimension[series.others];
  if (dimension_pick(call->arena, &series.node->cube->dimension[series.others + 1], kept, series.size[1] - 1, &to[1]) !=
      0)
    return error_memory(call->error);
  return lattice_series_apply(call, &series, &potential_op, NULL, 0, to, 2, result);
}

const struct process process_lft_static_potential = {
    .id = "lft_static_potential", .shape = PROCESS_CUBE, .call = lft_static_potential_call};
