/* Inner loops of the scalar field; see scalar_field.h for layout and equations.
 *
 * The number of dimensions is a constant in every loop body, so the neighbour sums unroll and the loops over a row
 * vectorise. Sums run in eight lanes (value i goes to lane i mod 8), joined pairwise, whatever the vector width. */
#include "physics/lattice/scalar_field_sweep.h"

#include "physics/simd.h"

enum { LANES = 8 };

static inline double join_lanes(const double *a)
{
  return ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7]));
}

SIMD_BODY step_rows(const struct scalar_sweep *sweep, size_t first, size_t last, const size_t d)
{
  const struct scalar_field *field = sweep->field;
  const size_t stride = field->stride, length = field->length;
  const double linear = 4.0 * (double)d + 2.0 * field->action.m2, cubic = 4.0 * field->action.lambda;
  const double kick = sweep->kick, drift = sweep->drift;
  for (size_t row = first; row < last; row++) {
    const uint32_t *rows = field->neighbour + row * 2 * (d - 1);
    const double *near[6];
    for (size_t k = 0; k < 2 * (d - 1); k++) {
      near[k] = sweep->from + rows[k] * stride;
    }
    const double *x = sweep->from + row * stride;
    const double *left = x - 1, *right = x + 1;
    double *p = field->momentum + row * stride, *to = sweep->to + row * stride;
#pragma omp simd
    for (size_t i = 0; i < length; i++) {
      double sum = left[i] + right[i];
      if (d > 1) {
        sum += near[0][i] + near[1][i];
      }
      if (d > 2) {
        sum += near[2][i] + near[3][i];
      }
      if (d > 3) {
        sum += near[4][i] + near[5][i];
      }
      double force = x[i] * (linear + cubic * (x[i] * x[i])) - 2.0 * sum;
      double momentum = p[i] - kick * force;
      p[i] = momentum;
      to[i] = x[i] + drift * momentum;
    }
    to[-1] = to[length - 1];
    to[length] = to[0];
  }
}

/* S of one site by its forward links. */
static inline __attribute__((always_inline)) double site_energy(const double *x, const double *const near[3], size_t i,
                                                                size_t d, double m2, double lambda)
{
  double square = x[i] * x[i];
  double link = x[i + 1] - x[i];
  double energy = square * (m2 + lambda * square) + link * link;
  for (size_t k = 0; k + 1 < d; k++) {
    double across = near[k][i] - x[i];
    energy += across * across;
  }
  return energy;
}

SIMD_BODY energy_rows(const struct scalar_sweep *sweep, size_t first, size_t last, const size_t d)
{
  const struct scalar_field *field = sweep->field;
  const size_t stride = field->stride, length = field->length;
  const double m2 = field->action.m2, lambda = field->action.lambda;
  for (size_t row = first; row < last; row++) {
    const uint32_t *rows = field->neighbour + row * 2 * (d - 1);
    const double *near[3] = {0};
    for (size_t k = 0; k + 1 < d; k++) {
      near[k] = sweep->from + rows[2 * k] * stride;
    }
    const double *x = sweep->from + row * stride;
    double sum[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= length; i += LANES) {
#pragma omp simd
      for (size_t k = 0; k < LANES; k++) {
        sum[k] += site_energy(x, near, i + k, d, m2, lambda);
      }
    }
    for (size_t k = 0; i + k < length; k++) {
      sum[k] += site_energy(x, near, i + k, d, m2, lambda);
    }
    field->row_sum[row] = join_lanes(sum);
  }
}

SIMD_BODY kinetic_body(const struct scalar_sweep *sweep, size_t first, size_t last)
{
  const struct scalar_field *field = sweep->field;
  const size_t length = field->length;
  for (size_t row = first; row < last; row++) {
    const double *p = sweep->from + row * field->stride;
    double sum[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= length; i += LANES) {
#pragma omp simd
      for (size_t k = 0; k < LANES; k++) {
        sum[k] += p[i + k] * p[i + k];
      }
    }
    for (size_t k = 0; i + k < length; k++) {
      sum[k] += p[i + k] * p[i + k];
    }
    field->row_sum[row] = 0.5 * join_lanes(sum);
  }
}

SIMD_BODY step_body(const struct scalar_sweep *sweep, size_t first, size_t last)
{
  switch (sweep->field->action.dimensions) {
  case 1:
    step_rows(sweep, first, last, 1);
    break;
  case 2:
    step_rows(sweep, first, last, 2);
    break;
  case 3:
    step_rows(sweep, first, last, 3);
    break;
  default:
    step_rows(sweep, first, last, 4);
  }
}

SIMD_BODY energy_body(const struct scalar_sweep *sweep, size_t first, size_t last)
{
  switch (sweep->field->action.dimensions) {
  case 1:
    energy_rows(sweep, first, last, 1);
    break;
  case 2:
    energy_rows(sweep, first, last, 2);
    break;
  case 3:
    energy_rows(sweep, first, last, 3);
    break;
  default:
    energy_rows(sweep, first, last, 4);
  }
}

SIMD_LEVELS(step, (const struct scalar_sweep *sweep, size_t first, size_t last), (sweep, first, last))
SIMD_LEVELS(energy, (const struct scalar_sweep *sweep, size_t first, size_t last), (sweep, first, last))
SIMD_LEVELS(kinetic, (const struct scalar_sweep *sweep, size_t first, size_t last), (sweep, first, last))

void scalar_field_sweeps(struct scalar_field *field)
{
  field->step = SIMD_PICK(step);
  field->energy = SIMD_PICK(energy);
  field->kinetic = SIMD_PICK(kinetic);
}
