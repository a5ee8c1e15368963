/* The table of processes, made by the build from processes/<family>/<id>.json and .c, sorted by id. */
#ifndef TWINCUBE_PROCESSES_GRAPH_TABLE_H
#define TWINCUBE_PROCESSES_GRAPH_TABLE_H

#include "processes/graph/signature.h"
#include "processes/process.h"

struct graph;

/* A process as a graph uses it: built in, or defined by somebody with a graph of its own. */
struct process_entry {
  const char *id;
  const struct process *process; /* NULL where `body` defines it */
  const char *spec;              /* of a built-in one, as JSON text: ours, or the operator's (--process-specs) byte for
                                    byte */
  size_t spec_length;
  const struct graph *body; /* the spec's process_graph; NULL where there is C */
  struct signature signature;
};

/* Whether the process takes this value beyond what the schemas of its spec say (process.h). */
bool process_takes(const struct process_entry *entry, const char *parameter, const struct value *value);

/* Processes beyond the built-in ones: those of a user, or remote definitions. */
struct process_lookup {
  /* The process of that id in that namespace ("user", …), made in the arena. NULL: there is none, or an error was
   * set. Asked once for each id and namespace of a request. */
  const struct process_entry *(*find)(void *context, struct arena *arena, const char *space, const char *id,
                                      struct error *error);
  void *context;
};

/* A process from the JSON of its definition {"id", "parameters", "process_graph", …}, read once, in the arena. Its
 * graph is bound where it is used. Errors: ProcessInvalid, ProcessGraphMissing, ProcessParameterInvalid (a default that
 * does not fit), and those of graph_parse. */
int process_define(struct arena *arena, const char *json, size_t length, struct process_entry *out,
                   struct error *error);

struct graph_call {  /* a use of a process */
  const char *space; /* namespace, or NULL */
  const char *id;
};

/* Calls `report` for each use of a process in a graph, the graphs inside it and those of its defaults, until it answers
 * other than 0, which is returned. */
int graph_calls(const struct graph *graph, int (*report)(void *data, const struct graph_call *call), void *data);

/* The version of the openEO process specification that the table's signatures follow. */
extern const char process_table_version[];

size_t process_table_size(void);
const struct process_entry *process_table_at(size_t i);
const struct process_entry *process_table_find(const char *id); /* NULL where there is none */

/* Replaces the specs that a folder with official openeo-processes JSON files also has. Call once, before any thread.
 * Signatures (parameter names, order, optional, schema types) are compared; a difference is an error. */
int process_table_use_specs(const char *folder, struct error *error);

#endif
