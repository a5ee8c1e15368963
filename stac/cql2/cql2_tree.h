/* The tree of a filter, and how parsers build it: every node is checked when it is made, so that what stands in a tree
 * has operands of fitting types and no more depth than a recursion bears. */
#ifndef TWINCUBE_STAC_CQL2_TREE_H
#define TWINCUBE_STAC_CQL2_TREE_H

#include "stac/cql2/cql2.h"

#include "datacube/geometry.h"

enum cql2_op {
#define OP(name, text, family, least, most) CQL2_##name,
#include "stac/cql2/cql2_ops.def"
#undef OP
  CQL2_OP_COUNT
};

enum cql2_family {
  CQL2_FAMILY_LOGIC,
  CQL2_FAMILY_COMPARISON,
  CQL2_FAMILY_TEXT,
  CQL2_FAMILY_ARITHMETIC,
  CQL2_FAMILY_SPATIAL,
  CQL2_FAMILY_TEMPORAL,
  CQL2_FAMILY_ARRAY
};

struct cql2_op_row {
  const char *text;
  enum cql2_family family;
  size_t least, most; /* operands; most 0: any number */
};
extern const struct cql2_op_row cql2_ops[CQL2_OP_COUNT];

/* By its name, in any case of letters; CQL2_OP_COUNT: there is none. */
enum cql2_op cql2_op_find(const char *name, size_t length);

enum cql2_kind {
  CQL2_BOOLEAN,
  CQL2_NUMBER,
  CQL2_TEXT,
  CQL2_INSTANT,  /* a date or a timestamp */
  CQL2_OPEN,     /* an end of an interval that is none */
  CQL2_INTERVAL, /* two of INSTANT, OPEN, PROPERTY */
  CQL2_GEOMETRY,
  CQL2_ARRAY,
  CQL2_PROPERTY,
  CQL2_OPERATION
};

struct cql2_span { /* instants, both included */
  int64_t first, last;
};
#define CQL2_FAR INT64_C(9000000000000000) /* milliseconds to an open end */

struct cql2_node {
  enum cql2_kind kind;
  enum cql2_op op;                  /* OPERATION */
  bool is_date;                     /* INSTANT: without a time of day */
  unsigned depth;                   /* 1: no parts */
  double number;                    /* NUMBER, BOOLEAN (0 or 1) */
  const char *text;                 /* TEXT, PROPERTY (its name), INSTANT (as written), GEOMETRY (GeoJSON) */
  size_t length;                    /* of the text */
  struct cql2_span span;            /* INSTANT: the day of a date */
  const struct geometry_set *shape; /* GEOMETRY: one geometry */
  size_t shape_index;               /* GEOMETRY: its number in the filter */
  size_t count;                     /* parts: operands, elements, ends */
  const struct cql2_node *const *parts;
};

struct cql2_filter {
  const struct cql2_node *root;
  size_t shapes; /* geometries in it */
  const char *const *properties;
  size_t property_count;
};

enum {
  CQL2_MOST_BYTES = 1 << 20,
  CQL2_MOST_NODES = 20000,
  CQL2_MOST_DEPTH = 100,
  CQL2_MOST_PATTERN = 250 /* characters of LIKE */
};

struct cql2_builder {
  struct arena *arena;
  struct error *error;
  size_t nodes, shapes;
  unsigned depth; /* of the recursion that parses */
  const char **properties;
  size_t property_count, property_room;
  /* Writes where the parser is: "at character 17". */
  void (*place)(const struct cql2_builder *, char out[200]);
};

/* Error FilterInvalid with the place. */
int cql2_wrong(struct cql2_builder *builder, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Into a nested part and out again; an error past the bound. */
int cql2_enter(struct cql2_builder *builder);
void cql2_leave(struct cql2_builder *builder);

/* Nodes; NULL with an error. Texts are copied, parts (arrays in the arena) taken. */
const struct cql2_node *cql2_boolean(struct cql2_builder *builder, bool value);
const struct cql2_node *cql2_number(struct cql2_builder *builder, double value);
const struct cql2_node *cql2_text(struct cql2_builder *builder, const char *text, size_t length);
const struct cql2_node *cql2_property(struct cql2_builder *builder, const char *name, size_t length);
/* "date": YYYY-MM-DD, else a timestamp with a time zone. */
const struct cql2_node *cql2_instant(struct cql2_builder *builder, bool is_date, const char *text, size_t length);
/* An end of an interval: either of them, or "..". */
const struct cql2_node *cql2_interval_end(struct cql2_builder *builder, const char *text, size_t length);
const struct cql2_node *cql2_interval(struct cql2_builder *builder, const struct cql2_node *start,
                                      const struct cql2_node *end);
const struct cql2_node *cql2_array(struct cql2_builder *builder, const struct cql2_node *const *parts, size_t count);
const struct cql2_node *cql2_geometry(struct cql2_builder *builder, const json_t *geojson);
/* West, south, [low], east, north, [high]. */
const struct cql2_node *cql2_box(struct cql2_builder *builder, const double *edges, size_t count);
const struct cql2_node *cql2_operation(struct cql2_builder *builder, enum cql2_op op,
                                       const struct cql2_node *const *parts, size_t count);
/* A filter of what was built; the root says true or false. */
int cql2_finish(struct cql2_builder *builder, const struct cql2_node *root, const struct cql2_filter **out);

/* Adds a name to the properties that the filter looks at. */
int cql2_note_property(struct cql2_builder *builder, const char *name);

/* A text of an item: the instants that it means; false where it is no date or timestamp. */
bool cql2_read_instant(const char *text, bool *is_date, struct cql2_span *out);

#endif
