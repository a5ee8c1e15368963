/* Files of lattice gauge fields as a collection, a configuration and an item each: one file, those below a folder, or
 * those of STAC items. What a file's head says are properties of its item:
 *
 *   lft:format, lft:shape [x0, x1, x2, x3], lft:type, and where the file tells them lft:beta, lft:plaquette, lft:trace
 *   (means of Re Tr / 3) and lft:checksum
 *
 * Heads alone are read here; links are read, and verified, when the collection is loaded. */
#include "stac/cube_files.h"
#include "stac/file_list.h"

#include "datacube/source/gauge_file.h"
#include "datacube/source/gauge_source.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_options(const struct catalogue_add_options *options, const char *path, struct error *error)
{
  if (options->datetime_regex || options->band_regex || options->resolution > 0 || options->nodata_count > 0 ||
      options->crs)
    return error_parameter(error, ERROR_FeatureUnsupported, "path",
                           "%s holds a gauge field: of the options only --id, --title and --licence are for it", path);
  return 0;
}

/* ---- properties -------------------------------------------------------------------------------------------------- */

static void tell_sum(const struct gauge_file *file, json_t *out)
{
  char text[40];
  if (file->sum_kind == GAUGE_SUM_NONE)
    return;
  if (file->sum_kind == GAUGE_SUM_WORDS)
    snprintf(text, sizeof text, "%08x", file->sum[0]);
  else
    snprintf(text, sizeof text, "%08x %08x", file->sum[0], file->sum[1]);
  json_object_set_new(out, "lft:checksum", json_string(text));
}

/* NULL: no memory. */
static json_t *properties_of(const struct gauge_file *file)
{
  json_t *out = json_object(), *shape = json_array();
  for (size_t k = 0; k < GAUGE_FILE_AXES; k++)
    json_array_append_new(shape, json_integer((json_int_t)file->extent[k]));
  json_object_set_new(out, "lft:format", json_string(file->format));
  json_object_set_new(out, "lft:shape", shape);
  json_object_set_new(out, "lft:type", json_string(file->is_double ? "complex128" : "complex64"));
  if (file->has_beta)
    json_object_set_new(out, "lft:beta", json_real(file->beta));
  if (file->has_plaquette)
    json_object_set_new(out, "lft:plaquette", json_real(file->plaquette));
  if (file->has_trace)
    json_object_set_new(out, "lft:trace", json_real(file->trace));
  tell_sum(file, out);
  return out;
}

/* What the item's source says of itself goes before. */
static int tell_item(struct scan *scan, size_t item, const char *path, struct error *error)
{
  struct gauge_file file;
  if (scan_step(scan, error) != 0 || gauge_file_inspect(path, &file, error) != 0)
    return -1;
  scan->files++;
  json_t *found = properties_of(&file), **own = &scan->items[item].properties;
  if (!found || (*own && json_object_update_missing(*own, found) != 0)) {
    json_decref(found);
    return error_memory(error);
  }
  if (*own)
    json_decref(found);
  else
    *own = found;
  return 0;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static int new_item(struct scan *scan, const char *id, size_t *out, struct error *error)
{
  if (scan_new_item(scan, id, 0, NULL, out, error) != 0)
    return -1;
  scan->items[*out].undated = true;
  return 0;
}

static int take_files(struct scan *scan, const char *const *paths, size_t count, struct error *error)
{
  const struct source *source;
  if (gauge_source(scan->arena, paths, count, &source, error) != 0)
    return -1;
  scan->contents = arena_printf(scan->arena, "%zu lattice gauge field%s", count, count == 1 ? "" : "s");
  return scan->contents ? scan_take_cube(scan, &source->cube, error) : error_memory(error);
}

int scan_gauge(struct scan *scan, const char *path, struct error *error)
{
  const char *slash = strrchr(path, '/');
  scan->cube_path = path;
  if (check_options(scan->options, path, error) != 0)
    return -1;
  if (scan->item_count == 0 && new_item(scan, slash ? slash + 1 : path, &scan->cube_item, error) != 0)
    return -1;
  if (tell_item(scan, scan->cube_item, path, error) != 0 || take_files(scan, &path, 1, error) != 0)
    return error_at_parameter(error, "path");
  return 0;
}

int scan_gauge_files(struct scan *scan, const struct cube_file *files, size_t count, struct error *error)
{
  const char **paths = ARENA_ARRAY(scan->arena, const char *, count);
  if (!paths)
    return error_memory(error);
  for (size_t i = 0, item = 0; i < count; i++) {
    while (item + 1 < scan->item_count && strcmp(scan->items[item].id, files[i].item) != 0)
      item++; /* files come in the order of their items */
    paths[i] = files[i].path;
    if (tell_item(scan, item, paths[i], error) != 0)
      return -1;
  }
  return take_files(scan, paths, count, error);
}

/* ---- folders ----------------------------------------------------------------------------------------------------- */

static bool is_field(const char *path, bool regular)
{
  return regular && gauge_file_format(path) != NULL;
}

/* By the numbers that begin there, passing them: as if without zeros in front. */
static int compare_digits(const char **a, const char **b)
{
  size_t lengths[2];
  *a += strspn(*a, "0");
  *b += strspn(*b, "0");
  lengths[0] = strspn(*a, "0123456789");
  lengths[1] = strspn(*b, "0123456789");
  const int order = lengths[0] != lengths[1] ? (lengths[0] < lengths[1] ? -1 : 1) : strncmp(*a, *b, lengths[0]);
  *a += lengths[0];
  *b += lengths[1];
  return order;
}

/* conf_9 before conf_10, conf_009 before conf_0010. */
static int compare_numbered(const void *left, const void *right)
{
  const char *a = *(char *const *)left, *b = *(char *const *)right;
  int order = 0;
  while (order == 0 && *a && *b)
    if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b))
      order = compare_digits(&a, &b);
    else
      order = (unsigned char)*a++ - (unsigned char)*b++;
  if (order == 0)
    order = (unsigned char)*a - (unsigned char)*b;
  return order != 0 ? order : strcmp(*(char *const *)left, *(char *const *)right);
}

static int add_fields(struct scan *scan, const char *folder, const struct file_list *list, struct error *error)
{
  for (size_t i = 0; i < list->count; i++) {
    size_t item;
    char *path = arena_printf(scan->arena, "%s/%s", folder, list->paths[i]);
    if (!path)
      return error_memory(error);
    if (new_item(scan, list->paths[i], &item, error) != 0 || cube_files_add(scan, path, item, error) != 0)
      return -1;
  }
  return cube_files_scan(scan, error);
}

int scan_gauge_folder(struct scan *scan, const char *path, struct error *error)
{
  const struct file_list_query query = {path, is_field};
  struct file_list list = {0};
  int result = file_list_below(scan, &query, &list, error);
  if (result == 0 && list.count == 0)
    result = error_set(error, ERROR_NoDataAvailable,
                       "%s holds no rasters (tif, tiff, jp2, png) and no lattice gauge fields", path);
  if (result == 0)
    result = check_options(scan->options, path, error);
  if (result == 0) {
    qsort(list.paths, list.count, sizeof *list.paths, compare_numbered);
    result = add_fields(scan, path, &list, error);
  }
  file_list_free(&list);
  return result;
}
