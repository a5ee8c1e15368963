/* Binding with every error reported, for validation. */
#ifndef TWINCUBE_PROCESSES_GRAPH_BIND_H
#define TWINCUBE_PROCESSES_GRAPH_BIND_H

#include "processes/graph/bound.h"

typedef void (*bind_report)(void *data, const struct error *error);

/* As graph_bind; with a report, errors of nodes are reported and the walk goes on; -1 where there was any. Parameters
 * that a posted process declares may then lack a value (bound->open). */
int graph_bind_report(struct arena *arena, const struct graph *graph, const struct graph_options *options,
                      const struct bound **out, bind_report report, void *data, struct error *error);

/* Order in which each node comes after those it refers to. Error ProcessGraphInvalid naming a node on a cycle. */
int graph_order(struct arena *arena, const struct graph *graph, const size_t **out, struct error *error);

#endif
