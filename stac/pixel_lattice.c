/* The grid of a cube made from scenes.
 *
 * A shared lattice is continued from the first scene: offsets of the others are whole pixels, so edges are
 * west = west_0 + i * res_x with integer i, the same pixels whatever the box. The anchored grid depends on bands only.
 */
#include "stac/pixel_lattice.h"

#include <math.h>
#include <string.h>

static const double most_pixels = 2147483647.0; /* along one axis, as in grid_anchored */

static int too_large(double width, double height, struct error *error)
{
  return error_parameter(error, ERROR_ProcessParameterInvalid, "spatial_extent",
                         "the scenes span %.0f x %.0f pixels, more than a cube can have: choose a smaller box", width,
                         height);
}

static bool share_lattice(const struct selection *s)
{
  const struct grid *first = &s->scenes[0].grid, *last = first;
  for (size_t i = 1; i < s->scene_count; i++) {
    const struct grid *grid = &s->scenes[i].grid;
    bool seen = grid->crs == last->crs && grid->west == last->west && grid->north == last->north &&
                grid->res_x == last->res_x && grid->res_y == last->res_y && grid->width == last->width &&
                grid->height == last->height;
    if (!seen && !grid_same_lattice(first, grid))
      return false;
    last = grid;
  }
  return true;
}

static bool about(double a, double b)
{
  return fabs(a - b) <= 1e-9 * fabs(b);
}

/* Whether the lattice is what --crs and --resolution ask for. */
static bool is_wanted(const struct selection *s, const struct grid *lattice)
{
  if (s->explicit_crs && !crs_equal(s->crs, lattice->crs))
    return false;
  return s->resolution == 0 || (about(lattice->res_x, s->resolution) && about(lattice->res_y, s->resolution));
}

/* The union of the footprints on the first scene's lattice. */
static int unite(const struct selection *s, struct grid *out, struct error *error)
{
  const struct grid *first = &s->scenes[0].grid;
  double west = 0, north = 0, east = (double)first->width, south = (double)first->height;
  for (size_t i = 1; i < s->scene_count; i++) {
    const struct grid *grid = &s->scenes[i].grid;
    double x = rint((grid->west - first->west) / first->res_x), y = rint((first->north - grid->north) / first->res_y);
    west = fmin(west, x);
    north = fmin(north, y);
    east = fmax(east, x + (double)grid->width);
    south = fmax(south, y + (double)grid->height);
  }
  if (!(east - west <= most_pixels && south - north <= most_pixels))
    return too_large(east - west, south - north, error);
  *out = *first;
  out->west = first->west + west * first->res_x;
  out->north = first->north - north * first->res_y;
  out->width = (size_t)(east - west);
  out->height = (size_t)(south - north);
  return 0;
}

static struct extent footprint(const struct grid *grid)
{
  return (struct extent){grid->west, grid->north - grid->res_y * (double)grid->height,
                         grid->west + grid->res_x * (double)grid->width, grid->north, grid->crs};
}

/* Union of the footprints in the collection's CRS. */
static int cover(const struct selection *s, struct extent *out, struct error *error)
{
  *out = (struct extent){INFINITY, INFINITY, -INFINITY, -INFINITY, s->crs};
  struct grid last = {0};
  for (size_t i = 0; i < s->scene_count; i++) {
    const struct grid *grid = &s->scenes[i].grid;
    struct extent own = footprint(grid), moved = own;
    if (grid->crs == last.crs && grid->west == last.west && grid->north == last.north && grid->width == last.width &&
        grid->height == last.height && grid->res_x == last.res_x && grid->res_y == last.res_y)
      continue; /* bands of one scene */
    last = *grid;
    if (strcmp(grid->crs, s->crs) != 0 && extent_transform(&own, s->crs, &moved, error) != 0)
      return -1;
    out->west = fmin(out->west, moved.west);
    out->south = fmin(out->south, moved.south);
    out->east = fmax(out->east, moved.east);
    out->north = fmax(out->north, moved.north);
  }
  return 0;
}

static int anchor(const struct selection *s, struct grid *out, struct error *error)
{
  double res_x = s->resolution, res_y = s->resolution;
  struct extent all;
  for (size_t i = 0; s->resolution == 0 && i < s->band_count; i++) {
    res_x = res_x > 0 ? fmin(res_x, s->bands[i].res_x) : s->bands[i].res_x;
    res_y = res_y > 0 ? fmin(res_y, s->bands[i].res_y) : s->bands[i].res_y;
  }
  if (cover(s, &all, error) != 0)
    return -1;
  if (!((all.east - all.west) / res_x < most_pixels && (all.north - all.south) / res_y < most_pixels))
    return too_large((all.east - all.west) / res_x, (all.north - all.south) / res_y, error);
  return grid_anchored(&all, res_x, res_y, out, error);
}

int lattice_choose(struct selection *s, struct grid *out, struct error *error)
{
  struct grid all;
  bool shared = share_lattice(s) && is_wanted(s, &s->scenes[0].grid);
  if ((shared ? unite(s, &all, error) : anchor(s, &all, error)) != 0)
    return -1;
  all.crs = shared ? all.crs : s->crs;
  if (region_crop(&s->region, &all, out, error) != 0)
    return -1;
  if (out->width == 0 || out->height == 0)
    return error_parameter(error, ERROR_NoDataAvailable, "spatial_extent",
                           "no pixel of collection '%s' has its centre in the box", s->request->collection);
  return 0;
}

void lattice_drop_outside(struct selection *s, const struct grid *grid)
{
  size_t kept = 0;
  for (size_t i = 0; i < s->scene_count; i++) {
    const struct raster_scene *scene = &s->scenes[i];
    struct extent own = footprint(&scene->grid);
    struct grid inside = *grid;
    if (scene->grid.crs == grid->crs || strcmp(scene->grid.crs, grid->crs) == 0)
      inside = grid_crop(grid, &own);
    if (inside.width > 0 && inside.height > 0)
      s->scenes[kept++] = *scene;
  }
  s->scene_count = kept;
}
