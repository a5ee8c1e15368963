/* lft_sommer_scale: r0 from a potential. */
#include "processes/lattice/lattice_arguments.h"
#include "processes/lattice/lattice_series.h"

#include <math.h>

static const char *const distance[] = {"r"};

/* Solves the symmetric system of three; false where it is singular. */
static bool solve(double m[3][4], double x[3])
{
  for (size_t k = 0; k < 3; k++) {
    size_t pivot = k;
    for (size_t i = k; i < 3; i++)
      pivot = fabs(m[i][k]) > fabs(m[pivot][k]) ? i : pivot;
    for (size_t j = 0; j < 4; j++) {
      double swapped = m[k][j];
      m[k][j] = m[pivot][j];
      m[pivot][j] = swapped;
    }
    if (!(fabs(m[k][k]) > 1e-12))
      return false;
    for (size_t i = 0; i < 3; i++)
      for (size_t j = 4; i != k && j-- > k;)
        m[i][j] -= m[i][k] / m[k][k] * m[k][j];
  }
  for (size_t k = 0; k < 3; k++)
    x[k] = m[k][3] / m[k][k];
  return true;
}

/* Least squares of V = c + s r - e / r; r^2 V' = s r^2 + e. parameters: force. */
static void compute_scale(const struct lattice_series *series, const double *parameters, const double *in, double *out)
{
  double m[3][4] = {{0}}, fit[3];
  for (size_t i = 0; i < series->size[0]; i++) {
    double r = series->labels[0][i];
    const double basis[3] = {1, r, -1 / r};
    for (size_t a = 0; a < 3; a++) {
      for (size_t b = 0; b < 3; b++)
        m[a][b] += basis[a] * basis[b];
      m[a][3] += basis[a] * in[i];
    }
  }
  *out = solve(m, fit) ? sqrt((parameters[0] - fit[2]) / fit[1]) : (double)NAN;
}

static const struct series_op scale_op = {"Sommer scale", compute_scale};

static int lft_sommer_scale_call(struct call *call, struct value *result)
{
  struct lattice_series series;
  double force;
  if (call_lattice_series(call, distance, 1, &series) != 0 || lattice_number(call, "force", 1e-3, 100, &force) != 0)
    return -1;
  if (series.size[0] < 3 || !(series.labels[0][0] > 0))
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data",
                           "the potential must be there at three distances 'r' above 0, or more");
  return lattice_series_apply(call, &series, &scale_op, &force, 1, NULL, 0, result);
}

const struct process process_lft_sommer_scale = {
    .id = "lft_sommer_scale", .shape = PROCESS_CUBE, .call = lft_sommer_scale_call};
