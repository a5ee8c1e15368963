/* GeoJSON as it stands in a graph, to geometry sets. */
#ifndef TWINCUBE_PROCESSES_VECTOR_GEOJSON_H
#define TWINCUBE_PROCESSES_VECTOR_GEOJSON_H

#include "datacube/geometry.h"
#include "processes/process.h"

bool geojson_is(const struct value *value); /* an object whose type is one of GeoJSON's */

/* A geometry, a feature or a feature collection: one geometry each, in their order. Longitude and latitude in degrees
 * unless a "crs" member (as GeoJSON of 2008 had it) names another reference system. A feature without a geometry, or
 * with empty coordinates, is an empty geometry. Heights are dropped. Errors name the parameter. */
int geojson_read(struct call *call, const char *parameter, const struct value *value, const struct geometry_set **out);
/* Geometries and features one by one: count and items of the set; its CRS is the caller's to give. */
int geojson_read_items(struct call *call, const char *parameter, const struct value *items, size_t count,
                       struct geometry_set *out);

#endif
