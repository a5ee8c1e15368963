/* Process graphs: parse, check, bind, lower.
 *
 *   bytes -graph_parse-> graph -graph_bind-> bound graph -graph_lower-> outcome (cubes to run, a host value)
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
  GRAPH_MAX_ARRAY = 1000000,          /* elements of an array argument */
  GRAPH_MAX_OUTPUTS = 256             /* cubes that a graph may save */
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

struct outcome_output { /* a cube to be written: one that save_result marked, or the result node's own */
  const struct node *node;
  const char *name;   /* id of the graph's node, for names of files and for errors; need not be unique */
  const char *format; /* of save_result: one that sink_format_find knows; NULL: not saved, the caller chooses */
  const struct sink_option *options; /* of save_result */
  size_t option_count;
  bool is_result;     /* the result node's: what a synchronous request answers */
};

struct outcome { /* all that a graph gives */
  bool is_value;       /* the result node is a host value: `value`; else it is the output with is_result */
  struct value value;
  const char *name;    /* id of the result node */
  const struct outcome_output *outputs; /* in the order of lowering */
  size_t output_count;
};

/* The result node's cube; NULL where the result is a value. */
const struct outcome_output *outcome_result(const struct outcome *outcome);

/* Errors: those of the processes; ProcessGraphComplexity where more than GRAPH_MAX_OUTPUTS cubes are saved. */
int graph_lower(struct arena *arena, const struct bound *bound, const struct catalogue *catalogue, struct outcome *out,
                struct error *error);

/* parse, bind and lower; each error found is reported (several unknown processes or arguments give one each). */
void graph_validate(const char *json, size_t length, const struct catalogue *catalogue,
                    void (*report)(void *data, const struct error *error), void *data);

#endif
