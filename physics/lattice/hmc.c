/* Hybrid Monte Carlo for the scalar field. See hmc.h. */
#include "physics/lattice/hmc.h"

#include "physics/random/philox.h"

#include <math.h>
#include <string.h>

#define OMELYAN_XI 0.1931833275037836

enum { CHUNK = 256 }; /* normals made at a time */

struct momentum_rows {
  struct scalar_field *field;
  struct philox_stream stream;
};

/* Site x, row-major, has normal number x: the same whoever draws it. */
static void draw_rows(const void *context, size_t first, size_t last)
{
  const struct momentum_rows *task = context;
  struct scalar_field *field = task->field;
  double part[CHUNK];
  size_t row = first, column = 0;
  const size_t before = field->begin * field->length;
  for (size_t site = first * field->length, end = last * field->length; site < end;) {
    size_t count = end - site < CHUNK ? end - site : CHUNK;
    philox_normals(task->stream, before + site, count, part);
    for (size_t done = 0; done < count;) {
      size_t n = field->length - column < count - done ? field->length - column : count - done;
      memcpy(field->momentum + row * field->stride + column, part + done, n * sizeof *part);
      done += n;
      column += n;
      if (column == field->length) {
        column = 0;
        row++;
      }
    }
    site += count;
  }
}

void hmc_momenta(struct scalar_field *field, const struct hmc *hmc, uint64_t t)
{
  scalar_field_rows(field, draw_rows, &(struct momentum_rows){field, {.seed = hmc->seed, .stream = 2 * t}});
}

/* Kick by F(trial), then drift: one pass into the spare array, which becomes the trial. */
static void advance(struct scalar_field *field, double kick, double drift)
{
  scalar_field_step(field, field->trial, field->other, kick, drift);
  double *swap = field->trial;
  field->trial = field->other;
  field->other = swap;
}

void hmc_follow(struct scalar_field *field, const struct hmc *hmc)
{
  const double eps = hmc->step_size;
  const double outer = hmc->integrator == HMC_OMELYAN ? OMELYAN_XI * eps : 0.5 * eps;
  scalar_field_drift(field, field->phi, field->trial, outer);
  for (size_t k = 0; k < hmc->steps && !hmc_is_cancelled(hmc); k++) {
    double behind = k + 1 < hmc->steps ? 2.0 * outer : outer;
    if (hmc->integrator == HMC_OMELYAN) {
      advance(field, 0.5 * eps, (1.0 - 2.0 * OMELYAN_XI) * eps);
      advance(field, 0.5 * eps, behind);
    } else {
      advance(field, eps, behind);
    }
  }
}

struct hmc_outcome hmc_trajectory(struct scalar_field *field, const struct hmc *hmc, uint64_t t)
{
  hmc_momenta(field, hmc, t);
  double kinetic = scalar_field_kinetic(field, field->momentum);
  hmc_follow(field, hmc);
  double action = scalar_field_action(field, field->trial);
  struct hmc_outcome outcome;
  outcome.dh = (scalar_field_kinetic(field, field->momentum) - kinetic) + (action - field->current_action);
  if (isnan(outcome.dh)) {
    outcome.dh = (double)INFINITY;
  }
  double u = philox_uniform((struct philox_stream){.seed = hmc->seed, .stream = 2 * t + 1}, 0);
  outcome.accepted = outcome.dh <= 0 || u < exp(-outcome.dh);
  if (outcome.accepted) {
    double *swap = field->phi;
    field->phi = field->trial;
    field->trial = swap;
    field->current_action = action;
  }
  return outcome;
}
