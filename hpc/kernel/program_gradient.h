/* Derivatives of a program's value, as more steps of the same program.
 *
 * Forward mode: beside each step that depends on the array, its derivative along one element of the array is emitted,
 * by the rule of the step's operation. Exact but for rounding; the engine's fused kernels compute value and derivatives
 * alike. Where an operation has a kink (ABS, MIN, MAX, SELECT), the derivative is that of the side that was taken;
 * steps (FLOOR, comparisons) have derivative 0. */
#ifndef TWINCUBE_HPC_KERNEL_PROGRAM_GRADIENT_H
#define TWINCUBE_HPC_KERNEL_PROGRAM_GRADIENT_H

#include "hpc/kernel/program.h"

/* out[k]: the derivative of `result`, of its shape, with respect to element k of `array`, an input or constant of the
 * same program; k in 0 … array.length. Error FeatureUnsupported where an operation on the way has no rule (order
 * statistics, fits, complex results), ProcessGraphComplexity where steps times elements are too many. */
int program_gradient(struct program *p, struct lanes array, struct lanes result, struct lanes *out,
                     struct error *error);

#endif
