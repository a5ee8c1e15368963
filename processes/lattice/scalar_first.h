/* The scalar fields that chains go on from, parameter `first`: the last ones of a cube (chain_first.h). */
#ifndef TWINCUBE_PROCESSES_LATTICE_SCALAR_FIRST_H
#define TWINCUBE_PROCESSES_LATTICE_SCALAR_FIRST_H

#include "processes/lattice/scalar_chain.h"
#include "processes/process.h"

/* Where it is given: of every dimension but `chain` and the axes the last label, `chains` of them. Fills first and
 * first_text, in the arena. The lattice must be the action's, the values finite. Error ProcessParameterInvalid. */
int scalar_first_read(struct call *call, struct chain_parameters *parameters, size_t chains);

#endif
