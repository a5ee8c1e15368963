/* CQL2 (OGC 21-065r2): which items are wanted, as text or as JSON.
 *
 *   text ─┐                       ┌─► cql2_test: an item's document is looked at      (cql2_test.c)
 *         ├─► tree (cql2_tree.h) ─┼─► SQL with bindings, of the same meaning           (cql2_condition.h)
 *   JSON ─┘                       └─► text, JSON                                       (cql2_print.c)
 *
 * Truth has three values as in SQL: what is compared with null, or with something of another type, is unknown, and only
 * what is true is found. A property is what the item's "properties" have by that name ("properties.NAME" means the
 * same); "id", "collection", "geometry" and "bbox" are the item's own. Numbers are doubles; texts are compared byte by
 * byte. What cannot be computed (x / 0) is null.
 *
 * Beside =, <, … a date is its first instant; in temporal functions it is its day. Texts of items that are dates (RFC
 * 3339) are dates beside dates, and texts beside texts. Intervals hold both ends. In temporal functions "datetime" of
 * an item that has null there is its start_datetime to end_datetime.
 *
 * Arrays are sets. Geometries lie in the plane of longitude and latitude; heights do not count.
 *
 * Bounds: a megabyte of text, 20 000 nodes, 100 deep, patterns of 250 characters. */
#ifndef TWINCUBE_STAC_CQL2_H
#define TWINCUBE_STAC_CQL2_H

#include "datacube/base/arena.h"
#include "datacube/base/buffer.h"
#include "datacube/base/error.h"

#include <jansson.h>

struct cql2_filter; /* immutable, in its arena; may be shared by threads */

/* Reads text of the given length. Error FilterInvalid tells at which character. */
int cql2_of_text(struct arena *arena, const char *text, size_t length, const struct cql2_filter **out,
                 struct error *error);
/* The same of JSON; the error tells the path to what is wrong ("args[0].op"). Nothing of the tree is kept. */
int cql2_of_json(struct arena *arena, const json_t *json, const struct cql2_filter **out, struct error *error);
/* JSON that is still text. */
int cql2_of_json_text(struct arena *arena, const char *text, size_t length, const struct cql2_filter **out,
                      struct error *error);
/* Both filters. */
int cql2_both(struct arena *arena, const struct cql2_filter *a, const struct cql2_filter *b,
              const struct cql2_filter **out, struct error *error);

void cql2_write_text(const struct cql2_filter *filter, struct buffer *out);
void cql2_write_json(const struct cql2_filter *filter, struct json_writer *out);

/* Names of all properties that it looks at, each once, in order of their first use. */
const char *const *cql2_properties(const struct cql2_filter *filter, size_t *count);

enum cql2_truth { CQL2_FALSE, CQL2_TRUE, CQL2_UNKNOWN };

/* A filter at work: what was prepared of its geometries, and room to compute. One thread's. The filter outlives it. */
struct cql2_tester;

struct cql2_tester *cql2_tester_new(const struct cql2_filter *filter, struct error *error);
void cql2_tester_free(struct cql2_tester *tester); /* NULL is allowed */

/* Whether the item (a STAC item's document) is wanted. Error: out of memory. */
int cql2_test(struct cql2_tester *tester, const json_t *item, enum cql2_truth *out, struct error *error);

#endif
