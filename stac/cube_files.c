#include "stac/cube_files.h"

#include "datacube/grib/grib_sections.h"
#include "datacube/remote/remote_file.h"
#include "datacube/source/file_set_source.h"
#include "datacube/source/gauge_file.h"
#include "datacube/source/gauge_source.h"
#include "datacube/source/netcdf_source.h"
#include "datacube/source/vector_file.h"
#include "datacube/source/zarr_store.h"

#include <string.h>

enum { MOST_FILES = 2000 };

static bool is_line(const char *text)
{
  return strpbrk(text, "\t\n") == NULL;
}

const char *cube_files_format(const char *path)
{
  return zarr_is(path) ? "Zarr" : grib_is(path) || (remote_is(path) && grib_is_name(path)) ? "GRIB" : "netCDF";
}

bool cube_files_are_several(const char *cube_path)
{
  return strchr(cube_path, '\n') != NULL;
}

/* The first line's path, of one or several; NULL: no memory. */
static const char *first_path(struct arena *arena, const char *cube_path)
{
  const char *tab = strchr(cube_path, '\t'), *end = strchr(cube_path, '\n');
  return end && tab ? arena_strndup(arena, tab + 1, (size_t)(end - tab - 1)) : cube_path;
}

bool cube_files_are_gauge(struct arena *arena, const char *cube_path)
{
  const char *path = first_path(arena, cube_path);
  return path && gauge_file_format(path) != NULL;
}

/* Gauge fields are few headers' worth of work each; a netCDF file that stays in a catalogue is a collection. */
static bool may_be_several(const struct scan *scan, const char *path)
{
  const char *const first = scan->cube_path ? scan->cube_path : path;
  if (gauge_file_format(path))
    return cube_files_are_gauge(scan->arena, first);
  return (scan->bounds || scan->options->files) && (zarr_is(path) || !vector_file_is(path)) &&
         (zarr_is(first) || !vector_file_is(first)) && !cube_files_are_gauge(scan->arena, first);
}

int cube_files_add(struct scan *scan, const char *path, size_t item, struct error *error)
{
  const char *id = scan->items[item].id, *first = scan->items[scan->cube_item].id;
  const bool has_one = scan->cube_path && !cube_files_are_several(scan->cube_path);
  if (!may_be_several(scan, path) || !is_line(id) || !is_line(path) ||
      (has_one && (!is_line(first) || !is_line(scan->cube_path))))
    return error_set(error, ERROR_FeatureUnsupported,
                     "item '%s': %s is another file: features, and files that stay in a catalogue, are a collection "
                     "one by one",
                     id, remote_url(path));
  if (has_one)
    buffer_printf(&scan->cube_lines, "%s\t%s\n", first, scan->cube_path);
  buffer_printf(&scan->cube_lines, "%s\t%s\n", id, path);
  if (scan->cube_lines.failed)
    return error_memory(error);
  scan->cube_path = scan->cube_lines.data;
  return 0;
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

static int read_lines(struct arena *arena, const char *lines, struct cube_file **out, size_t *count,
                      struct error *error)
{
  size_t room = 0;
  for (const char *at = lines; (at = strchr(at, '\n')) != NULL; at++)
    room++;
  *out = ARENA_ARRAY(arena, struct cube_file, room);
  *count = 0;
  if (!*out)
    return error_memory(error);
  for (const char *end; (end = strchr(lines, '\n')) != NULL; lines = end + 1) {
    const char *tab = strchr(lines, '\t');
    struct cube_file *file = &(*out)[(*count)++];
    file->item = arena_strndup(arena, lines, (size_t)(tab - lines));
    file->path = arena_strndup(arena, tab + 1, (size_t)(end - tab - 1));
    if (!file->item || !file->path)
      return error_memory(error);
  }
  return 0;
}

/* Each is opened before the first is read. */
static int check_count(size_t count, struct error *error)
{
  return count <= MOST_FILES
             ? 0
             : error_set(error, ERROR_ProcessGraphComplexity, "more than %d netCDF files", (int)MOST_FILES);
}

static struct time_series_part part_of(const struct cube_file *file, const struct source *source)
{
  return (struct time_series_part){.source = source, .name = remote_url(file->path)};
}

/* ---- describing ------------------------------------------------------------------------------------------------- */

/* An item whose document told none has the first date of its file; they stand in the same order. */
static void date_item(struct scan *scan, size_t index, const struct cube *cube)
{
  const size_t t = cube_find_type(cube, DIMENSION_TEMPORAL);
  const struct dimension *time = t == SIZE_MAX ? NULL : &cube->dimension[t];
  if (!scan->options->files || index >= scan->item_count || !time || time->labels != LABEL_TIME || time->size == 0 ||
      time->calendar != CALENDAR_GREGORIAN)
    return;
  scan->items[index].instant = time->times[0];
  scan->items[index].undated = false;
}

int cube_files_scan(struct scan *scan, struct error *error)
{
  const struct netcdf_selection all = {.bands = NULL};
  const struct source *source;
  struct cube_file *files;
  size_t count;
  if (read_lines(scan->arena, scan->cube_path, &files, &count, error) != 0)
    return -1;
  if (cube_files_are_gauge(scan->arena, scan->cube_path))
    return scan_gauge_files(scan, files, count, error);
  if (check_count(count, error) != 0)
    return -1;
  struct time_series_part *parts = ARENA_ARRAY(scan->arena, struct time_series_part, count);
  if (!parts)
    return error_memory(error);
  for (size_t i = 0; i < count; i++) {
    const struct netcdf_file file = {.path = files[i].path};
    if (scan_step(scan, error) != 0 || netcdf_source(scan->arena, &file, &all, &parts[i].source, error) != 0)
      return -1;
    parts[i] = part_of(&files[i], parts[i].source);
    date_item(scan, i, &parts[i].source->cube);
    scan->files++;
  }
  if (file_set_source(scan->arena, parts, count, NULL, 0, &source, error) != 0)
    return -1;
  return scan_take_cube(scan, &source->cube, error);
}

/* ---- loading ---------------------------------------------------------------------------------------------------- */

static bool is_selected(const struct selection *s, const char *item)
{
  for (size_t i = 0; i < s->item_count; i++)
    if (strcmp(s->items[i].id, item) == 0)
      return true;
  return s->request->filter == NULL;
}

/* The wanted bands that the file has; 0: none. */
static int bands_of(const struct selection *s, const char *path, const char **names, size_t *count, struct error *error)
{
  const struct cube *cube;
  *count = 0;
  if (netcdf_inspect(s->arena, path, s->crs, &cube, NULL, error) != 0)
    return -1;
  const size_t axis = cube_find_type(cube, DIMENSION_BANDS);
  for (size_t b = 0; b < s->band_count; b++)
    for (size_t i = 0; axis != SIZE_MAX && i < cube->dimension[axis].size; i++) {
      char room[LABEL_TEXT_ROOM];
      if (strcmp(dimension_label_text(&cube->dimension[axis], i, room), s->bands[b].name) == 0)
        names[(*count)++] = s->bands[b].name;
    }
  return 0;
}

/* What the file has of the request; NULL: nothing. */
static int open_part(const struct selection *s, const struct cube_file *file, const struct source **out,
                     struct error *error)
{
  const struct load_request *request = s->request;
  const char **names = ARENA_ARRAY(s->arena, const char *, s->band_count);
  struct error reason = {0};
  *out = NULL;
  if (!names)
    return error_memory(error);
  struct netcdf_selection selection = {.extent = request->extent,
                                       .has_start = request->has_start,
                                       .has_end = request->has_end,
                                       .start = request->start,
                                       .end = request->end,
                                       .bands = names};
  const struct netcdf_file netcdf = {.path = file->path, .crs = s->crs};
  if (bands_of(s, file->path, names, &selection.band_count, error) != 0)
    return -1;
  if (selection.band_count == 0 || netcdf_source(s->arena, &netcdf, &selection, out, &reason) == 0)
    return 0;
  *out = NULL;
  if (error_is(&reason, ERROR_NoDataAvailable))
    return 0;
  *error = reason;
  return -1;
}

/* The configurations of the items selected. */
static int load_gauge(const struct selection *s, const struct cube_file *files, size_t count, const struct source **out,
                      struct error *error)
{
  const char **paths = ARENA_ARRAY(s->arena, const char *, count);
  size_t n = 0;
  if (!paths)
    return error_memory(error);
  for (size_t i = 0; i < count; i++)
    if (is_selected(s, files[i].item))
      paths[n++] = files[i].path;
  return gauge_source(s->arena, paths, n, out, error);
}

int cube_files_load(struct selection *s, const struct source **out, struct error *error)
{
  struct cube_file *files;
  size_t count, n = 0;
  if (read_lines(s->arena, s->cube_path, &files, &count, error) != 0)
    return -1;
  if (cube_files_are_gauge(s->arena, s->cube_path))
    return load_gauge(s, files, count, out, error);
  if (check_count(count, error) != 0)
    return -1;
  struct time_series_part *parts = ARENA_ARRAY(s->arena, struct time_series_part, count);
  const char **names = ARENA_ARRAY(s->arena, const char *, s->band_count);
  if (!parts || !names)
    return error_memory(error);
  for (size_t b = 0; b < s->band_count; b++)
    names[b] = s->bands[b].name;
  for (size_t i = 0; i < count; i++) {
    const struct source *source = NULL;
    if (is_selected(s, files[i].item) && open_part(s, &files[i], &source, error) != 0)
      return -1;
    if (source)
      parts[n++] = part_of(&files[i], source);
  }
  if (n == 0)
    return error_set(error, ERROR_NoDataAvailable, "none of %zu netCDF files has anything in the extents", count);
  return file_set_source(s->arena, parts, n, names, s->band_count, out, error);
}
