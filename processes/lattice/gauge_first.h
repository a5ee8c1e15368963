/* The configurations that a chain goes on from: the last of a gauge cube, computed when the graph is read. */
#ifndef TWINCUBE_PROCESSES_LATTICE_GAUGE_FIRST_H
#define TWINCUBE_PROCESSES_LATTICE_GAUGE_FIRST_H

#include "processes/lattice/gauge_cube.h"
#include "processes/lattice/gauge_model.h"

/* Parameter `first`, where it is given: of every dimension but `chain` (or `beta`) the last label, `chains` of them.
 * Fills model->first and first_text, in the arena, and sets *chains where it was 0. The lattice, the colours and the
 * links that are zero must be the model's. Error ProcessParameterInvalid. */
int gauge_first_read(struct call *call, const char *apart, struct gauge_model *model, size_t *chains);

/* chains, first and first_trajectory: whether there is a dimension of chains, how many, and where they begin. */
int gauge_read_chains(struct call *call, struct gauge_model *model, struct markov_chain *chain);

#endif
