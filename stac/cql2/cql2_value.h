/* Values while a filter is at work. */
#ifndef TWINCUBE_STAC_CQL2_VALUE_H
#define TWINCUBE_STAC_CQL2_VALUE_H

#include "stac/cql2/cql2_tree.h"

struct cql2_value {
  enum {
    CQL2_VALUE_NULL,
    CQL2_VALUE_BOOLEAN,
    CQL2_VALUE_NUMBER,
    CQL2_VALUE_TEXT,
    CQL2_VALUE_SPAN, /* an instant, a day, an interval */
    CQL2_VALUE_ARRAY,
    CQL2_VALUE_OTHER /* an object */
  } kind;
  double number; /* BOOLEAN: 0 or 1 */
  const char *text;
  struct cql2_span span;
  const struct cql2_value *items;
  size_t count;
};

/* A value of a document; its texts are borrowed. -1: out of memory. */
int cql2_value_of_json(struct arena *arena, const json_t *json, struct cql2_value *out, struct error *error);
/* Whether two scalars can be compared, and how: below 0, 0, above 0. */
bool cql2_value_compare(const struct cql2_value *a, const struct cql2_value *b, int *order);
/* What an operation of the family ARRAY says of two arrays, as sets. -1: out of memory. */
int cql2_value_sets(struct arena *arena, enum cql2_op op, const struct cql2_value *a, const struct cql2_value *b,
                    bool *holds, struct error *error);
/* What an operation of the family TEMPORAL says. */
bool cql2_spans_stand(enum cql2_op op, struct cql2_span a, struct cql2_span b);
/* The result of an operation of the family ARITHMETIC; NULL where there is none. */
struct cql2_value cql2_value_compute(enum cql2_op op, const struct cql2_value *a, const struct cql2_value *b);

#endif
