/* Geometries of documents (GeoJSON, RFC 7946) as shapes. */
#ifndef TWINCUBE_STAC_GEOJSON_SHAPE_H
#define TWINCUBE_STAC_GEOJSON_SHAPE_H

#include "datacube/base/arena.h"
#include "datacube/base/error.h"
#include "datacube/geometry.h"

#include <jansson.h>

/* A geometry object as a set of one, in longitude and latitude. Heights go. Error ProcessParameterInvalid says what is
 * wrong with it: an unknown type, positions that are no finite numbers, lines of one position, rings of fewer than
 * three, collections in each other more than 16 deep. */
int geojson_shape_read(struct arena *arena, const json_t *geometry, const struct geometry_set **out,
                       struct error *error);

#endif
