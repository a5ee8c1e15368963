/* Which dimensions the variables of a file have, and which labels: variables with the same kinds of dimensions share
 * theirs. */
#ifndef TWINCUBE_DATACUBE_GRIB_GRIB_FAMILIES_H
#define TWINCUBE_DATACUBE_GRIB_GRIB_FAMILIES_H

#include "datacube/grib/grib_fields.h"

/* The dimensions before y and x. */
enum grib_role { ROLE_TIME, ROLE_REFERENCE, ROLE_STEP, ROLE_NUMBER, ROLE_LEVEL, ROLES };

struct grib_labels {
  double *values; /* instants in milliseconds, steps in hours, levels, numbers */
  size_t count;
};

/* Variables with the same kinds of dimensions, which share their labels. */
struct grib_family {
  const struct grib_grid *grid;
  const char *level_type;           /* of levels that are a dimension; or NULL */
  bool has_steps, has_numbers;      /* a dimension of them */
  struct grib_labels labels[ROLES]; /* count 0: no dimension */
  const char *names[ROLES + 2];     /* of the dimensions, those of y and x at the end */
  const char *mapping;              /* the name of its grid mapping, or NULL */
};

struct grib_families {
  struct grib_family *rows; /* in the order of their first variables */
  size_t count;
  size_t *of; /* of each variable its family's row */
};

/* Names are not set. Error Internal (memory). */
int grib_families_make(struct arena *arena, const struct grib_fields *fields, struct grib_families *out,
                       struct error *error);
bool grib_has_role(const struct grib_family *family, enum grib_role role);
/* The label of a field, and its place among those of its family. */
double grib_label(const struct grib_record *record, enum grib_role role);
size_t grib_label_place(const struct grib_labels *labels, double label);

#endif
