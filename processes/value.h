/* Values: what flows between processes while a graph is lowered.
 *
 * Host values (numbers, text, arrays, objects) are folded as the graph is walked; lanes are numbers per position that a
 * program computes later; a cube is a node of the plan; a callback is a bound sub-graph. Immutable, in their arena. */
#ifndef TWINCUBE_PROCESSES_VALUE_H
#define TWINCUBE_PROCESSES_VALUE_H

#include "datacube/base/buffer.h"
#include "hpc/kernel/program.h"

struct node;     /* hpc/plan/node.h */
struct callback; /* processes/graph/bound.h */

enum value_kind { VALUE_NULL, VALUE_BOOLEAN, VALUE_NUMBER, VALUE_TEXT, VALUE_ARRAY, VALUE_OBJECT, VALUE_LANES, VALUE_CUBE,
                  VALUE_CALLBACK };

struct value {
  enum value_kind kind;
  bool boolean;
  double number;
  const char *text;             /* NUL-terminated UTF-8 */
  size_t count;                 /* ARRAY, OBJECT */
  const struct value *items;    /* ARRAY: elements; OBJECT: values */
  const char *const *keys;      /* OBJECT */
  const struct value *labels;   /* ARRAY: count labels (TEXT or NUMBER) of a labelled array, or NULL */
  struct lanes lanes;
  const struct node *cube;
  const struct callback *callback;
};

struct value value_null(void);
struct value value_boolean(bool boolean);
struct value value_number(double number);
struct value value_text(const char *text); /* borrowed */
struct value value_array(const struct value *items, size_t count); /* borrowed */
struct value value_lanes(struct lanes lanes);
struct value value_cube(const struct node *node);

const char *value_kind_name(const struct value *value); /* "null", "boolean", "number", "string", "array", … */
bool value_is_host(const struct value *value); /* no lanes, cube or callback anywhere inside */
const struct value *value_member(const struct value *object, const char *key); /* NULL where there is none */
/* Deep equality of host values; null equals null here. */
bool value_equal(const struct value *a, const struct value *b);
/* Host value as JSON. Labelled arrays as plain arrays. */
void value_write(const struct value *value, struct json_writer *writer);

#endif
