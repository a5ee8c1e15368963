/* The box of a request. */
#include "stac/region.h"

#include "datacube/lonlat.h"

#include <math.h>
#include <string.h>

static const char parameter[] = "spatial_extent";

static int check_box(const struct extent *box, bool geographic, struct error *error)
{
  if (!isfinite(box->west) || !isfinite(box->south) || !isfinite(box->east) || !isfinite(box->north))
    return error_parameter(error, ERROR_ProcessParameterInvalid, parameter, "the box has an edge that is not finite");
  if (!(box->south < box->north))
    return error_parameter(error, ERROR_ProcessParameterInvalid, parameter,
                           "the box is empty: south %.15g is not below north %.15g", box->south, box->north);
  if (box->west == box->east || (!geographic && box->west > box->east))
    return error_parameter(error, ERROR_ProcessParameterInvalid, parameter,
                           "the box is empty: west %.15g is not below east %.15g", box->west, box->east);
  if (geographic && box->west > box->east && box->east + 360 - box->west > 180)
    return error_parameter(error, ERROR_ProcessParameterInvalid, parameter,
                           "west %.15g lies east of east %.15g, and not because the box crosses the antimeridian",
                           box->west, box->east);
  if (geographic && (box->south < -90 || box->north > 90))
    return error_parameter(error, ERROR_ProcessParameterInvalid, parameter,
                           "latitudes run from -90 to 90; the box runs from %.15g to %.15g", box->south, box->north);
  if (geographic && (fabs(box->west) > 360 || fabs(box->east) > 360))
    return error_parameter(error, ERROR_ProcessParameterInvalid, parameter,
                           "longitudes run from -180 to 180 (or 0 to 360); the box runs from %.15g to %.15g", box->west,
                           box->east);
  return 0;
}

static void normalise(struct extent *box)
{
  if (box->west > box->east)
    box->east += 360;
  const char *crs = box->crs;
  *box = lonlat_normal(box);
  box->crs = crs;
}

int region_make(const struct extent *extent, struct arena *arena, struct load_region *out, struct error *error)
{
  *out = (struct load_region){.everywhere = !extent};
  if (!extent)
    return 0;
  out->box = *extent;
  out->box.crs = "EPSG:4326";
  if (extent->crs && crs_canonical(arena, extent->crs, &out->box.crs, error) != 0)
    return error_at_parameter(error, parameter);
  out->geographic = crs_is_geographic(out->box.crs);
  if (check_box(&out->box, out->geographic, error) != 0)
    return -1;
  if (out->geographic)
    normalise(&out->box);
  return 0;
}

static bool is_wide(const struct load_region *region)
{
  return region->geographic &&
         (region->box.east - region->box.west > REGION_WIDE || region->box.north - region->box.south > REGION_WIDE);
}

void region_clip(struct load_region *region, const struct extent *bounds)
{
  if (region->everywhere || !is_wide(region))
    return;
  struct extent box = region->box;
  box.south = fmax(box.south, bounds->south);
  box.north = fmin(box.north, bounds->north);
  if (box.east <= 180 && bounds->east - bounds->west < 360) {
    box.west = fmax(box.west, bounds->west);
    box.east = fmin(box.east, bounds->east);
  }
  if (box.west < box.east && box.south < box.north)
    region->box = box; /* else a search finds nothing */
}

static struct region_image make_image(const struct load_region *region, const char *crs)
{
  struct region_image image = {.crs = crs, .known = true, .extent = region->box};
  struct error ignored = {0};
  if (strcmp(region->box.crs, crs) != 0)
    image.known = extent_transform(&region->box, crs, &image.extent, &ignored) == 0;
  const struct extent *e = &image.extent;
  image.known = image.known && isfinite(e->west + e->east + e->south + e->north);
  image.extent.crs = crs;
  return image;
}

static struct region_image image_in(struct load_region *region, const char *crs)
{
  for (size_t i = 0; i < region->image_count; i++)
    if (region->images[i].crs == crs || strcmp(region->images[i].crs, crs) == 0)
      return region->images[i];
  struct region_image image = make_image(region, crs);
  if (region->image_count < REGION_IMAGES)
    region->images[region->image_count++] = image;
  return image;
}

static struct extent lonlat_of(const struct extent *box)
{
  struct extent out = {-180, -90, 180, 90, NULL}, image = out;
  struct error ignored = {0};
  if (extent_transform(box, "EPSG:4326", &image, &ignored) == 0 && isfinite(image.west + image.east))
    out = image;
  return out;
}

size_t region_search_boxes(struct load_region *region, const char *crs, struct extent boxes[2])
{
  struct extent box = region->geographic ? region->box : lonlat_of(&region->box);
  bool whole = box.east - box.west >= 360;
  struct region_image image = image_in(region, crs);
  if (!whole && !is_wide(region) && image.known && !crs_is_geographic(crs)) {
    struct extent around = lonlat_of(&image.extent);
    if (around.east - around.west >= 360 && box.east <= 180)
      whole = true; /* torn at the antimeridian: search all round */
    else if (around.east - around.west < 360) {
      box.west = fmin(box.west, around.west);
      box.east = fmax(box.east, around.east);
    }
    box.south = fmin(box.south, around.south);
    box.north = fmax(box.north, around.north);
  }
  if (whole || box.west > box.east) {
    box.west = -180;
    box.east = 180;
  }
  boxes[0] = box;
  boxes[0].east = fmin(box.east, 180);
  boxes[1] = box;
  boxes[1].west = -180;
  boxes[1].east = box.east - 360;
  return box.east > 180 ? 2 : 1;
}

static bool overlap(const struct grid *grid, const struct extent *box, double shift)
{
  double east = grid->west + grid->res_x * (double)grid->width,
         south = grid->north - grid->res_y * (double)grid->height;
  return box->west + shift < east && box->east + shift > grid->west && box->south < grid->north && box->north > south;
}

/* A geographic grid may count its degrees from -180 or from 0: the box is tried a turn to either side. */
bool region_meets(struct load_region *region, const struct grid *grid)
{
  if (region->everywhere)
    return true;
  struct region_image image = image_in(region, grid->crs);
  if (!image.known)
    return true;
  if (!crs_is_geographic(grid->crs))
    return overlap(grid, &image.extent, 0);
  return overlap(grid, &image.extent, 0) || overlap(grid, &image.extent, 360) || overlap(grid, &image.extent, -360);
}

static int torn(const struct extent *box, const char *crs, struct error *error)
{
  return error_parameter(
      error, ERROR_FeatureUnsupported, parameter,
      "the box from %.15g to %.15g degrees crosses the meridian where the collection's grid (%.60s) begins and "
      "ends: load the two sides apart",
      box->west, box->east > 180 ? box->east - 360 : box->east, crs);
}

static int crop_geographic(const struct load_region *region, const struct extent *box, const struct grid *lattice,
                           struct grid *out, struct error *error)
{
  static const double shifts[] = {0, 360, -360};
  size_t hits = 0;
  for (size_t i = 0; i < 3; i++) {
    struct extent moved = *box;
    moved.west += shifts[i];
    moved.east += shifts[i];
    struct grid crop = grid_crop(lattice, &moved);
    if (crop.width > 0 && crop.height > 0) {
      *out = crop;
      hits++;
    }
  }
  if (hits == 0)
    *out = grid_crop(lattice, box);
  return hits > 1 ? torn(&region->box, lattice->crs, error) : 0;
}

/* Whether the two names of the antimeridian are one place in the CRS. */
static bool is_whole_at_antimeridian(const struct load_region *region, const char *crs)
{
  double x[2] = {180, -180}, y[2] = {0.5 * (region->box.south + region->box.north)};
  struct error ignored = {0};
  y[1] = y[0];
  if (points_transform("EPSG:4326", crs, 2, x, y, &ignored) != 0 || !isfinite(x[0] + x[1] + y[0] + y[1]))
    return false;
  return hypot(x[0] - x[1], y[0] - y[1]) * crs_unit_metres(crs) < 1;
}

int region_crop(struct load_region *region, const struct grid *lattice, struct grid *out, struct error *error)
{
  *out = *lattice;
  if (region->everywhere)
    return 0;
  struct region_image image = image_in(region, lattice->crs);
  if (!image.known)
    return 0; /* so wide that it has no image: it holds everything that has one */
  if (crs_is_geographic(lattice->crs))
    return crop_geographic(region, &image.extent, lattice, out, error);
  if (region->geographic && region->box.east > 180 && !is_whole_at_antimeridian(region, lattice->crs))
    return torn(&region->box, lattice->crs, error);
  *out = grid_crop(lattice, &image.extent);
  return 0;
}
