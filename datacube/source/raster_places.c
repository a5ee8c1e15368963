/* Where the scenes of a series lie on its cube: whether on the lattice, their footprints.
 *
 * A footprint is a bound: no pixel outside it comes from the scene. Where a part of the scene has no image in the
 * cube's CRS the footprint is everywhere, and the transformation back, which resampling needs anyway, finds the pixels.
 */
#include "datacube/source/raster_series_state.h"

#include "datacube/transform.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct extent raster_grid_extent(const struct grid *g)
{
  return (struct extent){.west = g->west,
                         .south = g->north - (double)g->height * g->res_y,
                         .east = g->west + (double)g->width * g->res_x,
                         .north = g->north,
                         .crs = g->crs};
}

bool raster_extent_image(const struct extent *extent, const char *crs, struct extent *out)
{
  struct transform *t;
  struct error none = {.code = ""};
  bool partial = true;
  if (transform_new(extent->crs, crs, &t, &none))
    return false;
  int status = transform_image(t, extent, out, &partial, &none);
  out->crs = crs;
  transform_free(t);
  return status == 0 && !partial;
}

static void place_footprint(const struct grid *cube, const struct grid *scene, struct transform *t,
                            struct scene_place *place)
{
  struct extent own = raster_grid_extent(scene), image;
  struct error none = {.code = ""};
  bool partial = false;
  place->x0 = place->y0 = -HUGE_VAL;
  place->x1 = place->y1 = HUGE_VAL;
  if (transform_image(t, &own, &image, &partial, &none) || partial)
    return; /* anywhere: which pixels lie in the scene is told by the way back, which may exist all the same */
  place->y0 = (cube->north - image.north) / cube->res_y;
  place->y1 = (cube->north - image.south) / cube->res_y;
  double x0 = (image.west - cube->west) / cube->res_x, x1 = (image.east - cube->west) / cube->res_x;
  bool apart = x1 <= 0 || x0 >= (double)cube->width;
  if (apart && transform_circle(t) > 0)
    return; /* perhaps on another turn of the circle: the warper will tell */
  place->x0 = x0;
  place->x1 = x1;
}

static void place_scene(const struct grid *cube, const struct raster_scene *scene, struct transform *t,
                        struct scene_place *place)
{
  const struct grid *g = &scene->grid;
  place_footprint(cube, g, t, place);
  place->same_crs = transform_is_identity(t);
  place->on_lattice = place->same_crs && grid_same_lattice(cube, g) && isfinite(place->x0);
  if (!place->on_lattice)
    return;
  place->column = (ptrdiff_t)rint((cube->west - g->west) / cube->res_x);
  place->row = (ptrdiff_t)rint((g->north - cube->north) / cube->res_y);
  place->x0 = -(double)place->column;
  place->x1 = place->x0 + (double)g->width;
  place->y0 = -(double)place->row;
  place->y1 = place->y0 + (double)g->height;
}

static bool same_grid(const struct grid *a, const struct grid *b)
{
  return a->west == b->west && a->north == b->north && a->res_x == b->res_x && a->res_y == b->res_y &&
         a->width == b->width && a->height == b->height && strcmp(a->crs, b->crs) == 0;
}

/* The last scenes placed, for the bands of an item share their grid. */
struct recent_scenes {
  size_t scene[8], count;
};

static bool place_as_recent(struct series_state *state, const struct recent_scenes *recent, size_t i)
{
  for (size_t k = 0; k < recent->count && k < 8; k++) {
    size_t other = recent->scene[k];
    if (!same_grid(&state->series.scenes[i].grid, &state->series.scenes[other].grid))
      continue;
    size_t file = state->places[i].file;
    state->places[i] = state->places[other];
    state->places[i].file = file;
    return true;
  }
  return false;
}

static void place_nodata(const struct raster_scene *scene, struct scene_place *place)
{
  place->nodata = scene->nodata;
  if (scene->type == ELEMENT_F32 && isfinite(scene->nodata))
    place->nodata = (double)(float)scene->nodata;
  place->has_nodata = scene->has_nodata && element_can_mark(scene->type, scene->nodata);
}

static int transform_of_scene(const struct raster_scene *scene, const struct grid *cube, struct transform **out,
                              struct error *error)
{
  struct error inner = {.code = ""};
  if (transform_new(scene->grid.crs, cube->crs, out, &inner) == 0)
    return 0;
  const char *slash = strrchr(scene->path, '/');
  return error_set(error, error_code_find(inner.code), "%.200s cannot be placed: %.400s",
                   slash ? slash + 1 : scene->path, inner.message);
}

int raster_places_make(struct series_state *state, struct error *error)
{
  const struct raster_series *s = &state->series;
  struct transform **transforms = calloc(state->crs_count, sizeof *transforms);
  struct recent_scenes recent = {.count = 0};
  int status = transforms ? 0 : error_memory(error);
  for (size_t i = 0; status == 0 && i < s->scene_count; i++) {
    struct transform **t = &transforms[state->places[i].crs];
    if (!*t)
      status = transform_of_scene(&s->scenes[i], &s->grid, t, error);
    if (status == 0 && !place_as_recent(state, &recent, i)) {
      place_scene(&s->grid, &s->scenes[i], *t, &state->places[i]);
      recent.scene[recent.count++ % 8] = i;
    }
    place_nodata(&s->scenes[i], &state->places[i]);
    state->resamples = state->resamples || !state->places[i].on_lattice;
  }
  for (size_t k = 0; transforms && k < state->crs_count; k++)
    transform_free(transforms[k]);
  free(transforms);
  return status;
}
