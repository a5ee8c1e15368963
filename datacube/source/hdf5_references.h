/* Where the bytes of an HDF5 or netCDF-4 file lie (referenced_file.h). */
#ifndef TWINCUBE_DATACUBE_SOURCE_HDF5_REFERENCES_H
#define TWINCUBE_DATACUBE_SOURCE_HDF5_REFERENCES_H

#include "datacube/source/referenced_file.h"

/* Reads the headers of a file of this machine or, by ranges, of another host, and the index of its chunks; `target` is
 * what references call it (borrowed). Variables of types that are no numbers, complex numbers or texts are left out.
 * The caller holds the lock (netcdf_lock.h). Errors: FileContentInvalid; FeatureUnsupported (what references cannot
 * say: other filters, virtual and external storage, links to other files); those of remote_open. */
int hdf5_references(const char *path, const char *target, struct referenced_file *out, struct error *error);

#endif
