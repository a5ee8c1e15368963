/* The one lock in front of NetCDF-C and HDF5.
 *
 * Neither library may be called by two threads at once, and both share libhdf5, so every call of either, in the whole
 * process, is made between netcdf_lock and netcdf_unlock. Hold it for the call and nothing else: inflating, converting
 * and copying belong outside. Not recursive. HDF5 is told not to print its errors: they come back as statuses. */
#ifndef TWINCUBE_DATACUBE_SOURCE_NETCDF_LOCK_H
#define TWINCUBE_DATACUBE_SOURCE_NETCDF_LOCK_H

void netcdf_lock(void);
void netcdf_unlock(void);

#endif
