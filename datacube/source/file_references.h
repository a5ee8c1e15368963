/* NetCDF, HDF5 and GRIB files as hierarchies of Zarr: the format tells who reads the headers. */
#ifndef TWINCUBE_DATACUBE_SOURCE_FILE_REFERENCES_H
#define TWINCUBE_DATACUBE_SOURCE_FILE_REFERENCES_H

#include "datacube/source/referenced_file.h"

/* Where the bytes of a file lie, of this machine or of another host; `target` is what references call it (borrowed).
 * The caller holds the lock (netcdf_lock.h). Errors: FileNotFound, FileContentInvalid, FeatureUnsupported (no such
 * format, or what references cannot say), and those of remote_open. */
int file_references_read(struct arena *arena, const char *path, const char *target, struct referenced_file *out,
                         struct error *error);

/* A file as the table for the reader of Zarr. The same. */
int file_references_table(struct arena *arena, const char *path, const struct zarr_references **out,
                          struct error *error);

#endif
