/* JSON at the edge: text, with the encoding of the official test cases on request, and the step from jansson to values.
 */
#ifndef TWINCUBE_PROCESSES_GRAPH_JSON_H
#define TWINCUBE_PROCESSES_GRAPH_JSON_H

#include "processes/value.h"

#include <jansson.h>

/* Parses within the limits of graph.h (bytes, depth). `official`: the bare tokens NaN, Infinity and -Infinity are
 * numbers. The caller owns the result. Errors ProcessGraphInvalid (with line and column) and ProcessGraphComplexity. */
int json_read(const char *text, size_t length, bool official, json_t **out, struct error *error);
/* At most so many bytes does the tree of a JSON text take, and what is needed to make it. */
size_t json_tree_bytes(const char *text, size_t length);
/* Host value of a JSON value. `official`: the encoding of the official test cases, that is, the tokens of json_read,
 * {"type": "nodata"} for null, and {"type": "labeled-array", "data": [{key, value}]} for an array with labels. Error
 * ProcessGraphComplexity for arrays past the limit. */
int json_to_value(struct arena *arena, const json_t *json, bool official, struct value *out, struct error *error);
/* JSON text of a value, read into a host value. */
int value_read(struct arena *arena, const char *text, bool official, struct value *out, struct error *error);

/* For readers of their own containers: the limit of an array's length, and an object in the encoding (as above). */
int json_check_length(size_t count, struct error *error);
int json_object_value(struct arena *arena, const char *const *keys, const struct value *items, size_t count,
                      bool official, struct value *out);

#endif
