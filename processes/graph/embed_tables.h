/* Compiled processes as C text: the tables that embed.c writes for each spec. */
#ifndef TWINCUBE_PROCESSES_GRAPH_EMBED_TABLES_H
#define TWINCUBE_PROCESSES_GRAPH_EMBED_TABLES_H

#include "processes/graph/bound.h"

#include <stdio.h>

struct table_writer {
  FILE *out;
  unsigned names; /* given to tables so far */
};

/* Entry of a spec: its id and signature, and its graph where there is no C. */
int embed_compile(struct arena *arena, const char *text, size_t length, bool has_row, struct process_entry *out,
                  struct error *error);
/* Writes parameters_<id> and, where the entry has a body, body_<id>. */
void embed_tables(struct table_writer *w, const struct process_entry *entry);

#endif
