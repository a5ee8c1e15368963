/* A transform goes with the shape beside it only: an item may tell the grid of its finest assets, and an asset its own
 * shape, while its bounding box holds for all of them. */
#include "stac/declared_grid.h"

#include <math.h>
#include <stdlib.h>

enum { PLACES = 3 };

static void places_of(const struct declared_asset *d, const json_t *out[PLACES])
{
  out[0] = d->asset;
  out[1] = d->pattern;
  out[2] = d->properties;
}

static const char *code_of(struct arena *arena, const json_t *value)
{
  if (!json_is_number(value))
    return json_string_value(value); /* NULL: none */
  const double number = json_number_value(value);
  return number > 0 && number < 1e7 ? arena_printf(arena, "EPSG:%.0f", number) : NULL;
}

static const char *canonical(struct arena *arena, const char *text)
{
  struct error ignored = {0};
  const char *crs;
  return text && crs_canonical(arena, text, &crs, &ignored) == 0 ? crs : NULL;
}

/* Of one place. PROJ reads PROJJSON as it reads other texts. */
static const char *crs_at(struct arena *arena, const json_t *place)
{
  static const char *const names[] = {"proj:code", "proj:epsg", "proj:wkt2"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *crs = canonical(arena, code_of(arena, json_object_get(place, names[i])));
    if (crs)
      return crs;
  }
  const json_t *tree = json_object_get(place, "proj:projjson");
  char *text = json_is_object(tree) ? json_dumps(tree, JSON_COMPACT) : NULL;
  const char *crs = canonical(arena, text);
  free(text);
  return crs;
}

const char *declared_crs(struct arena *arena, const struct declared_asset *d)
{
  const json_t *places[PLACES];
  const char *crs = NULL;
  places_of(d, places);
  for (size_t p = 0; p < PLACES && !crs; p++)
    crs = crs_at(arena, places[p]);
  return crs;
}

static bool numbers_of(const json_t *place, const char *key, size_t count, double *out)
{
  const json_t *list = json_tree_array(place, key);
  if (json_array_size(list) < count)
    return false;
  for (size_t i = 0; i < count; i++) {
    out[i] = json_number_value(json_array_get(list, i));
    if (!json_is_number(json_array_get(list, i)) || !isfinite(out[i]))
      return false;
  }
  return true;
}

static bool shape_at(const json_t *place, struct grid *out)
{
  double shape[2];
  if (!numbers_of(place, "proj:shape", 2, shape) ||
      !(shape[0] >= 1 && shape[0] < 1e9 && shape[1] >= 1 && shape[1] < 1e9))
    return false;
  out->height = (size_t)shape[0];
  out->width = (size_t)shape[1];
  return true;
}

static bool transform_at(const json_t *place, struct grid *out)
{
  double t[6];
  if (!numbers_of(place, "proj:transform", 6, t) || !(t[0] > 0 && t[4] < 0) || t[1] != 0 || t[3] != 0)
    return false;
  out->west = t[2];
  out->north = t[5];
  out->res_x = t[0];
  out->res_y = -t[4];
  return true;
}

/* Of four numbers, or six with heights. */
static bool box_at(const json_t *place, struct grid *out)
{
  double box[6];
  if (!numbers_of(place, "proj:bbox", 4, box))
    return false;
  const bool is_high = numbers_of(place, "proj:bbox", 6, box);
  const double east = box[is_high ? 3 : 2], north = box[is_high ? 4 : 3];
  if (!(box[0] < east && box[1] < north))
    return false;
  out->west = box[0];
  out->north = north;
  out->res_x = (east - box[0]) / (double)out->width;
  out->res_y = (north - box[1]) / (double)out->height;
  return true;
}

bool declared_grid(struct arena *arena, const struct declared_asset *d, struct grid *out)
{
  const json_t *places[PLACES];
  size_t shape = 0;
  places_of(d, places);
  *out = (struct grid){.crs = NULL};
  while (shape < PLACES && !shape_at(places[shape], out))
    shape++;
  if (shape == PLACES)
    return false;
  bool is_told = transform_at(places[shape], out);
  for (size_t p = 0; p < PLACES && !is_told; p++)
    is_told = box_at(places[p], out);
  out->crs = is_told ? declared_crs(arena, d) : NULL;
  return is_told;
}
