/* How a cube becomes a netCDF file: which variables, which dimensions, which chunks. */
#ifndef TWINCUBE_DATACUBE_SINK_NETCDF_PLAN_H
#define TWINCUBE_DATACUBE_SINK_NETCDF_PLAN_H

#include "datacube/sink.h"

enum chunk_codec {
  CODEC_HDF5, /* HDF5's filters: shuffle and deflate, left out where they do not help */
  CODEC_ZLIB,
  CODEC_GZIP,
  CODEC_ZSTD /* Zarr's: always the same */
};

struct netcdf_plan {
  struct cube cube; /* a copy; its labels are borrowed */
  size_t bands;     /* the dimension whose labels are variables, SIZE_MAX: one variable has all dimensions */
  size_t rank;      /* dimensions of each variable */
  size_t dimension[CUBE_MAX_DIMENSIONS]; /* their indexes in the cube */
  size_t shape[CUBE_MAX_DIMENSIONS], chunk[CUBE_MAX_DIMENSIONS];
  size_t chunk_elements;
  size_t variable_count;
  const char *const *variables;                     /* names, legal and unique */
  const char *dimension_names[CUBE_MAX_DIMENSIONS]; /* of the cube's dimensions, legal and unique */
  const char *mapping;                              /* name of the CRS variable, NULL without a CRS */
  enum chunk_codec codec;
  bool shuffles; /* Zarr: bytes are shuffled before */
  int level;     /* of compression, 0: none */
  bool adaptive; /* chunks that deflate does not shrink are stored as they are */
};

/* Everything that is allocated comes from the arena. Errors: FormatUnsuitable, ProcessParameterInvalid. */
int netcdf_plan_make(struct arena *arena, const struct cube *cube, const struct sink_option *options, size_t count,
                     struct netcdf_plan *out, struct error *error);

/* Chunks that the tiles fill whole, so that none is compressed twice. tile: of the cube's dimensions, 0: not known. */
void netcdf_plan_fit(struct netcdf_plan *plan, const size_t *tile);

/* The element that stands for no data, in cube.type, in the first bytes. */
void netcdf_plan_fill(const struct netcdf_plan *plan, unsigned char fill[16]);

/* Creates the file with all its dimensions, attributes and coordinates; the variables' values are not there yet. Takes
 * the netCDF lock. Error StorageFailure. */
int netcdf_define(const char *path, const struct netcdf_plan *plan, const char *history, struct error *error);

/* Writes the CF description of a CRS as attributes of the variable: crs_wkt, spatial_ref and the parameters of its grid
 * mapping where CF has one. Caller holds the lock. Returns 0, -1 where the file refuses. */
int netcdf_put_mapping(struct arena *arena, int file, int variable, const char *crs);

#endif
