/* Buffers, repair and bounds: geometry by geometry through OGR. */
#include "datacube/geometry_operations.h"

#include "datacube/geometry_ogr.h"

#include <math.h>

enum { QUARTER_SEGMENTS = 16 };

/* Makes one geometry of another, in place of it; NULL where it cannot. */
typedef OGRGeometryH (*geometry_change)(OGRGeometryH from, double parameter);

static int change_item(const struct geometry_work *work, size_t i, geometry_change change, double parameter,
                       struct geometry *item, struct error *error)
{
  char reason[201];
  OGRGeometryH changed = change(ogr_of_geometry(item), parameter);
  if (ogr_failed(reason) || !changed) {
    OGR_G_DestroyGeometry(changed);
    return error_set(error, ERROR_ProcessParameterInvalid, "geometry %zu is not a sound one: %s", i, reason);
  }
  int status = geometry_of_ogr(work->arena, changed, item);
  OGR_G_DestroyGeometry(changed);
  return status == 0 ? 0 : error_memory(error);
}

static int change_items(const struct geometry_work *work, const struct geometry_set *set, geometry_change change,
                        double parameter, const struct geometry_set **out, struct error *error)
{
  struct geometry_set *changed = ARENA_NEW(work->arena, struct geometry_set);
  struct geometry *items = arena_copy(work->arena, set->items, set->count * sizeof *items);
  if (!changed || !items)
    return error_memory(error);
  int status = 0;
  ogr_frame_begin();
  for (size_t i = 0; status == 0 && i < set->count; i++) {
    if (work->cancel && *work->cancel)
      status = error_set(error, ERROR_RequestTimeout, "the request was cancelled");
    else if (items[i].part_count > 0)
      status = change_item(work, i, change, parameter, &items[i], error);
  }
  ogr_frame_end();
  *changed = (struct geometry_set){.count = set->count, .items = items, .crs = set->crs};
  *out = changed;
  return status;
}

static OGRGeometryH buffered(OGRGeometryH from, double distance)
{
  OGRGeometryH valid = ogr_repaired(from);
  OGRGeometryH around = valid ? OGR_G_Buffer(valid, distance, QUARTER_SEGMENTS) : NULL;
  OGR_G_DestroyGeometry(valid);
  return around;
}

int geometry_buffer(const struct geometry_work *work, const struct geometry_set *set, double distance,
                    const struct geometry_set **out, struct error *error)
{
  return change_items(work, set, buffered, distance, out, error);
}

static OGRGeometryH repaired(OGRGeometryH from, double unused)
{
  (void)unused;
  return ogr_repaired(from);
}

int geometry_repair(const struct geometry_work *work, const struct geometry_set *set, const struct geometry_set **out,
                    struct error *error)
{
  return change_items(work, set, repaired, 0, out, error);
}

const char *geometry_normal_wkt(struct arena *arena, const struct geometry *geometry)
{
  struct geometry normal = *geometry;
  ogr_frame_begin();
  OGRGeometryH given = ogr_of_geometry(geometry);
  OGRGeometryH normalized = given ? OGR_G_Normalize(given) : NULL;
  int status = normalized ? geometry_of_ogr(arena, normalized, &normal) : 0;
  OGR_G_DestroyGeometry(normalized);
  OGR_G_DestroyGeometry(given);
  ogr_frame_end();
  return status == 0 ? geometry_wkt(arena, &normal) : NULL;
}

bool geometry_bounds(const struct geometry *geometry, struct extent *out)
{
  *out = (struct extent){.west = INFINITY, .south = INFINITY, .east = -INFINITY, .north = -INFINITY};
  for (size_t p = 0; p < geometry->part_count; p++)
    for (size_t i = 0; i < geometry->parts[p].count; i++) {
      out->west = fmin(out->west, geometry->parts[p].x[i]);
      out->east = fmax(out->east, geometry->parts[p].x[i]);
      out->south = fmin(out->south, geometry->parts[p].y[i]);
      out->north = fmax(out->north, geometry->parts[p].y[i]);
    }
  return out->west <= out->east;
}

bool geometry_set_bounds(const struct geometry_set *set, const char *crs, struct extent *out)
{
  struct arena *arena = arena_new(0);
  struct error ignored = {0};
  const struct geometry_set *moved = NULL;
  struct extent one;
  *out = (struct extent){.west = INFINITY, .south = INFINITY, .east = -INFINITY, .north = -INFINITY, .crs = crs};
  if (!arena || geometry_transform(set, crs, INFINITY, arena, &moved, &ignored) != 0)
    moved = NULL;
  for (size_t i = 0; moved && i < moved->count; i++)
    if (geometry_bounds(&moved->items[i], &one)) {
      out->west = fmin(out->west, one.west);
      out->south = fmin(out->south, one.south);
      out->east = fmax(out->east, one.east);
      out->north = fmax(out->north, one.north);
    }
  arena_free(arena);
  return moved && out->west <= out->east;
}
