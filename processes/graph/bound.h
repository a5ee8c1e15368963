/* Parsed and bound graphs: the structures between graph_parse, graph_bind and graph_lower. Immutable, arena. */
#ifndef TWINCUBE_PROCESSES_GRAPH_BOUND_H
#define TWINCUBE_PROCESSES_GRAPH_BOUND_H

#include "processes/graph/graph.h"
#include "processes/graph/signature.h"
#include "processes/graph/table.h"

enum expression_kind { EXPRESSION_VALUE, EXPRESSION_ARRAY, EXPRESSION_OBJECT, EXPRESSION_NODE, EXPRESSION_PARAMETER,
                       EXPRESSION_GRAPH };

/* An argument as written: a host value, a reference, or an array or object with references inside. */
struct expression {
  enum expression_kind kind;
  struct value value;              /* VALUE */
  size_t count;                    /* ARRAY, OBJECT */
  const struct expression *items;
  const char *const *keys;         /* OBJECT */
  const char *name;                /* NODE, PARAMETER */
  const struct graph *graph;       /* GRAPH */
  size_t callback;                 /* GRAPH: index among the node's callbacks */
};

struct graph_node {
  const char *id, *process;
  size_t argument_count;
  const char *const *names;
  const struct expression *arguments;
  size_t callback_count;
  bool result;
};

struct graph_default { /* a parameter that the posted process declares */
  const char *name;
  bool has_value;
  struct value value;
};

struct graph {
  size_t count;
  const struct graph_node *nodes;
  const size_t *by_id;             /* indexes of nodes, sorted by id */
  size_t parameter_count;
  const struct graph_default *parameters;
};

struct bound_node {
  const struct graph_node *node;
  const struct process_entry *entry;
  const struct signature *signature;
  const struct bound *const *callbacks;
  const struct bound *body; /* the process's own process_graph, where it has no C */
};

struct bound {
  const struct graph *graph;
  const struct bound_node *nodes; /* as graph->nodes */
  const size_t *order;            /* every node after those it refers to */
  size_t result;
  size_t parameter_count;         /* top level: values given or defaulted */
  const struct argument *parameters;
};

struct callback { /* what a process gets for a process-graph argument */
  const struct bound *bound;
  const struct scope *scope; /* parameters of the surroundings; lower.c */
};

/* Index of a node by id; SIZE_MAX where there is none. */
size_t graph_find(const struct graph *graph, const char *id);

#endif
