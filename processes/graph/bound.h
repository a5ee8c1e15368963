/* Parsed and bound graphs: the structures between graph_parse, graph_bind and graph_lower. Immutable, arena. */
#ifndef TWINCUBE_PROCESSES_GRAPH_BOUND_H
#define TWINCUBE_PROCESSES_GRAPH_BOUND_H

#include "processes/graph/graph.h"
#include "processes/graph/signature.h"
#include "processes/graph/table.h"

enum expression_kind {
  EXPRESSION_VALUE, EXPRESSION_CUBE, EXPRESSION_ARRAY, EXPRESSION_OBJECT, EXPRESSION_NODE, EXPRESSION_PARAMETER,
  EXPRESSION_GRAPH
};

/* An argument as written: a host value, a reference, or an array or object with references inside. */
struct expression {
  enum expression_kind kind;
  struct value value;              /* VALUE; CUBE: the object that describes the cube, see cube/inline_cube.h */
  size_t count;                    /* ARRAY, OBJECT */
  const struct expression *items;
  const char *const *keys;         /* OBJECT */
  const char *name;                /* NODE, PARAMETER */
  const struct graph *graph;       /* GRAPH */
  size_t callback;                 /* GRAPH: index among the node's callbacks */
};

struct graph_node {
  const char *id, *process;
  const char *space;               /* namespace, or NULL */
  size_t argument_count;
  const char *const *names;
  const struct expression *arguments;
  size_t callback_count;
  bool result;
};

struct graph {
  size_t count;
  const struct graph_node *nodes;
  const size_t *by_id;             /* indexes of nodes, sorted by id */
  const char *id;                  /* of a posted process, or NULL */
  struct signature signature;      /* parameters that a posted process declares */
};

struct callback { /* what a process gets for a process-graph argument */
  const struct bound *bound;
  const struct scope *scope;       /* parameters of the surroundings; lower.c */
  const char *argument;            /* name of the parameter it is given for */
  const char *path;                /* of its nodes: "a/reducer/" */
};

struct bound_callback {
  const struct bound *bound;
  const char *argument;
};

enum slot_kind { SLOT_ABSENT, SLOT_KNOWN, SLOT_LATE };

struct slot { /* one parameter of a use of a process */
  enum slot_kind kind;
  const struct value *value;           /* KNOWN: given or default; checked */
  const struct expression *expression; /* LATE: known, and checked, when the graph is lowered */
  const struct expression *otherwise;  /* a process graph: what counts where that is left out; or NULL */
};

struct bound_node {
  const struct graph_node *node;
  const struct process_entry *entry;
  const struct slot *slots;        /* as the signature's parameters */
  const struct bound_callback *callbacks;
  const struct bound *body;        /* where entry->body defines the process */
};

struct bound {
  const struct graph *graph;
  const struct bound_node *nodes;  /* as graph->nodes */
  const size_t *order;             /* every node after those it refers to */
  size_t result;
  size_t parameter_count;          /* top level: values given or defaulted */
  const struct argument *parameters;
  bool open;                       /* top level: a parameter has no value */
};

/* Index of a node by id; SIZE_MAX where there is none. */
size_t graph_find(const struct graph *graph, const char *id);

#endif
