/* The one grid algebra: north-up horizontal pixel grids and extents.
 *
 * Frames: "pixel" is column and row, (0,0) the outer corner of the first pixel; "crs" is the grid's CRS; "lonlat" is
 * degrees, WGS 84, longitude first. Every axis order is x, y (traditional GIS order). A resolution is positive; rows go
 * south (step -res_y). A grid anchored to the CRS origin has edges at whole multiples of its resolution. */
#ifndef TWINCUBE_DATACUBE_GRID_H
#define TWINCUBE_DATACUBE_GRID_H

#include "datacube/base/arena.h"
#include "datacube/base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct cube;

enum resampling {
  RESAMPLE_NEAREST,
  RESAMPLE_BILINEAR,
  RESAMPLE_CUBIC,
  RESAMPLE_CUBIC_SPLINE,
  RESAMPLE_LANCZOS,
  RESAMPLE_AVERAGE,
  RESAMPLE_MODE,
  RESAMPLE_MAX,
  RESAMPLE_MIN,
  RESAMPLE_MEDIAN,
  RESAMPLE_Q1,
  RESAMPLE_Q3,
  RESAMPLE_SUM,
  RESAMPLE_RMS,
  RESAMPLE_GEOCODE,
  RESAMPLE_COUNT
};

struct extent { /* edges, half-open towards east and north; in the frame of crs */
  double west, south, east, north;
  const char *crs; /* NULL: lonlat */
};

struct grid {
  double west, north;   /* outer edge of the first pixel, CRS units */
  double res_x, res_y;  /* positive */
  size_t width, height; /* pixels */
  const char *crs;      /* as struct cube's */
};

/* openEO method name ("near", "bilinear", "cubicspline", …); RESAMPLE_COUNT where there is none. */
enum resampling resampling_from_name(const char *name);
const char *resampling_name(enum resampling method);

/* Canonical CRS text of anything PROJ understands ("EPSG:32618", "32618", WKT, PROJJSON, "+proj=…"): "EPSG:n" where
 * one matches exactly, else WKT 2. Error code CRSInvalid. */
int crs_canonical(struct arena *arena, const char *text, const char **out, struct error *error);
/* WKT 2 of a canonical CRS. */
int crs_wkt(struct arena *arena, const char *crs, const char **out, struct error *error);
bool crs_equal(const char *a, const char *b);
bool crs_is_geographic(const char *crs);
bool crs_starts_north(const char *crs); /* whether its own first axis goes north: the OGC's services ask for that */
double crs_unit_metres(const char *crs); /* metres per unit of the axes; degrees: 111319.49 */

/* The extent's image in another CRS: edges densified, so the result covers it all. */
int extent_transform(const struct extent *in, const char *crs, struct extent *out, struct error *error);
/* The same; but where parts of a geographic extent have no image, or one beyond all measure, only what lies in the area
 * that the CRS is meant for counts. */
int extent_transform_in_use(const struct extent *in, const char *crs, struct extent *out, struct error *error);
/* n points in place, traditional axis order; an untransformable point becomes HUGE_VAL. */
int points_transform(const char *from, const char *to, size_t n, double *x, double *y, struct error *error);

/* Whether the two grids share a lattice: CRS, resolution and phase (within 1e-3 of a pixel over the larger grid). */
bool grid_same_lattice(const struct grid *a, const struct grid *b);
/* The pixels of the lattice whose centres lie in the extent (same CRS); width or height 0 where there is none. */
struct grid grid_crop(const struct grid *lattice, const struct extent *extent);
/* The smallest grid of the lattice (edges at multiples of the resolution from the CRS origin) that covers the extent.
 */
int grid_anchored(const struct extent *extent, double res_x, double res_y, struct grid *out, struct error *error);
/* Grid of a cube's x and y; -1 (no error set) where the cube has none, or they are not regular steps to the east and to
 * the south. */
int grid_of_cube(const struct cube *cube, struct grid *out);
/* The same whichever way x and y run: the grid, west to east and north to south, of the same pixels. */
int grid_under_cube(const struct cube *cube, struct grid *out);

#endif
