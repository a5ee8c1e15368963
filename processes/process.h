/* A process: one row, in processes/<family>/<id>.c, named process_<id>.
 *
 *   const struct process process_add = {.id = "add", .shape = PROCESS_VALUE, .call = add_call};
 *
 * The build collects the specs (<id>.json) and rows into one sorted table (processes/graph/table.h); nothing is
 * registered by hand. `call` sees arguments that were checked against the spec's schemas, with defaults filled in, and
 * gives one value. It is called once per use in a graph, while the graph is lowered, never per pixel:
 *   PROCESS_VALUE, PROCESS_REDUCER, PROCESS_SERIES  emit program steps for lanes, or give a host value
 *   PROCESS_CUBE                                    take and give cubes (nodes of the plan)
 * When every argument is a host value, the caller hands `call` a program of its own and evaluates the result, so the
 * same emit code serves the scalar of POST /result and the pixel. Text, dates and objects are handled by `call` itself.
 */
#ifndef TWINCUBE_PROCESSES_PROCESS_H
#define TWINCUBE_PROCESSES_PROCESS_H

#include "processes/run_log.h"
#include "processes/value.h"

struct plan_builder; /* hpc/plan/node.h: what cube processes build with */
struct catalogue;    /* stac/catalogue.h */
struct local_files;  /* processes/local_files.h */
struct ranks;        /* hpc/ranks/ranks.h */

enum process_shape { PROCESS_VALUE, PROCESS_REDUCER, PROCESS_SERIES, PROCESS_CUBE };

struct call;

struct process {
  const char *id;
  enum process_shape shape;
  int (*call)(struct call *call, struct value *result);
  bool takes_single;        /* a single value may stand for an array … */
  bool takes_null;          /* … and null for a number, beyond what the schemas of its spec say */
  bool spares_nulls;        /* a parameter that has to be given, but may be null, may be left out as well */
  const char *takes_values; /* a parameter for cubes that may be a plain value as well; or NULL */
};

struct workspace_room;

struct argument {
  const char *name;
  struct value value;
};

/* One use of a process in a graph. */
struct call {
  const struct process *process;
  const char *node;                 /* id in the graph, for messages and EXPLAIN */
  const struct argument *arguments; /* given ones and defaults */
  size_t argument_count;
  struct arena *arena;                     /* lives as long as the plan */
  struct program *program;                 /* emit here; never NULL for value, reducer and series */
  const struct catalogue *catalogue;       /* may be NULL (then no collections) */
  const char *files;                       /* folder of the user's own files, absolute, or NULL (load/user_file.h) */
  const struct workspace_room *workspaces; /* of the user, or NULL (save/workspace.h) */
  const struct local_files *local;         /* other files that it may name, or NULL (local_files.h) */
  struct lowering *lowering;               /* the walk itself (processes/graph/lower.c) */
  struct error *error;
};

/* The argument, or NULL when it is absent; a null is returned as VALUE_NULL. */
const struct value *call_argument(const struct call *call, const char *name);
/* Given and not null. */
bool call_has(const struct call *call, const char *name);

/* Typed reads: 0, or -1 with ProcessParameterInvalid / ProcessParameterRequired naming the parameter. */
int call_number(struct call *call, const char *name, double *out);
int call_integer(struct call *call, const char *name, int64_t minimum, int64_t maximum, int64_t *out);
int call_boolean(struct call *call, const char *name, bool *out);
int call_text(struct call *call, const char *name, const char **out);
int call_cube(struct call *call, const char *name, const struct node **out);
int call_callback_argument(struct call *call, const char *name, const struct callback **out);
/* A number, boolean, null or scalar lanes, as lanes of call->program. */
int call_lanes(struct call *call, const char *name, struct lanes *out);
/* An array as lanes of call->program: array lanes, or an array whose elements are numbers, booleans, nulls and scalar
 * lanes. Errors: ProcessParameterInvalid for other elements, FeatureUnsupported for arrays that were filtered pixel by
 * pixel (array/kept.h takes those). */
int call_lanes_array(struct call *call, const char *name, struct lanes *out);
/* The same tests without an error. */
bool value_is_lanes_like(const struct value *value); /* number, boolean, null, scalar lanes */
/* Array lanes or an array of such; false for text elements, and for what was filtered pixel by pixel. */
bool value_is_lanes_array_like(const struct value *value);
/* Any number, boolean, null or lanes value as lanes of the program; arrays likewise. Value must be …_like. */
struct lanes value_as_lanes(struct program *program, const struct value *value);
struct lanes value_as_lanes_array(struct program *program, const struct value *value);

/* Runs a callback: its nodes are walked with the given parameters, steps are emitted into `program`. */
int call_run_callback(struct call *call, const struct callback *callback, struct program *program,
                      const struct argument *parameters, size_t count, struct value *result);

/* Becomes nonzero when the request is no longer wanted; or NULL. */
const volatile int *call_cancel(const struct call *call);
/* Other processes that compute beside this one (hpc/ranks/ranks.h); or NULL. */
struct ranks *call_ranks(const struct call *call);
/* Of the run, bytes. */
size_t call_memory(const struct call *call);
/* Whether somebody reads what the graph's processes say: where nobody does, nothing need be made for it. */
bool call_has_log(const struct call *call);
/* Puts an entry into the log of the run; its node is filled in. */
void call_log(const struct call *call, const struct log_entry *entry);

/* Emit helpers for the common one-liners. Each reads its operands from the arguments named. */
int emit_unary(struct call *call, enum kernel_op op, const char *x, struct value *result);
int emit_binary(struct call *call, enum kernel_op op, const char *x, const char *y, struct value *result);
/* Reducer over argument "data" with "ignore_nodata" as parameter 0 (false where the process has none). */
int emit_reduce(struct call *call, enum kernel_reducer reducer, struct value *result);

/* The cube's dimension named by argument `name`: its index, or DimensionNotAvailable listing the names. */
int call_dimension(struct call *call, const char *name, const struct node *cube, size_t *out);

#endif
