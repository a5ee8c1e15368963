/* JSON at the edge: text with the extra tokens NaN, Infinity and -Infinity, and the step from jansson to values. */
#ifndef TWINCUBE_PROCESSES_GRAPH_JSON_H
#define TWINCUBE_PROCESSES_GRAPH_JSON_H

#include "processes/value.h"

#include <jansson.h>

/* Parses within the limits of graph.h (bytes, depth). The caller owns the result. Errors ProcessGraphInvalid (with
 * line and column) and ProcessGraphComplexity. */
int json_read(const char *text, size_t length, json_t **out, struct error *error);
/* Host value of a JSON value. {"type": "nodata"} is null, {"type": "labeled-array", "data": [{key, value}]} an array
 * with labels. Error ProcessGraphComplexity for arrays past the limit. */
int json_to_value(struct arena *arena, const json_t *json, struct value *out, struct error *error);
/* NaN and the infinities come out of json_read as strings of their own; true and the number for these. */
bool json_special_number(const json_t *json, double *out);

#endif
