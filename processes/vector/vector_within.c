/* Boxes are judged by bounds in the box's reference system, GeoJSON by the relation of the shapes. */
#include "processes/vector/vector_within.h"

#include "processes/cube/shape.h"
#include "processes/filter/extent.h"
#include "processes/vector/geojson.h"
#include "processes/vector/geometry_argument.h"

#include <math.h>

static bool lies_in(const struct extent *bounds, double west, double east, const struct extent *box)
{
  return bounds->west >= west && bounds->east <= east && bounds->south >= box->south && bounds->north <= box->north;
}

/* A box of longitudes with west > east goes over the antimeridian. */
static bool is_inside(const struct geometry *geometry, const struct extent *box)
{
  struct extent bounds;
  if (!geometry_bounds(geometry, &bounds))
    return false;
  if (box->west <= box->east)
    return lies_in(&bounds, box->west, box->east, box);
  return lies_in(&bounds, box->west, 180, box) || lies_in(&bounds, -180, box->east, box);
}

static int judge_by_box(struct call *call, const char *parameter, const struct vector_cube *cube, bool *holds)
{
  struct extent box;
  const struct geometry_set *moved;
  if (extent_read(call, parameter, call_argument(call, parameter), &box) != 0)
    return -1;
  if (geometry_transform(cube->set, box.crs ? box.crs : "EPSG:4326", INFINITY, call->arena, &moved, call->error) != 0)
    return error_at_parameter(call->error, parameter);
  for (size_t i = 0; i < moved->count; i++)
    holds[i] = is_inside(&moved->items[i], &box);
  return 0;
}

static int judge_by_shapes(struct call *call, const char *parameter, const struct vector_cube *cube, bool *holds)
{
  const struct geometry_work work = vector_cube_work(call);
  struct dimension base;
  const struct geometry_set *moved;
  if (call_geometries(call, parameter, &base) != 0)
    return -1;
  if (geometry_transform(base.geometries, cube->set->crs, INFINITY, call->arena, &moved, call->error) != 0 ||
      geometry_relate(&work, cube->set, moved, RELATION_WITHIN, holds, call->error) != 0)
    return error_at_parameter(call->error, parameter);
  return 0;
}

int vector_within(struct call *call, const char *parameter, const struct vector_cube *cube, struct value *result)
{
  bool *holds = ARENA_ARRAY(call->arena, bool, cube->set->count);
  size_t *indexes = ARENA_ARRAY(call->arena, size_t, cube->set->count), count = 0;
  bool shapes = geojson_is(call_argument(call, parameter));
  if (!holds || !indexes)
    return error_memory(call->error);
  if ((shapes ? judge_by_shapes : judge_by_box)(call, parameter, cube, holds) != 0)
    return -1;
  for (size_t i = 0; i < cube->set->count; i++)
    if (holds[i])
      indexes[count++] = i;
  return view_pick(call, cube->node, cube->at, indexes, count, result);
}
