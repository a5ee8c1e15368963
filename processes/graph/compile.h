/* Compiling signatures: from the JSON of a spec's parameters to tables. Used when the program is built, and for the
 * processes that users define; no spec is read while a graph is bound. */
#ifndef TWINCUBE_PROCESSES_GRAPH_COMPILE_H
#define TWINCUBE_PROCESSES_GRAPH_COMPILE_H

#include "processes/graph/signature.h"

#include <jansson.h>

/* Whether an argument, or a default, is a process graph. */
bool compile_is_graph(const json_t *value);

/* `parameters`: the array of a spec, or NULL for none. Everything is copied into the arena, but for defaults that are
 * process graphs, which are the parser's. Errors:
 * ProcessGraphInvalid (a parameter without a name, two of one name), ProcessGraphComplexity. */
int signature_compile(struct arena *arena, const json_t *parameters, struct signature *out, struct error *error);

#endif
