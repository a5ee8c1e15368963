/* Parts of a graph that another server computes, because it has their collection.
 *
 * Such a part begins with load_collection and goes on along the one node that takes each result, as long as that server
 * has the process and the step needs nothing else. It ends behind the last step that makes less of what it takes: what
 * comes here is then never more than what would have come without it, and often much less. */
#ifndef TWINCUBE_PROCESSES_GRAPH_ELSEWHERE_H
#define TWINCUBE_PROCESSES_GRAPH_ELSEWHERE_H

#include "processes/graph/graph.h"
#include "processes/local_files.h"

struct graph_shares { /* all zero: all is computed here */
  const char *graph;  /* JSON of what is computed here; NULL: the graph as it is */
  size_t length;
  const struct elsewhere_part *parts; /* load_collection nodes of that graph that stand for parts */
  size_t count;
};

/* Asks `options->local` who has the collections that are not in the catalogue. What is no graph is left to graph_parse,
 * and so is a process with parameters. Errors: those of who is asked; out of memory. */
int graph_share(struct arena *arena, const char *json, size_t length, const struct graph_options *options,
                struct graph_shares *out, struct error *error);

#endif
