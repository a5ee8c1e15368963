/* A folder of rasters as a collection.
 *
 * Files are taken in the order of their paths. The date and the band come from the path below the folder; files with
 * the same path apart from band and pixel size are one item, so items come in path order too. A folder without rasters
 * may be one of netCDF or GRIB files, which are one cube together, or of lattice gauge fields. What a listing of
 * another place has (scan_listing) is taken in the same way; where it has no rasters, it is one cube of all files that
 * are cubes, or one of features. */
#include "stac/cube_files.h"
#include "stac/file_list.h"
#include "stac/name_pattern.h"
#include "stac/sensor.h"

#include "datacube/grib/grib_sections.h"
#include "datacube/remote/remote_file.h"
#include "datacube/source/vector_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_raster_name(const char *path, bool regular)
{
  static const char *const extensions[] = {".tif", ".tiff", ".jp2", ".png"};
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
  (void)regular;
  for (size_t i = 0; dot && i < sizeof extensions / sizeof extensions[0]; i++)
    if (strcasecmp(dot, extensions[i]) == 0)
      return true;
  return false;
}

/* State of one folder's scan. */
struct folder {
  struct scan *scan;
  struct name_pattern pattern;
  json_t *items; /* path without band -> index of the item */
  bool undated;  /* no path has a date */
};

static bool overlap(struct name_span a, struct name_span b)
{
  return a.start < b.end && b.start < a.end;
}

/* The path without extension, band and pixel sizes: the item's id and key. So the bands of a scene meet whatever their
 * resolution. */
static void item_key(const char *path, const struct name_span *band, struct buffer *key)
{
  static const char between[] = "_.- /";
  const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
  size_t end = dot && (!slash || dot > slash) ? (size_t)(dot - path) : strlen(path), next;
  const struct name_span none = {end, end}, cut = band ? *band : none;
  for (size_t at = 0; at < end; at = next) {
    size_t start = at + strspn(path + at, between);
    start = start < end ? start : end;
    next = start + strcspn(path + start, between);
    next = next < end ? next : end;
    struct name_span word = {start, next};
    bool whole = cut.start <= start && cut.end >= next;
    if (whole || name_is_pixel_size(path, word))
      continue;
    if (key->length)
      buffer_add(key, path + at, start - at);
    if (overlap(word, cut)) { /* an expression's group may be a part of a word */
      buffer_add(key, path + start, cut.start > start ? cut.start - start : 0);
      buffer_add(key, path + cut.end, cut.end < next ? next - cut.end : 0);
    } else
      buffer_add(key, path + start, next - start);
  }
  if (key->length == 0)
    buffer_add(key, path, end);
}

static int find_item(struct folder *folder, const char *path, const struct name_span *band, int64_t instant,
                     size_t *item, struct error *error)
{
  struct buffer key = {0};
  int result = -1;
  item_key(path, band, &key);
  size_t name_length = key.length;
  buffer_printf(&key, "\t%lld", (long long)instant);
  const json_t *known = key.failed ? NULL : json_object_get(folder->items, key.data);
  if (key.failed)
    error_memory(error);
  else if (known) {
    *item = (size_t)json_integer_value(known);
    result = 0;
  } else {
    char *id = arena_strndup(folder->scan->arena, key.data, name_length);
    if (id && scan_new_item(folder->scan, id, instant, NULL, item, error) == 0) {
      folder->scan->items[*item].undated = folder->undated;
      result = json_object_set_new(folder->items, key.data, json_integer((json_int_t)*item));
    }
  }
  buffer_free(&key);
  return result == 0 || error_is_set(error) ? result : error_memory(error);
}

/* Whether every band has a description of its own. */
static bool described(const struct raster_file *file)
{
  for (size_t i = 0; i < file->band_count; i++) {
    if (!file->bands[i].description || !file->bands[i].description[0])
      return false;
    for (size_t j = 0; j < i; j++)
      if (strcmp(file->bands[i].description, file->bands[j].description) == 0)
        return false;
  }
  return true;
}

static const char *band_name(struct scan *scan, const char *token, const struct raster_file *file, size_t i)
{
  if (token)
    return file->band_count == 1 ? token : arena_printf(scan->arena, "%s_%zu", token, i + 1);
  return described(file) ? file->bands[i].description : arena_printf(scan->arena, "B%zu", i + 1);
}

static int add_bands(struct folder *folder, const char *path, size_t item, const char *token,
                     const struct raster_file *file, struct error *error)
{
  struct scan *scan = folder->scan;
  for (size_t i = 0; i < file->band_count; i++) {
    const struct raster_file_band *band = &file->bands[i];
    const char *name = band_name(scan, token, file, i);
    if (!name)
      return error_memory(error);
    struct band_info info = {.scale = band->scale, .offset = band->offset, .unit = band->unit};
    sensor_describe(scan->items[item].id, name, &info);
    struct scan_asset asset = {.item = item,
                               .path = path,
                               .raster_band = (int)i + 1,
                               .type = band->type,
                               .has_nodata = band->has_nodata,
                               .nodata = band->nodata,
                               .masked = band->masked,
                               .scale = band->scale,
                               .offset = band->offset};
    if (scan_find_band(scan, name, &info, &asset.band, error) != 0 ||
        scan_new_asset(scan, &asset, &file->grid, error) != 0)
      return -1;
  }
  return 0;
}

static int add_file(struct folder *folder, const struct catalogue_file *listed, struct error *error)
{
  struct scan *scan = folder->scan;
  const char *below = listed->name, *path = listed->path;
  struct name_span span;
  struct raster_file file;
  int64_t instant;
  size_t item;
  bool known = false;
  bool found = name_find_band(&folder->pattern, below, &span, &known);
  if (folder->undated)
    instant = 0;
  if ((!found && folder->pattern.has_band) ||
      (!folder->undated && !name_find_datetime(&folder->pattern, below, &instant))) {
    scan->skipped++;
    return 0;
  }
  int outcome = scan_inspect(scan, path, NULL, &file, error);
  if (outcome != 0)
    return outcome < 0 ? -1 : 0;
  if (!known && file.band_count > 1)
    found = false; /* the name's last word is no band of a file with several */
  scan->number_bands = scan->number_bands && found && file.band_count == 1;
  const char *token = found ? arena_strndup(scan->arena, below + span.start, span.end - span.start) : NULL;
  if (find_item(folder, below, found ? &span : NULL, instant, &item, error) != 0)
    return -1;
  return add_bands(folder, path, item, token, &file, error);
}

/* Whether a path has a date; where an expression says how to find them, that is the operator's word that they have. */
static bool any_date(const struct folder *folder, const struct catalogue_file *files, size_t count)
{
  int64_t ignored;
  bool found = folder->scan->options->datetime_regex != NULL;
  for (size_t i = 0; i < count && !found; i++)
    found = name_find_datetime(&folder->pattern, files[i].name, &ignored);
  return found;
}

/* Some files ahead, what will be read of other hosts is asked for. */
static int add_files(struct folder *folder, const struct catalogue_file *files, size_t count, struct error *error)
{
  size_t ahead = 0;
  folder->undated = !any_date(folder, files, count);
  for (size_t i = 0; i < count; i++) {
    for (ahead = ahead > i ? ahead : i; ahead < i + REMOTE_AHEAD && ahead < count; ahead++)
      if (remote_is(files[ahead].path) && !remote_prefetch(files[ahead].path, 0))
        break;
    if (add_file(folder, &files[i], error) != 0)
      return -1;
  }
  return 0;
}

static int read_rasters(struct scan *scan, const char *root, const struct catalogue_file *files, size_t count,
                        struct error *error)
{
  struct folder folder = {.scan = scan, .items = json_object()};
  int result = folder.items ? 0 : error_memory(error);
  scan->number_bands = true;
  if (result == 0)
    result = name_pattern_new(scan->options->datetime_regex, scan->options->band_regex, &folder.pattern, error);
  if (result == 0)
    result = add_files(&folder, files, count, error);
  if (result == 0 && !scan->options->band_regex)
    result = scan_part_bands(scan, error);
  if (result == 0 && count > 0 && scan->skipped == count)
    result = error_parameter(error, ERROR_NoDataAvailable, "datetime",
                             "none of the %zu rasters below %s has a date%s in its name, '%s' for one", count, root,
                             scan->options->band_regex ? " and a band" : "", files[0].name);
  name_pattern_free(&folder.pattern);
  json_decref(folder.items);
  return result;
}

/* ---- files that are cubes ---------------------------------------------------------------------------------------- */

static bool is_cube_name(const char *name)
{
  static const char *const extensions[] = {".nc", ".nc4", ".cdf", ".h5", ".hdf5", ".zarr"};
  const char *dot = strrchr(name, '.');
  for (size_t i = 0; dot && i < sizeof extensions / sizeof extensions[0]; i++)
    if (strcasecmp(dot, extensions[i]) == 0)
      return true;
  return grib_is_name(name);
}

/* Of several, each file is an item; its own times tell its date (cube_files.c). */
static int add_cube(struct scan *scan, const struct catalogue_file *file, bool is_one, struct error *error)
{
  const size_t length = (size_t)(strrchr(file->name, '.') - file->name), end = strlen(file->path);
  const bool is_zarr = strcasecmp(file->name + length, ".zarr") == 0 && file->path[end - 1] != '/';
  const char *id = arena_strndup(scan->arena, file->name, length);
  const char *path = is_zarr && remote_is(file->path) ? arena_printf(scan->arena, "%s/", file->path) : file->path;
  size_t item;
  if (!id || !path)
    return error_memory(error);
  if (is_one) {
    scan->cube_path = path;
    return 0;
  }
  if (scan_new_item(scan, id, 0, NULL, &item, error) != 0)
    return -1;
  scan->items[item].undated = true;
  return cube_files_add(scan, path, item, error);
}

static int read_cubes(struct scan *scan, const struct catalogue_file *files, size_t count, struct error *error)
{
  for (size_t i = 0; i < count; i++)
    if (add_cube(scan, &files[i], count == 1, error) != 0)
      return -1;
  return 0;
}

/* ---- a folder of this machine ------------------------------------------------------------------------------------ */

/* One raster: its folder becomes the root. */
static int list_one(struct scan *scan, const char *path, const char **root, struct file_list *list, struct error *error)
{
  const char *slash = strrchr(path, '/');
  *root = arena_strndup(scan->arena, path, (size_t)(slash - path));
  return *root ? file_list_add(list, slash + 1, error) : error_memory(error);
}

/* The list's files. */
static int take_list(struct scan *scan, const char *root, const struct file_list *list, struct catalogue_file **out,
                     struct error *error)
{
  struct catalogue_file *files = *out = ARENA_ARRAY(scan->arena, struct catalogue_file, list->count + 1);
  if (!files)
    return error_memory(error);
  for (size_t i = 0; i < list->count; i++) {
    files[i] = (struct catalogue_file){list->paths[i], arena_printf(scan->arena, "%s/%s", root, list->paths[i])};
    if (!files[i].path)
      return error_memory(error);
  }
  return 0;
}

static int read_list(struct scan *scan, const char *root, const struct file_list *list, struct error *error)
{
  struct catalogue_file *files;
  return take_list(scan, root, list, &files, error) == 0 ? read_rasters(scan, root, files, list->count, error) : -1;
}

static bool is_local_cube(const char *path, bool regular)
{
  static const char *const extensions[] = {".nc", ".nc4", ".cdf"};
  const char *dot = strrchr(path, '.');
  (void)regular;
  for (size_t i = 0; dot && i < sizeof extensions / sizeof extensions[0]; i++)
    if (strcasecmp(dot, extensions[i]) == 0)
      return true;
  return grib_is_name(path);
}

/* Files of netCDF and GRIB are one cube, as those of a listing are; where there are none, gauge fields are. */
static int scan_cubes(struct scan *scan, const char *path, struct error *error)
{
  const struct file_list_query query = {path, is_local_cube};
  struct file_list list = {0};
  struct catalogue_file *files;
  int result = file_list_below(scan, &query, &list, error);
  if (result == 0 && list.count == 0)
    result = scan_gauge_folder(scan, path, error);
  else if (result == 0 && (result = take_list(scan, path, &list, &files, error)) == 0) {
    struct catalogue_add_options *options = arena_copy(scan->arena, scan->options, sizeof *options);
    if (options) {
      options->files = files;
      options->file_count = list.count;
      scan->options = options;
    }
    result = options ? read_cubes(scan, files, list.count, error) : error_memory(error);
  }
  file_list_free(&list);
  return result;
}

int scan_folder(struct scan *scan, const char *path, struct error *error)
{
  const struct file_list_query query = {path, is_raster_name};
  const char *root = path;
  struct file_list list = {0};
  struct stat status;
  int result;
  if (stat(path, &status) == 0 && !S_ISDIR(status.st_mode))
    result = list_one(scan, path, &root, &list, error);
  else
    result = file_list_below(scan, &query, &list, error);
  if (result == 0)
    result = list.count > 0 ? read_list(scan, root, &list, error) : scan_cubes(scan, path, error);
  file_list_free(&list);
  return result;
}

/* ---- what was listed --------------------------------------------------------------------------------------------- */

/* The files of that kind, in their order. */
static int pick(struct scan *scan, bool (*wants)(const char *name), struct catalogue_file **out, size_t *count,
                struct error *error)
{
  const struct catalogue_add_options *options = scan->options;
  *out = ARENA_ARRAY(scan->arena, struct catalogue_file, options->file_count + 1);
  *count = 0;
  if (!*out)
    return error_memory(error);
  for (size_t i = 0; i < options->file_count; i++)
    if (wants(options->files[i].name))
      (*out)[(*count)++] = options->files[i];
  return 0;
}

static bool is_listed_raster(const char *name)
{
  return is_raster_name(name, true);
}

int scan_listing(struct scan *scan, struct error *error)
{
  struct catalogue_file *files;
  size_t count;
  if (pick(scan, is_listed_raster, &files, &count, error) != 0)
    return -1;
  if (count > 0)
    return read_rasters(scan, "what is listed", files, count, error);
  if (pick(scan, is_cube_name, &files, &count, error) != 0)
    return -1;
  if (count == 0 && pick(scan, vector_file_is, &files, &count, error) != 0)
    return -1;
  if (count == 0)
    return error_parameter(error, ERROR_NoDataAvailable, "path",
                           "of the %zu files that are listed there none is a raster (tif, tiff, jp2, png), a netCDF, "
                           "HDF5 or GRIB file, a Zarr hierarchy or one of features",
                           scan->options->file_count);
  if (vector_file_is(files[0].name) && count > 1)
    return error_parameter(error, ERROR_FeatureUnsupported, "path",
                           "%zu files of features are listed there, and each is a collection of its own", count);
  return read_cubes(scan, files, count, error);
}
