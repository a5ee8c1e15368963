/* Operations on complex numbers, for program.c: what its builders do where an operand is a pair of lanes.
 *
 * Everything is written in builders of real lanes. A number is NA in both parts or in none: inputs are made so, and
 * every operation keeps it, so that reducers may take the parts one by one. An operation without a meaning here fails
 * the program as unsupported. */
#ifndef TWINCUBE_HPC_KERNEL_PROGRAM_COMPLEX_H
#define TWINCUBE_HPC_KERNEL_PROGRAM_COMPLEX_H

#include "hpc/kernel/program.h"

/* An operation on `count` operands, at least one of them complex. */
struct lanes complex_element(struct program *p, enum kernel_op op, const struct lanes *operand, int count);
/* A reducer or series over a complex array. */
struct lanes complex_reduce(struct program *p, enum kernel_reducer reducer, struct lanes array,
                            const double *parameters, size_t count);
struct lanes complex_series(struct program *p, enum kernel_series series, struct lanes array, const double *parameters,
                            size_t count);
struct lanes complex_pick(struct program *p, struct lanes array, const size_t *indexes, size_t count, bool is_array);
/* Parts of which at least one is complex. */
struct lanes complex_concat(struct program *p, const struct lanes *parts, size_t count);

#endif
