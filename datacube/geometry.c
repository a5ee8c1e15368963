/* Geometry sets: text, equality, selection, and the dimension whose labels they are. */
#include "datacube/geometry.h"

#include "datacube/geometry_operations.h"

#include "datacube/base/buffer.h"

#include <stdlib.h>
#include <string.h>

/* ---- well-known text --------------------------------------------------------------------------------------------- */

static void write_positions(struct buffer *out, const struct geometry_part *part)
{
  bool open =
      part->kind == PART_RING && (part->x[0] != part->x[part->count - 1] || part->y[0] != part->y[part->count - 1]);
  buffer_text(out, "(");
  for (size_t i = 0; i < part->count + open; i++) {
    char x[32], y[32];
    number_format(part->x[i % part->count], x);
    number_format(part->y[i % part->count], y);
    buffer_printf(out, "%s%s %s", i ? ", " : "", x, y);
  }
  buffer_text(out, ")");
}

/* Parts from …: the part itself, or all rings of a polygon. Returns the first part behind them. */
static size_t write_member(struct buffer *out, const struct geometry *geometry, size_t from)
{
  const struct geometry_part *parts = geometry->parts;
  size_t to = from + 1;
  if (parts[from].kind != PART_RING) {
    write_positions(out, &parts[from]);
    return to;
  }
  while (to < geometry->part_count && parts[to].kind == PART_RING && parts[to].polygon == parts[from].polygon)
    to++;
  buffer_text(out, "(");
  for (size_t i = from; i < to; i++) {
    buffer_text(out, i > from ? ", " : "");
    write_positions(out, &parts[i]);
  }
  buffer_text(out, ")");
  return to;
}

const char *geometry_wkt(struct arena *arena, const struct geometry *geometry)
{
  static const char *const names[] = {"GEOMETRYCOLLECTION", "POINT",   "MULTIPOINT",   "LINESTRING",
                                      "MULTILINESTRING",    "POLYGON", "MULTIPOLYGON", "GEOMETRYCOLLECTION"};
  static const char *const members[] = {[PART_POINT] = "POINT ", [PART_LINE] = "LINESTRING ", [PART_RING] = "POLYGON "};
  bool several = geometry->type == GEOMETRY_MULTIPOINT || geometry->type == GEOMETRY_MULTILINE ||
                 geometry->type == GEOMETRY_MULTIPOLYGON || geometry->type == GEOMETRY_COLLECTION;
  struct buffer text = {0};
  buffer_printf(&text, "%s %s", names[geometry->type], geometry->part_count == 0 ? "EMPTY" : several ? "(" : "");
  for (size_t i = 0; i < geometry->part_count;) {
    buffer_text(&text, i ? ", " : "");
    if (geometry->type == GEOMETRY_COLLECTION)
      buffer_text(&text, members[geometry->parts[i].kind]);
    i = write_member(&text, geometry, i);
  }
  if (several && geometry->part_count)
    buffer_text(&text, ")");
  const char *copy = text.failed ? NULL : arena_strdup(arena, text.data);
  buffer_free(&text);
  return copy;
}

/* ---- equality and selection -------------------------------------------------------------------------------------- */

static bool same_part(const struct geometry_part *a, const struct geometry_part *b)
{
  return a->kind == b->kind && a->polygon == b->polygon && a->count == b->count &&
         memcmp(a->x, b->x, a->count * sizeof *a->x) == 0 && memcmp(a->y, b->y, a->count * sizeof *a->y) == 0;
}

static bool same_parts(const struct geometry *a, const struct geometry *b)
{
  if (a->part_count != b->part_count)
    return false;
  for (size_t i = 0; i < a->part_count; i++)
    if (!same_part(&a->parts[i], &b->parts[i]))
      return false;
  return true;
}

const struct geometry_set *geometry_pick(struct arena *arena, const struct geometry_set *set, const size_t *indexes,
                                         size_t count)
{
  struct geometry_set *out = ARENA_NEW(arena, struct geometry_set);
  struct geometry *items = ARENA_ARRAY(arena, struct geometry, count);
  if (!out || !items)
    return NULL;
  for (size_t i = 0; i < count; i++)
    items[i] = set->items[indexes[i]];
  *out = (struct geometry_set){.count = count, .items = items, .crs = set->crs};
  return out;
}

static bool same_normal(const struct geometry *a, const struct geometry *b)
{
  struct arena *arena = arena_new(0);
  const char *one = arena ? geometry_normal_wkt(arena, a) : NULL, *other = one ? geometry_normal_wkt(arena, b) : NULL;
  bool same = other && strcmp(one, other) == 0;
  arena_free(arena);
  return same;
}

bool geometry_equal(const struct geometry *a, const struct geometry *b)
{
  struct extent x, y;
  if (a->type != b->type)
    return false;
  if (same_parts(a, b))
    return true;
  return geometry_bounds(a, &x) && geometry_bounds(b, &y) && x.west == y.west && x.south == y.south &&
         x.east == y.east && x.north == y.north && same_normal(a, b);
}

/* ---- the dimension ----------------------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Whether every geometry has an id and no two have the same. */
static bool ids_tell_apart(struct arena *arena, const struct geometry_set *set)
{
  const char **ids = ARENA_ARRAY(arena, const char *, set->count);
  if (!ids)
    return false; /* the texts will not fit either */
  for (size_t i = 0; i < set->count; i++) {
    ids[i] = set->items[i].id;
    if (!ids[i])
      return false;
  }
  qsort(ids, set->count, sizeof *ids, by_text);
  for (size_t i = 1; i < set->count; i++)
    if (strcmp(ids[i - 1], ids[i]) == 0)
      return false;
  return true;
}

int geometry_dimension(struct arena *arena, const char *name, const struct geometry_set *set, struct dimension *out,
                       struct error *error)
{
  const char **texts = ARENA_ARRAY(arena, const char *, set->count);
  bool by_id = ids_tell_apart(arena, set);
  if (!texts)
    return error_memory(error);
  for (size_t i = 0; i < set->count; i++) {
    texts[i] = by_id ? set->items[i].id : geometry_wkt(arena, &set->items[i]);
    if (!texts[i])
      return error_memory(error);
  }
  *out = (struct dimension){.name = name,
                            .type = DIMENSION_GEOMETRY,
                            .size = set->count,
                            .labels = LABEL_GEOMETRY,
                            .texts = texts,
                            .geometries = set,
                            .reference_system = set->crs};
  return 0;
}

double geometry_ring_turn(const struct geometry_part *ring)
{
  double sum = 0;
  for (size_t i = 0; i < ring->count; i++) {
    size_t next = (i + 1) % ring->count;
    sum += (ring->x[i] - ring->x[0]) * (ring->y[next] - ring->y[0]) -
           (ring->x[next] - ring->x[0]) * (ring->y[i] - ring->y[0]);
  }
  return sum;
}
