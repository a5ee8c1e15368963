/* Selections on the dimensions of a netCDF file: box, time, labels. */
#ifndef TWINCUBE_DATACUBE_SOURCE_NETCDF_SELECT_H
#define TWINCUBE_DATACUBE_SOURCE_NETCDF_SELECT_H

#include "datacube/base/error.h"
#include "datacube/cube.h"
#include "datacube/source/netcdf_source.h"

struct netcdf_pick {     /* which indexes of the file one dimension of the cube has */
  size_t start;          /* of the first */
  const size_t *indexes; /* one per label, or NULL: start, start + 1, … */
};

/* Applies extent, times and (where `bands` is a dimension of the file itself) band labels to the cube's dimensions, in
 * place, and says in pick[] (one a dimension) where they come from. Errors: NoDataAvailable, BandNotAvailable,
 * TemporalExtentEmpty, CRSInvalid. */
int netcdf_select(struct arena *arena, const struct netcdf_selection *selection, bool own_bands, struct cube *cube,
                  struct netcdf_pick *pick, struct error *error);

#endif
