/* Which results are kept, and which become stages of their own. See keep.c. */
#ifndef TWINCUBE_HPC_PLAN_KEEP_H
#define TWINCUBE_HPC_PLAN_KEEP_H

#include "hpc/plan/plan_internal.h"

enum node_decision {
  DECIDE_FUSE, /* part of what reads it, as far as its kind goes */
  DECIDE_CUT,  /* a stage of its own: computed once a tile, not once a position */
  DECIDE_KEEP  /* a phase of its own: computed once */
};

struct node_table;

/* Decides about every node under the outputs. forced: nodes that must be kept. The decisions depend on the nodes alone,
 * neither on memory nor on threads, so the bits of a result do not either. */
int keep_decide(struct arena *arena, const struct node *const *outputs, size_t count, const struct node_table *forced,
                struct node_table **out, struct error *error);
enum node_decision keep_decision(const struct node_table *table, const struct node *node);

/* The nodes to keep, each behind those that its phase reads. */
size_t keep_count(const struct node_table *table);
const struct node *keep_node(const struct node_table *table, size_t i, const char **why);
/* Number of the kept result of a node; SIZE_MAX where it is not kept. */
size_t keep_index(const struct node_table *table, const struct node *node);

/* A table with that node besides. NULL: out of memory. */
const struct node_table *keep_force(struct arena *arena, const struct node_table *forced, const struct node *node);

#endif
