/* Values: what flows between processes while a graph is lowered.
 *
 * Host values (numbers, text, arrays, objects) are folded as the graph is walked; lanes are numbers per position that a
 * program computes later; a cube is a node of the plan; a callback is a bound sub-graph; a handle stands for something
 * that a stage makes or that lives outside the graph. Immutable, in their arena.
 *
 * Values are shared: an array may hold another one twice, so a few nodes can describe more elements than there are
 * atoms. What a walk over the elements would find is therefore kept in the value when it is made: what is inside, and
 * its weight. Whoever walks a value as a tree pays for its weight first (lower.c). Make texts, arrays and objects with
 * the functions below only. */
#ifndef TWINCUBE_PROCESSES_VALUE_H
#define TWINCUBE_PROCESSES_VALUE_H

#include "datacube/base/buffer.h"
#include "hpc/kernel/program.h"

struct node;     /* hpc/plan/node.h */
struct callback; /* processes/graph/bound.h */

enum value_kind {
  VALUE_NULL,
  VALUE_BOOLEAN,
  VALUE_NUMBER,
  VALUE_TEXT,
  VALUE_ARRAY,
  VALUE_OBJECT,
  VALUE_LANES,
  VALUE_CUBE,
  VALUE_CALLBACK,
  VALUE_HANDLE
};

enum value_inside { INSIDE_LANES = 1, INSIDE_OTHER = 2 }; /* bits: lanes; cubes, callbacks and handles */

/* What a handle stands for: a row for each kind of thing. */
struct handle_type {
  const char *name;    /* for messages: "a geometry set" */
  const char *subtype; /* of the schemas that take it */
};

struct value {
  enum value_kind kind;
  bool boolean;
  unsigned char inside; /* ARRAY, OBJECT: bits of value_inside, of all levels */
  size_t weight;        /* TEXT, ARRAY, OBJECT: see value_weight */
  double number;
  const char *text;           /* NUL-terminated UTF-8 */
  size_t count;               /* ARRAY, OBJECT */
  const struct value *items;  /* ARRAY: elements; OBJECT: values */
  const char *const *keys;    /* OBJECT */
  const size_t *by_key;       /* OBJECT: indexes of the members, sorted by key; NULL where there are few */
  const struct value *labels; /* ARRAY: count labels (TEXT or NUMBER) of a labelled array, or NULL */
  struct lanes lanes;
  const struct lanes *kept; /* LANES, an array: which elements are left where that differs from position to position
                               (array_filter): booleans, never missing, of its length. NULL: all are */
  const struct node *cube;
  const struct callback *callback;
  const struct handle_type *handle_type; /* HANDLE: what it is */
  const struct node *handle_node;        /* HANDLE: the node whose stage makes it, or NULL */
};

struct value value_null(void);
struct value value_boolean(bool boolean);
struct value value_number(double number);
struct value value_text(const char *text);                         /* borrowed */
struct value value_array(const struct value *items, size_t count); /* borrowed; the items are final */
struct value value_labelled(const struct value *items, const struct value *labels, size_t count); /* borrowed */
/* Keys and items are borrowed and final. 0, or -1 when out of memory. */
int value_object(struct arena *arena, const char *const *keys, const struct value *items, size_t count,
                 struct value *out);
struct value value_lanes(struct lanes lanes);
/* An array of lanes of which only some elements are left; `kept` is borrowed, NULL: all. */
struct value value_filtered(struct lanes lanes, const struct lanes *kept);
struct value value_cube(const struct node *node);
struct value value_handle(const struct handle_type *type, const struct node *node); /* borrowed */

const char *value_kind_name(const struct value *value); /* "null", "boolean", "number", "string", "array", … */
/* What it is, for messages: "the string 'B4'", "the number 3", "an array of 2 elements", "null", …; long texts are
 * cut between characters. */
void value_describe(const struct value *value, struct buffer *out);
/* Elements of all levels, each counted as often as it is reached, texts by eight bytes: what a walk costs. At least 1,
 * at most SIZE_MAX. Constant time, as the two below. */
size_t value_weight(const struct value *value);
bool value_is_host(const struct value *value);   /* no lanes, cube, callback or handle anywhere inside */
bool value_has_lanes(const struct value *value); /* is or holds lanes */
const struct value *value_member(const struct value *object, const char *key); /* NULL where there is none */
/* Deep equality of host values; null equals null here. */
bool value_equal(const struct value *a, const struct value *b);
/* Host value as JSON. Labelled arrays as plain arrays. */
void value_write(const struct value *value, struct json_writer *writer);

#endif
