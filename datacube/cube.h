/* A cube: the description of an n-dimensional array. No pixels. Immutable, in its arena. */
#ifndef TWINCUBE_DATACUBE_CUBE_H
#define TWINCUBE_DATACUBE_CUBE_H

#include "datacube/box.h"
#include "datacube/dimension.h"
#include "datacube/element.h"

/* Packing and meaning of one band, kept as metadata: values are stored values, scale and offset are not applied. */
struct band_info {
  double scale, offset;      /* value = stored * scale + offset; 1 and 0 when none */
  const char *unit;          /* or NULL */
  const char *long_name;     /* or NULL */
  const char *standard_name; /* CF, or NULL */
  double wavelength;         /* centre in micrometres, 0 unknown */
  const char *common_name;   /* STAC eo: "red", "nir", …, or NULL */
};

struct cube {
  size_t dimensions;                               /* 0 … CUBE_MAX_DIMENSIONS */
  struct dimension dimension[CUBE_MAX_DIMENSIONS]; /* [0] varies slowest */
  enum element_type type;
  bool has_nodata;
  double nodata;   /* in the type's values; NaN for floats; meaningless unless has_nodata */
  const char *crs; /* "EPSG:32618" where there is a code, else WKT 2; NULL without a horizontal reference */
  const struct band_info *bands; /* one per label of the bands dimension (one in all without one), or NULL */
  const char *title;             /* for people: where the data come from; or NULL */
};

/* Indexes of dimensions; SIZE_MAX where there is none. */
size_t cube_find_dimension(const struct cube *cube, const char *name);
size_t cube_find_axis(const struct cube *cube, char axis);
size_t cube_find_type(const struct cube *cube, enum dimension_type type); /* the first of it */
size_t cube_find_geometries(const struct cube *cube);                     /* whose labels are geometries */
size_t cube_count_type(const struct cube *cube, enum dimension_type type);

struct box cube_box(const struct cube *cube); /* the whole */
size_t cube_elements(const struct cube *cube);
size_t cube_bytes(const struct cube *cube); /* saturated */

/* Edges of the spatial extent in the CRS (outer pixel edges); false without x and y or when one is empty. */
bool cube_bounds(const struct cube *cube, double *west, double *south, double *east, double *north);

/* Comma-separated "t, bands, y, x" for messages. */
const char *cube_dimension_names(struct arena *arena, const struct cube *cube);

#endif
