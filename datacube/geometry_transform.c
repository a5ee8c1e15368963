/* Geometry sets in another CRS. Edges are cut in halves until the images of quarter points lie within tolerance
 * of the chord; all of that is the same whichever end comes first, so polygons that share an edge still share it.
 *
 * Where the CRS repeats itself (turn.h) a path stays whole: what lies behind the antimeridian is continued beyond 180
 * degrees, as the image nearest to the point before. A ring that goes round a pole is closed along it. */
#include "datacube/geometry.h"
#include "datacube/transform.h"
#include "datacube/turn.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_CUTS = 16 };                              /* halvings of one edge */
static const size_t most_positions = (size_t)1 << 25; /* of a set, with those put between */
static const double short_chord = 50;                 /* tolerances: an edge as short as this is straight enough */

struct path {    /* positions of a part on their way into the new CRS */
  double *x, *y; /* malloc */
  size_t count, capacity;
};

struct edge_work {
  struct transform *transform;
  double tolerance;
  double turn; /* of the new CRS, or 0 */
  struct path path;
  size_t positions; /* so far */
  size_t index;     /* of the geometry, for messages */
  struct error *error;
};

struct position {
  double x, y;   /* in the set's CRS */
  double tx, ty; /* its image */
};

static int add_position(struct edge_work *work, double x, double y)
{
  struct path *path = &work->path;
  if (++work->positions > most_positions)
    return error_set(work->error, ERROR_ProcessGraphComplexity,
                     "the geometries have more than %zu positions in the cube's reference system", most_positions);
  if (path->count == path->capacity) {
    size_t capacity = path->capacity ? 2 * path->capacity : 256;
    double *more = realloc(path->x, capacity * sizeof *more);
    path->x = more ? more : path->x;
    double *rest = more ? realloc(path->y, capacity * sizeof *rest) : NULL;
    path->y = rest ? rest : path->y;
    if (!more || !rest)
      return error_memory(work->error);
    path->capacity = capacity;
  }
  path->x[path->count] = x;
  path->y[path->count++] = y;
  return 0;
}

/* The image of x that lies nearest to `near`. */
static double turned(const struct edge_work *work, double x, double near)
{
  return work->turn > 0 ? x + work->turn * rint((near - x) / work->turn) : x;
}

/* Images of the points at a quarter, a half and three quarters of the edge. */
static bool quarter_points(const struct edge_work *work, const struct position *a, const struct position *b,
                           struct position out[3])
{
  double mx = (a->x + b->x) / 2, my = (a->y + b->y) / 2;
  double x[3] = {(a->x + mx) / 2, mx, (mx + b->x) / 2}, y[3] = {(a->y + my) / 2, my, (my + b->y) / 2};
  for (size_t i = 0; i < 3; i++) {
    out[i].x = x[i];
    out[i].y = y[i];
  }
  transform_points(work->transform, 3, x, y);
  bool known = true;
  for (size_t i = 0; i < 3; i++) {
    out[i].tx = turned(work, x[i], i == 0 ? a->tx : out[i - 1].tx);
    out[i].ty = y[i];
    known = known && x[i] != HUGE_VAL;
  }
  return known;
}

static bool near_chord(const struct edge_work *work, const struct position *a, const struct position *b,
                       const struct position quarter[3])
{
  for (size_t i = 0; i < 3; i++) {
    double f = (double)(i + 1) / 4;
    double dx = quarter[i].tx - ((1 - f) * a->tx + f * b->tx), dy = quarter[i].ty - ((1 - f) * a->ty + f * b->ty);
    if (!(hypot(dx, dy) <= work->tolerance))
      return false;
  }
  return true;
}

static int no_image(struct edge_work *work, const struct position *at)
{
  return error_set(work->error, ERROR_CRSInvalid,
                   "the point (%.9g, %.9g) of geometry %zu has no image in the cube's reference system", at->x, at->y,
                   work->index);
}

/* What lies between a and b, then b. */
static int add_edge(struct edge_work *work, const struct position *a, const struct position *b, unsigned cuts)
{
  struct position quarter[3];
  if (cuts == MOST_CUTS || hypot(b->tx - a->tx, b->ty - a->ty) <= short_chord * work->tolerance)
    return add_position(work, b->tx, b->ty);
  if (!quarter_points(work, a, b, quarter))
    return no_image(work, &quarter[1]);
  if (near_chord(work, a, b, quarter))
    return add_position(work, b->tx, b->ty);
  if (add_edge(work, a, &quarter[1], cuts + 1) != 0)
    return -1;
  return add_edge(work, &quarter[1], b, cuts + 1);
}

/* A ring whose ends are a turn apart goes round a pole, that of the side where it lies: it is closed along it, where
 * y is 90 degrees; in a projection, beyond all that is drawn. */
static int close_round_pole(struct edge_work *work)
{
  const struct path *path = &work->path;
  double from = path->x[0], to = path->x[path->count - 1], y = 0;
  if (fabs(to - from) < work->turn / 2 || work->turn == 0)
    return 0;
  for (size_t i = 0; i < path->count; i++)
    y += path->y[i] / (double)path->count;
  double pole = copysign(transform_circle(work->transform) > 0 ? work->turn / 4 : work->turn, y);
  return add_position(work, to, pole) != 0 || add_position(work, from, pole) != 0 ? -1 : 0;
}

static int transform_path(struct edge_work *work, const struct geometry_part *part)
{
  struct position first = {0}, before = {0};
  work->path.count = 0;
  for (size_t i = 0; i < part->count; i++) {
    struct position here = {part->x[i], part->y[i], part->x[i], part->y[i]};
    transform_points(work->transform, 1, &here.tx, &here.ty);
    if (here.tx == HUGE_VAL)
      return no_image(work, &here);
    here.tx = i == 0 ? here.tx : turned(work, here.tx, before.tx);
    if ((i == 0 ? add_position(work, here.tx, here.ty) : add_edge(work, &before, &here, 0)) != 0)
      return -1;
    first = i == 0 ? here : first;
    before = here;
  }
  bool open = part->kind == PART_RING && (before.x != first.x || before.y != first.y);
  if (open) {
    first.tx = turned(work, first.tx, before.tx);
    if (add_edge(work, &before, &first, 0) != 0)
      return -1;
  }
  return part->kind == PART_RING ? close_round_pole(work) : 0;
}

static int transform_part(struct edge_work *work, const struct geometry_part *part, struct arena *arena,
                          struct geometry_part *out)
{
  if (transform_path(work, part) != 0)
    return -1;
  *out = *part;
  out->count = work->path.count;
  out->x = arena_copy(arena, work->path.x, out->count * sizeof *out->x);
  out->y = arena_copy(arena, work->path.y, out->count * sizeof *out->y);
  return out->x && out->y ? 0 : error_memory(work->error);
}

static int transform_items(struct edge_work *work, const struct geometry_set *set, struct arena *arena,
                           struct geometry *items)
{
  for (size_t i = 0; i < set->count; i++) {
    const struct geometry *from = &set->items[i];
    struct geometry_part *parts = ARENA_ARRAY(arena, struct geometry_part, from->part_count);
    if (!parts)
      return error_memory(work->error);
    work->index = i;
    for (size_t p = 0; p < from->part_count; p++)
      if (transform_part(work, &from->parts[p], arena, &parts[p]) != 0)
        return -1;
    items[i] = *from;
    items[i].parts = parts;
  }
  return 0;
}

int geometry_transform(const struct geometry_set *set, const char *crs, double tolerance, struct arena *arena,
                       const struct geometry_set **out, struct error *error)
{
  struct edge_work work = {.tolerance = tolerance, .error = error};
  struct geometry_set *moved = ARENA_NEW(arena, struct geometry_set);
  struct geometry *items = ARENA_ARRAY(arena, struct geometry, set->count);
  if (!moved || !items)
    return error_memory(error);
  if (transform_new(set->crs, crs, &work.transform, error) != 0)
    return -1;
  *out = set;
  int status = 0;
  if (!transform_is_identity(work.transform)) {
    work.turn = crs_turn(crs);
    status = transform_items(&work, set, arena, items);
    *moved = (struct geometry_set){.count = set->count, .items = items, .crs = crs};
    *out = moved;
  }
  transform_free(work.transform);
  free(work.path.x);
  free(work.path.y);
  return status;
}
