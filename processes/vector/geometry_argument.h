/* Arguments that stand for geometries, in whichever form they come. */
#ifndef TWINCUBE_PROCESSES_VECTOR_GEOMETRY_ARGUMENT_H
#define TWINCUBE_PROCESSES_VECTOR_GEOMETRY_ARGUMENT_H

#include "datacube/geometry.h"
#include "processes/process.h"

/* The geometries of the argument, a GeoJSON object or a vector cube, as a dimension: `out->geometries` is the set, in
 * its own CRS, in the order given; the labels are the vector cube's own, or made for the GeoJSON ("geometry"). Errors
 * name the parameter. */
int call_geometries(struct call *call, const char *parameter, struct dimension *out);
/* The same of GeoJSON that is no argument of the call. */
int geometries_of_value(struct call *call, const char *parameter, const struct value *geojson, struct dimension *out);

#endif
