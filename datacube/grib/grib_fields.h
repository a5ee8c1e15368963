/* The fields of a file, and the variables that they are of: what grib_references.h makes arrays of. */
#ifndef TWINCUBE_DATACUBE_GRIB_GRIB_FIELDS_H
#define TWINCUBE_DATACUBE_GRIB_GRIB_FIELDS_H

#include "datacube/grib/grib_grid.h"
#include "datacube/grib/grib_product.h"

struct grib_record { /* one field */
  struct grib_product product;
  uint64_t at, length; /* of its message */
  uint32_t number;     /* in that */
};

struct grib_variable {
  const struct grib_parameter *parameter;
  const struct grib_grid *grid;
  bool is_interval;            /* its sums are not from the forecast's beginning, those of another variable are */
  bool is_wide;                /* doubles */
  struct grib_record *records; /* in the order of the file */
  size_t count, room;
};

struct grib_fields {
  struct grib_variable *variables; /* in the order of their first fields */
  size_t variable_count, variable_room;
};

/* Reads all fields. Errors as grib_references. */
int grib_fields_read(struct arena *arena, const struct zarr_file *file, struct grib_fields *out, struct error *error);

#endif
