/* The times of a field, from the octets of its sections, as far as these are in the usual forms. */
#ifndef TWINCUBE_DATACUBE_GRIB_GRIB_TIMES_H
#define TWINCUBE_DATACUBE_GRIB_GRIB_TIMES_H

#include "datacube/base/instant.h"
#include "datacube/grib/grib_product.h"

bool grib_is_date(const struct civil *date);

/* Sets reference, valid and start. False: in another form. `product` is the section, of GRIB 1 of 28 octets at least.
 */
bool grib_times_1(const unsigned char *product, struct grib_product *out);
/* Whether the step of a forecast, of 34 octets at least, is in a unit that there is and of an age that may be asked
 * for: ecCodes counts the days one by one. True of templates that have none. */
bool grib_has_step_2(const unsigned char *product);
bool grib_times_2(const unsigned char *identification, const unsigned char *product, size_t length,
                  struct grib_product *out);
/* Of a product of GRIB 2, of 34 octets at least, where the end of its interval is. 0: it has none; SIZE_MAX: its
 * template is none of those that are read here. */
size_t grib_interval_2(const unsigned char *product, size_t length);

#endif
