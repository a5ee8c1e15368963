/* What a field is of: parameter, level, time, member.
 *
 * Names, units and types of levels come from the tables of ecCodes, which takes its time; so it is asked once for all
 * fields of a file that differ in what names do not depend on: dates, steps, members, levels of pressure and of models.
 * These are read here from the octets (WMO Manual on Codes, I.2: FM 92, sections 1 of GRIB 1 and 1 and 4 of GRIB 2), in
 * the usual templates (4.0, 4.1, 4.2, 4.8, 4.11, 4.12); of others ecCodes tells them, too. */
#ifndef TWINCUBE_DATACUBE_GRIB_GRIB_PRODUCT_H
#define TWINCUBE_DATACUBE_GRIB_GRIB_PRODUCT_H

#include "datacube/base/arena.h"
#include "datacube/grib/grib_sections.h"

struct grib_parameter {
  const char *name;                      /* of the CF conventions where it has one, else the short name */
  const char *long_name, *standard_name; /* or NULL */
  const char *unit;                      /* or NULL */
  const char *level_type;                /* isobaricInhPa, surface, … */
  const char *step_type;                 /* instant, accum, avg, max, … */
};

struct grib_product {
  const struct grib_parameter *parameter; /* the same for all fields of one, within a file */
  double level;                           /* in the units of its type; of pressures hPa */
  int64_t reference, valid; /* instants: of the analysis or the forecast's beginning; what it is for, of an
                               interval the end */
  int64_t start;            /* of the interval; else as valid */
  long number;              /* of the member; -1: none is told */
};

struct grib_products; /* those of a file */

struct grib_products *grib_products_new(struct arena *arena);
/* Errors: FileContentInvalid, FeatureUnsupported (more kinds of fields than a file may have). */
int grib_product_read(struct grib_products *products, struct grib_window *window, const struct grib_field *field,
                      struct grib_product *out, struct error *error);

/* Asks ecCodes, by a message of the field without its data; each costs some milliseconds. False: error is set. */
struct grib_handle;
int grib_ask(struct grib_products *products, struct grib_window *window, const struct grib_field *field,
             bool (*work)(struct grib_handle *handle, void *data), void *data, struct error *error);

#endif
