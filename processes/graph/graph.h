/* Process graphs: parse, check, bind, lower.
 *
 *   bytes -graph_parse-> graph -graph_bind-> bound graph -graph_lower-> outcome (a host value, or a cube to run)
 *
 * Each step takes const and returns something new. JSON is read here and nowhere below. */
#ifndef TWINCUBE_PROCESSES_GRAPH_GRAPH_H
#define TWINCUBE_PROCESSES_GRAPH_GRAPH_H

#include "datacube/sink.h"
#include "processes/process.h"

struct graph;
struct bound;

/* Limits, tested at the limit and one past it. */
enum {
  GRAPH_MAX_BYTES = 16 * 1024 * 1024, /* text of a graph */
  GRAPH_MAX_DEPTH = 200,              /* nesting of the JSON */
  GRAPH_MAX_NODES = 10000,            /* nodes, callbacks included */
  GRAPH_MAX_ARRAY = 1000000           /* elements of an array argument */
};

/* Accepts a bare process graph {"n1": {…}}, a process {"process_graph": …}, or a request {"process": …}. Beyond JSON
 * the bare tokens NaN, Infinity and -Infinity are numbers. Errors: InvalidJSON-like codes ("ProcessGraphInvalid",
 * "ProcessGraphMissing", "ProcessGraphComplexity"). */
int graph_parse(struct arena *arena, const char *json, size_t length, const struct graph **out, struct error *error);

struct graph_parameter { /* value for {"from_parameter": name} at the top level */
  const char *name;
  const char *json;
};

/* Resolves references and processes, checks arguments against the specs, orders the nodes. Errors: ProcessUnsupported,
 * ProcessParameterRequired, ProcessParameterUnsupported, ProcessParameterInvalid, ProcessParameterMissing,
 * ProcessGraphInvalid (cycles, no or several results). */
int graph_bind(struct arena *arena, const struct graph *graph, const struct graph_parameter *parameters, size_t count,
               const struct bound **out, struct error *error);

struct outcome {
  bool is_cube;
  struct value value;       /* host value, unless is_cube */
  const struct node *cube;  /* what to run */
  const char *format;       /* save_result's format, or NULL where the graph does not save */
  const struct sink_option *options;
  size_t option_count;
};

int graph_lower(struct arena *arena, const struct bound *bound, const struct catalogue *catalogue, struct outcome *out,
                struct error *error);

/* parse, bind and lower; each error found is reported (several unknown processes or arguments give one each). */
void graph_validate(const char *json, size_t length, const struct catalogue *catalogue,
                    void (*report)(void *data, const struct error *error), void *data);

#endif
