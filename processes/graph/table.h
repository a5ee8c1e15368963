/* The table of processes, made by the build from processes/<family>/<id>.json and .c, sorted by id. */
#ifndef TWINCUBE_PROCESSES_GRAPH_TABLE_H
#define TWINCUBE_PROCESSES_GRAPH_TABLE_H

#include "processes/process.h"

struct process_entry {
  const char *id;
  const struct process *process; /* NULL where the spec brings its own process_graph */
  const char *spec;              /* the spec as JSON text: ours, or the operator's (--process-specs) byte for byte */
  size_t spec_length;
};

size_t process_table_size(void);
const struct process_entry *process_table_at(size_t i);
const struct process_entry *process_table_find(const char *id); /* NULL where there is none */

/* Replaces the specs that a folder with official openeo-processes JSON files also has. Call once, before any thread.
 * Signatures (parameter names, order, optional, schema types) are compared; a difference is an error. */
int process_table_use_specs(const char *folder, struct error *error);

#endif
