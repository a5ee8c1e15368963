/* Geometries to and from OGR's: one walk that counts parts, and one that copies them. */
#include "datacube/geometry_ogr.h"

#include "datacube/ring_tangle.h"

#include <cpl_error.h>
#include <string.h>

/* Of edges of what is repaired within a second or two, and of what may take some seconds: cells side by side share
 * borders, which costs little, but teeth that touch a line take as long as a crossing each. */
static const struct ring_meetings soon = {.crossings = 400, .touches = 400},
                                  at_last = {.crossings = 800, .touches = 5000};

/* ---- the frame --------------------------------------------------------------------------------------------------- */

void ogr_frame_begin(void)
{
  CPLPushErrorHandler(CPLQuietErrorHandler);
  CPLErrorReset();
}

void ogr_frame_end(void)
{
  CPLErrorReset();
  CPLPopErrorHandler();
}

bool ogr_failed(char reason[201])
{
  bool failed = CPLGetLastErrorType() >= CE_Failure;
  size_t length = strnlen(CPLGetLastErrorMsg(), 200);
  memcpy(reason, CPLGetLastErrorMsg(), length);
  reason[length] = '\0';
  for (char *c = reason; *c; c++)
    *c = *c == '\n' || *c == '\r' ? ' ' : *c;
  CPLErrorReset();
  return failed;
}

/* ---- to OGR ------------------------------------------------------------------------------------------------------ */

static OGRGeometryH path_to_ogr(const struct geometry_part *part, OGRwkbGeometryType type)
{
  OGRGeometryH path = OGR_G_CreateGeometry(type);
  if (path)
    OGR_G_SetPoints(path, (int)part->count, part->x, sizeof *part->x, part->y, sizeof *part->y, NULL, 0);
  return path;
}

static OGRGeometryH point_to_ogr(const struct geometry_part *part)
{
  OGRGeometryH point = OGR_G_CreateGeometry(wkbPoint);
  if (point)
    OGR_G_SetPoint_2D(point, 0, part->x[0], part->y[0]);
  return point;
}

/* Parts from *at on: the part itself, or all rings of a polygon. Moves on. */
static OGRGeometryH member_to_ogr(const struct geometry *geometry, size_t *at)
{
  const struct geometry_part *first = &geometry->parts[(*at)++];
  if (first->kind != PART_RING)
    return first->kind == PART_POINT ? point_to_ogr(first) : path_to_ogr(first, wkbLineString);
  OGRGeometryH polygon = OGR_G_CreateGeometry(wkbPolygon);
  for (const struct geometry_part *ring = first; polygon; ring = &geometry->parts[(*at)++]) {
    OGRGeometryH path = path_to_ogr(ring, wkbLinearRing);
    if (path)
      OGR_G_AddGeometryDirectly(polygon, path);
    if (*at == geometry->part_count || geometry->parts[*at].kind != PART_RING ||
        geometry->parts[*at].polygon != first->polygon)
      break;
  }
  if (polygon)
    OGR_G_CloseRings(polygon);
  return polygon;
}

OGRGeometryH ogr_of_geometry(const struct geometry *geometry)
{
  static const OGRwkbGeometryType types[] = {[GEOMETRY_NONE] = wkbGeometryCollection,
                                             [GEOMETRY_MULTIPOINT] = wkbMultiPoint,
                                             [GEOMETRY_MULTILINE] = wkbMultiLineString,
                                             [GEOMETRY_MULTIPOLYGON] = wkbMultiPolygon,
                                             [GEOMETRY_COLLECTION] = wkbGeometryCollection};
  size_t at = 0;
  bool single =
      geometry->type == GEOMETRY_POINT || geometry->type == GEOMETRY_LINE || geometry->type == GEOMETRY_POLYGON;
  if (single)
    return member_to_ogr(geometry, &at);
  OGRGeometryH out = OGR_G_CreateGeometry(types[geometry->type]);
  while (out && at < geometry->part_count) {
    OGRGeometryH member = member_to_ogr(geometry, &at);
    if (member)
      OGR_G_AddGeometryDirectly(out, member);
  }
  return out;
}

/* ---- from OGR ---------------------------------------------------------------------------------------------------- */

struct part_list {
  struct arena *arena;
  struct geometry_part *parts; /* NULL while counting */
  size_t count, polygons;
};

static int add_points(struct part_list *list, enum geometry_part_kind kind, OGRGeometryH from)
{
  size_t count = (size_t)OGR_G_GetPointCount(from);
  struct geometry_part *part = list->parts ? &list->parts[list->count] : NULL;
  if (count == 0)
    return 0;
  list->count++;
  if (!part)
    return 0;
  double *x = ARENA_ARRAY(list->arena, double, count), *y = ARENA_ARRAY(list->arena, double, count);
  if (!x || !y)
    return -1;
  OGR_G_GetPoints(from, x, sizeof *x, y, sizeof *y, NULL, 0);
  *part = (struct geometry_part){.kind = kind, .polygon = list->polygons, .count = count, .x = x, .y = y};
  return 0;
}

static int add_ogr(struct part_list *list, OGRGeometryH from)
{
  OGRwkbGeometryType type = wkbFlatten(OGR_G_GetGeometryType(from));
  if (OGR_G_IsEmpty(from))
    return 0;
  if (type == wkbPoint)
    return add_points(list, PART_POINT, from);
  if (type == wkbLineString)
    return add_points(list, PART_LINE, from);
  bool polygon = type == wkbPolygon || type == wkbTriangle;
  for (int i = 0; i < OGR_G_GetGeometryCount(from); i++) {
    OGRGeometryH member = OGR_G_GetGeometryRef(from, i);
    if ((polygon ? add_points(list, PART_RING, member) : add_ogr(list, member)) != 0)
      return -1;
  }
  list->polygons += polygon;
  return 0;
}

static enum geometry_type type_of_ogr(OGRGeometryH geometry)
{
  switch (wkbFlatten(OGR_G_GetGeometryType(geometry))) {
  case wkbPoint:
    return GEOMETRY_POINT;
  case wkbMultiPoint:
    return GEOMETRY_MULTIPOINT;
  case wkbLineString:
    return GEOMETRY_LINE;
  case wkbMultiLineString:
    return GEOMETRY_MULTILINE;
  case wkbPolygon:
  case wkbTriangle:
    return GEOMETRY_POLYGON;
  case wkbMultiPolygon:
  case wkbPolyhedralSurface:
  case wkbTIN:
    return GEOMETRY_MULTIPOLYGON;
  default:
    return GEOMETRY_COLLECTION;
  }
}

int geometry_of_ogr(struct arena *arena, OGRGeometryH from, struct geometry *out)
{
  OGRGeometryH straight = from && OGR_G_HasCurveGeometry(from, FALSE) ? OGR_G_GetLinearGeometry(from, 0, NULL) : NULL;
  OGRGeometryH geometry = straight ? straight : from;
  struct part_list list = {.arena = arena};
  int status = geometry ? add_ogr(&list, geometry) : 0;
  out->type = GEOMETRY_NONE;
  out->part_count = list.count;
  out->parts = list.parts = ARENA_ARRAY(arena, struct geometry_part, list.count);
  if (!list.parts)
    status = -1;
  list.count = list.polygons = 0;
  if (status == 0 && geometry && out->part_count > 0) {
    out->type = type_of_ogr(geometry);
    status = add_ogr(&list, geometry);
  }
  OGR_G_DestroyGeometry(straight);
  return status;
}

/* ---- repair ------------------------------------------------------------------------------------------------------ */

/* Whether the geometry is made of polygons alone. */
static bool is_polygonal(OGRGeometryH geometry)
{
  OGRwkbGeometryType type = wkbFlatten(OGR_G_GetGeometryType(geometry));
  return type == wkbPolygon || type == wkbMultiPolygon;
}

/* The polygons of what a repair made of polygons: it may leave lines beside them. */
static OGRGeometryH polygons_of(OGRGeometryH collection)
{
  OGRGeometryH out = OGR_G_CreateGeometry(wkbMultiPolygon);
  for (int i = 0; out && i < OGR_G_GetGeometryCount(collection); i++) {
    OGRGeometryH member = OGR_G_GetGeometryRef(collection, i);
    OGRwkbGeometryType type = wkbFlatten(OGR_G_GetGeometryType(member));
    if (type == wkbPolygon)
      OGR_G_AddGeometry(out, member);
    for (int k = 0; type == wkbMultiPolygon && k < OGR_G_GetGeometryCount(member); k++)
      OGR_G_AddGeometry(out, OGR_G_GetGeometryRef(member, k));
  }
  OGR_G_DestroyGeometry(collection);
  return out;
}

static bool is_sound(OGRGeometryH geometry)
{
  const bool sound = !geometry || OGR_G_IsValid(geometry);
  CPLErrorReset(); /* validity is told by messages, too */
  return sound;
}

static OGRGeometryH repaired(OGRGeometryH geometry, const struct ring_meetings *most)
{
  const bool is_deep = geometry && rings_are_deep(geometry);
  if (!is_deep && is_sound(geometry))
    return geometry;
  if (is_deep || rings_are_tangled(geometry, most)) {
    OGR_G_DestroyGeometry(geometry);
    CPLError(CE_Failure, CPLE_AppDefined, "its rings %s, too often to be repaired",
             is_deep ? "lie in each other" : "cross or touch");
    return NULL;
  }
  bool polygonal = is_polygonal(geometry);
  OGRGeometryH valid = OGR_G_MakeValid(geometry);
  OGR_G_DestroyGeometry(geometry);
  CPLErrorReset();
  return valid && polygonal && !is_polygonal(valid) ? polygons_of(valid) : valid;
}

OGRGeometryH ogr_repaired(OGRGeometryH geometry)
{
  return repaired(geometry, &at_last);
}

OGRGeometryH ogr_repaired_soon(OGRGeometryH geometry)
{
  return repaired(geometry, &soon);
}
