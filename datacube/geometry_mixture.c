/* Relations of mixtures: kind by kind through OGR, whose geometry library does not take them together. */
#include "datacube/geometry_mixture.h"

/* ---- making ------------------------------------------------------------------------------------------------------ */

void geometry_sort_members(OGRGeometryH geometry, OGRGeometryH kinds[KIND_COUNT])
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
      geometry_sort_members(OGR_G_GetGeometryRef(geometry, i), kinds);
}

int mixture_make(OGRGeometryH geometry, struct mixture *out)
{
  *out = (struct mixture){.of = {[KIND_POINTS] = OGR_G_CreateGeometry(wkbMultiPoint),
                                 [KIND_LINES] = OGR_G_CreateGeometry(wkbMultiLineString),
                                 [KIND_POLYGONS] = OGR_G_CreateGeometry(wkbMultiPolygon)}};
  bool failed = !out->of[KIND_POINTS] || !out->of[KIND_LINES] || !out->of[KIND_POLYGONS];
  if (!failed)
    geometry_sort_members(geometry, out->of);
  for (size_t k = 0; k < KIND_COUNT && !failed; k++) {
    OGRGeometryH members = out->of[k];
    int count = OGR_G_GetGeometryCount(members);
    bool unite = k == KIND_POLYGONS && count > 1;
    out->of[k] = count == 0 ? NULL : unite ? OGR_G_UnionCascaded(members) : members;
    failed = count > 0 && !out->of[k];
    if (members != out->of[k])
      OGR_G_DestroyGeometry(members);
  }
  return failed ? -1 : mixture_add_boundaries(out);
}

int mixture_add_boundaries(struct mixture *mixture)
{
  for (size_t k = KIND_LINES; k < KIND_COUNT; k++) {
    if (!mixture->of[k])
      continue;
    mixture->boundary[k] = OGR_G_Boundary(mixture->of[k]);
    if (!mixture->boundary[k])
      return -1;
  }
  return 0;
}

void mixture_free(struct mixture *mixture)
{
  for (size_t k = 0; k < KIND_COUNT; k++) {
    OGR_G_DestroyGeometry(mixture->of[k]);
    OGR_G_DestroyGeometry(mixture->boundary[k]);
  }
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

static bool meet(OGRGeometryH a, OGRGeometryH b)
{
  return a && b && OGR_G_Intersects(a, b);
}

/* Asks of each simple member of a geometry whether something holds; whether it does for any. */
typedef bool (*member_question)(OGRGeometryH member, const struct mixture *a, const struct mixture *b);

static bool any_member(OGRGeometryH geometry, member_question holds, const struct mixture *a, const struct mixture *b)
{
  if (!geometry || OGR_G_IsEmpty(geometry))
    return false;
  if (!OGR_GT_IsSubClassOf(wkbFlatten(OGR_G_GetGeometryType(geometry)), wkbGeometryCollection))
    return holds(geometry, a, b);
  for (int i = 0; i < OGR_G_GetGeometryCount(geometry); i++)
    if (any_member(OGR_G_GetGeometryRef(geometry, i), holds, a, b))
      return true;
  return false;
}

static bool is_line(OGRGeometryH member, const struct mixture *a, const struct mixture *b)
{
  (void)a;
  (void)b;
  return OGR_G_GetDimension(member) == 1;
}

/* ---- interiors --------------------------------------------------------------------------------------------------- */

/* Whether the interior of polygons meets the interior of something. */
static bool meet_inside(OGRGeometryH polygons, OGRGeometryH other)
{
  return meet(polygons, other) && !OGR_G_Touches(polygons, other);
}

static bool in_interior(OGRGeometryH point, const struct mixture *mixture)
{
  for (size_t k = KIND_COUNT; k-- > 0;)
    if (meet(mixture->of[k], point))
      return !meet(mixture->boundary[k], point);
  return false;
}

static bool in_both_interiors(OGRGeometryH point, const struct mixture *a, const struct mixture *b)
{
  return in_interior(point, a) && in_interior(point, b);
}

/* What is left of lines without others; owned by the caller, who gives `lines` away. */
static OGRGeometryH lines_without(OGRGeometryH lines, OGRGeometryH others)
{
  OGRGeometryH rest = lines && others ? OGR_G_Difference(lines, others) : NULL;
  if (!lines || !others)
    return lines;
  OGR_G_DestroyGeometry(lines);
  return rest;
}

/* Whether a point of the mixture's lines, computed perhaps and so not quite on them, is inside of these alone. */
static bool inside_lines(OGRGeometryH point, const struct mixture *mixture)
{
  return !meet(mixture->of[KIND_POLYGONS], point) && !meet(mixture->boundary[KIND_LINES], point);
}

/* Whether a piece that lines of both share belongs to both interiors. No polygon's interior meets it. */
static bool shared_inside(OGRGeometryH piece, const struct mixture *a, const struct mixture *b)
{
  if (OGR_G_GetDimension(piece) == 0)
    return inside_lines(piece, a) && inside_lines(piece, b);
  OGRGeometryH rest = lines_without(OGR_G_Clone(piece), a->boundary[KIND_POLYGONS]);
  rest = lines_without(rest, b->boundary[KIND_POLYGONS]);
  bool some = rest && !OGR_G_IsEmpty(rest);
  OGR_G_DestroyGeometry(rest);
  return some;
}

static bool lines_share(const struct mixture *a, const struct mixture *b, member_question holds)
{
  if (!meet(a->of[KIND_LINES], b->of[KIND_LINES]))
    return false;
  OGRGeometryH shared = OGR_G_Intersection(a->of[KIND_LINES], b->of[KIND_LINES]);
  bool some = any_member(shared, holds, a, b);
  OGR_G_DestroyGeometry(shared);
  return some;
}

static bool interiors_meet(const struct mixture *a, const struct mixture *b)
{
  for (size_t k = 0; k < KIND_COUNT; k++)
    if (meet_inside(a->of[KIND_POLYGONS], b->of[k]) || meet_inside(b->of[KIND_POLYGONS], a->of[k]))
      return true;
  return any_member(a->of[KIND_POINTS], in_both_interiors, a, b) ||
         any_member(b->of[KIND_POINTS], in_both_interiors, a, b) || lines_share(a, b, shared_inside);
}

/* ---- one in the other -------------------------------------------------------------------------------------------- */

static bool lies_outside(OGRGeometryH point, const struct mixture *a, const struct mixture *b)
{
  (void)a;
  for (size_t k = 0; k < KIND_COUNT; k++)
    if (meet(b->of[k], point))
      return false;
  return true;
}

/* Whether a path, which no line of b runs along, leaves b's polygons. */
static bool leaves_polygons(OGRGeometryH path, const struct mixture *a, const struct mixture *b)
{
  (void)a;
  OGRGeometryH polygons = b->of[KIND_POLYGONS], edge = b->boundary[KIND_POLYGONS];
  return !polygons || !(OGR_G_Within(path, polygons) || OGR_G_Within(path, edge));
}

/* Whether all of a lies in b, on its boundary or not. */
static bool lies_in(const struct mixture *a, const struct mixture *b)
{
  OGRGeometryH polygons = a->of[KIND_POLYGONS], lines = a->of[KIND_LINES];
  if (polygons && !(b->of[KIND_POLYGONS] && OGR_G_Within(polygons, b->of[KIND_POLYGONS])))
    return false;
  if (any_member(a->of[KIND_POINTS], lies_outside, a, b))
    return false;
  OGRGeometryH rest = lines ? lines_without(OGR_G_Clone(lines), b->of[KIND_LINES]) : NULL;
  bool inside = !lines || (rest && !any_member(rest, leaves_polygons, a, b));
  OGR_G_DestroyGeometry(rest);
  return inside;
}

/* ---- relations --------------------------------------------------------------------------------------------------- */

/* Highest dimension: 0, 1, 2; -1 of nothing. */
static int dimension_of(const struct mixture *mixture)
{
  int dimension = KIND_COUNT - 1;
  while (dimension >= 0 && !mixture->of[dimension])
    dimension--;
  return dimension;
}

static bool any_meet(const struct mixture *a, const struct mixture *b)
{
  for (size_t i = 0; i < KIND_COUNT; i++)
    for (size_t k = 0; k < KIND_COUNT; k++)
      if (meet(a->of[i], b->of[k]))
        return true;
  return false;
}

static bool crosses(const struct mixture *a, const struct mixture *b)
{
  int one = dimension_of(a), other = dimension_of(b);
  if (one == other)
    return one == 1 && interiors_meet(a, b) && !lines_share(a, b, is_line);
  return interiors_meet(a, b) && (one < other ? !lies_in(a, b) : !lies_in(b, a));
}

static bool overlaps(const struct mixture *a, const struct mixture *b)
{
  int dimension = dimension_of(a);
  if (dimension != dimension_of(b) || lies_in(a, b) || lies_in(b, a))
    return false;
  return dimension == 1 ? lines_share(a, b, is_line) : interiors_meet(a, b);
}

bool mixture_relates(const struct mixture *a, const struct mixture *b, enum geometry_relation relation)
{
  if (relation == RELATION_DISJOINT || !any_meet(a, b))
    return relation == RELATION_DISJOINT && !any_meet(a, b);
  switch (relation) {
  case RELATION_INTERSECTS:
    return true;
  case RELATION_EQUALS:
    return lies_in(a, b) && lies_in(b, a);
  case RELATION_TOUCHES:
    return !interiors_meet(a, b);
  case RELATION_CROSSES:
    return crosses(a, b);
  case RELATION_OVERLAPS:
    return overlaps(a, b);
  case RELATION_CONTAINS:
    return lies_in(b, a) && interiors_meet(a, b);
  case RELATION_WITHIN:
    return lies_in(a, b) && interiors_meet(a, b);
  default:
    return false;
  }
}
