/* Formats of vector cubes: GeoJSON, and what OGR makes of it.
 *
 * The cube waits in scratch room until it is whole (a feature is a row across all tiles), then goes out as a feature
 * collection. For the other formats that is a file beside the result, which OGR turns into theirs: names and types of
 * fields are decided in one place, and a text, a number or a boolean stays one. */
#include "datacube/gdal_init.h"
#include "datacube/geometry_ogr.h"
#include "datacube/sink/feature_table.h"
#include "datacube/sink/formats.h"
#include "datacube/sink/gdal_scope.h"
#include "datacube/sink/output.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <errno.h>
#include <gdal_utils.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct feature_format {
  const struct sink_format *format;
  const char *driver;       /* OGR's; NULL: GeoJSON, which is ours */
  const char *layer_option; /* of the driver, or NULL */
  bool one_kind;            /* holds points, lines or polygons, not several of them */
  bool no_empty;            /* OGR drops features without a geometry, and leaves no file where there are none */
};

struct feature_sink {
  struct sink sink;
  const struct feature_format *format;
  struct output output, collection; /* the result; the feature collection on its way there */
  struct whole whole;
  struct feature_table table;
  const struct geometry_set *geometries; /* to be written */
  char *history;
};

/* ---- what is there ----------------------------------------------------------------------------------------------- */

static bool has_driver(const struct feature_format *format)
{
  if (!format->driver)
    return true;
  gdal_init();
  GDALDriverH driver = GDALGetDriverByName(format->driver);
  return driver && GDALGetMetadataItem(driver, GDAL_DCAP_CREATE, NULL) != NULL;
}

/* ---- what fits --------------------------------------------------------------------------------------------------- */

enum { HAS_POINT = 1, HAS_POINTS = 2, HAS_LINE = 4, HAS_POLYGON = 8, HAS_MIXTURE = 16, HAS_NONE = 32 };

static unsigned kinds_of(const struct geometry_set *set)
{
  static const unsigned kinds[] = {[GEOMETRY_NONE] = HAS_NONE,
                                   [GEOMETRY_POINT] = HAS_POINT,
                                   [GEOMETRY_MULTIPOINT] = HAS_POINTS,
                                   [GEOMETRY_LINE] = HAS_LINE,
                                   [GEOMETRY_MULTILINE] = HAS_LINE,
                                   [GEOMETRY_POLYGON] = HAS_POLYGON,
                                   [GEOMETRY_MULTIPOLYGON] = HAS_POLYGON,
                                   [GEOMETRY_COLLECTION] = HAS_MIXTURE};
  unsigned found = 0;
  for (size_t i = 0; i < set->count; i++)
    found |= kinds[set->items[i].type];
  return found;
}

static bool is_one_kind(unsigned kinds)
{
  return (kinds & ~(unsigned)(HAS_POINT | HAS_POINTS)) == 0 || kinds == HAS_LINE || kinds == HAS_POLYGON;
}

static int check_kinds(const struct feature_format *format, const struct geometry_set *set, struct error *error)
{
  unsigned kinds = kinds_of(set);
  if (format->one_kind && !is_one_kind(kinds & ~(unsigned)HAS_NONE))
    return error_set(error, ERROR_FormatUnsuitable,
                     "%s holds points, lines or polygons, not several of them in one file; use GeoJSON or GPKG",
                     format->format->name);
  if (format->no_empty && (set->count == 0 || (kinds & HAS_NONE)))
    return error_set(error, ERROR_FormatUnsuitable,
                     "%s holds neither features without a geometry nor no features at all; use GeoJSON or GPKG",
                     format->format->name);
  return 0;
}

static int check(const struct feature_format *format, const struct cube *cube, struct error *error)
{
  if (!has_driver(format))
    return error_set(error, ERROR_FormatUnsuitable,
                     "%s cannot be written here: the installed GDAL has no driver %s; use GPKG or GeoJSON",
                     format->format->name, format->driver);
  if (feature_table_check(cube, format->format->name, error) != 0)
    return -1;
  for (size_t d = 0; d < cube->dimensions; d++)
    if (cube->dimension[d].labels == LABEL_GEOMETRY)
      return check_kinds(format, cube->dimension[d].geometries, error);
  return 0;
}

/* ---- other formats than GeoJSON ---------------------------------------------------------------------------------- */

static char **translation(const struct feature_sink *sink)
{
  char **arguments = NULL;
  arguments = CSLAddString(arguments, "-f");
  arguments = CSLAddString(arguments, sink->format->driver);
  arguments = CSLAddString(arguments, "-nln");
  arguments = CSLAddString(arguments, "features");
  if (sink->format->layer_option) {
    arguments = CSLAddString(arguments, "-lco");
    arguments = CSLAddString(arguments, sink->format->layer_option);
  }
  if (sink->format->one_kind && (kinds_of(sink->geometries) & HAS_POINTS)) {
    arguments = CSLAddString(arguments, "-nlt");
    arguments = CSLAddString(arguments, "MULTIPOINT");
  }
  return arguments;
}

/* The feature collection in OGR's format, at `path`. */
static int translate(const struct feature_sink *sink, const char *path, struct error *error)
{
  static const char *const drivers[] = {"GeoJSON", NULL}, *const options[] = {"DATE_AS_STRING=YES", NULL};
  GDALDatasetH from = GDALOpenEx(sink->collection.temporary, GDAL_OF_VECTOR | GDAL_OF_READONLY, drivers, options, NULL);
  if (!from)
    return gdal_scope_error(error, "cannot read the features back");
  char **arguments = translation(sink);
  GDALVectorTranslateOptions *how = GDALVectorTranslateOptionsNew(arguments, NULL);
  GDALDatasetH to = how ? GDALVectorTranslate(path, NULL, 1, &from, how, NULL) : NULL;
  if (to)
    GDALClose(to);
  GDALClose(from);
  GDALVectorTranslateOptionsFree(how);
  CSLDestroy(arguments);
  return to && !gdal_scope_failed() ? 0 : gdal_scope_error(error, "cannot write the features");
}

/* In a folder of its own, where the file has the name that the format asks for, and from there into its place. */
static int write_translated(const struct feature_sink *sink, struct error *error)
{
  char folder[4200], path[4240];
  snprintf(folder, sizeof folder, "%s.folder", sink->output.temporary);
  snprintf(path, sizeof path, "%s/features.%s", folder, sink->format->format->extension);
  if (mkdir(folder, 0777) != 0)
    return output_error(error, "cannot write the features");
  gdal_scope_begin();
  int status = translate(sink, path, error);
  gdal_scope_end();
  if (status == 0 && rename(path, sink->output.temporary) != 0)
    status = output_error(error, "cannot write the features");
  if (status != 0)
    unlink(path);
  rmdir(folder);
  return status;
}

static int write_collection(const struct feature_sink *sink, const char *path, struct error *error)
{
  bool translated = sink->format->driver != NULL;
  struct feature_collection collection = {.table = &sink->table,
                                          .geometries = sink->geometries,
                                          .values = &sink->whole,
                                          .crs = translated ? sink->geometries->crs : NULL,
                                          .history = translated ? NULL : sink->history,
                                          .for_tables = translated};
  FILE *file = fopen(path, "we");
  if (!file)
    return output_error(error, "cannot write the features");
  int status = feature_collection_write(&collection, file, error);
  if (fclose(file) != 0 && status == 0)
    status = output_error(error, "cannot write the features");
  return status;
}

/* ---- the vtable -------------------------------------------------------------------------------------------------- */

static int features_put(struct sink *base, const struct box *box, const void *data, struct error *error)
{
  (void)error;
  whole_put(&((struct feature_sink *)base)->whole, box, data);
  return 0;
}

static int features_finish(struct sink *base, struct error *error)
{
  struct feature_sink *sink = (struct feature_sink *)base;
  if (whole_complete(&sink->whole, error) != 0)
    return -1;
  if (!sink->format->driver) {
    if (write_collection(sink, sink->output.temporary, error) != 0)
      return -1;
  } else if (write_collection(sink, sink->collection.temporary, error) != 0 || write_translated(sink, error) != 0)
    return -1;
  return output_commit(&sink->output, error);
}

static void features_close(struct sink *base)
{
  struct feature_sink *sink = (struct feature_sink *)base;
  if (!sink)
    return;
  whole_end(&sink->whole);
  output_discard(&sink->collection);
  output_discard(&sink->output);
  feature_table_close(&sink->table);
  free(sink->history);
  free(sink);
}

static const struct sink_ops feature_ops = {.put = features_put, .finish = features_finish, .close = features_close};

/* GeoJSON has longitude and latitude only. */
static int choose_geometries(struct feature_sink *sink, struct error *error)
{
  sink->geometries = sink->table.set;
  return sink->format->driver
             ? 0
             : geometry_transform(sink->table.set, "EPSG:4326", INFINITY, sink->table.arena, &sink->geometries, error);
}

static int open_features(const struct feature_format *format, const struct sink_request *request,
                         const struct cube *cube, struct sink **out, struct error *error)
{
  *out = NULL;
  if (check(format, cube, error) != 0)
    return -1;
  struct feature_sink *sink = calloc(1, sizeof *sink);
  if (!sink)
    return error_memory(error);
  sink->sink = (struct sink){&feature_ops, format->format->media_type};
  sink->format = format;
  sink->history = request->history ? strdup(request->history) : NULL;
  if (feature_table_open(cube, &sink->table, error) != 0 || choose_geometries(sink, error) != 0 ||
      output_begin(&sink->output, request->path, error) != 0 ||
      (format->driver && output_begin(&sink->collection, request->path, error) != 0) ||
      whole_begin(&sink->whole, cube, request->path, error) != 0) {
    features_close(&sink->sink);
    return -1;
  }
  *out = &sink->sink;
  return 0;
}

/* ---- the rows ---------------------------------------------------------------------------------------------------- */

static void any_tile(const struct cube *cube, const struct sink_option *options, size_t count, size_t tile[])
{
  (void)options;
  (void)count;
  for (size_t d = 0; d < cube->dimensions; d++)
    tile[d] = 0;
}

/* A format of the table: its row here and the functions that know it. */
#define FEATURE_FORMAT(id, ...)                                                                                        \
  static const struct feature_format row_##id = {.format = &sink_format_##id, __VA_ARGS__};                            \
  static bool has_##id(void)                                                                                           \
  {                                                                                                                    \
    return has_driver(&row_##id);                                                                                      \
  }                                                                                                                    \
  static int check_##id(const struct cube *cube, const struct sink_option *options, size_t count, struct error *e)     \
  {                                                                                                                    \
    (void)options;                                                                                                     \
    (void)count;                                                                                                       \
    return check(&row_##id, cube, e);                                                                                  \
  }                                                                                                                    \
  static int open_##id(const struct sink_request *request, const struct cube *cube, struct sink **out,                 \
                       struct error *e)                                                                                \
  {                                                                                                                    \
    return open_features(&row_##id, request, cube, out, e);                                                            \
  }

FEATURE_FORMAT(geojson, .driver = NULL)
FEATURE_FORMAT(gpkg, .driver = "GPKG")
FEATURE_FORMAT(flatgeobuf, .driver = "FlatGeobuf", .layer_option = "SPATIAL_INDEX=NO", .no_empty = true)
FEATURE_FORMAT(parquet, .driver = "Parquet")
FEATURE_FORMAT(shapefile, .driver = "ESRI Shapefile", .layer_option = "ENCODING=UTF-8", .one_kind = true)

#define COLUMNS_OF_FEATURES                                                                                            \
  " A feature for each geometry, with its properties and a column for each combination of the other dimensions' "      \
  "labels, joined by '~' (\"2018-01-06~B4\")."

const struct sink_format sink_format_geojson = {
    .name = "GeoJSON",
    .title = "GeoJSON",
    .description = "Vector cubes, in longitude and latitude." COLUMNS_OF_FEATURES,
    .extension = "geojson",
    .media_type = "application/geo+json",
    .parameters = "{}",
    .text = true,
    .vector = true,
    .no_raster = true,
    .available = has_geojson,
    .check = check_geojson,
    .prefer = any_tile,
    .open = open_geojson,
};

const struct sink_format sink_format_gpkg = {
    .name = "GPKG",
    .title = "GeoPackage",
    .description = "Vector cubes, in their own reference system; ids are the column \"id\"." COLUMNS_OF_FEATURES,
    .extension = "gpkg",
    .media_type = "application/geopackage+sqlite3",
    .parameters = "{}",
    .text = true,
    .vector = true,
    .no_raster = true,
    .available = has_gpkg,
    .check = check_gpkg,
    .prefer = any_tile,
    .open = open_gpkg,
};

const struct sink_format sink_format_flatgeobuf = {
    .name = "FlatGeobuf",
    .title = "FlatGeobuf",
    .description = "Vector cubes without empty geometries, in their own reference system; ids are the column "
                   "\"id\"." COLUMNS_OF_FEATURES,
    .extension = "fgb",
    .media_type = "application/flatgeobuf",
    .parameters = "{}",
    .text = true,
    .vector = true,
    .no_raster = true,
    .available = has_flatgeobuf,
    .check = check_flatgeobuf,
    .prefer = any_tile,
    .open = open_flatgeobuf,
};

const struct sink_format sink_format_parquet = {
    .name = "Parquet",
    .title = "GeoParquet",
    .description = "Vector cubes, in their own reference system; ids are the column \"id\"." COLUMNS_OF_FEATURES,
    .extension = "parquet",
    .media_type = "application/vnd.apache.parquet",
    .parameters = "{}",
    .text = true,
    .vector = true,
    .no_raster = true,
    .available = has_parquet,
    .check = check_parquet,
    .prefer = any_tile,
    .open = open_parquet,
};

const struct sink_format sink_format_shapefile = {
    .name = "ESRI Shapefile",
    .title = "Shapefile, zipped",
    .description = "Vector cubes of points, lines or polygons, in their own reference system; names of columns are cut "
                   "to ten letters." COLUMNS_OF_FEATURES,
    .extension = "shz",
    .media_type = "application/zip",
    .parameters = "{}",
    .text = true,
    .vector = true,
    .no_raster = true,
    .available = has_shapefile,
    .check = check_shapefile,
    .prefer = any_tile,
    .open = open_shapefile,
};
