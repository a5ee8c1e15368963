/* load_uploaded_files: files of the user's own folder as one cube. */
#include "processes/load/input_format.h"
#include "processes/load/raster_files.h"
#include "processes/load/user_file.h"
#include "processes/cube/shape.h"

#include "datacube/source/gauge_file.h"
#include "datacube/source/gauge_source.h"
#include "datacube/source/netcdf_source.h"
#include "datacube/source/time_series_source.h"
#include "datacube/source/vector_file.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MOST_FILES = 2000 };

struct upload_request {
  struct call *call;
  const struct input_format *format;
  struct user_file *files;
  size_t count;
  const char *part; /* variable or layer, or NULL */
};

/* ---- arguments --------------------------------------------------------------------------------------------------- */

static int read_format(struct upload_request *r)
{
  const char *name;
  if (call_text(r->call, "format", &name) != 0)
    return -1;
  r->format = input_format_find(name);
  return r->format
             ? 0
             : error_parameter(r->call->error, ERROR_FormatUnsuitable, "format",
                               "files of the format '%s' are not read; GET /file_formats lists those that are", name);
}

static int read_options(struct upload_request *r)
{
  const struct value *options = call_argument(r->call, "options");
  if (!options || options->kind != VALUE_OBJECT)
    return 0;
  for (size_t i = 0; i < options->count; i++) {
    if (!r->format->option || strcasecmp(options->keys[i], r->format->option) != 0)
      return error_parameter(r->call->error, ERROR_ProcessParameterInvalid, "options",
                             "%s has no option '%s'; it has %s", r->format->name, options->keys[i],
                             r->format->option ? r->format->option : "none");
    if (options->items[i].kind != VALUE_TEXT)
      return error_parameter(r->call->error, ERROR_ProcessParameterInvalid, "options", "%s wants to be text, not %s",
                             options->keys[i], value_kind_name(&options->items[i]));
    r->part = options->items[i].text;
  }
  return 0;
}

static int read_paths(struct upload_request *r)
{
  struct call *call = r->call;
  const struct value *paths = call_argument(call, "paths");
  if (!paths || paths->kind != VALUE_ARRAY || paths->count == 0 || paths->count > MOST_FILES)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "paths", "1 to %d paths are wanted",
                           (int)MOST_FILES);
  r->files = ARENA_ARRAY(call->arena, struct user_file, paths->count);
  if (!r->files)
    return error_memory(call->error);
  for (; r->count < paths->count; r->count++) {
    struct user_file *file = &r->files[r->count];
    if (paths->items[r->count].kind != VALUE_TEXT)
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "paths", "a path is text, not %s",
                             value_kind_name(&paths->items[r->count]));
    file->name = paths->items[r->count].text;
    if (user_file_find(call, "paths", file->name, &file->path) != 0)
      return -1;
    if (!input_format_fits(r->format, file->path))
      return error_parameter(call->error, ERROR_FormatUnsuitable, "paths", "'%s' is no %s", file->name,
                             r->format->name);
  }
  return 0;
}

/* ---- one file that is a cube ------------------------------------------------------------------------------------- */

static int wants_one(const struct upload_request *r)
{
  return error_parameter(r->call->error, ERROR_FeatureUnsupported, "paths",
                         "one %s is loaded at a time; merge_cubes puts several together", r->format->name);
}

/* "FILE:PART" where a part is asked for. */
static const char *path_of_part(const struct upload_request *r, const char *path)
{
  return r->part ? arena_printf(r->call->arena, "%s:%s", path, r->part) : path;
}

static int open_netcdf(const struct upload_request *r, const struct user_file *file, const struct source **out)
{
  const struct netcdf_selection all = {.bands = NULL};
  const struct netcdf_file netcdf = {.path = path_of_part(r, file->path), .origin = "a file of the user"};
  if (!netcdf.path)
    return error_memory(r->call->error);
  return netcdf_source(r->call->arena, &netcdf, &all, out, r->call->error);
}

/* Several files are one cube where each has dates of its own. */
static int load_netcdf(const struct upload_request *r, const struct source **out)
{
  struct time_series_part *parts = ARENA_ARRAY(r->call->arena, struct time_series_part, r->count);
  if (!parts)
    return error_memory(r->call->error);
  for (size_t i = 0; i < r->count; i++) {
    parts[i].name = r->files[i].name;
    if (open_netcdf(r, &r->files[i], &parts[i].source) != 0)
      return -1;
  }
  *out = parts[0].source;
  return r->count == 1 ? 0 : time_series_source(r->call->arena, parts, r->count, out, r->call->error);
}

static bool ends_with(const char *text, const char *end)
{
  const size_t length = strlen(text), n = strlen(end);
  return length > n && strcasecmp(text + length - n, end) == 0;
}

/* The file that stands for all parts of a shapefile; NULL where there is not one. */
static const struct user_file *find_shapefile(const struct upload_request *r)
{
  static const char *const parts[] = {".shx", ".dbf", ".prj", ".cpg", ".qix", ".sbn", ".sbx"};
  const struct user_file *found = NULL;
  for (size_t i = 0; i < r->count; i++) {
    const struct user_file *file = &r->files[i];
    bool is_part = false;
    for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++)
      is_part = is_part || ends_with(file->path, parts[k]);
    if (is_part)
      continue;
    if (found || !(ends_with(file->path, ".shp") || ends_with(file->path, ".shz") || ends_with(file->path, ".zip")))
      return NULL;
    found = file;
  }
  return found;
}

static int load_features(const struct upload_request *r, const struct source **out)
{
  struct call *call = r->call;
  const struct vector_selection all = {.bands = NULL};
  const struct user_file *name = r->format->extension ? &r->files[0] : find_shapefile(r);
  if (r->format->extension && r->count > 1)
    return wants_one(r);
  if (!name)
    return error_parameter(call->error, ERROR_FormatUnsuitable, "paths",
                           "of a shapefile's parts one .shp is wanted, or one .zip with all of them");
  const struct vector_file file = {
      .path = path_of_part(r, name->path), .extension = r->format->extension, .origin = "a file of the user"};
  if (!file.path)
    return error_memory(call->error);
  return vector_file_source(call->arena, &file, &all, out, call->error);
}

/* A configuration each. */
static int load_gauge_fields(const struct upload_request *r, const struct source **out)
{
  const char **paths = ARENA_ARRAY(r->call->arena, const char *, r->count);
  if (!paths)
    return error_memory(r->call->error);
  for (size_t i = 0; i < r->count; i++)
    paths[i] = r->files[i].path;
  return gauge_source(r->call->arena, paths, r->count, out, r->call->error);
}

static int load_source(const struct upload_request *r, const struct source **out)
{
  if (r->format->kind == INPUT_GAUGE || (r->format->kind == INPUT_NETCDF && gauge_file_format(r->files[0].path)))
    return load_gauge_fields(r, out);
  return (r->format->kind == INPUT_NETCDF ? load_netcdf : load_features)(r, out);
}

static int load_cube(const struct upload_request *r, const struct node **out)
{
  const struct source *source;
  if (r->format->kind == INPUT_RASTER)
    return raster_files_load(r->call, r->files, r->count, out);
  if (load_source(r, &source) != 0)
    return -1;
  *out = node_source(r->call->arena, call_origin(r->call), source);
  return *out ? 0 : error_memory(r->call->error);
}

/* ---- the process ------------------------------------------------------------------------------------------------- */

/* What is wrong with a file is FormatUnsuitable, and says the user's path, not where the file lies here. */
static int tell_failure(const struct upload_request *r)
{
  struct error *error = r->call->error;
  char message[sizeof error->message];
  const size_t folder = strlen(r->call->files) + 1;
  const char *found = strstr(error->message, r->call->files);
  if (found && strlen(found) > folder)
    snprintf(message, sizeof message, "%.*s%s", (int)(found - error->message), error->message, found + folder);
  else
    snprintf(message, sizeof message, "%s", error->message);
  static const enum error_code of_files[] = {ERROR_NoDataAvailable,  ERROR_FileContentInvalid, ERROR_FileTypeInvalid,
                                             ERROR_BandNotAvailable, ERROR_CRSInvalid,         ERROR_FileNotFound};
  for (size_t i = 0; i < sizeof of_files / sizeof of_files[0]; i++)
    if (error_is(error, of_files[i])) {
      *error = (struct error){0};
      return error_parameter(error, ERROR_FormatUnsuitable, "paths", "%s", message);
    }
  snprintf(error->message, sizeof error->message, "%s", message);
  return error_at_parameter(error, "paths");
}

static int load_uploaded_files_call(struct call *call, struct value *result)
{
  struct upload_request request = {.call = call};
  const struct node *node;
  if (read_format(&request) != 0 || read_options(&request) != 0 || read_paths(&request) != 0)
    return -1;
  if (load_cube(&request, &node) != 0)
    return tell_failure(&request);
  *result = value_cube(node);
  return 0;
}

const struct process process_load_uploaded_files = {
    .id = "load_uploaded_files", .shape = PROCESS_CUBE, .call = load_uploaded_files_call};
