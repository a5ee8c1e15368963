/* One geometry that many others are held against: does it meet them? Longitude and latitude, as GeoJSON text. */
#ifndef TWINCUBE_DATACUBE_GEOMETRY_PROBE_H
#define TWINCUBE_DATACUBE_GEOMETRY_PROBE_H

#include "datacube/base/error.h"
#include "datacube/grid.h"

struct geometry_probe;

/* Error ProcessParameterInvalid says what is wrong with the text. One thread's. */
int geometry_probe_new(const char *geojson, struct geometry_probe **out, struct error *error);
void geometry_probe_free(struct geometry_probe *probe); /* NULL is allowed */
struct extent geometry_probe_bounds(const struct geometry_probe *probe);
/* Whether they have a point in common. What is no geometry meets none. */
bool geometry_probe_meets(const struct geometry_probe *probe, const char *geojson);

#endif
