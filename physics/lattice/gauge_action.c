/* Means of loops, weighed. See gauge_action.h. */
#include "physics/lattice/gauge_action.h"

#include "physics/lattice/gauge_lanes.h"
#include "physics/lattice/gauge_observables.h"

double gauge_action_weight(const struct gauge_action *action, size_t mu, size_t nu)
{
  return action->beta * (mu == 0 || nu == 0 ? action->anisotropy : 1.0 / action->anisotropy);
}

void gauge_action_kick(const struct gauge_field *field, const struct gauge_action *action, unsigned threads,
                       double time, void *momentum)
{
  struct kick_task task = {.field = field, .action = action, .momentum = momentum, .time = time};
  lattice_run(threads, 0, field->lattice->blocks, GAUGE_TASK(field, gauge_kick), &task);
}

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
