/* Signatures: the parameters of a process, compiled from its spec: those of the built-in processes when the program is
 * built (embed.c), those of a process that somebody defines once, when its graph is parsed. */
#ifndef TWINCUBE_PROCESSES_GRAPH_SIGNATURE_H
#define TWINCUBE_PROCESSES_GRAPH_SIGNATURE_H

#include "processes/graph/schema.h"

struct graph;

struct parameter {
  const char *name;
  bool optional;
  bool has_default; /* a value other than null */
  struct value default_value;
  const struct graph *default_graph; /* the default is a process graph; or NULL */
  const struct schema *schema;     /* NULL: takes anything */
  size_t cost;                     /* comparisons that checking a value takes for each unit of its weight, at least 1 */
  size_t callback_parameter_count; /* names a process graph for this parameter may use */
  const char *const *callback_parameters;
};

struct signature {
  size_t count;
  const struct parameter *parameters;
};

const struct parameter *signature_find(const struct signature *signature, const char *name);
/* 0 where the value fits the schema, else ProcessParameterInvalid naming the parameter and what it should be. With
 * `ranges` numbers must also lie within minimum and maximum; value processes decide that themselves (arccos(2) is NaN).
 */
int parameter_check(const struct parameter *parameter, const struct value *value, bool ranges, struct error *error);
/* [[…]] where a list of plain values is asked for, as some clients write it: the inner list. Else NULL. */
const struct value *parameter_inner_list(const struct parameter *parameter, const struct value *value);
/* A null for an optional parameter that takes no null: counts as left out. */
bool parameter_left_out(const struct parameter *parameter, const struct value *value);

#endif
