/* What a server of DAP 2 says about the variables of a dataset, the DAS:
 *
 *   Attributes {
 *     t { String units "K"; Int16 _FillValue -32768; Float32 valid_range 0.0, 400.0; }
 *     NC_GLOBAL { String title "A \"title\""; }
 *   }
 *
 * Read as the tree that JSON of the same would be, for the readers of Zarr's attributes: containers are objects,
 * several values a list. Numbers of Float32 are those that a float holds. */
#ifndef TWINCUBE_DATACUBE_DAP_DAP_ATTRIBUTES_H
#define TWINCUBE_DATACUBE_DAP_DAP_ATTRIBUTES_H

#include "datacube/dap/dap_dataset.h"
#include "datacube/source/zarr_json.h"

enum { DAP_VALUES_MOST = 65536 /* of an attribute */ };

/* The tree, in the arena. NULL with an error: FileContentInvalid. */
const struct zarr_json *dap_attributes_read(struct arena *arena, const char *text, size_t length, struct error *error);

/* Those of a variable, and of the dataset itself; NULL: there are none. */
const struct zarr_json *dap_attributes_of(const struct zarr_json *all, const struct dap_variable *variable);
const struct zarr_json *dap_attributes_global(const struct zarr_json *all);

#endif
