/* The HDF5 side of a netCDF-4 file. */
#ifndef TWINCUBE_DATACUBE_SOURCE_NETCDF_HDF5_H
#define TWINCUBE_DATACUBE_SOURCE_NETCDF_HDF5_H

#include "datacube/source/netcdf_describe.h"

#include "datacube/source/hdf5_type.h"

/* Callers hold the lock. */

enum { NETCDF_FILTER_ZSTD = 32015 };

/* Makes the filters that come with this program known to HDF5: zstd. Idempotent. */
void netcdf_hdf5_filters(void);
/* Opens a file that NetCDF-C may have open as well; negative where that fails. */
hid_t netcdf_hdf5_open(const char *path);
/* The dataset of a variable; negative where there is none. */
hid_t netcdf_hdf5_variable(hid_t file, const struct netcdf_variable *variable);
/* Refuses an HDF5 file of which a part lies in another file: external links, external storage, virtual datasets. A path
 * that is no HDF5 file is none of its business. Error FileContentInvalid. */
int netcdf_hdf5_check(const char *path, struct error *error);
/* Why HDF5 cannot read a variable of an open file: the name of a filter that is not there; NULL where it can. */
const char *netcdf_missing_filter(int group, int variable, struct arena *arena);

#endif
