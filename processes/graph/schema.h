/* Schemas: what a parameter accepts, compiled from its JSON schema. Of JSON Schema the specs use types, subtypes,
 * enumerations, bounds, items, required members and lists of alternatives; patterns and formats are left to the
 * process. */
#ifndef TWINCUBE_PROCESSES_GRAPH_SCHEMA_H
#define TWINCUBE_PROCESSES_GRAPH_SCHEMA_H

#include "processes/value.h"

enum schema_type { /* bits */
                   TYPE_NULL = 1,
                   TYPE_BOOLEAN = 2,
                   TYPE_INTEGER = 4,
                   TYPE_NUMBER = 8,
                   TYPE_TEXT = 16,
                   TYPE_ARRAY = 32,
                   TYPE_OBJECT = 64
};
enum schema_bound { BOUND_MINIMUM, BOUND_MAXIMUM, BOUND_ABOVE, BOUND_BELOW, BOUND_COUNT };

struct schema {
  unsigned types;                               /* allowed; 0: any */
  const char *subtype;                          /* or NULL */
  bool takes_graph, takes_cube, takes_labelled; /* what the subtype says of objects and arrays */
  bool takes_geojson; /* a box or a vector cube: clients give GeoJSON for these, whatever is listed */
  unsigned bounds;    /* bit for each bound of a number that is there */
  double bound[BOUND_COUNT];
  size_t least, most;              /* elements of an array; `most` 0: any number */
  const struct value *enumeration; /* plain values, one of which it must be */
  size_t enumeration_count;        /* 0: any */
  const char *const *required;     /* members of an object */
  size_t required_count;
  const struct schema *items;        /* of each element of an array; NULL: any */
  const struct schema *alternatives; /* one of these must fit, and nothing else is looked at; count 0: no such list */
  size_t alternative_count;
};

/* Whether the value fits; a schema of NULL takes any. With `ranges` numbers must also lie within their bounds. Cubes,
 * lanes and callbacks are judged by their kind. */
bool schema_fits(const struct schema *schema, const struct value *value, bool ranges);
/* What does not fit, in words: "data[2] is the string 'a'; expected number or null". `name` is the parameter's; the
 * value does not fit. The item named is the innermost one to blame. */
void schema_explain(const struct schema *schema, const char *name, const struct value *value, bool ranges,
                    struct buffer *out);
/* Text after "expected": types, bounds and enumeration of all alternatives. */
void schema_describe(const struct schema *schema, struct buffer *out);

#endif
