/* The HDF5 side of a netCDF-4 file. */
#ifndef TWINCUBE_DATACUBE_SOURCE_NETCDF_HDF5_H
#define TWINCUBE_DATACUBE_SOURCE_NETCDF_HDF5_H

#include <hdf5.h>

/* Opens a file that NetCDF-C may have open as well; negative where that fails. Caller holds the lock. */
hid_t netcdf_hdf5_open(const char *path);

#endif
