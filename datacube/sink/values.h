/* Single elements of untyped buffers, for the formats that look at values one by one. */
#ifndef TWINCUBE_DATACUBE_SINK_VALUES_H
#define TWINCUBE_DATACUBE_SINK_VALUES_H

#include "datacube/cube.h"

#include <stdio.h>

/* Element i as a double (complex: the real part). 64-bit integers above 2^53 are rounded. */
double value_load(enum element_type type, const void *data, size_t i);
/* Stores a value of the type. */
void value_store(enum element_type type, double value, void *data, size_t i);
/* Element i with the fewest digits that read back to it; booleans as true and false. Not for missing, infinite and
 * complex values. */
void value_print(FILE *file, enum element_type type, const void *data, size_t i);
/* Whether element i is missing: NaN in floats, the cube's no-data, 255 in booleans. */
bool value_missing(const struct cube *cube, const void *data, size_t i);

#endif
