/* From request to results: the one way, shared by the command line and the server's workers. */
#ifndef TWINCUBE_PROCESSES_EXECUTE_H
#define TWINCUBE_PROCESSES_EXECUTE_H

#include "hpc/run/run.h"
#include "processes/graph/graph.h"
#include "processes/map/map_part.h"
#include "processes/plan_cache.h"
#include "processes/result_room.h"
#include "processes/save/workspace.h"

enum explain_form {
  EXPLAIN_TEXT, /* for people */
  EXPLAIN_JSON, /* one object */
  EXPLAIN_CUDA  /* the kernels as a device's compiler takes them */
};

struct execution {
  const char *graph; /* JSON text */
  size_t graph_length;
  const struct graph_parameter *parameters;
  size_t parameter_count;
  const struct catalogue *catalogue;
  struct process_lookup lookup;     /* processes beyond the built-in ones */
  const char *files;                /* folder of the user's own files, absolute; or NULL */
  struct workspace_room workspaces; /* of the user */
  const struct local_files *local;  /* other files that the graph may name; or NULL */
  size_t memory;                    /* bytes, 0: default */
  unsigned threads;                 /* 0: default */
  struct devices *devices;          /* that kernels may run on; or NULL */
  struct ranks *ranks;              /* that simulations may run on beside this one, which is rank 0; or NULL */
  const struct map_part *part;      /* of the result node's cube, which is all that is wanted; or NULL */
  const char *output;       /* where cubes go: a folder with '/' at its end, or a file's name; see result_file.h */
  const char *checkpoint;   /* a folder where kept results outlast the process, '/' at its end; or NULL */
  bool only_result;         /* the result node's outcome alone; else every saved cube, too */
  bool value_file;          /* a value becomes a file as well, not text in memory */
  bool official_encoding;   /* graph and values as the official test cases write them: bare NaN, Infinity, -Infinity,
                               {"type": "nodata"}. Else plain JSON, which has no such numbers: null */
  struct result_room room;  /* for what is written; the disk's own room counts in any case */
  enum explain_form explain;
  struct plan_cache *cache; /* of runs that may be asked for again; or NULL */
  const volatile int *cancel;
  struct run_progress *progress; /* tiles of all outcomes together; or NULL */
  const char *history;           /* provenance line, or NULL */
  const struct run_log *log;     /* hears of what is read and how long it takes, and what processes say; or NULL */
};

struct execution_file { /* an outcome that was written */
  char *path;
  char *name; /* id of the graph's node that made it */
  char media_type[128];
  bool is_result;         /* the result node's */
  struct buffer metadata; /* JSON object, see result_metadata.h; empty for a value */
};

struct execution_result { /* execution_result_free frees what it holds */
  bool is_value;          /* the result is a host value: its JSON is in `json`, or in a file with value_file */
  struct buffer json;
  struct execution_file *files;
  size_t file_count;
};

/* Makes all outcomes, or none: after an error no file of this run is left. */
int execute(const struct execution *execution, struct execution_result *out, struct error *error);
void execution_result_free(struct execution_result *result);

/* EXPLAIN of all outcomes; where the result is known without a plan, as JSON {"value": …}. */
int execute_explain(const struct execution *execution, struct buffer *out, struct error *error);

struct execution_estimate { /* facts about the plan of all outcomes */
  bool is_value;
  double read_bytes, write_bytes;
  size_t peak_memory, tiles;
};
int execute_estimate(const struct execution *execution, struct execution_estimate *out, struct error *error);

#endif
