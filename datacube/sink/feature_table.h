/* A vector cube as a table: a feature for each geometry, a column for each combination of the other dimensions' labels.
 *
 * Columns are named by the labels, joined by '~' in the order of the dimensions ("2018-01-06~B4"); midnights are
 * written as dates. A cube of geometries alone has the column "value", unless all of its values are missing: then
 * there is nothing but the features. A column takes the place of a property of the same name; the others stay. */
#ifndef TWINCUBE_DATACUBE_SINK_FEATURE_TABLE_H
#define TWINCUBE_DATACUBE_SINK_FEATURE_TABLE_H

#include "datacube/geometry.h"
#include "datacube/sink/whole.h"

#include <stdio.h>

struct feature_table {
  const struct cube *cube;        /* borrowed */
  const struct geometry_set *set; /* the cube's */
  struct arena *arena;            /* own */
  size_t geometry;                /* its dimension */
  size_t columns;
  const char *const *names; /* of the columns */
  size_t *offsets;          /* of the columns: elements from a feature's first one */
  size_t stride;            /* elements from a feature to the next */
};

/* Error FormatUnsuitable where the cube has no geometries, or too much of anything. */
int feature_table_check(const struct cube *cube, const char *format, struct error *error);
int feature_table_open(const struct cube *cube, struct feature_table *out, struct error *error);
void feature_table_close(struct feature_table *table);

/* A member of a JSON object's text that this program wrote: pieces of the text. */
struct json_member {
  const char *key, *value; /* the key with its quotes */
  size_t key_length, value_length;
};
/* Moves *at, at first the object's text, to the next member; false behind the last one. */
bool json_member_next(const char **at, struct json_member *out);

/* A feature collection (RFC 7946; the outer ring of a polygon runs counterclockwise). */
struct feature_collection {
  const struct feature_table *table;
  const struct geometry_set *geometries; /* the table's, in the CRS to write */
  const struct whole *values;
  const char *crs;     /* written as a "crs" member as GeoJSON had it in 2008; NULL: none */
  const char *history; /* written as a member; or NULL */
  bool for_tables;     /* to become a table: "id" among the properties, floats written as such ("3.0") */
};
int feature_collection_write(const struct feature_collection *collection, FILE *file, struct error *error);

#endif
