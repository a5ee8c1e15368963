/* The rows of the schemes, and the walk along them. See md_scheme.h. */
#include "physics/lattice/md_scheme.h"

#define LAMBDA 0.1931833275037836
#define VARTHETA 0.08398315262876693
#define RHO 0.2539785108410595
#define LAMBDA_4 0.6822365335719091
#define THETA (-0.03230286765269967)

static const struct md_scheme {
  size_t drifts; /* one kick more */
  double kick[MD_MAX_DRIFTS + 1], drift[MD_MAX_DRIFTS];
} schemes[] = {
    [MD_LEAPFROG] = {1, {0.5, 0.5}, {1.0}},
    [MD_OMELYAN2] = {2, {LAMBDA, 1.0 - 2.0 * LAMBDA, LAMBDA}, {0.5, 0.5}},
    [MD_OMELYAN4] = {5,
                     {VARTHETA, LAMBDA_4, 0.5 - LAMBDA_4 - VARTHETA, 0.5 - LAMBDA_4 - VARTHETA, LAMBDA_4, VARTHETA},
                     {RHO, THETA, 1.0 - 2.0 * (THETA + RHO), THETA, RHO}},
};

void md_follow(const struct md_system *system, enum md_order order, size_t steps, double step_size)
{
  const struct md_scheme *scheme = &schemes[order];
  double waiting = 0; /* the last step's last kick */
  for (size_t step = 0; step < steps; step++) {
    for (size_t k = 0; k < scheme->drifts; k++) {
      if (system->cancel != NULL && *system->cancel != 0) {
        return;
      }
      system->kick(system->context, (waiting + scheme->kick[k]) * step_size);
      system->drift(system->context, scheme->drift[k] * step_size);
      waiting = 0;
    }
    waiting = scheme->kick[scheme->drifts];
  }
  system->kick(system->context, waiting * step_size);
}
