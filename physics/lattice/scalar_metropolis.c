/* Metropolis sweeps, row by row. See scalar_metropolis.h. */
#include "physics/lattice/scalar_metropolis.h"

#include "physics/random/philox.h"

#include <math.h>
#include <stdbool.h>

struct metropolis_rows {
  struct scalar_field *field;
  struct philox_stream stream;
  double width;
  unsigned colour; /* only rows of this one */
};

/* Bit 0: parity of the row's indexes; bit k + 1: index k is the last of an odd extent. Neighbours differ in one index
 * k: either bit k + 1 differs, or neither is behind the seam and the parity does. */
static unsigned colour_of(const struct scalar_action *action, size_t row)
{
  unsigned colour = 0;
  for (size_t k = action->dimensions - 1; k-- > 0;) {
    size_t extent = action->extent[k], at = row % extent;
    row /= extent;
    colour ^= at & 1;
    if (extent > 1 && extent % 2 == 1 && at == extent - 1) {
      colour |= 2U << k;
    }
  }
  return colour;
}

/* Coefficient of phi^2 in what S has of one site. */
static double curvature(const struct scalar_action *action)
{
  double links = 0;
  for (size_t k = 0; k < action->dimensions; k++) {
    links += action->extent[k] > 1 ? 2 : 0;
  }
  return links + action->m2;
}

/* Sum over the neighbours of value i of a row that are other sites. */
static double neighbours(const struct scalar_field *field, size_t row, size_t i)
{
  const size_t outer = field->action.dimensions - 1;
  const uint32_t *rows = field->neighbour + row * 2 * outer;
  const double *x = field->phi + row * field->stride + i;
  double sum = field->length > 1 ? x[-1] + x[1] : 0;
  for (size_t k = 0; k < 2 * outer; k++) {
    sum += field->action.extent[k / 2] > 1 ? field->phi[rows[k] * field->stride + i] : 0;
  }
  return sum;
}

/* Returns the number of accepted proposals. */
static size_t sweep_row(const struct metropolis_rows *task, size_t row)
{
  struct scalar_field *field = task->field;
  const double square = curvature(&field->action), quartic = field->action.lambda;
  double *x = field->phi + row * field->stride;
  size_t accepted = 0, length = field->length;
  for (size_t i = 0; i < length; i++) {
    double u[2];
    philox_pair(task->stream, (field->begin + row) * length + i, u);
    double step = task->width * (2 * u[0] - 1), old = x[i], new = old + step;
    double a = old * old, b = new *new;
    double ds = (b - a) * (square + quartic * (a + b)) - 2 * step * neighbours(field, row, i);
    if (u[1] < exp(-ds)) { /* so NaN is refused */
      x[i] = new;
      accepted++;
    }
    if (i == 0) {
      x[length] = x[0];
    }
  }
  x[-1] = x[length - 1];
  x[length] = x[0];
  return accepted;
}

static void sweep_rows(const void *context, size_t first, size_t last)
{
  const struct metropolis_rows *task = context;
  for (size_t row = first; row < last; row++) {
    if (colour_of(&task->field->action, task->field->begin + row) == task->colour) {
      task->field->row_sum[row] = (double)sweep_row(task, row);
    }
  }
}

double scalar_metropolis(struct scalar_field *field, uint64_t seed, double width, uint64_t t)
{
  struct metropolis_rows task = {field, {.seed = seed, .stream = 2 * t}, width, 0};
  unsigned seams = 0; /* bits that a colour can have */
  for (size_t k = 0; k + 1 < field->action.dimensions; k++) {
    size_t extent = field->action.extent[k];
    seams |= (extent > 1 && extent % 2 == 1 ? 2U << k : 0) | (extent > 1 ? 1U : 0);
  }
  for (task.colour = 0; task.colour <= seams; task.colour++) {
    if ((task.colour & ~seams) == 0) {
      scalar_field_rows(field, sweep_rows, &task);
      scalar_field_exchange(field, field->phi);
    }
  }
  return scalar_field_sum(field, field->row_sum) / (double)field->sites;
}
