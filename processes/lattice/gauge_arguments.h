/* Arguments of processes that simulate gauge fields; see chain_arguments.h for errors. */
#ifndef TWINCUBE_PROCESSES_LATTICE_GAUGE_ARGUMENTS_H
#define TWINCUBE_PROCESSES_LATTICE_GAUGE_ARGUMENTS_H

#include "processes/lattice/chain_arguments.h"
#include "processes/lattice/gauge_model.h"

/* shape, group, action, anisotropy, boundary. */
int gauge_read_action(struct call *call, struct gauge_chain_parameters *chain);
/* update, overrelaxation, integrator, steps, step_size; after the action, which they must suit. */
int gauge_read_update(struct call *call, struct gauge_chain_parameters *chain);
/* start, charge, radius. */
int gauge_read_start(struct call *call, struct gauge_chain_parameters *chain);

#endif
