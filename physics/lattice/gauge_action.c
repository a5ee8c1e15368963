/* Traces and paths of plaquettes and rectangles, block by block. See gauge_action.h. */
#include "physics/lattice/gauge_action.h"

#include "physics/lattice/gauge_staple.h"
#include "physics/simd.h"

struct action_task {
  const struct gauge_field *field;
  const struct gauge_action *action;
  double *to;  /* traces: a number a block; kicks: the momenta */
  double time; /* of kicks */
};

double gauge_action_weight(const struct gauge_action *action, size_t mu, size_t nu)
{
  return action->beta * (mu == 0 || nu == 0 ? action->anisotropy : 1.0 / action->anisotropy);
}

/* ---- loops ------------------------------------------------------------------------------------------------------- */

SU_INLINE void trace_blocks(const struct action_task *task, size_t first, size_t last, size_t n)
{
  const struct gauge_field *field = task->field;
  const double c1 = task->action->c1, c0 = 1.0 - 8.0 * c1;
  for (size_t block = first; block < last; block++) {
    double sum = 0;
    for (size_t mu = 0; mu < field->lattice->dimensions; mu++) {
      for (size_t nu = mu + 1; nu < field->lattice->dimensions; nu++) {
        SU_LANES(trace);
        SU_LANES(wide);
        double weight = gauge_action_weight(task->action, mu, nu);
        gauge_plaquette_trace(n, trace, field, block, mu, nu);
        sum += weight * c0 * su_sum_lanes(field->lattice, trace);
        if (c1 != 0) {
          gauge_rectangle_trace(n, trace, field, block, mu, nu);
          gauge_rectangle_trace(n, wide, field, block, nu, mu);
          sum += weight * c1 * (su_sum_lanes(field->lattice, trace) + su_sum_lanes(field->lattice, wide));
        }
      }
    }
    task->to[block] = sum;
  }
}

/* out = sum of beta w (c0 staples + c1 rectangle staples), the paths from x to x + mu. */
SU_INLINE void sum_paths(size_t n, double *restrict out, const struct action_task *task, size_t block, size_t mu)
{
  const struct gauge_field *field = task->field;
  const double c1 = task->action->c1, c0 = 1.0 - 8.0 * c1;
  double weight[LATTICE_MAX_DIMENSIONS];
  for (size_t nu = 0; nu < field->lattice->dimensions; nu++) {
    weight[nu] = c0 * gauge_action_weight(task->action, mu, nu);
  }
  gauge_staple_sum(n, out, field, block, mu, weight);
  for (size_t nu = 0; c1 != 0 && nu < field->lattice->dimensions; nu++) {
    if (nu != mu) {
      gauge_rectangle_sum(n, out, field, block, mu, nu, c1 * gauge_action_weight(task->action, mu, nu));
    }
  }
}

/* S depends on a link U by -Re Tr U W^dagger / N, W its paths, however often it occurs. */
SU_INLINE void kick_blocks(const struct action_task *task, size_t first, size_t last, size_t n)
{
  const struct gauge_field *field = task->field;
  const double factor = n == 1 ? -task->time : -task->time / (2.0 * (double)n);
  for (size_t i = first * field->lattice->dimensions; i < last * field->lattice->dimensions; i++) {
    SU_MATRIX(paths);
    SU_MATRIX(force);
    sum_paths(n, paths, task, i / field->lattice->dimensions, i % field->lattice->dimensions);
    gauge_multiply_adjoint(n, field, force, field->links + i * su_size(n), paths);
    su_to_algebra(n, force);
    su_add(n, task->to + i * su_size(n), factor, force);
  }
}

/* Angles of the plaquettes, lane by lane. */
SU_INLINE void charge_blocks(const struct action_task *task, size_t first, size_t last, size_t n)
{
  for (size_t block = first; block < last; block++) {
    SU_MATRIX(staple);
    SU_MATRIX(plaquette);
    gauge_staple_upper(n, staple, task->field, block, 0, 1);
    su_multiply_adjoint(n, plaquette, su_link_here(n, task->field, block, 0), staple);
    double sum = 0;
    for (size_t l = 0; l < task->field->lattice->lanes; l++) {
      sum += atan2(plaquette[LATTICE_LANES + l], plaquette[l]);
    }
    task->to[block] = sum;
  }
}

SIMD_BODY traces_body(const struct action_task *task, size_t first, size_t last)
{
  SU_SWITCH(task->field->colours, trace_blocks, task, first, last);
}

SIMD_BODY kicks_body(const struct action_task *task, size_t first, size_t last)
{
  SU_SWITCH(task->field->colours, kick_blocks, task, first, last);
}

SIMD_LEVELS(traces, (const struct action_task *task, size_t first, size_t last), (task, first, last))
SIMD_LEVELS(kicks, (const struct action_task *task, size_t first, size_t last), (task, first, last))

static void run_traces(void *context, size_t first, size_t last)
{
  SIMD_PICK(traces)(context, first, last);
}

static void run_kicks(void *context, size_t first, size_t last)
{
  SIMD_PICK(kicks)(context, first, last);
}

static void run_charges(void *context, size_t first, size_t last)
{
  charge_blocks(context, first, last, 1);
}

/* ---- sums -------------------------------------------------------------------------------------------------------- */

/* Links along an axis, at each place of the others, of which a loop of that length can begin. */
static double places(const struct lattice *lattice, const struct gauge_action *action, size_t k, size_t length)
{
  double extent = (double)lattice->extent[k], lost = action->open[k] ? (double)length : 0;
  return extent > lost ? extent - lost : 0;
}

/* Loops of a mu times b nu on the lattice. */
static double loops(const struct lattice *lattice, const struct gauge_action *action, size_t mu, size_t nu, size_t a,
                    size_t b)
{
  double others = (double)lattice->sites / (double)lattice->extent[mu] / (double)lattice->extent[nu];
  return others * places(lattice, action, mu, a) * places(lattice, action, nu, b);
}

/* S where all traces are zero. */
static double constant_part(const struct lattice *lattice, const struct gauge_action *action)
{
  double sum = 0;
  for (size_t mu = 0; mu < lattice->dimensions; mu++) {
    for (size_t nu = mu + 1; nu < lattice->dimensions; nu++) {
      double rectangles = loops(lattice, action, mu, nu, 2, 1) + loops(lattice, action, mu, nu, 1, 2);
      sum += gauge_action_weight(action, mu, nu) *
             ((1.0 - 8.0 * action->c1) * loops(lattice, action, mu, nu, 1, 1) + action->c1 * rectangles);
    }
  }
  return sum;
}

static double sum_traces(const struct gauge_field *field, const struct gauge_action *action, unsigned threads,
                         double *values)
{
  struct action_task task = {.field = field, .action = action, .to = values};
  lattice_run(threads, 0, field->lattice->blocks, run_traces, &task);
  return lattice_sum(values, field->lattice->blocks) / (double)field->colours;
}

double gauge_action_value(const struct gauge_field *field, const struct gauge_action *action, unsigned threads,
                          double *values)
{
  return constant_part(field->lattice, action) - sum_traces(field, action, threads, values);
}

double gauge_action_plaquette(const struct gauge_field *field, const struct gauge_action *action, unsigned threads,
                              double *values)
{
  struct gauge_action plain = {.beta = 1, .anisotropy = 1};
  memcpy(plain.open, action->open, sizeof plain.open);
  return sum_traces(field, &plain, threads, values) / constant_part(field->lattice, &plain);
}

double gauge_action_charge(const struct gauge_field *field, unsigned threads, double *values)
{
  struct action_task task = {.field = field, .to = values};
  lattice_run(threads, 0, field->lattice->blocks, run_charges, &task);
  return lattice_sum(values, field->lattice->blocks) * 0.15915494309189535; /* 1 / 2 pi */
}

void gauge_action_kick(const struct gauge_field *field, const struct gauge_action *action, unsigned threads,
                       double time, double *momentum)
{
  struct action_task task = {.field = field, .action = action, .to = momentum, .time = time};
  lattice_run(threads, 0, field->lattice->blocks, run_kicks, &task);
}
