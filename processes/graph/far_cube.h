/* What a cube at another server is like, as far as the document of its collection tells: dimensions, and about how many
 * bytes it has. Nothing is asked for; the numbers decide where a step is computed, and never what it gives. */
#ifndef TWINCUBE_PROCESSES_GRAPH_FAR_CUBE_H
#define TWINCUBE_PROCESSES_GRAPH_FAR_CUBE_H

#include "datacube/grid.h"

#include <jansson.h>

enum { FAR_DIMENSIONS_MOST = 8 };

struct far_dimension {
  const char *name;     /* borrowed of the documents, as all texts here */
  char kind;            /* 'x', 'y', 't', 'b'ands, 'g'eometries; 'o': other */
  double count;         /* of labels */
  double low, high;     /* x, y: in units of the CRS, t: instants; equal: unknown */
  const json_t *labels; /* of bands, an array; NULL: unknown */
};

struct far_cube {
  struct far_dimension dimension[FAR_DIMENSIONS_MOST];
  size_t count;
  double value_bytes;
  double crs;               /* code of EPSG; 0: unknown */
  struct extent place;      /* degrees of longitude and latitude; all zero: unknown */
  bool is_assumed;          /* some count is no more than usual */
  const char *period;       /* of aggregate_temporal_period, that t has the labels of; or NULL */
  const json_t *labels;     /* of t by aggregate_temporal: texts, or arrays that begin with one; or NULL */
  const json_t *geometries; /* GeoJSON, where there is a dimension of them; or NULL */
};

/* The cube of a collection as load_collection with these arguments gives it; NULL for the document: one as most are. */
struct far_cube far_cube_load(const json_t *document, const json_t *arguments);

double far_cube_bytes(const struct far_cube *cube);
/* Whether it has x, y, and nothing else but bands whose names are known. */
bool far_cube_is_raster(const struct far_cube *cube);
/* SIZE_MAX where there is none. */
size_t far_cube_find(const struct far_cube *cube, char kind);
size_t far_cube_named(const struct far_cube *cube, const char *name);
void far_cube_remove(struct far_cube *cube, size_t d);

/* Crops, each of a value as processes take it; what cannot be told leaves the cube as it is. */
void far_cube_crop_bands(struct far_cube *cube, const json_t *bands);
void far_cube_crop_time(struct far_cube *cube, const json_t *extent);
void far_cube_crop_place(struct far_cube *cube, const json_t *place); /* a bounding box, or GeoJSON */

#endif
