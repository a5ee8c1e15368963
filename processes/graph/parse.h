/* Parsing what was read as JSON already. */
#ifndef TWINCUBE_PROCESSES_GRAPH_PARSE_H
#define TWINCUBE_PROCESSES_GRAPH_PARSE_H

#include "processes/graph/graph.h"

#include <jansson.h>

/* A process {"id", "parameters", "process_graph", …}, or a bare graph; nothing of the tree is kept. Errors as
 * graph_parse. */
int graph_parse_process(struct arena *arena, const json_t *process, bool official, const struct graph **out,
                        struct error *error);

#endif
