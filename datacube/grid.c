/* Grid algebra: lattices, crops, anchors, resampling names. CRS texts are in crs.c, transformations in transform.c.
 *
 * A lattice is the infinite set of pixels that a grid continues to. Positions are compared in units of a pixel, so the
 * tolerances below hold at any resolution. Pure functions, safe from any thread. */
#include "datacube/grid.h"

#include "datacube/cube.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static const double lattice_tolerance = 1e-3;   /* of a pixel: files round their corner coordinates */
static const double edge_tolerance = 1e-6;      /* of a pixel: arithmetic noise of an edge that is a multiple */
static const double most_pixels = 2147483647.0; /* along one axis */

static const char *const resampling_names[RESAMPLE_COUNT] = {
    [RESAMPLE_NEAREST] = "near",    [RESAMPLE_BILINEAR] = "bilinear",
    [RESAMPLE_CUBIC] = "cubic",     [RESAMPLE_CUBIC_SPLINE] = "cubicspline",
    [RESAMPLE_LANCZOS] = "lanczos", [RESAMPLE_AVERAGE] = "average",
    [RESAMPLE_MODE] = "mode",       [RESAMPLE_MAX] = "max",
    [RESAMPLE_MIN] = "min",         [RESAMPLE_MEDIAN] = "med",
    [RESAMPLE_Q1] = "q1",           [RESAMPLE_Q3] = "q3",
    [RESAMPLE_SUM] = "sum",         [RESAMPLE_RMS] = "rms",
    [RESAMPLE_GEOCODE] = "geocode"};

enum resampling resampling_from_name(const char *name)
{
  size_t i = 0;
  while (i < RESAMPLE_COUNT && (!name || strcmp(name, resampling_names[i]) != 0))
    i++;
  return (enum resampling)i;
}

const char *resampling_name(enum resampling method)
{
  return (size_t)method < RESAMPLE_COUNT ? resampling_names[method] : "unknown";
}

static bool same_axis(double res_a, double res_b, double distance, size_t pixels)
{
  if (!(res_a > 0 && res_b > 0))
    return false;
  double steps = distance / res_a;
  return fabs(res_a - res_b) / res_a * (double)pixels <= lattice_tolerance &&
         fabs(steps - rint(steps)) <= lattice_tolerance;
}

bool grid_same_lattice(const struct grid *a, const struct grid *b)
{
  size_t width = a->width > b->width ? a->width : b->width;
  size_t height = a->height > b->height ? a->height : b->height;
  return same_axis(a->res_x, b->res_x, a->west - b->west, width) &&
         same_axis(a->res_y, b->res_y, a->north - b->north, height) && crs_equal(a->crs, b->crs);
}

/* Index, clamped to 0 … size. */
static size_t clamp_index(double index, size_t size)
{
  if (!(index > 0))
    return 0;
  return index < (double)size ? (size_t)index : size;
}

struct grid grid_crop(const struct grid *lattice, const struct extent *extent)
{
  /* Centre i + 1/2 (pixels from the west) in [west, east); centre j + 1/2 (pixels from the north) in (north, south]. */
  double west = (extent->west - lattice->west) / lattice->res_x - 0.5;
  double east = (extent->east - lattice->west) / lattice->res_x - 0.5;
  double north = (lattice->north - extent->north) / lattice->res_y - 0.5;
  double south = (lattice->north - extent->south) / lattice->res_y - 0.5;
  size_t x0 = clamp_index(ceil(west - edge_tolerance), lattice->width);
  size_t x1 = clamp_index(ceil(east - edge_tolerance), lattice->width);
  size_t y0 = clamp_index(floor(north + edge_tolerance) + 1, lattice->height);
  size_t y1 = clamp_index(floor(south + edge_tolerance) + 1, lattice->height);
  struct grid crop = *lattice;
  crop.west = lattice->west + (double)x0 * lattice->res_x;
  crop.north = lattice->north - (double)y0 * lattice->res_y;
  crop.width = x1 > x0 ? x1 - x0 : 0;
  crop.height = y1 > y0 ? y1 - y0 : 0;
  return crop;
}

int grid_anchored(const struct extent *extent, double res_x, double res_y, struct grid *out, struct error *error)
{
  if (!(res_x > 0 && res_y > 0) || !isfinite(res_x) || !isfinite(res_y))
    return error_set(error, ERROR_ProcessParameterInvalid, "A resolution must be a positive number, not %g and %g.",
                     res_x, res_y);
  double west = floor(extent->west / res_x + edge_tolerance), east = ceil(extent->east / res_x - edge_tolerance);
  double south = floor(extent->south / res_y + edge_tolerance), north = ceil(extent->north / res_y - edge_tolerance);
  double width = east - west, height = north - south;
  if (!(width >= 0 && height >= 0))
    return error_set(error, ERROR_ProcessParameterInvalid, "The extent (%g, %g, %g, %g) is empty or not finite.",
                     extent->west, extent->south, extent->east, extent->north);
  if (!(width <= most_pixels && height <= most_pixels))
    return error_set(error, ERROR_ProcessParameterInvalid,
                     "A grid of %.0f x %.0f pixels (extent %g, %g, %g, %g at resolution %g, %g) is too large.", width,
                     height, extent->west, extent->south, extent->east, extent->north, res_x, res_y);
  *out = (struct grid){.west = west * res_x,
                       .north = north * res_y,
                       .res_x = res_x,
                       .res_y = res_y,
                       .width = (size_t)width,
                       .height = (size_t)height,
                       .crs = extent->crs};
  return 0;
}

int grid_under_cube(const struct cube *cube, struct grid *out)
{
  size_t ix = cube_find_axis(cube, 'x'), iy = cube_find_axis(cube, 'y');
  if (ix == SIZE_MAX || iy == SIZE_MAX)
    return -1;
  const struct dimension *x = &cube->dimension[ix], *y = &cube->dimension[iy];
  if (x->labels != LABEL_STEP || y->labels != LABEL_STEP || x->step == 0 || y->step == 0)
    return -1;
  double first = dimension_label_number(x, x->step > 0 || x->size == 0 ? 0 : x->size - 1);
  double top = dimension_label_number(y, y->step < 0 || y->size == 0 ? 0 : y->size - 1);
  *out = (struct grid){.west = first - 0.5 * fabs(x->step),
                       .north = top + 0.5 * fabs(y->step),
                       .res_x = fabs(x->step),
                       .res_y = fabs(y->step),
                       .width = x->size,
                       .height = y->size,
                       .crs = cube->crs};
  return 0;
}

int grid_of_cube(const struct cube *cube, struct grid *out)
{
  if (grid_under_cube(cube, out) != 0)
    return -1;
  const struct dimension *x = &cube->dimension[cube_find_axis(cube, 'x')];
  const struct dimension *y = &cube->dimension[cube_find_axis(cube, 'y')];
  return x->step > 0 && y->step < 0 ? 0 : -1;
}
