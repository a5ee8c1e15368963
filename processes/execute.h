/* From request to result: the one way, shared by the command line and the server's workers. */
#ifndef TWINCUBE_PROCESSES_EXECUTE_H
#define TWINCUBE_PROCESSES_EXECUTE_H

#include "hpc/run/run.h"
#include "processes/graph/graph.h"

struct execution {
  const char *graph;       /* JSON text */
  size_t graph_length;
  const struct graph_parameter *parameters;
  size_t parameter_count;
  const struct catalogue *catalogue;
  size_t memory;           /* bytes, 0: default */
  unsigned threads;        /* 0: default */
  const char *output;      /* file to write a cube to. Ends with '/': a folder, the file is named result.<extension> */
  const volatile int *cancel;
  struct run_progress *progress; /* or NULL */
  const char *history;     /* provenance line, or NULL */
  bool official_encoding;  /* values as the official test cases write them: bare NaN, Infinity, -Infinity. Else plain
                              JSON, which has no such numbers: null */
};

struct execution_result {
  bool is_value;             /* a host value: its JSON is in `json`, no file was written */
  struct buffer json;        /* owned by the caller: buffer_free */
  char path[4096];           /* the file, for a cube */
  char media_type[128];
  struct buffer metadata;    /* STAC-like JSON object of the result cube: {"bbox": […], "geometry": {…}, "datetime"/
                                "start_datetime"/"end_datetime", "cube:dimensions": {…}, "proj:epsg", "bands": […]} */
};

/* Cubes without save_result: GTiff where `output` ends in .tif, netCDF for .nc, PNG for .png, JSON for .json; without
 * such an output, JSON. */
int execute(const struct execution *execution, struct execution_result *out, struct error *error);
/* EXPLAIN of the graph as text. */
int execute_explain(const struct execution *execution, struct buffer *out, struct error *error);
/* Estimate: {"costs"…}-free facts about the plan. */
struct execution_estimate {
  bool is_value;
  double read_bytes, write_bytes;
  size_t peak_memory, tiles;
};
int execute_estimate(const struct execution *execution, struct execution_estimate *out, struct error *error);

#endif
