/* What a line of a CSV table tells of its feature: id, shape and properties.
 *
 *   id,geometry,name,area          "id" where a feature has one, then "geometry": well-known text, longitude first
 *   "p1","POINT (7 46)","Ob",2.5   then a column for each property that any feature has, in the order they come
 *
 * Texts stand in quotes, so that "007" stays a text; numbers, true and false do not; null is empty; lists and objects
 * are JSON texts. */
#ifndef TWINCUBE_DATACUBE_SINK_CSV_FEATURES_H
#define TWINCUBE_DATACUBE_SINK_CSV_FEATURES_H

#include "datacube/base/error.h"
#include "datacube/geometry.h"

#include <stdio.h>

struct csv_features;

struct csv_features_wish {
  const struct geometry_set *set;
  bool shapes;              /* else ids that tell the features apart stand for them */
  const char *const *taken; /* names of the table's other columns: properties of these names are left out */
  size_t taken_count;
};

/* Borrows the set. Errors: CRSInvalid, FormatUnsuitable for too many properties. */
int csv_features_open(const struct csv_features_wish *wish, struct csv_features **out, struct error *error);
void csv_features_close(struct csv_features *features);

/* The names of the columns, and those of feature i; at least one. A failure is told once, at the end. */
void csv_features_names(struct csv_features *features, FILE *file);
void csv_features_line(struct csv_features *features, FILE *file, size_t i);
/* A property of that name, left out for the sake of a column that the table turned out not to have. */
void csv_features_restore(struct csv_features *features, const char *name);
bool csv_features_failed(const struct csv_features *features);

/* A field of a table: quoted where it has to be, or always. */
void csv_text(FILE *file, const char *text, bool always);

#endif
