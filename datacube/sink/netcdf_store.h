/* Chunks of a netCDF file, encoded by the threads that bring them. */
#ifndef TWINCUBE_DATACUBE_SINK_NETCDF_STORE_H
#define TWINCUBE_DATACUBE_SINK_NETCDF_STORE_H

#include "datacube/sink/netcdf_plan.h"

struct netcdf_store;

/* Opens a file that netcdf_define made, to fill its variables. Borrows path and plan. Errors: StorageFailure. */
int netcdf_store_open(const char *path, const struct netcdf_plan *plan, struct netcdf_store **out, struct error *error);
/* Writes a box of one variable: start and count in the variable's dimensions; element `data[i0 * step[0] + …]`, steps
 * in elements. Thread safe. Errors: StorageFailure, Internal (memory). */
struct netcdf_piece {
  size_t variable;
  size_t start[CUBE_MAX_DIMENSIONS], count[CUBE_MAX_DIMENSIONS];
  size_t step[CUBE_MAX_DIMENSIONS];
  const char *data;
};
int netcdf_store_put(struct netcdf_store *store, const struct netcdf_piece *piece, struct error *error);
/* Closes the file; what is not on disk after that is an error. */
int netcdf_store_finish(struct netcdf_store *store, struct error *error);
void netcdf_store_free(struct netcdf_store *store); /* NULL is allowed */

#endif
