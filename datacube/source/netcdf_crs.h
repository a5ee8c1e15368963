/* The CRS that a netCDF file declares: grid mappings of CF, and what people write instead. */
#ifndef TWINCUBE_DATACUBE_SOURCE_NETCDF_CRS_H
#define TWINCUBE_DATACUBE_SOURCE_NETCDF_CRS_H

#include "datacube/source/netcdf_group.h"

#include <stdbool.h>

/* A GeoTransform attribute in GDAL's order, without rotation. */
struct netcdf_transform {
  double west, step_x, north, step_y; /* outer corner and steps; step_y mostly negative */
};

/* Variable that maps the grid of the data variable, id -1 where there is none. Caller holds the lock. */
struct netcdf_place netcdf_grid_mapping(struct arena *arena, int file, int variable);
/* Canonical CRS ("EPSG:n" or WKT 2) of the data variable; NULL where the file declares none that can be understood (a
 * rotated pole among them). metres: size of the unit of its x and y coordinates, 1 or 1000, for CF's false eastings.
 * Caller holds the lock. */
const char *netcdf_crs(struct arena *arena, int file, int variable, double metres);
/* Reads the GeoTransform of a mapping; false where there is none or it is rotated. Caller holds the lock. */
bool netcdf_has_transform(struct arena *arena, struct netcdf_place mapping, struct netcdf_transform *out);

#endif
