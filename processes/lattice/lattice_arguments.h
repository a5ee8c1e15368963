/* Arguments that the processes of lattice fields have in common: read, checked, refused with what was expected. */
#ifndef TWINCUBE_PROCESSES_LATTICE_LATTICE_ARGUMENTS_H
#define TWINCUBE_PROCESSES_LATTICE_LATTICE_ARGUMENTS_H

#include "processes/process.h"

/* A number from minimum to maximum. */
int lattice_number(struct call *call, const char *name, double minimum, double maximum, double *out);
/* A whole number from minimum to maximum. */
int lattice_count(struct call *call, const char *name, int64_t minimum, int64_t maximum, size_t *out);
/* One of `choices`, NULL behind the last: its index. */
int lattice_choice(struct call *call, const char *name, const char *const *choices, size_t *out);

#endif
