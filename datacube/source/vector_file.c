/* Reading features through OGR, in one pass: geometries, properties as JSON texts, and the columns of numbers. */
#include "datacube/source/vector_file.h"

#include "datacube/remote/remote_file.h"
#include "datacube/remote/remote_whole.h"
#include "datacube/base/file_refusal.h"
#include "datacube/base/missing.h"
#include "datacube/gdal_init.h"
#include "datacube/geometry_ogr.h"
#include "datacube/source/memory_source.h"

#include <cpl_conv.h>
#include <gdal.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static const struct feature_file_type {
  const char *extension, *driver;
  const char *prefix;         /* of the path that OGR is given */
  const char *const *options; /* of opening, or NULL */
} file_types[] = {
    {".gpkg", "GPKG", "", NULL},
    {".fgb", "FlatGeobuf", "", NULL},
    {".geojson", "GeoJSON", "", (const char *const[]){"DATE_AS_STRING=YES", NULL}},
    {".json", "GeoJSON", "", (const char *const[]){"DATE_AS_STRING=YES", NULL}},
    {".shp", "ESRI Shapefile", "", NULL},
    {".shz", "ESRI Shapefile", "", NULL},
    {".shp.zip", "ESRI Shapefile", "", NULL},
    {".zip", "ESRI Shapefile", "/vsizip/", NULL},
    {".parquet", "Parquet", "", NULL},
    {".geoparquet", "Parquet", "", NULL},
    {".pq", "Parquet", "", NULL},
    {".csv", "CSV", "",
     (const char *const[]){"AUTODETECT_TYPE=YES", "AUTODETECT_SIZE_LIMIT=0", "QUOTED_FIELDS_AS_STRING=YES",
                           "EMPTY_STRING_AS_NULL=YES", "HEADERS=YES", "KEEP_GEOM_COLUMNS=NO",
                           "GEOM_POSSIBLE_NAMES=geometry,geom,wkt,the_geom", "X_POSSIBLE_NAMES=x,lon,long,longitude",
                           "Y_POSSIBLE_NAMES=y,lat,latitude", NULL}},
};

struct feature_reading {
  struct arena *arena;
  const struct vector_file *file;
  const struct vector_selection *selection;
  const struct feature_file_type *type;
  OGRLayerH layer;
  struct geometry *items;
  size_t count, room;
  int *fields;        /* of the layer: those that are columns */
  const char **names; /* of the columns */
  size_t columns;
  double *values; /* count * columns */
  size_t value_room;
  bool *booleans;   /* of the layer's fields: texts true and false that stand for the values */
  int id_field;     /* or -1 */
  bool fids_differ; /* from the features' positions */
  struct error *error;
};

/* ---- the file ---------------------------------------------------------------------------------------------------- */

/* Length of the file's own name in "FILE:LAYER". */
static size_t file_length(const char *path)
{
  struct stat status;
  const char *colon = strrchr(path, ':');
  return colon && !strchr(colon, '/') && stat(path, &status) != 0 ? (size_t)(colon - path) : strlen(path);
}

/* Of a name of `length` characters. */
static const struct feature_file_type *type_of_name(const char *name, size_t length)
{
  for (size_t i = 0; i < sizeof file_types / sizeof file_types[0]; i++) {
    size_t n = strlen(file_types[i].extension);
    if (length >= n && strncasecmp(name + length - n, file_types[i].extension, n) == 0)
      return &file_types[i];
  }
  return NULL;
}

static const struct feature_file_type *type_of_path(const char *path)
{
  return type_of_name(path, file_length(path));
}

bool vector_file_is(const char *path)
{
  return type_of_path(path) != NULL;
}

static int open_file(struct feature_reading *r, GDALDatasetH *out)
{
  size_t length = file_length(r->file->path);
  const char *path = arena_strndup(r->arena, r->file->path, length);
  const char *name = path ? arena_printf(r->arena, "%s%s", r->type->prefix, path) : NULL;
  const char *const drivers[] = {r->type->driver, NULL};
  struct stat status;
  char reason[201];
  if (!name)
    return error_memory(r->error);
  if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
    return error_set(r->error, ERROR_FileNotFound, "%s is no regular file that can be read", path);
  if (!GDALGetDriverByName(r->type->driver))
    return error_set(r->error, ERROR_FileTypeInvalid, "%s: this build of GDAL does not read %s", path, r->type->driver);
  *out = GDALOpenEx(name, GDAL_OF_VECTOR | GDAL_OF_READONLY, drivers, r->type->options, NULL);
  if (*out)
    return 0;
  ogr_failed(reason);
  const char *refusal = file_refusal(path);
  return error_set(r->error, ERROR_FileContentInvalid, "%s cannot be read as %s: %s", path, r->type->driver,
                   refusal ? refusal : reason);
}

/* The layer that the path names, or the only one. */
static int choose_layer(struct feature_reading *r, GDALDatasetH dataset)
{
  const char *path = r->file->path, *name = path[file_length(path)] ? path + file_length(path) + 1 : NULL;
  int count = GDALDatasetGetLayerCount(dataset);
  r->layer = name ? GDALDatasetGetLayerByName(dataset, name) : count == 1 ? GDALDatasetGetLayer(dataset, 0) : NULL;
  if (r->layer)
    return 0;
  char names[300] = "";
  for (int i = 0; i < count; i++) {
    size_t used = strlen(names);
    snprintf(names + used, sizeof names - used, "%s%.60s", i ? ", " : "",
             OGR_L_GetName(GDALDatasetGetLayer(dataset, i)));
  }
  return error_set(r->error, ERROR_FileContentInvalid, "%s: name one of its %d layers as FILE:LAYER (%s)", path, count,
                   names);
}

static int read_crs(struct feature_reading *r, const char **out)
{
  OGRSpatialReferenceH system = OGR_L_GetSpatialRef(r->layer);
  char *wkt = NULL;
  if (!system)
    return crs_canonical(r->arena, r->file->crs ? r->file->crs : "EPSG:4326", out, r->error);
  int status = OSRExportToWktEx(system, &wkt, (const char *const[]){"FORMAT=WKT2_2019", NULL}) == OGRERR_NONE
                   ? crs_canonical(r->arena, wkt, out, r->error)
                   : error_set(r->error, ERROR_CRSInvalid, "%s: its reference system cannot be read", r->file->path);
  CPLFree(wkt);
  return status;
}

/* ---- columns ----------------------------------------------------------------------------------------------------- */

static int look_at_cancel(const struct feature_reading *r)
{
  const volatile int *cancel = r->selection->cancel;
  return cancel && *cancel ? error_set(r->error, ERROR_RequestTimeout, "the request was cancelled") : 0;
}

/* Of the fields still held for booleans, those that the feature does not speak against. */
static void judge_booleans(struct feature_reading *r, OGRFeatureH feature, bool *seen)
{
  for (int i = 0; i < OGR_F_GetFieldCount(feature); i++) {
    if (!r->booleans[i] || !OGR_F_IsFieldSetAndNotNull(feature, i))
      continue;
    const char *text = OGR_F_GetFieldAsString(feature, i);
    seen[i] = true;
    r->booleans[i] = strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
  }
}

/* Tables of text have no booleans of their own: one pass over the features finds the columns that are. */
static int find_booleans(struct feature_reading *r)
{
  OGRFeatureDefnH schema = OGR_L_GetLayerDefn(r->layer);
  size_t count = (size_t)OGR_FD_GetFieldCount(schema), candidates = 0;
  bool *seen = ARENA_ARRAY(r->arena, bool, count);
  int status = 0;
  r->booleans = ARENA_ARRAY(r->arena, bool, count);
  if (!seen || !r->booleans)
    return error_memory(r->error);
  for (size_t i = 0; strcmp(r->type->driver, "CSV") == 0 && i < count; i++) {
    r->booleans[i] = OGR_Fld_GetType(OGR_FD_GetFieldDefn(schema, (int)i)) == OFTString;
    candidates += r->booleans[i];
  }
  OGRFeatureH feature;
  while (candidates > 0 && status == 0 && (feature = OGR_L_GetNextFeature(r->layer)) != NULL) {
    judge_booleans(r, feature, seen);
    OGR_F_Destroy(feature);
    status = look_at_cancel(r);
  }
  for (size_t i = 0; i < count; i++)
    r->booleans[i] = r->booleans[i] && seen[i];
  OGR_L_ResetReading(r->layer);
  return status;
}

static bool is_value(const struct feature_reading *r, OGRFeatureDefnH schema, int i)
{
  OGRFieldType type = OGR_Fld_GetType(OGR_FD_GetFieldDefn(schema, i));
  return type == OFTInteger || type == OFTInteger64 || type == OFTReal || r->booleans[i];
}

static int add_column(struct feature_reading *r, OGRFeatureDefnH schema, int field)
{
  r->fields[r->columns] = field;
  r->names[r->columns] = arena_strdup(r->arena, OGR_Fld_GetNameRef(OGR_FD_GetFieldDefn(schema, field)));
  return r->names[r->columns++] ? 0 : error_memory(r->error);
}

static int choose_columns(struct feature_reading *r)
{
  OGRFeatureDefnH schema = OGR_L_GetLayerDefn(r->layer);
  const struct vector_selection *s = r->selection;
  size_t count = (size_t)OGR_FD_GetFieldCount(schema), most = s->bands ? s->band_count : count;
  r->id_field = OGR_FD_GetFieldIndex(schema, "id");
  if (r->id_field >= 0 && strcmp(OGR_Fld_GetNameRef(OGR_FD_GetFieldDefn(schema, r->id_field)), "id") != 0)
    r->id_field = -1; /* "ID" is a property like others */
  r->fields = ARENA_ARRAY(r->arena, int, most);
  r->names = ARENA_ARRAY(r->arena, const char *, most);
  if (!r->fields || !r->names)
    return error_memory(r->error);
  for (size_t i = 0; !s->bands && i < count; i++)
    if (is_value(r, schema, (int)i) && add_column(r, schema, (int)i) != 0)
      return -1;
  for (size_t i = 0; s->bands && i < s->band_count; i++) {
    int field = OGR_FD_GetFieldIndex(schema, s->bands[i]);
    if (field < 0 || !is_value(r, schema, field))
      return error_set(r->error, ERROR_BandNotAvailable, "the features have no property '%s' of numbers or booleans",
                       s->bands[i]);
    if (add_column(r, schema, field) != 0)
      return -1;
  }
  return 0;
}

/* ---- features ---------------------------------------------------------------------------------------------------- */

static void write_date(struct json_writer *w, OGRFeatureH feature, int i, OGRFieldType type)
{
  int year, month, day, hour, minute, zone;
  float second;
  char text[80];
  size_t used = 0;
  OGR_F_GetFieldAsDateTimeEx(feature, i, &year, &month, &day, &hour, &minute, &second, &zone);
  if (type != OFTTime)
    used += (size_t)snprintf(text, sizeof text, "%04d-%02d-%02d%s", year, month, day, type == OFTDate ? "" : "T");
  if (type != OFTDate)
    used += (size_t)snprintf(text + used, sizeof text - used,
                             second == floorf(second) ? "%02d:%02d:%02.0f" : "%02d:%02d:%06.3f", hour, minute,
                             (double)second);
  if (type == OFTDateTime && zone == 100)
    snprintf(text + used, sizeof text - used, "Z");
  else if (type == OFTDateTime && zone > 1)
    snprintf(text + used, sizeof text - used, "%c%02d:%02d", zone < 100 ? '-' : '+', abs(zone - 100) / 4,
             abs(zone - 100) % 4 * 15);
  json_write_string(w, text);
}

static void write_text(struct json_writer *w, OGRFeatureH feature, int i, OGRFieldDefnH field)
{
  const char *text = OGR_F_GetFieldAsString(feature, i);
  size_t length = strlen(text);
  bool json = OGR_Fld_GetSubType(field) == OFSTJSON && length > 0 && (text[0] == '{' || text[0] == '[');
  if (json)
    json_write_raw(w, text, length);
  else
    json_write_string(w, text);
}

static void write_numbers(struct json_writer *w, OGRFeatureH feature, int i, OGRFieldType type)
{
  int count = 0;
  const int *integers = type == OFTIntegerList ? OGR_F_GetFieldAsIntegerList(feature, i, &count) : NULL;
  const GIntBig *wide = type == OFTInteger64List ? OGR_F_GetFieldAsInteger64List(feature, i, &count) : NULL;
  const double *reals = type == OFTRealList ? OGR_F_GetFieldAsDoubleList(feature, i, &count) : NULL;
  json_write_array(w);
  for (int k = 0; k < count; k++)
    if (reals)
      json_write_number(w, reals[k]);
    else
      json_write_integer(w, integers ? integers[k] : wide[k]);
  json_end_array(w);
}

static void write_texts(struct json_writer *w, OGRFeatureH feature, int i)
{
  char **texts = OGR_F_GetFieldAsStringList(feature, i);
  json_write_array(w);
  for (; texts && *texts; texts++)
    json_write_string(w, *texts);
  json_end_array(w);
}

static bool is_true(OGRFeatureH feature, int i)
{
  return strcmp(OGR_F_GetFieldAsString(feature, i), "true") == 0;
}

static void write_field(const struct feature_reading *r, struct json_writer *w, OGRFeatureH feature, int i)
{
  OGRFieldDefnH field = OGR_F_GetFieldDefnRef(feature, i);
  OGRFieldType type = OGR_Fld_GetType(field);
  if (!OGR_F_IsFieldSetAndNotNull(feature, i))
    json_write_null(w);
  else if (r->booleans[i])
    json_write_bool(w, is_true(feature, i));
  else if (type == OFTInteger && OGR_Fld_GetSubType(field) == OFSTBoolean)
    json_write_bool(w, OGR_F_GetFieldAsInteger(feature, i) != 0);
  else if (type == OFTInteger || type == OFTInteger64)
    json_write_integer(w, OGR_F_GetFieldAsInteger64(feature, i));
  else if (type == OFTReal)
    json_write_number(w, OGR_F_GetFieldAsDouble(feature, i));
  else if (type == OFTDate || type == OFTTime || type == OFTDateTime)
    write_date(w, feature, i, type);
  else if (type == OFTIntegerList || type == OFTInteger64List || type == OFTRealList)
    write_numbers(w, feature, i, type);
  else if (type == OFTStringList)
    write_texts(w, feature, i);
  else
    write_text(w, feature, i, field);
}

static int read_properties(struct feature_reading *r, OGRFeatureH feature, struct geometry *out)
{
  struct buffer text = {0};
  struct json_writer w = {.out = &text};
  bool is_table = strcmp(r->type->driver, "GeoJSON") != 0; /* each feature has all fields */
  json_write_object(&w);
  for (int i = 0; i < OGR_F_GetFieldCount(feature); i++) {
    OGRFieldDefnH field = OGR_F_GetFieldDefnRef(feature, i);
    if ((!is_table && !OGR_F_IsFieldSet(feature, i)) || OGR_Fld_GetType(field) == OFTBinary || i == r->id_field)
      continue;
    json_key(&w, OGR_Fld_GetNameRef(field));
    write_field(r, &w, feature, i);
  }
  json_end_object(&w);
  out->properties = text.failed ? NULL : arena_strdup(r->arena, text.data);
  buffer_free(&text);
  if (r->id_field >= 0 && OGR_F_IsFieldSetAndNotNull(feature, r->id_field)) {
    out->id = arena_strdup(r->arena, OGR_F_GetFieldAsString(feature, r->id_field));
    OGRFieldType type = OGR_Fld_GetType(OGR_F_GetFieldDefnRef(feature, r->id_field));
    out->id_is_number = type == OFTInteger || type == OFTInteger64;
  }
  return out->properties ? 0 : error_memory(r->error);
}

static bool is_finite(const struct geometry *geometry)
{
  for (size_t p = 0; p < geometry->part_count; p++)
    for (size_t i = 0; i < geometry->parts[p].count; i++)
      if (!isfinite(geometry->parts[p].x[i]) || !isfinite(geometry->parts[p].y[i]))
        return false;
  return true;
}

static int read_values(struct feature_reading *r, OGRFeatureH feature)
{
  for (size_t c = 0; c < r->columns; c++) {
    size_t at = r->count * r->columns + c;
    double *values = arena_grow(r->arena, r->values, at, &r->value_room, sizeof *values);
    if (!values)
      return error_memory(r->error);
    r->values = values;
    int field = r->fields[c];
    bool known = OGR_F_IsFieldSetAndNotNull(feature, field);
    double number = r->booleans[field] ? is_true(feature, field) : OGR_F_GetFieldAsDouble(feature, field);
    values[at] = known ? number : na_f64();
  }
  return 0;
}

static int read_feature(struct feature_reading *r, OGRFeatureH feature, size_t index)
{
  struct geometry *items = arena_grow(r->arena, r->items, r->count, &r->room, sizeof *items);
  if (!items)
    return error_memory(r->error);
  r->items = items;
  struct geometry *item = &items[r->count];
  *item = (struct geometry){0};
  r->fids_differ = r->fids_differ || OGR_F_GetFID(feature) != (GIntBig)index;
  if (geometry_of_ogr(r->arena, OGR_F_GetGeometryRef(feature), item) != 0)
    return error_memory(r->error);
  if (!is_finite(item))
    return error_set(r->error, ERROR_FileContentInvalid, "%s: feature %zu has a coordinate that is no finite number",
                     r->file->path, index);
  if (read_properties(r, feature, item) != 0 || read_values(r, feature) != 0)
    return -1;
  if (!item->id && strcmp(r->type->driver, "GeoJSON") == 0) {
    item->id = arena_printf(r->arena, "%lld", (long long)OGR_F_GetFID(feature));
    item->id_is_number = true;
  }
  r->count++;
  return 0;
}

static int read_features(struct feature_reading *r)
{
  char reason[201];
  int status = 0;
  OGRFeatureH feature;
  for (size_t i = 0; status == 0 && (feature = OGR_L_GetNextFeature(r->layer)) != NULL; i++) {
    if (r->count == VECTOR_FILE_MOST_FEATURES)
      status = error_set(r->error, ERROR_FileSizeExceeded, "%s has more than %d features", r->file->path,
                         (int)VECTOR_FILE_MOST_FEATURES);
    else if (look_at_cancel(r) != 0)
      status = -1;
    else if (!r->selection->wanted || r->selection->wanted[i])
      status = read_feature(r, feature, i);
    OGR_F_Destroy(feature);
  }
  if (status == 0 && ogr_failed(reason))
    status = error_set(r->error, ERROR_FileContentInvalid, "%s: %s", r->file->path, reason);
  for (size_t i = 0; !r->fids_differ && r->id_field < 0 && i < r->count; i++)
    r->items[i].id = NULL; /* GeoJSON without ids: OGR counted the features */
  return status;
}

/* ---- the cube ---------------------------------------------------------------------------------------------------- */

static int make_source(struct feature_reading *r, const char *crs, const struct source **out)
{
  struct geometry_set *set = ARENA_NEW(r->arena, struct geometry_set);
  struct cube cube = {
      .dimensions = 1, .type = ELEMENT_F64, .has_nodata = true, .nodata = NAN, .crs = crs, .title = r->file->title};
  double *none = ARENA_ARRAY(r->arena, double, r->count);
  if (!set || !none)
    return error_memory(r->error);
  *set = (struct geometry_set){.count = r->count, .items = r->items, .crs = crs};
  for (size_t i = 0; i < r->count; i++)
    none[i] = na_f64();
  if (geometry_dimension(r->arena, "geometry", set, &cube.dimension[0], r->error) != 0)
    return -1;
  if (r->columns > 0)
    cube.dimension[cube.dimensions++] = dimension_texts("bands", DIMENSION_BANDS, r->names, r->columns);
  *out = memory_source(r->arena, &cube, r->columns > 0 && r->values ? r->values : none,
                       r->file->origin ? r->file->origin : "features of a file");
  return *out ? 0 : error_memory(r->error);
}

static int read_dataset(struct feature_reading *r, GDALDatasetH dataset, const struct source **out)
{
  const char *crs;
  if (choose_layer(r, dataset) != 0 || read_crs(r, &crs) != 0 || find_booleans(r) != 0 || choose_columns(r) != 0 ||
      read_features(r) != 0)
    return -1;
  return make_source(r, crs, out);
}

/* A remote file is fetched first, and read by its name's extension. */
static int fetch_remote(struct arena *arena, const struct vector_file *file, struct vector_file *out,
                        struct error *error)
{
  *out = *file;
  if (remote_is(file->path) && !file->extension)
    out->extension = file->path;
  return remote_whole(arena, file->path, &out->path, error);
}

int vector_file_source(struct arena *arena, const struct vector_file *file, const struct vector_selection *selection,
                       const struct source **out, struct error *error)
{
  struct vector_file here;
  if (fetch_remote(arena, file, &here, error) != 0)
    return -1;
  struct feature_reading r = {.arena = arena,
                              .file = &here,
                              .selection = selection,
                              .type = here.extension ? type_of_name(here.extension, strlen(here.extension))
                                                     : type_of_path(file->path),
                              .error = error};
  GDALDatasetH dataset = NULL;
  if (!r.type)
    return error_set(error, ERROR_FileTypeInvalid, "%s: no format of features has such a name", file->path);
  gdal_init();
  ogr_frame_begin();
  CPLSetThreadLocalConfigOption("OGR_SQLITE_PRAGMA", "trusted_schema=OFF"); /* views of a file call no functions */
  int status = open_file(&r, &dataset);
  if (status == 0)
    status = read_dataset(&r, dataset, out);
  if (dataset)
    GDALClose(dataset);
  CPLSetThreadLocalConfigOption("OGR_SQLITE_PRAGMA", NULL);
  ogr_frame_end();
  return status == 0 ? 0 : remote_whole_error(file->path, here.path, error);
}
