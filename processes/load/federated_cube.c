/* The other server loads, and cuts to extents and bands; its netCDF file is a source like others. */
#include "processes/load/federated_cube.h"
#include "processes/cube/shape.h"
#include "processes/local_files.h"

#include "datacube/source/netcdf_source.h"

#include <string.h>
#include <sys/stat.h>

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

static void tell(const struct call *call, const char *collection, const char *steps, const char *path)
{
  struct stat state;
  if (!call_has_log(call) || stat(path, &state) != 0)
    return;
  const char *text = arena_printf(call->arena, "the server of '%s' computed %s; %lld bytes came here", collection,
                                  steps, (long long)state.st_size);
  if (text)
    call_log(call, &(struct log_entry){.level = LOG_INFO, .message = text});
}

/* A file that is no cube is the other server's doing. */
static int blame_server(struct error *error, const char *collection)
{
  const struct error found = *error;
  *error = (struct error){{0}, {0}, {0}, {0}};
  return error_set(error, error_code_find(found.code), "what its server answered for '%.200s' is not used: %.400s",
                   collection, found.message);
}

static int open_file(struct call *call, const char *collection, const char *steps, const char *path,
                     struct value *result)
{
  const struct netcdf_selection all = {.bands = NULL};
  const struct netcdf_file file = {
      .path = path, .title = collection, .origin = arena_printf(call->arena, "%s by its server", steps)};
  const struct source *source;
  if (netcdf_source(call->arena, &file, &all, &source, call->error) != 0)
    return blame_server(call->error, collection);
  const struct node *node = node_source(call->arena, call_origin(call), source);
  if (!node)
    return error_memory(call->error);
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
  const struct elsewhere wanted = part ? part->wanted : (struct elsewhere){collection, graph.data};
  if (status == 0)
    status = local->compute_elsewhere(local->context, call->arena, &wanted, &path, error);
  buffer_free(&graph);
  if (status != 0)
    return error_at_parameter(error, "id");
  if (!path) {
    *error = missing;
    return -1;
  }
  const char *steps = part ? part->steps : "load_collection";
  tell(call, collection, steps, path);
  return open_file(call, collection, steps, path, result);
}
