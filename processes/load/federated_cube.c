/* The other server loads, and computes what it was found to compute; its netCDF file is a source like others, and so
 * are several that are one cube together, once they have what such files have no room for. */
#include "processes/load/federated_cube.h"

#include "processes/aggregate/periods.h"
#include "processes/cube/shape.h"
#include "processes/graph/value_text.h"
#include "processes/load/far_raster.h"
#include "processes/local_files.h"
#include "processes/vector/geometry_argument.h"

#include "datacube/source/file_set_source.h"
#include "datacube/source/netcdf_source.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { LOADED_LINE_MOST = 2048 };

static int write_arguments(struct call *call, struct json_writer *w)
{
  json_key(w, "arguments");
  json_write_object(w);
  for (size_t i = 0; i < call->argument_count; i++) {
    const struct argument *argument = &call->arguments[i];
    if (!value_is_host(&argument->value))
      return error_parameter(call->error, ERROR_FeatureUnsupported, argument->name,
                             "the collection is another server's, which is asked with plain values only");
    json_key(w, argument->name);
    value_write(&argument->value, w);
  }
  json_end_object(w);
  return 0;
}

/* The graph of this one node. */
static int write_graph(struct call *call, struct buffer *out)
{
  struct json_writer w = {.out = out};
  json_write_object(&w);
  json_key(&w, "load");
  json_write_object(&w);
  json_kv_string(&w, "process_id", "load_collection");
  if (write_arguments(call, &w) != 0)
    return -1;
  json_kv_bool(&w, "result", true);
  json_end_object(&w);
  json_end_object(&w);
  return out->failed ? error_memory(call->error) : 0;
}

/* The part of the graph that this node stands for, found before; NULL: it is of a graph inside, or its arguments became
 * known later. */
static const struct elsewhere_part *find_part(const struct call *call, const char *collection)
{
  for (size_t i = 0; i < call->local->part_count; i++) {
    const struct elsewhere_part *part = &call->local->parts[i];
    if (strcmp(part->node, call->node) == 0 && strcmp(part->wanted.collection, collection) == 0)
      return part;
  }
  return NULL;
}

/* ---- what came here ---------------------------------------------------------------------------------------------- */

struct answer {
  const char *collection;
  const struct elsewhere_part *part;
  const char *path; /* of the first file */
  size_t count;     /* of files */
  long long bytes;  /* of all of them */
};

/* The path of the file of a number, from 1 on; NULL: memory is short. */
static const char *name_file(const struct call *call, const char *path, size_t number)
{
  return number == 1 ? path : arena_printf(call->arena, "%s" LOADED_NEXT_END, path, number);
}

static int measure(const struct call *call, struct answer *answer)
{
  struct stat state;
  for (;; answer->count++) {
    const char *path = name_file(call, answer->path, answer->count + 1);
    if (!path)
      return error_memory(call->error);
    if (stat(path, &state) != 0)
      break;
    answer->bytes += state.st_size;
  }
  answer->count += answer->count == 0; /* whose absence its reader tells */
  return 0;
}

static void tell(const struct call *call, const struct answer *answer)
{
  if (!call_has_log(call))
    return;
  const char *text = arena_printf(call->arena, "the server of '%s' computed %s; %lld bytes came here",
                                  answer->collection, answer->part->steps, answer->bytes);
  if (text)
    call_log(call, &(struct log_entry){.level = LOG_INFO, .message = text});
}

static enum log_level read_level(const char *name)
{
  static const char *const names[] = {"debug", "info", "warning", "error"};
  static const enum log_level levels[] = {LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (strcmp(name, names[i]) == 0)
      return levels[i];
  return LOG_INFO;
}

/* What the other server said meanwhile. */
static void tell_logs(const struct call *call, const char *server, const char *path)
{
  char line[LOADED_LINE_MOST];
  const char *beside = call_has_log(call) ? arena_printf(call->arena, "%s" LOADED_LOGS_END, path) : NULL;
  FILE *file = beside ? fopen(beside, "re") : NULL;
  while (file && fgets(line, sizeof line, file)) {
    char *tab = strchr(line, '\t');
    line[strcspn(line, "\n")] = '\0';
    if (!tab)
      continue;
    *tab = '\0';
    const char *text = arena_printf(call->arena, "%s: %s", server, tab + 1);
    if (text)
      call_log(call, &(struct log_entry){.level = read_level(line), .message = text});
  }
  if (file)
    fclose(file);
}

/* A file that is no cube is the other server's doing. */
static int blame_server(struct error *error, const char *collection)
{
  const struct error found = *error;
  *error = (struct error){{0}, {0}, {0}, {0}};
  return error_set(error, error_code_find(found.code), "what its server answered for '%.200s' is not used: %.400s",
                   collection, found.message);
}

/* ---- what files do not have -------------------------------------------------------------------------------------- */

static size_t find_kind(const struct cube *cube, enum dimension_type type)
{
  for (size_t d = 0; d < cube->dimensions; d++)
    if (cube->dimension[d].type == type)
      return d;
  return SIZE_MAX;
}

/* The one variable of a file is a band to who reads it. */
static int drop_bands(struct call *call, const struct node **node)
{
  const size_t d = find_kind((*node)->cube, DIMENSION_BANDS);
  if (d == SIZE_MAX)
    return 0;
  if ((*node)->cube->dimension[d].size != 1)
    return error_set(call->error, ERROR_FileContentInvalid, "it has %zu variables where one cube without bands is due",
                     (*node)->cube->dimension[d].size);
  return view_drop(call, *node, d, 0, node);
}

/* The node with another dimension d. */
static int put_dimension(struct call *call, size_t d, const struct dimension *dimension, const char *crs,
                         const struct node **node)
{
  struct cube *cube = cube_copy(call->arena, (*node)->cube);
  struct view_dimension *view = view_identity(call->arena, (*node)->cube);
  if (!cube || !view)
    return error_memory(call->error);
  cube->dimension[d] = *dimension;
  if (crs)
    cube->crs = crs;
  *node = node_view(call->arena, call_origin(call), *node, cube, view);
  return *node ? 0 : error_memory(call->error);
}

/* Labels of periods in place of their first instants, which is what many write. */
static int name_periods(struct call *call, const char *name, const struct node **node)
{
  const enum period period = period_from_name(name);
  const size_t d = find_kind((*node)->cube, DIMENSION_TEMPORAL);
  if (d == SIZE_MAX || period == PERIOD_COUNT || (*node)->cube->dimension[d].labels != LABEL_TIME ||
      (*node)->cube->dimension[d].texts)
    return 0;
  struct dimension t = (*node)->cube->dimension[d];
  const char **texts = ARENA_ARRAY(call->arena, const char *, t.size);
  for (size_t i = 0; texts && i < t.size; i++) {
    char label[40];
    period_label(period, period_of(period, t.times[i], t.calendar), t.calendar, label);
    texts[i] = arena_strdup(call->arena, label);
    if (!texts[i])
      return error_memory(call->error);
  }
  t.texts = texts;
  return texts ? put_dimension(call, d, &t, NULL, node) : error_memory(call->error);
}

static int name_times(struct call *call, const struct elsewhere_part *part, const struct node **node)
{
  const size_t d = find_kind((*node)->cube, DIMENSION_TEMPORAL);
  const struct dimension *had = d != SIZE_MAX ? &(*node)->cube->dimension[d] : NULL;
  if (!had || had->labels != LABEL_TIME)
    return 0;
  if (had->size != part->label_count)
    return error_set(call->error, ERROR_FileContentInvalid, "it has %zu dates where %zu intervals are due", had->size,
                     part->label_count);
  struct dimension t = *had;
  t.texts = part->labels;
  return put_dimension(call, d, &t, NULL, node);
}

/* The dimension that is neither time nor bands, which has no more than the geometries' names. */
static size_t find_geometries(const struct cube *cube, size_t count)
{
  size_t found = SIZE_MAX;
  for (size_t d = 0; d < cube->dimensions; d++) {
    const struct dimension *one = &cube->dimension[d];
    if (one->type == DIMENSION_TEMPORAL || one->type == DIMENSION_BANDS)
      continue;
    if (found != SIZE_MAX || one->size != count)
      return SIZE_MAX;
    found = d;
  }
  return found;
}

static int place_geometries(struct call *call, const char *geojson, const struct node **node)
{
  struct value value;
  struct dimension dimension;
  if (value_read(call->arena, geojson, false, &value, call->error) != 0 ||
      geometries_of_value(call, "geometries", &value, &dimension) != 0)
    return -1;
  const size_t d = find_geometries((*node)->cube, dimension.size);
  if (d == SIZE_MAX)
    return error_set(call->error, ERROR_FileContentInvalid, "it has no dimension of %zu geometries", dimension.size);
  if (put_dimension(call, d, &dimension, dimension.geometries->crs, node) != 0)
    return -1;
  return view_last(call, *node, &d, 1, node);
}

static int complete(struct call *call, const struct elsewhere_part *part, const struct node **node)
{
  if (part->has_lost_bands && drop_bands(call, node) != 0)
    return -1;
  if (part->period && name_periods(call, part->period, node) != 0)
    return -1;
  if (part->label_count > 0 && name_times(call, part, node) != 0)
    return -1;
  return part->geometries ? place_geometries(call, part->geometries, node) : 0;
}

/* ---- together ---------------------------------------------------------------------------------------------------- */

static int open_one(struct call *call, const struct answer *answer, const char *path, const struct source **out)
{
  const struct netcdf_selection all = {.bands = NULL};
  const struct netcdf_file file = {.path = path,
                                   .title = answer->collection,
                                   .origin = arena_printf(call->arena, "%s by its server", answer->part->steps)};
  return netcdf_source(call->arena, &file, &all, out, call->error);
}

/* Several files that are one cube. */
static int open_all(struct call *call, const struct answer *answer, const struct source **out)
{
  struct time_series_part *parts = ARENA_ARRAY(call->arena, struct time_series_part, answer->count);
  if (!parts)
    return error_memory(call->error);
  for (size_t i = 0; i < answer->count; i++) {
    const char *path = name_file(call, answer->path, i + 1);
    parts[i].name = arena_printf(call->arena, "file %zu of %zu", i + 1, answer->count);
    if (!path || !parts[i].name)
      return error_memory(call->error);
    if (open_one(call, answer, path, &parts[i].source) != 0)
      return -1;
  }
  return file_set_source(call->arena, parts, answer->count, NULL, 0, out, call->error);
}

static int open_raster(struct call *call, const struct answer *answer, const struct source **out)
{
  const struct far_raster file = {.part = answer->part,
                                  .path = answer->path,
                                  .title = answer->collection,
                                  .origin = arena_printf(call->arena, "%s by its server", answer->part->steps)};
  return far_raster_source(call->arena, &file, out, call->error);
}

static int open_source(struct call *call, const struct answer *answer, const struct source **out)
{
  const char *end = strrchr(answer->path, '.');
  if (end && strcmp(end, ".tif") == 0)
    return open_raster(call, answer, out);
  return answer->count == 1 ? open_one(call, answer, answer->path, out) : open_all(call, answer, out);
}

static int open_answer(struct call *call, const struct answer *answer, struct value *result)
{
  const struct source *source;
  if (open_source(call, answer, &source) != 0)
    return blame_server(call->error, answer->collection);
  const struct node *node = node_source(call->arena, call_origin(call), source);
  if (!node)
    return error_memory(call->error);
  if (complete(call, answer->part, &node) != 0)
    return blame_server(call->error, answer->collection);
  *result = value_cube(node);
  return 0;
}

int federated_cube(struct call *call, const char *collection, struct value *result)
{
  const struct local_files *local = call->local;
  struct buffer graph = {0};
  const char *path = NULL;
  if (!local || !local->compute_elsewhere)
    return -1;
  const struct elsewhere_part *part = find_part(call, collection);
  struct error *const error = call->error;
  const struct error missing = *error;
  *error = (struct error){{0}, {0}, {0}, {0}};
  int status = part ? 0 : write_graph(call, &graph);
  const struct elsewhere wanted =
      part ? part->wanted : (struct elsewhere){.collection = collection, .graph = graph.data};
  if (status == 0)
    status = local->compute_elsewhere(local->context, call->arena, &wanted, &path, error);
  buffer_free(&graph);
  if (status != 0)
    return error_at_parameter(error, "id");
  if (!path) {
    *error = missing;
    return -1;
  }
  const struct elsewhere_part plain = {.steps = "load_collection"};
  part = part ? part : &plain;
  struct answer answer = {.collection = collection, .part = part, .path = path};
  if (measure(call, &answer) != 0)
    return -1;
  tell(call, &answer);
  if (part != &plain)
    tell_logs(call, part->server, path);
  return open_answer(call, &answer, result);
}
