/* Relations between geometries and the union of others.
 *
 * The base is united once and prepared, so that most geometries are judged by its index alone; what needs both shapes
 * as a whole is asked only where bounds and the prepared base leave it open. */
#include "datacube/geometry_operations.h"

#include "datacube/geometry_ogr.h"

#include <stdlib.h>

enum { KIND_POINTS, KIND_LINES, KIND_POLYGONS, KIND_COUNT };

struct base {
  OGRGeometryH whole[KIND_COUNT]; /* unions; NULL where there is nothing of the kind */
  OGRPreparedGeometryH prepared[KIND_COUNT];
  OGREnvelope bounds[KIND_COUNT];
  size_t kinds;
  size_t only;               /* where there is one kind: which */
  struct base_piece *pieces; /* of the union of the only kind; owned */
  size_t piece_count;
};

struct base_piece {
  OGRGeometryH geometry; /* the union's */
  OGREnvelope bounds;
};

/* ---- the base ---------------------------------------------------------------------------------------------------- */

/* Puts copies of the geometry's members into the collections of their kinds. */
static void sort_members(OGRGeometryH geometry, OGRGeometryH kinds[KIND_COUNT])
{
  OGRwkbGeometryType type = wkbFlatten(OGR_G_GetGeometryType(geometry));
  if (OGR_G_IsEmpty(geometry))
    return;
  if (type == wkbPoint)
    OGR_G_AddGeometry(kinds[KIND_POINTS], geometry);
  else if (type == wkbLineString)
    OGR_G_AddGeometry(kinds[KIND_LINES], geometry);
  else if (type == wkbPolygon)
    OGR_G_AddGeometry(kinds[KIND_POLYGONS], geometry);
  else
    for (int i = 0; i < OGR_G_GetGeometryCount(geometry); i++)
      sort_members(OGR_G_GetGeometryRef(geometry, i), kinds);
}

static int collect_base(const struct geometry_work *work, const struct geometry_set *set,
                        OGRGeometryH kinds[KIND_COUNT], struct error *error)
{
  for (size_t i = 0; i < set->count; i++) {
    if (work->cancel && *work->cancel)
      return error_set(error, ERROR_RequestTimeout, "the request was cancelled");
    OGRGeometryH geometry = ogr_repaired(ogr_of_geometry(&set->items[i]));
    if (!geometry)
      return error_set(error, ERROR_ProcessParameterInvalid, "base geometry %zu is not a sound one", i);
    sort_members(geometry, kinds);
    OGR_G_DestroyGeometry(geometry);
  }
  return 0;
}

static int unite(struct base *base, OGRGeometryH kinds[KIND_COUNT], struct error *error)
{
  char reason[201];
  for (size_t k = 0; k < KIND_COUNT; k++) {
    if (OGR_G_GetGeometryCount(kinds[k]) == 0)
      continue;
    base->whole[k] = k == KIND_POLYGONS ? OGR_G_UnionCascaded(kinds[k]) : OGR_G_Union(kinds[k], kinds[k]);
    base->prepared[k] = base->whole[k] ? OGRCreatePreparedGeometry(base->whole[k]) : NULL;
    if (ogr_failed(reason) || !base->prepared[k])
      return error_set(error, ERROR_ProcessParameterInvalid, "the base geometries cannot be united: %s", reason);
    OGR_G_GetEnvelope(base->whole[k], &base->bounds[k]);
    base->kinds++;
    base->only = k;
  }
  return 0;
}

/* The union falls into pieces, which do not meet but in points of their boundaries. */
static int list_pieces(struct base *base, struct error *error)
{
  OGRGeometryH whole = base->kinds == 1 ? base->whole[base->only] : NULL;
  bool many = whole && OGR_GT_IsSubClassOf(OGR_G_GetGeometryType(whole), wkbGeometryCollection);
  size_t count = !whole ? 0 : many ? (size_t)OGR_G_GetGeometryCount(whole) : 1;
  base->pieces = calloc(count + 1, sizeof *base->pieces);
  if (!base->pieces)
    return error_memory(error);
  for (size_t i = 0; i < count; i++) {
    base->pieces[i].geometry = many ? OGR_G_GetGeometryRef(whole, (int)i) : whole;
    OGR_G_GetEnvelope(base->pieces[i].geometry, &base->pieces[i].bounds);
  }
  base->piece_count = count;
  return 0;
}

static void base_free(struct base *base)
{
  free(base->pieces);
  for (size_t k = 0; k < KIND_COUNT; k++) {
    OGRDestroyPreparedGeometry(base->prepared[k]);
    OGR_G_DestroyGeometry(base->whole[k]);
  }
}

static int base_of_set(const struct geometry_work *work, const struct geometry_set *set, struct base *out,
                       struct error *error)
{
  OGRGeometryH kinds[] = {[KIND_POINTS] = OGR_G_CreateGeometry(wkbMultiPoint),
                          [KIND_LINES] = OGR_G_CreateGeometry(wkbMultiLineString),
                          [KIND_POLYGONS] = OGR_G_CreateGeometry(wkbMultiPolygon)};
  *out = (struct base){0};
  int status = kinds[KIND_POINTS] && kinds[KIND_LINES] && kinds[KIND_POLYGONS] ? 0 : error_memory(error);
  if (status == 0)
    status = collect_base(work, set, kinds, error);
  if (status == 0)
    status = unite(out, kinds, error);
  if (status == 0)
    status = list_pieces(out, error);
  for (size_t k = 0; k < KIND_COUNT; k++)
    OGR_G_DestroyGeometry(kinds[k]);
  return status;
}

/* ---- one geometry ------------------------------------------------------------------------------------------------ */

static bool meets(const struct base *base, OGRGeometryH geometry)
{
  for (size_t k = 0; k < KIND_COUNT; k++)
    if (base->prepared[k] && OGRPreparedGeometryIntersects(base->prepared[k], geometry))
      return true;
  return false;
}

/* Whether b lies in a, going by the bounds. */
static bool may_hold(const OGREnvelope *a, const OGREnvelope *b)
{
  return a->MinX <= b->MinX && a->MinY <= b->MinY && a->MaxX >= b->MaxX && a->MaxY >= b->MaxY;
}

static bool may_meet(const OGREnvelope *a, const OGREnvelope *b)
{
  return a->MinX <= b->MaxX && b->MinX <= a->MaxX && a->MinY <= b->MaxY && b->MinY <= a->MaxY;
}

/* The pieces that may meet the bounds, and one of the others: what the base is like elsewhere counts only in that it is
 * somewhere else. New; the caller destroys it. */
static OGRGeometryH base_near(const struct base *base, const OGREnvelope *bounds)
{
  static const OGRwkbGeometryType types[] = {
      [KIND_POINTS] = wkbMultiPoint, [KIND_LINES] = wkbMultiLineString, [KIND_POLYGONS] = wkbMultiPolygon};
  OGRGeometryH near = OGR_G_CreateGeometry(types[base->only]);
  bool elsewhere = false;
  for (size_t i = 0; near && i < base->piece_count; i++) {
    bool meets_here = may_meet(&base->pieces[i].bounds, bounds);
    if (meets_here || !elsewhere)
      OGR_G_AddGeometry(near, base->pieces[i].geometry);
    elsewhere = elsewhere || !meets_here;
  }
  return near;
}

typedef int (*shape_relation)(OGRGeometryH, OGRGeometryH);

static bool stands_near(const struct base *base, OGRGeometryH geometry, const OGREnvelope *own, shape_relation relation)
{
  if (!meets(base, geometry))
    return false;
  OGRGeometryH near = base_near(base, own);
  bool stands = near && relation(geometry, near);
  OGR_G_DestroyGeometry(near);
  return stands;
}

/* The relations that look at more than whether the two meet; the base is of one kind. */
static bool stands_exactly(const struct base *base, OGRGeometryH geometry, enum geometry_relation relation)
{
  OGRGeometryH whole = base->whole[base->only];
  const OGREnvelope *bounds = &base->bounds[base->only];
  OGREnvelope own;
  OGR_G_GetEnvelope(geometry, &own);
  bool may_contain = may_hold(&own, bounds), may_lie_within = may_hold(bounds, &own);
  switch (relation) {
  case RELATION_WITHIN:
    return may_lie_within && OGRPreparedGeometryContains(base->prepared[base->only], geometry);
  case RELATION_CONTAINS:
    return may_contain && OGR_G_Contains(geometry, whole);
  case RELATION_EQUALS:
    return may_contain && may_lie_within && OGRPreparedGeometryContains(base->prepared[base->only], geometry) &&
           OGR_G_Contains(geometry, whole);
  case RELATION_TOUCHES:
    return stands_near(base, geometry, &own, OGR_G_Touches);
  case RELATION_CROSSES:
    return stands_near(base, geometry, &own, OGR_G_Crosses);
  case RELATION_OVERLAPS:
    return stands_near(base, geometry, &own, OGR_G_Overlaps);
  default:
    return false;
  }
}

static bool stands(const struct base *base, OGRGeometryH geometry, enum geometry_relation relation)
{
  if (relation == RELATION_INTERSECTS)
    return meets(base, geometry);
  if (relation == RELATION_DISJOINT)
    return !meets(base, geometry);
  return base->kinds == 1 && stands_exactly(base, geometry, relation);
}

static int judge(const struct geometry_work *work, const struct geometry_set *set, const struct base *base,
                 enum geometry_relation relation, bool *holds, struct error *error)
{
  char reason[201];
  for (size_t i = 0; i < set->count; i++) {
    holds[i] = false;
    if (work->cancel && *work->cancel)
      return error_set(error, ERROR_RequestTimeout, "the request was cancelled");
    if (set->items[i].part_count == 0)
      continue;
    OGRGeometryH geometry = ogr_repaired(ogr_of_geometry(&set->items[i]));
    holds[i] = geometry && !OGR_G_IsEmpty(geometry) && stands(base, geometry, relation);
    OGR_G_DestroyGeometry(geometry);
    if (!geometry || ogr_failed(reason))
      return error_set(error, ERROR_ProcessParameterInvalid, "geometry %zu cannot be compared: %s", i,
                       geometry ? reason : "it is not a sound one");
  }
  return 0;
}

int geometry_relate(const struct geometry_work *work, const struct geometry_set *set, const struct geometry_set *base,
                    enum geometry_relation relation, bool *holds, struct error *error)
{
  struct base united;
  ogr_frame_begin();
  int status = base_of_set(work, base, &united, error);
  if (status == 0 && united.kinds > 1 && relation != RELATION_INTERSECTS && relation != RELATION_DISJOINT)
    status = error_set(error, ERROR_FeatureUnsupported,
                       "base geometries of several kinds (points, lines, polygons) can be asked for intersects and "
                       "disjoint only");
  if (status == 0)
    status = judge(work, set, &united, relation, holds, error);
  base_free(&united);
  ogr_frame_end();
  return status;
}
