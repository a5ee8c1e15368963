/* Geometries as well-known binary, written as GeoJSON. */
#ifndef TWINCUBE_STAC_WKB_GEOJSON_H
#define TWINCUBE_STAC_WKB_GEOJSON_H

#include "datacube/base/buffer.h"
#include "datacube/base/error.h"

/* One geometry of any type, in the forms of OGC, ISO and PostGIS. Heights stay; measures and reference systems go, for
 * which GeoJSON has no place. Error StacInvalid; what is written then is no JSON. */
int wkb_geojson_write(const char *bytes, size_t length, struct json_writer *w, struct error *error);

#endif
