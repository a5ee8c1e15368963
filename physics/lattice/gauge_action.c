/* Means of loops, weighed; paths of plaquettes and rectangles, block by block. See gauge_action.h. */
#include "physics/lattice/gauge_action.h"

#include "physics/lattice/gauge_observables.h"
#include "physics/lattice/gauge_staple.h"
#include "physics/simd.h"

struct kick_task {
  const struct gauge_field *field;
  const struct gauge_action *action;
  double *momentum;
  double time;
};

double gauge_action_weight(const struct gauge_action *action, size_t mu, size_t nu)
{
  return action->beta * (mu == 0 || nu == 0 ? action->anisotropy : 1.0 / action->anisotropy);
}

/* ---- kicks --------------------------------------------------------------------------------------------------------
 */

/* out = sum of beta w (c0 staples + c1 rectangle staples), the paths from x to x + mu. */
SU_INLINE void sum_paths(size_t n, double *restrict out, const struct kick_task *task, size_t block, size_t mu)
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
SU_INLINE void kick_blocks(const struct kick_task *task, size_t first, size_t last, size_t n)
{
  const struct gauge_field *field = task->field;
  const double factor = n == 1 ? -task->time : -task->time / (2.0 * (double)n);
  for (size_t i = first * field->lattice->dimensions; i < last * field->lattice->dimensions; i++) {
    SU_MATRIX(paths);
    SU_MATRIX(force);
    sum_paths(n, paths, task, i / field->lattice->dimensions, i % field->lattice->dimensions);
    gauge_multiply_adjoint(n, field, force, field->links + i * su_size(n), paths);
    su_to_algebra(n, force);
    su_add(n, task->momentum + i * su_size(n), factor, force);
  }
}

SIMD_BODY kicks_body(const struct kick_task *task, size_t first, size_t last)
{
  SU_SWITCH(task->field->colours, kick_blocks, task, first, last);
}

SIMD_LEVELS(kicks, (const struct kick_task *task, size_t first, size_t last), (task, first, last))

static void run_kicks(void *context, size_t first, size_t last)
{
  SIMD_PICK(kicks)(context, first, last);
}

void gauge_action_kick(const struct gauge_field *field, const struct gauge_action *action, unsigned threads,
                       double time, double *momentum)
{
  struct kick_task task = {.field = field, .action = action, .momentum = momentum, .time = time};
  lattice_run(threads, 0, field->lattice->blocks, run_kicks, &task);
}

/* ---- value ------------------------------------------------------------------------------------------------------- */

/* Sum of w (1 - Re Tr / N) over the loops. */
static double weighed(const struct gauge_action *action, const struct gauge_loop_means *loops)
{
  double temporal = loops->temporal_count > 0 ? loops->temporal_count * (1.0 - loops->temporal) : 0;
  double spatial = loops->spatial_count > 0 ? loops->spatial_count * (1.0 - loops->spatial) : 0;
  return temporal * action->anisotropy + spatial / action->anisotropy;
}

double gauge_action_value(const struct gauge_field *field, const struct gauge_action *action, unsigned threads)
{
  struct gauge_loop_means loops;
  gauge_plaquette(field, threads, &loops);
  double sum = (1.0 - 8.0 * action->c1) * weighed(action, &loops);
  if (action->c1 != 0) {
    gauge_rectangle(field, threads, &loops);
    sum += action->c1 * weighed(action, &loops);
  }
  return action->beta * sum;
}
