/* Arguments of processes that simulate gauge fields; see chain_arguments.h for errors. */
#ifndef TWINCUBE_PROCESSES_LATTICE_GAUGE_ARGUMENTS_H
#define TWINCUBE_PROCESSES_LATTICE_GAUGE_ARGUMENTS_H

#include "processes/lattice/chain_arguments.h"
#include "processes/lattice/gauge_model.h"

/* shape, group, action, anisotropy, boundary; update, overrelaxation, integrator, steps, step_size, which must suit the
 * action; start, charge, radius; precision. */
int gauge_read_model(struct call *call, struct gauge_model *model);

/* action: the coefficient of the rectangles. */
int gauge_read_c1(struct call *call, double *c1);

/* What a chain of the model is called: "SU(3), 8 x 8, beta 6, seed 1". NULL when out of memory. */
const char *gauge_model_title(struct call *call, const struct gauge_model *model, const char *beta);

/* ProcessParameterInvalid: the parameter "must be" what is said. */
int gauge_invalid_argument(struct call *call, const char *name, const char *what);

#endif
