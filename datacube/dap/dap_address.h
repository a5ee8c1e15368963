/* Addresses of OPeNDAP. A dataset's has no end of its own; an end tells what is asked of it: …/x.nc.dds describes it,
 * …/x.nc.dods gives its values. Here a dataset is called by the latter, as no file is, so that a path tells how it is
 * read. */
#ifndef TWINCUBE_DATACUBE_DAP_DAP_ADDRESS_H
#define TWINCUBE_DATACUBE_DAP_DAP_ADDRESS_H

#include "datacube/base/arena.h"
#include "datacube/base/error.h"

#include <stdbool.h>

/* Whether a path is of a dataset of DAP: of another host, and called by that end. */
bool dap_is(const char *path);

/* Whether an address of the web tells by itself that it is a dataset's: by its end, or by the folders that servers have
 * for them (…/dodsC/…, …/opendap/…, …/griddap/…, …/dods/…). */
bool dap_is_address(const char *address);

/* The address by which a dataset is called here; `address` may end as pages for people do. Errors: FeatureUnsupported
 * (it has a constraint, or is of DAP 4). */
int dap_address(struct arena *arena, const char *address, const char **out, struct error *error);

/* The dataset's address with another end, "dds", in place of "dods"; as a path where that is one. NULL: no memory. */
const char *dap_with_end(struct arena *arena, const char *path, const char *end);

#endif
