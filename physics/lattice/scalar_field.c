/* The scalar field's memory, action and sweeps over threads. See scalar_field.h. */
#include "physics/lattice/scalar_field.h"

#include "datacube/base/checked.h"
#include "physics/lattice/scalar_field_sweep.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum { PAD = 8, FIELDS = 4 }; /* doubles in front of a row's values; phi, trial, other, momentum */

struct field_layout {
  size_t extent[SCALAR_FIELD_MAX_DIMENSIONS]; /* of what lies here, copies and all */
  size_t sites, all_sites;                    /* here, and of the lattice */
  size_t rows, length, stride;
  size_t field_doubles; /* one of the four arrays: front pad, rows, a pad behind the last */
  size_t bytes;         /* everything */
};

static size_t round_up(size_t n, size_t unit)
{
  return (n + unit - 1) / unit * unit;
}

static int field_layout_make(const struct scalar_action *action, const struct gauge_split *split,
                             struct field_layout *out)
{
  if (action->dimensions < 1 || action->dimensions > SCALAR_FIELD_MAX_DIMENSIONS) {
    return -1;
  }
  const struct lattice_slab slab = gauge_split_slab(split, action->extent[0]);
  lattice_slab_extent(action->dimensions, action->extent, &slab, out->extent);
  size_t rows = 1, length = out->extent[action->dimensions - 1];
  out->all_sites = 1;
  for (size_t k = 0; k < action->dimensions; k++) {
    if (action->extent[k] < 1 || checked_mul(out->all_sites, action->extent[k], &out->all_sites) != 0) {
      return -1;
    }
    rows = k + 1 < action->dimensions ? saturated_mul(rows, out->extent[k]) : rows;
  }
  if (length < 1 || rows > UINT32_MAX || length > UINT32_MAX || checked_mul(rows, length, &out->sites) != 0) {
    return -1;
  }
  out->rows = rows;
  out->length = length;
  out->stride = round_up(length, PAD) + PAD;
  size_t doubles = saturated_add(saturated_mul(rows, out->stride), PAD);
  size_t per_row = sizeof(double) + sizeof(uint32_t) * 2 * (action->dimensions - 1);
  size_t bytes = saturated_add(saturated_mul(doubles, FIELDS * sizeof(double)), saturated_mul(rows, per_row));
  if (saturated_add(bytes, 64) == SIZE_MAX) {
    return -1;
  }
  out->field_doubles = doubles;
  out->bytes = round_up(bytes, 64);
  return 0;
}

size_t scalar_field_bytes(const struct scalar_action *action, const struct gauge_split *split)
{
  struct field_layout layout;
  return field_layout_make(action, split, &layout) == 0 ? layout.bytes : 0;
}

size_t scalar_field_pieces(const struct scalar_action *action)
{
  const size_t slices = action->extent[0];
  return action->dimensions > 1 && slices % 2 == 0 && slices >= 4 ? slices / 2 : 1;
}

/* Row numbers one step forward and backward in each dimension but the last. */
static void fill_neighbours(struct scalar_field *field, const struct field_layout *layout)
{
  size_t outer = field->action.dimensions - 1;
  for (size_t row = 0; row < layout->rows; row++) {
    size_t unit = 1; /* rows from one index of dimension k to the next */
    for (size_t k = outer; k-- > 0;) {
      size_t extent = layout->extent[k], at = row / unit % extent, base = row - at * unit;
      uint32_t *pair = field->neighbour + row * 2 * outer + 2 * k;
      pair[0] = (uint32_t)(base + (at + 1) % extent * unit);
      pair[1] = (uint32_t)(base + (at + extent - 1) % extent * unit);
      unit *= extent;
    }
  }
}

void scalar_field_init(struct scalar_field *field, const struct scalar_action *action, const struct gauge_split *split,
                       void *memory)
{
  struct field_layout layout;
  int status = field_layout_make(action, split, &layout);
  assert(status == 0);
  (void)status;
  memset(memory, 0, layout.bytes);
  const struct lattice_slab slab = gauge_split_slab(split, action->extent[0]);
  const size_t slice = action->dimensions > 1 ? layout.rows / layout.extent[0] : 1;
  double *base = memory;
  *field = (struct scalar_field){.action = *action,
                                 .threads = 1,
                                 .split = *split,
                                 .sites = layout.all_sites,
                                 .rows = layout.rows - 2 * slab.width * slice,
                                 .begin = slab.begin * slice,
                                 .slice = slice,
                                 .length = layout.length,
                                 .stride = layout.stride};
  field->phi = base + PAD;
  field->trial = field->phi + layout.field_doubles;
  field->other = field->trial + layout.field_doubles;
  field->momentum = field->other + layout.field_doubles;
  field->row_sum = base + FIELDS * layout.field_doubles;
  field->neighbour = (uint32_t *)(field->row_sum + layout.rows);
  fill_neighbours(field, &layout);
  scalar_field_sweeps(field);
}

static void fill_halo(const struct scalar_field *field, double *phi)
{
  for (size_t row = 0; row < field->rows; row++) {
    double *x = phi + row * field->stride;
    x[-1] = x[field->length - 1];
    x[field->length] = x[0];
  }
}

/* Slices lie one behind the other, with the cells beside their rows, so they are sent from where they lie. */
void scalar_field_exchange(const struct scalar_field *field, double *phi)
{
  struct ranks *ranks = field->split.ranks;
  struct error ignored = {0}; /* ranks->broken stays */
  if (ranks == NULL) {
    return;
  }
  const size_t parts = field->split.parts, each = field->slice * field->stride, all = field->rows * field->stride;
  const size_t above = (ranks->rank + 1) % parts, below = (ranks->rank + parts - 1) % parts;
  double *first = phi - 1, *last = phi - 1 + all - each, *after = phi - 1 + all, *before = after + each;
  const struct ranks_message up[] = {{above, last, each * sizeof *phi}, {below, before, each * sizeof *phi}};
  const struct ranks_message down[] = {{below, first, each * sizeof *phi}, {above, after, each * sizeof *phi}};
  if (ranks_exchange(ranks, &up[0], &up[1], &ignored) == 0) {
    ranks_exchange(ranks, &down[0], &down[1], &ignored);
  }
}

void scalar_field_set(struct scalar_field *field, const double *values)
{
  values += field->begin * field->length;
  for (size_t row = 0; row < field->rows; row++) {
    memcpy(field->phi + row * field->stride, values + row * field->length, field->length * sizeof *values);
  }
  fill_halo(field, field->phi);
  scalar_field_exchange(field, field->phi);
  field->current_action = scalar_field_action(field, field->phi);
}

void scalar_field_rows(const struct scalar_field *field, scalar_rows_task *task, const void *context)
{
  size_t threads = field->threads < field->rows ? field->threads : field->rows;
  if (threads <= 1) {
    task(context, 0, field->rows);
    return;
  }
#pragma omp parallel for num_threads((int)threads) schedule(static, 1)
  for (size_t t = 0; t < threads; t++) {
    task(context, field->rows * t / threads, field->rows * (t + 1) / threads);
  }
}

struct row_copy {
  const struct scalar_field *field;
  double *values;
};

static void copy_rows(const void *context, size_t first, size_t last)
{
  const struct row_copy *copy = context;
  const struct scalar_field *field = copy->field;
  for (size_t row = first; row < last; row++) {
    memcpy(copy->values + row * field->length, field->phi + row * field->stride, field->length * sizeof *field->phi);
  }
}

void scalar_field_get(const struct scalar_field *field, double *values)
{
  scalar_field_rows(field, copy_rows, &(struct row_copy){field, values});
}

struct row_sweep {
  scalar_sweep_rows *rows;
  const struct scalar_sweep *sweep;
};

static void sweep_rows(const void *context, size_t first, size_t last)
{
  const struct row_sweep *task = context;
  task->rows(task->sweep, first, last);
}

static void run_rows(const struct scalar_field *field, scalar_sweep_rows *rows, const struct scalar_sweep *sweep)
{
  scalar_field_rows(field, sweep_rows, &(struct row_sweep){rows, sweep});
}

/* An overflow stays infinite or NaN. */
double scalar_field_sum(const struct scalar_field *field, const double *rows)
{
  struct exact_sum sum = {0};
  for (size_t row = 0; row < field->rows; row++) {
    exact_sum_add(&sum, rows[row]);
  }
  gauge_split_total(&field->split, &sum, 1);
  return exact_sum_value(&sum);
}

double scalar_field_action(struct scalar_field *field, const double *phi)
{
  run_rows(field, field->energy, &(struct scalar_sweep){.field = field, .from = phi});
  return scalar_field_sum(field, field->row_sum);
}

double scalar_field_kinetic(struct scalar_field *field, const double *momentum)
{
  run_rows(field, field->kinetic, &(struct scalar_sweep){.field = field, .from = momentum});
  return scalar_field_sum(field, field->row_sum);
}

void scalar_field_step(struct scalar_field *field, const double *from, double *to, double kick, double drift)
{
  run_rows(field, field->step,
           &(struct scalar_sweep){.field = field, .from = from, .to = to, .kick = kick, .drift = drift});
  scalar_field_exchange(field, to);
}

static void drift_rows(const void *context, size_t first, size_t last)
{
  const struct scalar_sweep *sweep = context;
  const struct scalar_field *field = sweep->field;
  for (size_t row = first; row < last; row++) {
    const double *x = sweep->from + row * field->stride, *p = field->momentum + row * field->stride;
    double *out = sweep->to + row * field->stride;
#pragma omp simd
    for (size_t i = 0; i < field->length; i++) {
      out[i] = x[i] + sweep->drift * p[i];
    }
    out[-1] = out[field->length - 1];
    out[field->length] = out[0];
  }
}

void scalar_field_drift(struct scalar_field *field, const double *from, double *to, double drift)
{
  scalar_field_rows(field, drift_rows, &(struct scalar_sweep){.field = field, .from = from, .to = to, .drift = drift});
  scalar_field_exchange(field, to);
}
