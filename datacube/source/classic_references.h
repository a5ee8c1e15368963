/* Where the bytes of a netCDF-3 file lie (referenced_file.h). */
#ifndef TWINCUBE_DATACUBE_SOURCE_CLASSIC_REFERENCES_H
#define TWINCUBE_DATACUBE_SOURCE_CLASSIC_REFERENCES_H

#include "datacube/source/referenced_file.h"

struct zarr_file;

/* Reads the header of an open file; `target` is what references call it (borrowed). Errors: FileContentInvalid (it is
 * damaged or cut short), FeatureUnsupported (its number of records is not told), and those of remote_need. */
int classic_references(const struct zarr_file *file, const char *target, struct referenced_file *out,
                       struct error *error);

#endif
