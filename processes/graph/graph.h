/* Process graphs: parse, check, bind, lower.
 *
 *   bytes -graph_parse-> graph -graph_bind-> bound graph -graph_lower-> outcome (cubes to run, a host value)
 *
 * Each step takes const and returns something new. JSON is read here and nowhere below. */
#ifndef TWINCUBE_PROCESSES_GRAPH_GRAPH_H
#define TWINCUBE_PROCESSES_GRAPH_GRAPH_H

#include "datacube/sink.h"
#include "processes/graph/table.h"
#include "processes/process.h"

struct graph;
struct bound;

/* Limits, tested at the limit and one past it. */
enum {
  GRAPH_MAX_BYTES = 16 * 1024 * 1024, /* text of a graph */
  GRAPH_MAX_DEPTH = 200,              /* nesting of the JSON */
  GRAPH_MAX_NODES = 10000,            /* nodes, callbacks included */
  GRAPH_MAX_ARRAY = 1000000,          /* elements of an array argument */
  GRAPH_MAX_OUTPUTS = 256,            /* cubes that a graph may save */
  GRAPH_MAX_WEIGHT = 10000000,        /* of a value (value_weight): more than GRAPH_MAX_BYTES of JSON can hold */
  GRAPH_MAX_WORK = 50000000,          /* lowering: weights of all arguments, and for each call … */
  GRAPH_CALL_WORK = 40,               /* … so much; */
  GRAPH_CUBE_WORK = 4000,             /* … or so much, of a process that makes cubes; */
  GRAPH_INNER_WORK = 40000,           /* … or so much, of one that does so inside a callback */
  GRAPH_MAX_ERRORS = 100              /* that a validation reports */
};

struct graph_parameter { /* value for {"from_parameter": name} at the top level */
  const char *name;
  const char *json;
  bool is_offered; /* by who runs the process, who does not know whether it declares the parameter */
};

struct workspace_room;

/* What a request brings along. All zero: no parameters, the built-in processes, no collections, plain JSON. */
struct graph_options {
  struct devices *devices;                  /* that what is computed may use; or NULL */
  struct ranks *ranks;                      /* that simulations may use; or NULL */
  const struct graph_parameter *parameters; /* of the top level */
  size_t parameter_count;
  struct process_lookup lookup;            /* processes beyond the built-in ones */
  const struct catalogue *catalogue;       /* or NULL */
  const char *files;                       /* folder of the user's own files, absolute; or NULL */
  const struct workspace_room *workspaces; /* of the user (save/workspace.h); or NULL */
  const struct local_files *local;         /* other files that the graph may name; or NULL */
  const volatile int *cancel;              /* becomes nonzero: the request is no longer wanted; or NULL */
  const struct run_log *log;               /* hears what processes have to say; or NULL */
  size_t memory;                           /* for plans that run while the graph is lowered: bytes, 0: default … */
  unsigned threads;                        /* … workers, 0: default … */
  const char *beside;                      /* … and a path: beside it they keep what memory does not hold; or NULL */
  bool describes_only;                     /* nothing is to be read: what depends on elements is taken at its most */
  bool *has_guessed; /* with it: becomes true where nobody knows what a script gives, and more may hold than it seems */
  bool official_encoding; /* of the official test cases, for what JSON cannot say; see json.h */
};

/* Accepts a bare process graph {"n1": {…}}, a process {"process_graph": …}, or a request {"process": …}. Errors:
 * ProcessGraphInvalid, ProcessGraphMissing, ProcessGraphComplexity. `official`: in the official encoding. */
int graph_parse(struct arena *arena, const char *json, size_t length, bool official, const struct graph **out,
                struct error *error);

/* Resolves references and processes, checks what is known of the arguments against the signatures, orders the nodes.
 * Errors: ProcessUnsupported, ProcessParameterRequired, ProcessParameterUnsupported, ProcessParameterInvalid,
 * ProcessParameterMissing, ProcessGraphInvalid (cycles, recursion, no or several results). An error's node is the path
 * to it: "a/reducer/x" is node x in the callback that node a has as its argument "reducer", "a/x" node x in the graph
 * that defines the process of a. */
int graph_bind(struct arena *arena, const struct graph *graph, const struct graph_options *options,
               const struct bound **out, struct error *error);

struct outcome_export { /* of export_workspace */
  const struct outcome_export *next;
  const char *workspace;
  bool is_named;       /* it is one of the operator's … */
  bool is_collection;  /* … or a collection's id: export_collection */
  const char *merge;   /* path below it of the catalogue that takes the file, in normal form; NULL: a new one … */
  const char *name;    /* … named after this node */
  const char *changes; /* to the file's item: a JSON array of merge patches, in order; NULL: none */
};

struct outcome_output {    /* to be written: a cube or value that save_result marked, or the result node's own cube */
  const struct node *node; /* NULL: a value, written as JSON */
  const struct value *value;
  const struct node *part_of; /* one of several files of a cube: what save_result gives for all of them; or NULL */
  const char *stem;           /* of the file's name, where save_result tells one; or NULL */
  const char *name;           /* id of the graph's node, for names of files and for errors; need not be unique */
  const char *format;         /* of save_result: one that sink_format_find knows; NULL: not saved, the caller chooses */
  const struct sink_option *options; /* of save_result */
  size_t option_count;
  const struct outcome_export *exports; /* where the file goes, too; or NULL */
  bool is_result;                       /* the result node's: what a synchronous request answers */
};

struct outcome { /* all that a graph gives */
  bool is_value; /* the result node is a host value: `value`; else it is the output with is_result */
  struct value value;
  const char *name;                     /* id of the result node */
  const struct outcome_output *outputs; /* in the order of lowering */
  size_t output_count;
};

/* The result node's cube; NULL where the result is a value. */
const struct outcome_output *outcome_result(const struct outcome *outcome);

/* Calls the processes; nothing of a cube is read but what describes it, except by those whose labels depend on its
 * elements (trim_cube). Takes time in proportion to GRAPH_MAX_WORK at
 * most; ends with RequestTimeout soon after the request was cancelled. Errors: those of the processes;
 * ProcessGraphComplexity, also where more than GRAPH_MAX_OUTPUTS cubes are saved. */
int graph_lower(struct arena *arena, const struct bound *bound, const struct graph_options *options,
                struct outcome *out, struct error *error);

/* After a failure: where the arena's limit refused memory, what the error calls Internal is the graph's doing, and
 * becomes ProcessGraphComplexity. Returns -1. */
int graph_blame(const struct arena *arena, struct error *error);

/* parse, bind and lower; each error found is reported (several unknown processes or arguments give one each). A process
 * with parameters that have no value is bound only, and so is a graph of which another server computes a part. */
void graph_validate(const char *json, size_t length, const struct graph_options *options,
                    void (*report)(void *data, const struct error *error), void *data);

#endif
