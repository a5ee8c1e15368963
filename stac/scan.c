/* The growing tables of a scan. */
#include "stac/scan.h"

#include "stac/declared_grid.h"
#include "stac/href.h"

#include "datacube/base/checked.h"
#include "datacube/base/logger.h"
#include "datacube/lonlat.h"
#include "datacube/remote/remote_file.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int scan_start(struct scan *scan, const struct catalogue_add_options *options, const struct catalogue_bounds *bounds,
               struct error *error)
{
  *scan = (struct scan){.arena = arena_new(0), .options = options, .bounds = bounds};
  return scan->arena ? 0 : error_memory(error);
}

void scan_free(struct scan *scan)
{
  for (size_t i = 0; i < scan->item_count; i++)
    json_decref(scan->items[i].properties);
  json_decref(scan->source);
  buffer_free(&scan->cube_lines);
  transform_free(scan->to_lonlat);
  arena_free(scan->arena);
}

bool scan_allows(const struct scan *scan, const char *real)
{
  if (!scan->bounds || !scan->bounds->folders)
    return true;
  for (size_t i = 0; i < scan->bounds->folder_count; i++)
    if (path_is_below(real, scan->bounds->folders[i]))
      return true;
  return false;
}

int scan_step(struct scan *scan, struct error *error)
{
  const struct catalogue_bounds *bounds = scan->bounds;
  if (bounds && bounds->cancel && *bounds->cancel)
    return error_set(error, ERROR_RequestTimeout, "the request was cancelled");
  if (bounds && scan->documents + scan->files >= bounds->files)
    return error_set(error, ERROR_ProcessGraphComplexity,
                     "the document leads to more than %zu documents and files; an operator can add it as a collection",
                     bounds->files);
  return 0;
}

void scan_warn(const struct scan *scan, const char *format, ...)
{
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (!scan->bounds)
    log_message(LOG_WARNING, "%s", text);
  else if (scan->bounds->warn)
    scan->bounds->warn(scan->bounds->data, text);
}

/* Room for one more row: the rows, moved where they grew. NULL with an error. */
static void *grow(struct scan *scan, void *rows, size_t count, size_t *room, size_t size, struct error *error)
{
  if (count < *room)
    return rows;
  size_t more = *room ? *room * 2 : 64;
  void *moved = count < SCAN_MAX_FILES ? arena_array(scan->arena, more, size) : NULL;
  if (!moved) {
    error_set(error, ERROR_Internal, "the collection is too large to be read into memory (%zu entries)", count);
    return NULL;
  }
  if (count)
    memcpy(moved, rows, count * size);
  *room = more;
  return moved;
}

int scan_new_item(struct scan *scan, const char *id, int64_t instant, json_t *properties, size_t *out,
                  struct error *error)
{
  char *copy = arena_strdup(scan->arena, id);
  void *rows = grow(scan, scan->items, scan->item_count, &scan->item_room, sizeof *scan->items, error);
  if (!rows || !copy) {
    json_decref(properties);
    return rows ? error_memory(error) : -1;
  }
  scan->items = rows;
  *out = scan->item_count++;
  scan->items[*out] = (struct scan_item){.id = copy, .instant = instant, .properties = properties};
  return 0;
}

static const char *copy_text(struct scan *scan, const char *text)
{
  return text && *text ? arena_strdup(scan->arena, text) : NULL;
}

int scan_find_band(struct scan *scan, const char *name, const struct band_info *info, size_t *out, struct error *error)
{
  for (*out = 0; *out < scan->band_count; ++*out)
    if (strcmp(scan->bands[*out].name, name) == 0)
      return 0;
  if (scan->band_count == SCAN_MAX_BANDS)
    return error_set(error, ERROR_ProcessParameterInvalid, "more than %d bands", SCAN_MAX_BANDS);
  void *rows = grow(scan, scan->bands, scan->band_count, &scan->band_room, sizeof *scan->bands, error);
  if (!rows)
    return -1;
  scan->bands = rows;
  struct scan_band *band = &scan->bands[scan->band_count++];
  *band = (struct scan_band){.name = arena_strdup(scan->arena, name), .type = ELEMENT_TYPE_COUNT, .info = *info};
  band->info.unit = copy_text(scan, info->unit);
  band->info.long_name = copy_text(scan, info->long_name);
  band->info.standard_name = copy_text(scan, info->standard_name);
  band->info.common_name = copy_text(scan, info->common_name);
  return band->name ? 0 : error_memory(error);
}

int scan_note_key(struct scan *scan, const char *key, size_t band, struct error *error)
{
  for (size_t i = 0; i < scan->band_key_count; i++)
    if (scan->band_keys[i].band == band && strcmp(scan->band_keys[i].key, key) == 0)
      return 0;
  if (strcmp(scan->bands[band].name, key) == 0)
    return 0;
  void *rows = grow(scan, scan->band_keys, scan->band_key_count, &scan->band_key_room, sizeof *scan->band_keys, error);
  char *copy = arena_strdup(scan->arena, key);
  if (!rows || !copy)
    return rows ? error_memory(error) : -1;
  scan->band_keys = rows;
  scan->band_keys[scan->band_key_count++] = (struct scan_band_key){copy, band};
  return 0;
}

static bool same_grid(const struct grid *a, const struct grid *b)
{
  return a->west == b->west && a->north == b->north && a->res_x == b->res_x && a->res_y == b->res_y &&
         a->width == b->width && a->height == b->height && strcmp(a->crs, b->crs) == 0;
}

/* The transformation of the latest CRS is kept: making one takes longer than reading a file's head. */
static struct transform *lonlat_transform(struct scan *scan, const char *crs)
{
  struct error ignored = {0};
  if (scan->to_lonlat && strcmp(scan->lonlat_from, crs) == 0)
    return scan->to_lonlat;
  transform_free(scan->to_lonlat);
  scan->to_lonlat = NULL;
  scan->lonlat_from = crs;
  if (transform_new(crs, NULL, &scan->to_lonlat, &ignored) != 0)
    scan->to_lonlat = NULL;
  return scan->to_lonlat;
}

static struct extent lonlat_box(struct scan *scan, const struct grid *grid)
{
  struct extent box = {grid->west, grid->north - grid->res_y * (double)grid->height,
                       grid->west + grid->res_x * (double)grid->width, grid->north, grid->crs};
  struct transform *transform = lonlat_transform(scan, grid->crs);
  struct extent out = lonlat_globe();
  if (transform)
    lonlat_image(transform, &box, &out);
  return out;
}

/* The grid's row. Scenes of one tile come near each other, so only the latest rows are compared. */
static int find_grid(struct scan *scan, const struct grid *grid, size_t *out, struct error *error)
{
  size_t oldest = scan->grid_count > 256 ? scan->grid_count - 256 : 0;
  for (*out = scan->grid_count; *out > oldest;)
    if (same_grid(&scan->grids[--*out].grid, grid))
      return 0;
  void *rows = grow(scan, scan->grids, scan->grid_count, &scan->grid_room, sizeof *scan->grids, error);
  if (!rows)
    return -1;
  scan->grids = rows;
  *out = scan->grid_count;
  const char *crs = *out ? scan->grids[*out - 1].grid.crs : "";
  if (strcmp(crs, grid->crs) != 0 && !(crs = arena_strdup(scan->arena, grid->crs)))
    return error_memory(error);
  scan->grids[*out] = (struct scan_grid){.grid = *grid};
  scan->grids[*out].grid.crs = crs;
  scan->grids[*out].lonlat = lonlat_box(scan, &scan->grids[*out].grid);
  scan->grid_count++;
  return 0;
}

/* --nodata: the band's own row, else the row for every band. */
static void apply_nodata(const struct scan *scan, const char *band, struct scan_asset *asset)
{
  const struct catalogue_nodata *chosen = NULL;
  for (size_t i = 0; i < scan->options->nodata_count; i++) {
    const struct catalogue_nodata *row = &scan->options->nodata[i];
    if (row->band ? strcmp(row->band, band) == 0 : !(chosen && chosen->band))
      chosen = row;
  }
  if (chosen && element_nodata(asset->type, chosen->value, &asset->nodata))
    asset->has_nodata = true;
}

void scan_settle_asset(struct scan *scan, struct scan_asset *asset)
{
  struct scan_band *band = &scan->bands[asset->band];
  apply_nodata(scan, band->name, asset);
  if (band->type != ELEMENT_TYPE_COUNT)
    return;
  band->type = asset->type;
  band->has_nodata = asset->has_nodata;
  band->nodata = asset->nodata;
}

int scan_new_asset(struct scan *scan, const struct scan_asset *asset, const struct grid *grid, struct error *error)
{
  struct scan_asset row = *asset;
  void *rows = grow(scan, scan->assets, scan->asset_count, &scan->asset_room, sizeof *scan->assets, error);
  if (!rows)
    return -1;
  scan->assets = rows;
  row.path = arena_strdup(scan->arena, asset->path);
  if (!row.path)
    return error_memory(error);
  if (find_grid(scan, grid, &row.grid, error) != 0)
    return -1;
  scan_settle_asset(scan, &row);
  scan->assets[scan->asset_count++] = row;
  return 0;
}

/* Whether it is wrong with the file itself. */
static bool is_of_file(const struct error *reason)
{
  return error_is(reason, ERROR_NoDataAvailable) || error_is(reason, ERROR_FileNotFound) ||
         error_is(reason, ERROR_FileContentInvalid);
}

/* Documents are asked only where the file does not tell: to read their CRS takes longer than to read the file. */
static int inspect(struct scan *scan, const char *path, const struct declared_asset *declared, struct raster_file *file,
                   struct error *reason)
{
  struct raster_file_hints hints = {.before = scan->recent, .before_count = scan->recent_count};
  struct grid grid;
  if (raster_file_inspect_with(scan->arena, path, &hints, file, reason) == 0)
    return 0;
  if (!declared || !error_is(reason, ERROR_NoDataAvailable))
    return -1;
  hints.crs = declared_crs(scan->arena, declared);
  hints.grid = declared_grid(scan->arena, declared, &grid) ? &grid : NULL;
  if (!hints.crs && !hints.grid)
    return -1;
  *reason = (struct error){0};
  return raster_file_inspect_with(scan->arena, path, &hints, file, reason);
}

static void note_recent(struct scan *scan, const struct raster_file *file)
{
  if (file->band_count == 0)
    return;
  for (size_t i = 0; i < scan->recent_count && file->has_making; i++)
    if (scan->recent[i].has_making && hash_equal(scan->recent[i].making, file->making))
      return;
  scan->recent[scan->recent_next] = *file;
  scan->recent_next = (scan->recent_next + 1) % SCAN_RECENT;
  scan->recent_count += scan->recent_count < SCAN_RECENT;
}

int scan_inspect(struct scan *scan, const char *path, const struct declared_asset *declared, struct raster_file *file,
                 struct error *error)
{
  struct error reason = {0};
  *file = (struct raster_file){0};
  if (scan_step(scan, error) != 0)
    return -1;
  if (scan->files++ == SCAN_MAX_FILES)
    return error_set(error, ERROR_ProcessParameterInvalid, "more than %d files", SCAN_MAX_FILES);
  if (inspect(scan, path, declared, file, &reason) == 0) {
    note_recent(scan, file);
    if (file->band_count > SCAN_MAX_BANDS)
      error_set(&reason, ERROR_NoDataAvailable, "it has %zu bands, more than %d", file->band_count, SCAN_MAX_BANDS);
    else if (file->band_count > 0 && file->grid.width > 0 && file->grid.height > 0)
      return 0;
  }
  if (remote_is(path) && !is_of_file(&reason)) {
    *error = reason; /* it may be there at the next try: a result without it would be another one */
    return -1;
  }
  scan_warn(scan, "%s is left out: %s", remote_url(path), reason.message[0] ? reason.message : "it has no pixels");
  scan->unreadable++;
  return 1;
}
