/* Gathering sampled points, and the geometries made of them. */
#include "processes/vector/point_sample.h"

enum { MOST_POINTS = 4 << 20 };
static const uint64_t most_work = UINT64_C(1) << 33; /* some seconds */

int point_sample_begin(struct call *call, struct point_sample *out)
{
  *out = (struct point_sample){.call = call};
  if (call_vector_cube(call, "data", &out->cube) != 0 || call_boolean(call, "group", &out->group) != 0)
    return -1;
  out->end = ARENA_ARRAY(call->arena, size_t, out->cube.set->count);
  return out->end ? 0 : error_memory(call->error);
}

int point_sample_add(struct point_sample *s, double x, double y)
{
  struct error *error = s->call->error;
  if (s->count == MOST_POINTS)
    return error_set(error, ERROR_ProcessGraphComplexity, "there are more than %d points", (int)MOST_POINTS);
  double *xs = arena_grow(s->call->arena, s->x, s->count, &s->capacity_x, sizeof *xs);
  double *ys = arena_grow(s->call->arena, s->y, s->count, &s->capacity_y, sizeof *ys);
  if (!xs || !ys)
    return error_memory(error);
  s->x = xs;
  s->y = ys;
  s->x[s->count] = x;
  s->y[s->count++] = y;
  return 0;
}

int point_sample_add_first(struct point_sample *s, const struct geometry *geometry)
{
  return point_sample_add(s, geometry->parts[0].x[0], geometry->parts[0].y[0]);
}

int point_sample_pay(struct point_sample *s, uint64_t work)
{
  const struct geometry_work limits = vector_cube_work(s->call);
  s->work += work;
  if (limits.cancel && *limits.cancel)
    return error_set(s->call->error, ERROR_RequestTimeout, "the request was cancelled");
  if (s->work > most_work)
    return error_set(s->call->error, ERROR_ProcessGraphComplexity,
                     "so many points of geometries with so many edges are too much work");
  return 0;
}

/* ---- geometries -------------------------------------------------------------------------------------------------- */

/* Geometries of the points first … last - 1: one of all, or one of each. */
static int make_points(struct point_sample *s, size_t first, size_t last, bool together, struct geometry *out)
{
  struct geometry_part *parts = ARENA_ARRAY(s->call->arena, struct geometry_part, last - first);
  if (!parts)
    return error_memory(s->call->error);
  for (size_t p = first; p < last; p++)
    parts[p - first] = (struct geometry_part){.kind = PART_POINT, .count = 1, .x = &s->x[p], .y = &s->y[p]};
  out[0].type = together ? GEOMETRY_MULTIPOINT : GEOMETRY_POINT;
  for (size_t p = first; p < last; p++) {
    out[together ? 0 : p - first].parts = &parts[together ? 0 : p - first];
    out[together ? 0 : p - first].part_count = together ? last - first : 1;
    out[together ? 0 : p - first].type = out[0].type;
  }
  return 0;
}

/* The geometries of i's points from *count on; an empty one stays alone. */
static int add_geometries(struct point_sample *s, size_t i, struct geometry *items, size_t *indexes, size_t *count)
{
  const struct geometry *from = &s->cube.set->items[i];
  size_t first = i > 0 ? s->end[i - 1] : 0, last = s->end[i];
  size_t made = s->group || last == first ? 1 : last - first;
  for (size_t k = *count; k < *count + made; k++) {
    items[k] = (struct geometry){.properties = from->properties};
    if (s->group) {
      items[k].id = from->id;
      items[k].id_is_number = from->id_is_number;
    }
    indexes[k] = i;
  }
  if (last > first && make_points(s, first, last, s->group, &items[*count]) != 0)
    return -1;
  *count += made;
  return 0;
}

int point_sample_finish(struct point_sample *s, struct value *result)
{
  struct arena *arena = s->call->arena;
  const struct geometry_set *from = s->cube.set;
  size_t most = from->count + (s->group ? 0 : s->count), count = 0;
  struct geometry_set *set = ARENA_NEW(arena, struct geometry_set);
  struct geometry *items = ARENA_ARRAY(arena, struct geometry, most);
  size_t *indexes = ARENA_ARRAY(arena, size_t, most);
  if (!set || !items || !indexes)
    return error_memory(s->call->error);
  for (size_t i = 0; i < from->count; i++)
    if (add_geometries(s, i, items, indexes, &count) != 0)
      return -1;
  *set = (struct geometry_set){.count = count, .items = items, .crs = from->crs};
  return vector_cube_with(s->call, &s->cube, set, s->group ? NULL : indexes, result);
}
