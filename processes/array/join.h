/* Arrays one behind the other. */
#ifndef TWINCUBE_PROCESSES_ARRAY_JOIN_H
#define TWINCUBE_PROCESSES_ARRAY_JOIN_H

#include "processes/array/elements.h"

/* The parts, arrays all of them, as one. With `labelled`, those that have elements have labels, and the result has
 * them, too. Lanes stay lanes; arrays that were filtered pixel by pixel may be among them. Error
 * ProcessParameterInvalid where the array becomes too long. */
int array_join(struct call *call, const struct value *parts, size_t count, bool labelled, struct value *out);
/* Error ArrayLabelConflict naming the parameter where both arrays have a label. Both are labelled. */
int labels_conflict(struct call *call, const struct value *first, const struct value *second, const char *name);

#endif
