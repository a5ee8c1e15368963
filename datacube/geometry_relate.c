/* Relations between geometries and the union of others.
 *
 * The base is united once and prepared, so that most geometries are judged by its index alone; what needs both shapes
 * as a whole is asked only where bounds and the prepared base leave it open. */
#include "datacube/geometry_mixture.h"
#include "datacube/geometry_ogr.h"

#include <stdlib.h>

struct geometry_base {
  struct mixture whole; /* unions */
  OGRPreparedGeometryH prepared[KIND_COUNT];
  OGREnvelope bounds[KIND_COUNT];
  size_t kinds;
  size_t only;               /* where there is one kind: which */
  struct base_piece *pieces; /* of the union of the only kind; owned */
  size_t piece_count;
  bool is_soon; /* nothing may take long: see ogr_repaired_soon */
};

struct base_piece {
  OGRGeometryH geometry; /* the union's */
  OGREnvelope bounds;
};

/* ---- the base ---------------------------------------------------------------------------------------------------- */

static OGRGeometryH repaired(const struct geometry_base *base, const struct geometry *item)
{
  return (base->is_soon ? ogr_repaired_soon : ogr_repaired)(ogr_of_geometry(item));
}

static int collect_base(const struct geometry_work *work, const struct geometry_base *base,
                        const struct geometry_set *set, OGRGeometryH kinds[KIND_COUNT], struct error *error)
{
  char reason[201];
  for (size_t i = 0; i < set->count; i++) {
    if (work->cancel && *work->cancel)
      return error_set(error, ERROR_RequestTimeout, "the request was cancelled");
    OGRGeometryH geometry = repaired(base, &set->items[i]);
    if (!geometry) {
      ogr_failed(reason);
      return error_set(error, base->is_soon ? ERROR_ProcessGraphComplexity : ERROR_ProcessParameterInvalid,
                       "base geometry %zu is not a sound one: %s", i, reason);
    }
    geometry_sort_members(geometry, kinds);
    OGR_G_DestroyGeometry(geometry);
  }
  return 0;
}

static int unite(struct geometry_base *base, OGRGeometryH kinds[KIND_COUNT], struct error *error)
{
  char reason[201];
  for (size_t k = 0; k < KIND_COUNT; k++) {
    if (OGR_G_GetGeometryCount(kinds[k]) == 0)
      continue;
    base->whole.of[k] = k == KIND_POLYGONS ? OGR_G_UnionCascaded(kinds[k]) : OGR_G_Union(kinds[k], kinds[k]);
    base->prepared[k] = base->whole.of[k] ? OGRCreatePreparedGeometry(base->whole.of[k]) : NULL;
    if (ogr_failed(reason) || !base->prepared[k])
      return error_set(error, ERROR_ProcessParameterInvalid, "the base geometries cannot be united: %s", reason);
    OGR_G_GetEnvelope(base->whole.of[k], &base->bounds[k]);
    base->kinds++;
    base->only = k;
  }
  return mixture_add_boundaries(&base->whole) == 0 ? 0 : error_memory(error);
}

/* The union falls into pieces, which do not meet but in points of their boundaries. */
static int list_pieces(struct geometry_base *base, struct error *error)
{
  OGRGeometryH whole = base->kinds == 1 ? base->whole.of[base->only] : NULL;
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

static void base_free(struct geometry_base *base)
{
  free(base->pieces);
  for (size_t k = 0; k < KIND_COUNT; k++)
    OGRDestroyPreparedGeometry(base->prepared[k]);
  mixture_free(&base->whole);
}

static int base_of_set(const struct geometry_work *work, const struct geometry_set *set, struct geometry_base *out,
                       struct error *error)
{
  OGRGeometryH kinds[] = {[KIND_POINTS] = OGR_G_CreateGeometry(wkbMultiPoint),
                          [KIND_LINES] = OGR_G_CreateGeometry(wkbMultiLineString),
                          [KIND_POLYGONS] = OGR_G_CreateGeometry(wkbMultiPolygon)};
  int status = kinds[KIND_POINTS] && kinds[KIND_LINES] && kinds[KIND_POLYGONS] ? 0 : error_memory(error);
  if (status == 0)
    status = collect_base(work, out, set, kinds, error);
  if (status == 0)
    status = unite(out, kinds, error);
  if (status == 0)
    status = list_pieces(out, error);
  for (size_t k = 0; k < KIND_COUNT; k++)
    OGR_G_DestroyGeometry(kinds[k]);
  return status;
}

/* ---- one geometry ------------------------------------------------------------------------------------------------ */

/* Collections are asked member by member: together they are not taken for all that they hold. */
static bool meets(const struct geometry_base *base, OGRGeometryH geometry)
{
  bool collection = wkbFlatten(OGR_G_GetGeometryType(geometry)) == wkbGeometryCollection;
  for (int i = 0; collection && i < OGR_G_GetGeometryCount(geometry); i++)
    if (meets(base, OGR_G_GetGeometryRef(geometry, i)))
      return true;
  if (collection)
    return false;
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
static OGRGeometryH base_near(const struct geometry_base *base, const OGREnvelope *bounds)
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

static bool stands_near(const struct geometry_base *base, OGRGeometryH geometry, const OGREnvelope *own,
                        shape_relation relation)
{
  if (!meets(base, geometry))
    return false;
  OGRGeometryH near = base_near(base, own);
  bool stands = near && relation(geometry, near);
  OGR_G_DestroyGeometry(near);
  return stands;
}

/* The relations that look at more than whether the two meet; the base is of one kind. */
static bool stands_exactly(const struct geometry_base *base, OGRGeometryH geometry, enum geometry_relation relation)
{
  OGRGeometryH whole = base->whole.of[base->only];
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

/* A collection, or a base of several kinds. */
static bool stands_mixed(const struct geometry_base *base, OGRGeometryH geometry, enum geometry_relation relation)
{
  struct mixture own;
  if (!meets(base, geometry))
    return false;
  bool stands = mixture_make(geometry, &own) == 0 && mixture_relates(&own, &base->whole, relation);
  mixture_free(&own);
  return stands;
}

static bool stands(const struct geometry_base *base, OGRGeometryH geometry, enum geometry_relation relation)
{
  bool collection = wkbFlatten(OGR_G_GetGeometryType(geometry)) == wkbGeometryCollection;
  if (relation == RELATION_INTERSECTS)
    return meets(base, geometry);
  if (relation == RELATION_DISJOINT)
    return !meets(base, geometry);
  if (collection || base->kinds > 1)
    return stands_mixed(base, geometry, relation);
  return base->kinds == 1 && stands_exactly(base, geometry, relation);
}

/* `index`: of the geometry, for the error. */
static int judge_one(const struct geometry_base *base, const struct geometry *item, enum geometry_relation relation,
                     size_t index, bool *holds, struct error *error)
{
  char reason[201];
  *holds = false;
  if (item->part_count == 0)
    return 0;
  OGRGeometryH geometry = repaired(base, item);
  *holds = geometry && !OGR_G_IsEmpty(geometry) && stands(base, geometry, relation);
  OGR_G_DestroyGeometry(geometry);
  if (ogr_failed(reason) || !geometry)
    return error_set(error, ERROR_ProcessParameterInvalid, "geometry %zu cannot be compared: %s", index,
                     reason[0] ? reason : "it is not a sound one");
  return 0;
}

static int judge(const struct geometry_work *work, const struct geometry_set *set, const struct geometry_base *base,
                 enum geometry_relation relation, bool *holds, struct error *error)
{
  for (size_t i = 0; i < set->count; i++) {
    if (work->cancel && *work->cancel)
      return error_set(error, ERROR_RequestTimeout, "the request was cancelled");
    if (judge_one(base, &set->items[i], relation, i, &holds[i], error) != 0)
      return -1;
  }
  return 0;
}

int geometry_relate(const struct geometry_work *work, const struct geometry_set *set, const struct geometry_set *base,
                    enum geometry_relation relation, bool *holds, struct error *error)
{
  struct geometry_base united = {0};
  ogr_frame_begin();
  int status = base_of_set(work, base, &united, error);
  if (status == 0)
    status = judge(work, set, &united, relation, holds, error);
  base_free(&united);
  ogr_frame_end();
  return status;
}

int geometry_base_new(const struct geometry_set *set, struct geometry_base **out, struct error *error)
{
  struct geometry_base *base = malloc(sizeof *base);
  const struct geometry_work work = {0};
  if (!base)
    return error_memory(error);
  *base = (struct geometry_base){.is_soon = true};
  ogr_frame_begin();
  int status = base_of_set(&work, set, base, error);
  ogr_frame_end();
  if (status != 0) {
    geometry_base_free(base);
    return -1;
  }
  *out = base;
  return 0;
}

void geometry_base_free(struct geometry_base *base)
{
  if (base)
    base_free(base);
  free(base);
}

int geometry_base_stands(const struct geometry_base *base, const struct geometry *geometry,
                         enum geometry_relation relation, bool *holds, struct error *error)
{
  ogr_frame_begin();
  int status = judge_one(base, geometry, relation, 0, holds, error);
  ogr_frame_end();
  return status;
}
