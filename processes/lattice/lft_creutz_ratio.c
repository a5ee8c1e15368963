/* lft_creutz_ratio: string tension from ratios of Wilson loops. */
#include "processes/lattice/lattice_series.h"

#include <math.h>

static const char *const sizes[] = {"r", "t"};

static void compute_ratios(const struct lattice_series *series, const double *parameters, const double *in, double *out)
{
  size_t t = series->size[1];
  (void)parameters;
  for (size_t r = 1; r < series->size[0]; r++)
    for (size_t i = 1; i < t; i++) {
      double ratio = in[r * t + i] * in[(r - 1) * t + i - 1] / (in[r * t + i - 1] * in[(r - 1) * t + i]);
      double area =
          (series->labels[0][r] - series->labels[0][r - 1]) * (series->labels[1][i] - series->labels[1][i - 1]);
      *out++ = ratio > 0 ? -log(ratio) / area : (double)NAN;
    }
}

static const struct series_op ratio_op = {"Creutz ratios", compute_ratios};

static int lft_creutz_ratio_call(struct call *call, struct value *result)
{
  struct lattice_series series;
  struct dimension to[2];
  if (call_lattice_series(call, sizes, 2, &series) != 0)
    return -1;
  for (size_t k = 0; k < 2; k++) {
    size_t *kept = ARENA_ARRAY(call->arena, size_t, series.size[k]);
    if (kept == NULL)
      return error_memory(call->error);
    if (series.size[k] < 2)
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data",
                             "a Creutz ratio is made of loops at two values of '%s'; there is one", sizes[k]);
    for (size_t i = 0; i < series.size[k]; i++)
      kept[i] = i + 1;
    if (dimension_pick(call->arena, &series.node->cube->dimension[series.others + k], kept, series.size[k] - 1,
                       &to[k]) != 0)
      return error_memory(call->error);
  }
  return lattice_series_apply(call, &series, &ratio_op, NULL, 0, to, 2, result);
}

const struct process process_lft_creutz_ratio = {
    .id = "lft_creutz_ratio", .shape = PROCESS_CUBE, .call = lft_creutz_ratio_call};
