/* See the header. The probe is repaired once and prepared, so that an index of its edges answers. */
#include "datacube/geometry_probe.h"

#include "datacube/geometry_ogr.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_DEPTH = 32 }; /* of brackets: collections of collections end */

struct geometry_probe {
  OGRGeometryH geometry;
  OGRPreparedGeometryH prepared; /* of what is no collection; else NULL */
  OGREnvelope bounds;
};

static bool is_shallow(const char *text)
{
  unsigned depth = 0;
  for (; *text; text++) {
    if (*text == '[' || *text == '{')
      depth++;
    if (depth > MOST_DEPTH)
      return false;
    if ((*text == ']' || *text == '}') && depth > 0)
      depth--;
  }
  return true;
}

/* New; NULL where the text is none. */
static OGRGeometryH read_geometry(const char *geojson)
{
  OGRGeometryH geometry = is_shallow(geojson) ? OGR_G_CreateGeometryFromJson(geojson) : NULL;
  if (geometry)
    OGR_G_FlattenTo2D(geometry);
  return geometry;
}

static bool is_collection(OGRGeometryH geometry)
{
  return wkbFlatten(OGR_G_GetGeometryType(geometry)) == wkbGeometryCollection;
}

static int fill(struct geometry_probe *probe, const char *geojson, struct error *error)
{
  char reason[201];
  probe->geometry = read_geometry(geojson);
  if (!probe->geometry || OGR_G_IsEmpty(probe->geometry))
    return error_set(error, ERROR_ProcessParameterInvalid, "%s",
                     probe->geometry      ? "the geometry is empty"
                     : ogr_failed(reason) ? reason
                                          : "it is no GeoJSON geometry");
  probe->geometry = ogr_repaired_soon(probe->geometry);
  if (!probe->geometry) {
    ogr_failed(reason);
    return error_set(error, ERROR_ProcessParameterInvalid, "the geometry is not a sound one: %s", reason);
  }
  OGR_G_GetEnvelope(probe->geometry, &probe->bounds);
  if (!isfinite(probe->bounds.MinX + probe->bounds.MaxX + probe->bounds.MinY + probe->bounds.MaxY))
    return error_set(error, ERROR_ProcessParameterInvalid, "the geometry has positions that are not finite");
  if (!is_collection(probe->geometry))
    probe->prepared = OGRCreatePreparedGeometry(probe->geometry);
  return 0;
}

int geometry_probe_new(const char *geojson, struct geometry_probe **out, struct error *error)
{
  struct geometry_probe *probe = calloc(1, sizeof *probe);
  if (!probe)
    return error_memory(error);
  ogr_frame_begin();
  int result = fill(probe, geojson, error);
  ogr_frame_end();
  if (result != 0)
    geometry_probe_free(probe);
  else
    *out = probe;
  return result;
}

void geometry_probe_free(struct geometry_probe *probe)
{
  if (!probe)
    return;
  OGRDestroyPreparedGeometry(probe->prepared);
  OGR_G_DestroyGeometry(probe->geometry);
  free(probe);
}

struct extent geometry_probe_bounds(const struct geometry_probe *probe)
{
  return (struct extent){probe->bounds.MinX, probe->bounds.MinY, probe->bounds.MaxX, probe->bounds.MaxY, NULL};
}

/* Members of collections one by one: the library compares none as a whole. */
static bool meets(const struct geometry_probe *probe, OGRGeometryH part, OGRGeometryH geometry)
{
  if (is_collection(geometry)) {
    for (int i = 0; i < OGR_G_GetGeometryCount(geometry); i++)
      if (meets(probe, part, OGR_G_GetGeometryRef(geometry, i)))
        return true;
    return false;
  }
  if (part == probe->geometry && probe->prepared)
    return OGRPreparedGeometryIntersects(probe->prepared, geometry);
  for (int i = 0; is_collection(part) && i < OGR_G_GetGeometryCount(part); i++)
    if (meets(probe, OGR_G_GetGeometryRef(part, i), geometry))
      return true;
  return !is_collection(part) && OGR_G_Intersects(part, geometry);
}

bool geometry_probe_meets(const struct geometry_probe *probe, const char *geojson)
{
  char reason[201];
  ogr_frame_begin();
  OGRGeometryH geometry = read_geometry(geojson);
  bool met = geometry && meets(probe, probe->geometry, geometry);
  if (geometry && !met && ogr_failed(reason)) { /* it crosses itself */
    geometry = ogr_repaired_soon(geometry);
    met = geometry && meets(probe, probe->geometry, geometry);
  }
  OGR_G_DestroyGeometry(geometry);
  ogr_frame_end();
  return met;
}
