/* Lengths of the flow's steps. See gauge_flow_steps.h. */
#include "physics/lattice/gauge_flow_steps.h"

#include <math.h>

static int take_step(const struct flow_steps *steps, double step, struct error *error)
{
  static const struct flow_stage stages[] = {{1.0 / 4, 0, 1.0 / 4}, {8.0 / 9, -17.0 / 9, 9.0 / 4}, {3.0 / 4, -1, 0}};
  for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
    const struct flow_stage stage = {step * stages[i].of_z, stages[i].of_k, stages[i].add_k};
    if (steps->stage(steps->context, &stage, error) != 0) {
      return -1;
    }
  }
  return 0;
}

static bool is_cancelled(const struct flow_steps *steps)
{
  return steps->cancel != NULL && *steps->cancel;
}

/* A step of the flow's own length or less, again with a shorter one where it was too long. Its length goes to *taken: 0
 * where it was cancelled, or no step is short enough. */
static int take_adapted(const struct flow_steps *steps, struct gauge_flow *flow, double most, double *taken,
                        struct error *error)
{
  *taken = 0;
  if (steps->keep(steps->context, error) != 0) {
    return -1;
  }
  while (*taken == 0 && flow->step >= FLOW_MIN_STEP && !is_cancelled(steps)) {
    double step = flow->step < most ? flow->step : most, distance;
    if (steps->again(steps->context, error) != 0 || take_step(steps, step, error) != 0 ||
        steps->distance(steps->context, &distance, error) != 0) {
      return -1;
    }
    double factor = distance == 0 ? 2 : 0.95 * cbrt(flow->tolerance / distance);
    double next = step * (factor > 2 ? 2 : factor);
    bool good = distance <= flow->tolerance;
    bool cut = step < flow->step && !(factor < 2 && next < flow->step); /* it says nothing of longer ones */
    if (!good || !cut) {
      flow->step = next > FLOW_MAX_STEP ? FLOW_MAX_STEP : next; /* NaN is no step */
    }
    *taken = good ? step : 0;
  }
  return 0;
}

int flow_steps_on(const struct flow_steps *steps, struct gauge_flow *flow, double time, bool *done, struct error *error)
{
  *done = false;
  for (double rest = time; rest > 1e-12 * time && rest > 0;) {
    double step;
    if (is_cancelled(steps)) {
      return 0;
    }
    if (flow->tolerance > 0) {
      if (take_adapted(steps, flow, rest, &step, error) != 0) {
        return -1;
      }
      if (step == 0) {
        return 0;
      }
    } else { /* equal steps of at most the flow's own */
      step = rest / ceil(rest / flow->step * (1 - 1e-12));
      if (take_step(steps, step, error) != 0) {
        return -1;
      }
    }
    rest -= step;
  }
  *done = true;
  return 0;
}
