/* A callback for every element of an array: what "for each" processes share. */
#ifndef TWINCUBE_PROCESSES_ARRAY_EACH_H
#define TWINCUBE_PROCESSES_ARRAY_EACH_H

#include "processes/process.h"

/* *out: what the callback gives for each element of the argument "data", as an array of the same length with the same
 * labels; `kept` of data is not looked at but for the elements' indexes. The callback has x, index, label and
 * context. */
int each_element(struct call *call, const struct value *data, const struct callback *callback, struct value *out);

#endif
