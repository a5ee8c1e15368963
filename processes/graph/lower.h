/* Lowering: the walk over a bound graph that calls each process once. */
#ifndef TWINCUBE_PROCESSES_GRAPH_LOWER_H
#define TWINCUBE_PROCESSES_GRAPH_LOWER_H

#include "processes/graph/bound.h"

struct save { /* a cube that went through save_result */
  struct save *next;
  const struct node *node;
  const char *format;
  const struct sink_option *options;
  size_t option_count;
};

struct scope { /* values of parameters, innermost first */
  const struct scope *outer;
  const struct argument *arguments;
  size_t count;
};

struct lowering {
  struct arena *arena;
  const struct graph_options *options;
  size_t work; /* done so far, at most GRAPH_MAX_WORK */
  struct error *error;
  struct save *saves;
};

/* Notes that `node` is to be saved. */
int lowering_save(struct call *call, const struct node *node, const char *format, const struct sink_option *options,
                  size_t count);

#endif
