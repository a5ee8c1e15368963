/* Parts of a graph that another server computes, because it has their collections.
 *
 * Such a part is a node with all that it needs: load_collection of collections of one server, and steps that this
 * server has and whose cubes a file brings back as they were (far_steps.h). Of all ways to cut the graph that one is
 * taken by which the fewest bytes come here, as the documents of the collections let them be estimated. */
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

/* Tells what other servers are to compute; how the rest is computed depends on what comes back. */
void graph_shares_explain(const struct graph_shares *shares, bool as_json, struct buffer *out);

#endif
