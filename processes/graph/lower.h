/* Lowering: the walk over a bound graph that calls each process once. */
#ifndef TWINCUBE_PROCESSES_GRAPH_LOWER_H
#define TWINCUBE_PROCESSES_GRAPH_LOWER_H

#include "processes/graph/bound.h"

struct save { /* a cube that went through save_result */
  struct save *next;
  struct outcome_output output;
};

struct scope { /* values of parameters, innermost first */
  const struct scope *outer;
  const struct argument *arguments;
  size_t count;
};

struct kernel_frame; /* processes/cube/kernel_frame.h */

struct lowering {
  struct arena *arena;
  const struct graph_options *options;
  size_t work; /* done so far, at most GRAPH_MAX_WORK */
  struct error *error;
  struct save *saves; /* the last one first */
  size_t save_count;
  struct changed *changed;    /* what stac_modify gave, the last one first (saves.h) */
  unsigned callbacks;         /* that the walk is in */
  struct kernel_frame *frame; /* of the innermost cube process that gives its callback lanes; or NULL */
  bool is_block; /* the walk is in a process for blocks of a cube whose elements are not known before the run */
};

#endif
