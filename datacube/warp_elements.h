/* Elements of a plane as doubles and back, for resampling. */
#ifndef TWINCUBE_DATACUBE_WARP_ELEMENTS_H
#define TWINCUBE_DATACUBE_WARP_ELEMENTS_H

#include "datacube/element.h"

/* Elements as doubles, no-data and NaN as NaN; and back: rounded, clamped, NaN as no-data. A valid integer that rounds
 * to the no-data value is moved by one. Not for complex types. */
void elements_to_doubles(enum element_type type, bool has_nodata, double nodata, size_t n, const void *from,
                         double *to);
void doubles_to_elements(enum element_type type, bool has_nodata, double nodata, size_t n, const double *from,
                         void *to);

#endif
