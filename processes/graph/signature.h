/* Signatures: parameters of a process as its spec declares them, and the check of values against their schemas. */
#ifndef TWINCUBE_PROCESSES_GRAPH_SIGNATURE_H
#define TWINCUBE_PROCESSES_GRAPH_SIGNATURE_H

#include "processes/value.h"

struct schema; /* a parameter's JSON schema, one or several alternatives */

struct parameter {
  const char *name;
  bool optional;
  bool has_default;                /* other than null */
  struct value default_value;
  const struct schema *schema;
  size_t callback_parameter_count; /* names a process graph for this parameter may use */
  const char *const *callback_parameters;
};

struct signature {
  const char *id;
  size_t count;
  const struct parameter *parameters;
};

struct process_entry;
/* Reads the spec of an entry; the signature lives in the arena. */
int signature_read(struct arena *arena, const struct process_entry *entry, const struct signature **out,
                   struct error *error);
const struct parameter *signature_find(const struct signature *signature, const char *name);
/* 0 where the value fits the schema, else ProcessParameterInvalid naming the parameter and what it should be. With
 * `ranges` numbers must also lie within minimum and maximum; value processes decide that themselves (arccos(2) is NaN). */
int parameter_check(const struct parameter *parameter, const struct value *value, bool ranges, struct error *error);

/* JSON text of a value, read into host values. Used for parameters given as text; tokens NaN and Infinity allowed. */
int value_read(struct arena *arena, const char *json, size_t length, struct value *out, struct error *error);

#endif
