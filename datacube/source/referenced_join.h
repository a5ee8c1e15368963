/* Several files as one, along a dimension. */
#ifndef TWINCUBE_DATACUBE_SOURCE_REFERENCED_JOIN_H
#define TWINCUBE_DATACUBE_SOURCE_REFERENCED_JOIN_H

#include "datacube/source/referenced_file.h"

/* `names` are those of the files, for messages; `folder` is where their targets lie (zarr_references.h), which is read
 * where coordinates are put together. Joined are the arrays whose first dimension has the name; NULL: that of the first
 * coordinate whose units are a time's. What else there is must be in the first file, with coordinates as in all of
 * them. Errors: FeatureUnsupported, FileContentInvalid (they do not fit). */
int referenced_join(const struct referenced_file *files, const char *const *names, size_t count, const char *dimension,
                    const char *folder, struct referenced_file *out, struct error *error);

#endif
