/* Arrays of which each position has elements of its own left: array_filter with a condition that depends on the pixel.
 *
 * The array keeps its full length beside booleans that say what is left (value.h). What needs no fixed length works on
 * that: here the others become missing and are skipped over. */
#ifndef TWINCUBE_PROCESSES_ARRAY_KEPT_H
#define TWINCUBE_PROCESSES_ARRAY_KEPT_H

#include "processes/process.h"

/* The argument as an array of numbers, of which *kept says what is left (NULL: everything). Errors as
 * call_lanes_array. */
int call_kept_array(struct call *call, const char *name, struct lanes *out, const struct lanes **kept);
/* Error FeatureUnsupported: the process needs an array of one length. */
int kept_unsupported(struct call *call, const char *name);

/* What is not left becomes missing. */
struct lanes kept_mask(struct program *p, struct lanes data, struct lanes kept);
/* program_reduce over what is left; parameter 0 is `ignore`. */
struct lanes kept_reduce(struct program *p, enum kernel_reducer reducer, struct lanes data, const struct lanes *kept,
                         const double *parameters, size_t count);
/* For each element its index among those left. */
struct lanes kept_indexes(struct program *p, struct lanes kept);
/* Element i of those left; missing where there are not as many. */
struct lanes kept_element(struct program *p, struct lanes data, struct lanes kept, size_t i);
/* 0, 1, 2, …, as many as asked. */
struct lanes all_indexes(struct program *p, size_t count);

#endif
