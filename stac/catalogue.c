/* The catalogue: opening, adding, removing, listing, documents. */
#include "stac/catalogue.h"

#include "datacube/grib/grib_sections.h"
#include "datacube/remote/remote_file.h"
#include "datacube/source/gauge_file.h"
#include "datacube/source/vector_file.h"
#include "datacube/source/zarr_store.h"

#include "stac/document.h"
#include "stac/cube_files.h"
#include "stac/href.h"
#include "stac/index.h"
#include "stac/source_book.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int make_folders(const char *path, struct error *error)
{
  char *copy = strdup(path);
  if (!copy)
    return error_memory(error);
  for (char *at = copy + 1; *at; at++)
    if (*at == '/') {
      *at = '\0';
      mkdir(copy, 0777);
      *at = '/';
    }
  struct stat status;
  int failed = mkdir(copy, 0777) != 0 && (stat(copy, &status) != 0 || !S_ISDIR(status.st_mode));
  free(copy);
  return failed ? error_set(error, ERROR_StorageFailure, "the data folder %s cannot be made: %s", path, strerror(errno))
                : 0;
}

/* Takes the path. */
static int open_index(char *path, bool writable, struct catalogue **out, struct error *error)
{
  struct catalogue *catalogue = calloc(1, sizeof *catalogue);
  struct index *index = calloc(1, sizeof *index);
  if (!catalogue || !index || !path) {
    free(catalogue);
    free(index);
    free(path);
    return error_memory(error);
  }
  index->path = path;
  index->writable = writable;
  catalogue->index = index;
  if (index_open(index, error) != 0) {
    catalogue_close(catalogue);
    return -1;
  }
  *out = catalogue;
  return 0;
}

int catalogue_open_in_memory(struct catalogue **out, struct error *error)
{
  return open_index(strdup(":memory:"), true, out, error);
}

int catalogue_open(const char *data_dir, bool writable, struct catalogue **out, struct error *error)
{
  if (writable && make_folders(data_dir, error) != 0)
    return -1;
  size_t room = strlen(data_dir) + sizeof "/catalogue.sqlite";
  char *path = malloc(room);
  if (path)
    snprintf(path, room, "%s/catalogue.sqlite", data_dir);
  return open_index(path, writable, out, error);
}

void catalogue_close(struct catalogue *catalogue)
{
  if (!catalogue)
    return;
  index_close(catalogue->index);
  free(catalogue);
}

static bool has_extension(const char *path, const char *const extensions[])
{
  const char *dot = strrchr(path, '.');
  for (size_t i = 0; dot && extensions[i]; i++)
    if (strcasecmp(dot, extensions[i]) == 0)
      return true;
  return false;
}

enum path_kind {
  PATH_FOLDER,
  PATH_STAC,
  PATH_NETCDF /* or Zarr */,
  PATH_RASTER,
  PATH_VECTOR,
  PATH_GAUGE,
  PATH_UNKNOWN
};

/* Whether the file holds features: items are GeoJSON, too, and any document may be named JSON. Judged by the words in
 * its first bytes. */
static bool holds_features(const char *path)
{
  static const char *const json[] = {".json", NULL};
  static const char version[] = "\"stac_version\"", assets[] = "\"assets\"", shape[] = "\"geometry\"",
                    positions[] = "\"coordinates\"";
  char head[65536];
  if (!vector_file_is(path))
    return false;
  FILE *file = fopen(path, "rbe");
  size_t got = file ? fread(head, 1, sizeof head, file) : 0;
  if (file)
    fclose(file);
  if (memmem(head, got, version, strlen(version)))
    return false;
  bool shapes = memmem(head, got, shape, strlen(shape)) || memmem(head, got, positions, strlen(positions));
  return !has_extension(path, json) || (shapes && !memmem(head, got, assets, strlen(assets)));
}

/* By extension, else by the first bytes. */
static enum path_kind file_kind(const char *path)
{
  static const char *const json[] = {".json", ".geojson", NULL}, *const netcdf[] = {".nc", ".nc4", ".cdf", NULL};
  static const char *const raster[] = {".tif", ".tiff", ".jp2", ".png", NULL};
  char head[8] = {0};
  if (holds_features(path))
    return PATH_VECTOR;
  if (has_extension(path, json))
    return PATH_STAC;
  if (has_extension(path, netcdf))
    return PATH_NETCDF;
  if (has_extension(path, raster))
    return PATH_RASTER;
  FILE *file = fopen(path, "rbe");
  size_t got = file ? fread(head, 1, sizeof head, file) : 0;
  if (file)
    fclose(file);
  if (got >= 4 && (memcmp(head, "CDF", 3) == 0 || memcmp(head, "\211HDF", 4) == 0))
    return gauge_file_format(path) ? PATH_GAUGE : PATH_NETCDF;
  if (grib_is(path))
    return PATH_NETCDF;
  if (got > 0 && (head[0] == '{' || head[0] == ' ' || head[0] == '\n'))
    return PATH_STAC;
  return gauge_file_format(path) ? PATH_GAUGE : PATH_UNKNOWN;
}

/* Where ":variable" of a netCDF file begins; NULL where the path is a file's alone. */
static const char *find_variable(const char *path)
{
  struct stat status;
  const char *colon = strrchr(path, ':');
  return colon && !strchr(colon, '.') && stat(path, &status) != 0 ? colon : NULL;
}

/* The path without links, ":variable" kept. `real` has room for PATH_MAX. */
static int resolve(const char *path, char *real, struct error *error)
{
  char file[PATH_MAX];
  const char *variable = find_variable(path);
  size_t length = variable ? (size_t)(variable - path) : strlen(path);
  bool fits = length < sizeof file;
  if (fits) {
    memcpy(file, path, length);
    file[length] = '\0';
  } else {
    errno = ENAMETOOLONG;
  }
  if (!fits || !realpath(file, real))
    return error_parameter(error, ERROR_FileNotFound, "path", "%s: %s", path, strerror(errno));
  size_t room = PATH_MAX - strlen(real);
  if (variable && strlen(variable) >= room)
    return error_parameter(error, ERROR_FileNotFound, "path", "%s: %s", path, strerror(ENAMETOOLONG));
  if (variable)
    memcpy(real + strlen(real), variable, strlen(variable) + 1);
  return 0;
}

static int scan_cube_file(struct scan *scan, const char *path, struct error *error)
{
  if (cube_files_are_several(path))
    return cube_files_scan(scan, error);
  if (cube_files_are_gauge(scan->arena, path))
    return scan_gauge(scan, path, error);
  return vector_file_is(path) && !zarr_is(path) ? scan_vector(scan, path, error) : scan_netcdf(scan, path, error);
}

static int scan_path(struct scan *scan, const char *path, struct error *error)
{
  struct stat status;
  if (scan->options->files)
    return scan_listing(scan, error);
  if (scan->bounds || remote_is(path))
    return scan_stac(scan, path, error);
  if (find_variable(path))
    return scan_cube_file(scan, path, error);
  if (stat(path, &status) != 0)
    return error_parameter(error, ERROR_FileNotFound, "path", "%s: %s", path, strerror(errno));
  if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode))
    return error_parameter(error, ERROR_ProcessParameterInvalid, "path", "%s is neither a folder nor a regular file",
                           path);
  switch (zarr_is(path) ? PATH_NETCDF : S_ISDIR(status.st_mode) ? PATH_FOLDER : file_kind(path)) {
  case PATH_FOLDER:
  case PATH_RASTER:
    return scan_folder(scan, path, error);
  case PATH_STAC:
    return scan_stac(scan, path, error);
  case PATH_NETCDF:
    return scan_netcdf(scan, path, error);
  case PATH_VECTOR:
    return scan_vector(scan, path, error);
  case PATH_GAUGE:
    return scan_gauge(scan, path, error);
  default:
    return error_parameter(
        error, ERROR_ProcessParameterInvalid, "path",
        "%s is neither a folder, nor a STAC document (JSON), a netCDF or GRIB file, a Zarr hierarchy, a raster, "
        "features or a gauge field",
        path);
  }
}

static bool is_id_character(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_-.~/", c));
}

/* The id that was asked for must fit; one that was found is made to fit. */
static int choose_id(struct scan *scan, const char *path, struct error *error)
{
  const char *given = scan->options->id, *slash = strrchr(path, '/');
  const char *dot = slash ? strrchr(slash, '.') : NULL;
  if (given) {
    scan->id = given;
    bool fits = *given && strlen(given) <= 255;
    for (const char *c = given; *c; c++)
      fits = fits && is_id_character(*c);
    return fits ? 0
                : error_parameter(error, ERROR_ProcessParameterInvalid, "id",
                                  "the id '%s' may have letters, digits and _ - . ~ / only, 255 at most", given);
  }
  struct stat status;
  char whole[REMOTE_URL_SIZE];
  if (href_is_web(remote_url(path))) { /* of an address what stands before its query, without a slash at the end */
    snprintf(whole, sizeof whole, "%.*s", (int)strcspn(remote_url(path), "?#"), remote_url(path));
    for (size_t end = strlen(whole); end > 0 && whole[end - 1] == '/';)
      whole[--end] = '\0';
    path = whole;
    slash = strrchr(path, '/');
    dot = slash ? strrchr(slash, '.') : NULL;
  }
  bool folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
  size_t length = !folder && dot && dot > slash + 1 ? (size_t)(dot - slash) - 1 : slash ? strlen(slash + 1) : 0;
  const char *variable = find_variable(path);
  char *id = scan->id ? arena_strndup(scan->arena, scan->id, strnlen(scan->id, 255))
                      : arena_printf(scan->arena, "%.*s%s", (int)length, slash + 1, variable ? variable : "");
  if (!id)
    return error_memory(error);
  for (char *c = id; *c; c++)
    if (!is_id_character(*c))
      *c = '_';
  scan->id = *id ? id : "collection";
  return 0;
}

static void write_report(const struct scan *scan, struct buffer *report)
{
  buffer_printf(report, "%s: %zu item%s, %zu band%s, %zu date%s%s, %zu file%s read", scan->id, scan->item_count,
                scan->item_count == 1 ? "" : "s", scan->band_count, scan->band_count == 1 ? "" : "s", scan->date_count,
                scan->date_count == 1 ? "" : "s", scan->sub_daily ? " (sub-daily)" : "", scan->files,
                scan->files == 1 ? "" : "s");
  if (scan->skipped)
    buffer_printf(report, ", %zu skipped (no date or band)", scan->skipped);
  if (scan->unreadable)
    buffer_printf(report, ", %zu unreadable", scan->unreadable);
  buffer_text(report, "\n");
}

/* A file that is a cube and no item's asset is an item of the collection's name, from its first date on. */
static int add_cube_item(struct scan *scan, struct error *error)
{
  const struct cube *cube = scan->file_cube;
  size_t t = cube_find_type(cube, DIMENSION_TEMPORAL), index = 0;
  bool dated = scan->date_count > 0 && cube->dimension[t].labels == LABEL_TIME &&
               cube->dimension[t].calendar == CALENDAR_GREGORIAN;
  if (scan->item_count == 0) {
    if (scan_new_item(scan, scan->id, dated ? cube->dimension[t].times[0] : 0, NULL, &index, error) != 0)
      return -1;
    scan->items[index].undated = !dated;
  }
  for (size_t i = 0; i < scan->item_count; i++)
    scan->items[i].box = document_lonlat(scan);
  return 0;
}

static int read_and_write(struct index *index, struct scan *scan, const char *path, struct error *error)
{
  struct index_documents documents = {0};
  if (scan_path(scan, path, error) != 0)
    return -1;
  if (scan->cube_path && !scan->file_cube && scan_cube_file(scan, scan->cube_path, error) != 0)
    return -1; /* the data of a STAC item */
  if (scan_finish(scan, error) != 0 || choose_id(scan, path, error) != 0 ||
      (scan->cube_path && add_cube_item(scan, error) != 0))
    return -1;
  if (scan->options->title)
    scan->title = scan->options->title;
  int result = document_make(scan, &documents, error);
  if (result == 0)
    result = index_replace(index, scan, &documents, error);
  buffer_free(&documents.document);
  buffer_free(&documents.links);
  buffer_free(&documents.queryables);
  return result;
}

static int check_add(const struct catalogue_add_options *options, struct error *error)
{
  if (!isfinite(options->resolution) || options->resolution < 0)
    return error_parameter(error, ERROR_ProcessParameterInvalid, "resolution",
                           "the resolution must be a positive number");
  if (options->licence && !document_is_licence(options->licence))
    return error_parameter(error, ERROR_ProcessParameterInvalid, "licence",
                           "'%s' is no SPDX identifier: letters, digits and _ - . + only", options->licence);
  return 0;
}

/* Of this machine the path without links, of the web the name of a remote file. */
static int find_place(const struct catalogue_add_options *options, const char *path, char real[PATH_MAX],
                      struct error *error)
{
  const bool is_web = href_is_web(path) && remote_is_connected(), is_name = is_web || options->files;
  if (!is_name && href_is_remote(path))
    return error_parameter(error, ERROR_FeatureUnsupported, "path",
                           "%s: only local files and folders can be added, and addresses of the web", path);
  if (is_name && snprintf(real, PATH_MAX, "%s%s", is_web ? REMOTE_PREFIX : "", path) >= PATH_MAX)
    return error_parameter(error, ERROR_ProcessParameterInvalid, "path", "%.200s…: the address is too long", path);
  return is_name ? 0 : resolve(path, real, error);
}

int catalogue_add(struct catalogue *catalogue, const struct catalogue_add_options *options, const char *path,
                  struct buffer *report, struct error *error)
{
  char real[PATH_MAX];
  struct scan scan;
  if (check_add(options, error) != 0)
    return -1;
  if (find_place(options, path, real, error) != 0)
    return -1;
  if (index_open(catalogue->index, error) != 0 || scan_start(&scan, options, NULL, error) != 0)
    return -1;
  int result = read_and_write(catalogue->index, &scan, real, error);
  if (result == 0)
    write_report(&scan, report);
  scan_free(&scan);
  return result;
}

static bool has_properties(const struct scan *scan)
{
  for (size_t i = 0; i < scan->item_count; i++)
    if (scan->items[i].properties)
      return true;
  return false;
}

int catalogue_add_document(struct catalogue *catalogue, const struct catalogue_bounds *bounds, const char *path,
                           struct catalogue_added *out, struct error *error)
{
  const struct catalogue_add_options options = {.id = NULL};
  struct scan scan;
  if (scan_start(&scan, &options, bounds, error) != 0)
    return -1;
  int result = read_and_write(catalogue->index, &scan, path, error);
  if (result == 0)
    result = scan_names(&scan, bounds->arena, &out->names, error);
  if (result == 0) {
    snprintf(out->id, sizeof out->id, "%s", scan.id);
    out->has_properties = has_properties(&scan);
  }
  scan_free(&scan);
  return result;
}

int catalogue_is_stored(const struct catalogue *catalogue, const char *id, bool *out, struct error *error)
{
  struct error none = {0};
  sqlite3_stmt *row = index_collection(catalogue->index, id, &none);
  *out = row && sqlite3_column_int(row, COLLECTION_STORED);
  index_done(row);
  if (row || error_is(&none, ERROR_CollectionNotFound))
    return 0;
  *error = none;
  return -1;
}

static int remove_row(struct index *index, const char *id, struct error *error)
{
  sqlite3_stmt *row = index_collection(index, id, error);
  if (!row)
    return -1;
  int64_t key = sqlite3_column_int64(row, COLLECTION_KEY);
  index_done(row);
  return index_delete(index, key, error);
}

int catalogue_remove(struct catalogue *catalogue, const char *id, struct error *error)
{
  struct index *index = catalogue->index;
  if (index_open(index, error) != 0)
    return -1;
  if (!index->db)
    return remove_row(index, id, error);
  if (index_begin_change(index, error) != 0)
    return -1;
  int result = remove_row(index, id, error);
  if (result == 0)
    result = source_book_forget(catalogue, id, error);
  return index_end_change(index, result, error);
}

int catalogue_list(struct catalogue *catalogue, struct buffer *out, struct error *error)
{
  struct index *index = catalogue->index;
  if (index_open(index, error) != 0)
    return -1;
  sqlite3_stmt *row = index->db ? index_statement(index, STATEMENT_LIST, error) : NULL;
  if (!row)
    return index->db ? -1 : 0;
  int more;
  while ((more = index_step(index, row, error)) == 1) {
    const char *title = (const char *)sqlite3_column_text(row, COLLECTION_TITLE);
    long long items = sqlite3_column_int64(row, COLLECTION_ITEMS), bands = sqlite3_column_int64(row, COLLECTION_BANDS);
    long long dates = sqlite3_column_int64(row, COLLECTION_DATES);
    buffer_printf(out, "%s\t%lld item%s\t%lld band%s\t%lld date%s\t%s\n",
                  (const char *)sqlite3_column_text(row, COLLECTION_ID), items, items == 1 ? "" : "s", bands,
                  bands == 1 ? "" : "s", dates, dates == 1 ? "" : "s", title ? title : "");
  }
  index_done(row);
  return more < 0 ? -1 : out->failed ? error_memory(error) : 0;
}
