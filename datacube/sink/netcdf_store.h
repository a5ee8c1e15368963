/* A netCDF file that encoded chunks are written into. */
#ifndef TWINCUBE_DATACUBE_SINK_NETCDF_STORE_H
#define TWINCUBE_DATACUBE_SINK_NETCDF_STORE_H

#include "datacube/sink/netcdf_encoding.h"

struct netcdf_store;

/* Opens a file that netcdf_define made, to fill its variables. Borrows path and plan. Errors: StorageFailure. */
int netcdf_store_open(const char *path, const struct netcdf_plan *plan, struct netcdf_store **out, struct error *error);
/* Writes what the parcel holds; one caller at a time. Error StorageFailure. */
int netcdf_store_write(struct netcdf_store *store, const struct netcdf_parcel *parcel, struct error *error);

/* Of what was written of a variable. */
const struct statistics *netcdf_store_statistics(const struct netcdf_store *store, size_t variable);
/* Notes the range of each variable and closes the file; what is not on disk after that is an error. */
int netcdf_store_finish(struct netcdf_store *store, struct error *error);
void netcdf_store_free(struct netcdf_store *store); /* NULL is allowed */

#endif
