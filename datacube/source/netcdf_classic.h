/* Whether a netCDF-3 file is as long as its header says. NetCDF-C reads zeros past the end of a truncated one. */
#ifndef TWINCUBE_DATACUBE_SOURCE_NETCDF_CLASSIC_H
#define TWINCUBE_DATACUBE_SOURCE_NETCDF_CLASSIC_H

#include <stdbool.h>

/* True for a netCDF-3 file (CDF-1, 2 or 5) that ends before its data do, or within its header. False for any other. */
bool netcdf_classic_is_truncated(const char *path);

#endif
