/* The one lock in front of NetCDF-C and HDF5: see the header. A lock of the whole process is global by nature. */
#include "datacube/source/netcdf_lock.h"

#include <hdf5.h>
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void netcdf_lock(void)
{
  pthread_mutex_lock(&lock);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* of this thread */
}

void netcdf_unlock(void)
{
  pthread_mutex_unlock(&lock);
}
