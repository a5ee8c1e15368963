/* Conditions on properties (load_collection, load_stac) as CQL2, for those who choose among items before we see them.
 */
#ifndef TWINCUBE_PROCESSES_LOAD_PROPERTY_FILTER_H
#define TWINCUBE_PROCESSES_LOAD_PROPERTY_FILTER_H

#include "processes/process.h"
#include "stac/cql2/cql2.h"

/* A filter that holds for whatever the conditions (name -> callback) accept: those of them that CQL2 can say, which are
 * comparisons of numbers, equal texts, between, text_begins, array_contains of what the graph lists, joined by `and`
 * and `or`. In `out`, NULL: none can be said. */
int property_filter(struct call *call, const struct value *conditions, const struct cql2_filter **out);

#endif
