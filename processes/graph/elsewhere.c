#include "processes/graph/elsewhere.h"

#include "processes/graph/far_steps.h"
#include "processes/graph/json.h"
#include "stac/catalogue.h"

#include <stdlib.h>
#include <string.h>

enum { SERVERS_ASKED_MOST = 64, FAR_NODES_MOST = 512, DEPTH_MOST = 1000 };

/* A node that another server can compute, with all that it needs. */
struct far_node {
  const char *id;
  const json_t *node;
  const json_t *server;        /* what its server answered; see local_files.h */
  const struct far_step *step; /* NULL: it is load_collection */
  const struct far_node *inputs[FAR_INPUTS_MOST];
  size_t input_count;
  struct far_cube cube;
  bool has_lost_bands; /* on the way from the collections */
  bool *brought;       /* of the nodes by index: what comes here so that this one can be had with the fewest bytes */
  bool is_kept;        /* the rest of the graph has it */
};

struct sharing {
  struct arena *arena;
  const struct graph_options *options;
  struct error *error;
  json_t *graph;          /* nodes by id; becomes what is computed here */
  json_t *servers;        /* collection → answer of its server, or null */
  json_t *places;         /* id → index of its far node; -1: it is none */
  json_t *wanted;         /* ids that nodes refer to which are computed here */
  json_t *used;           /* ids that nodes refer to */
  struct far_node *nodes; /* each behind its inputs */
  size_t count;
  bool *is_part; /* by index: it comes here */
  struct elsewhere_part *parts;
  size_t part_count;
};

/* ---- references -------------------------------------------------------------------------------------------------- */

/* References in an argument; those in graphs inside are to their own nodes. */
static void note_references(json_t *set, const json_t *value)
{
  const char *key;
  json_t *inner;
  size_t i;
  const char *from = json_string_value(json_object_get(value, "from_node"));
  if (from)
    json_object_set_new(set, from, json_true());
  if (json_is_object(value) && !json_object_get(value, "process_graph"))
    json_object_foreach((json_t *)(uintptr_t)value, key, inner) note_references(set, inner);
  json_array_foreach(value, i, inner) note_references(set, inner);
}

static bool refers(const json_t *value)
{
  const char *key;
  json_t *inner;
  size_t i;
  if (json_object_get(value, "from_node") || json_object_get(value, "from_parameter"))
    return true;
  if (json_is_object(value) && !json_object_get(value, "process_graph"))
    json_object_foreach((json_t *)(uintptr_t)value, key, inner) if (refers(inner)) return true;
  json_array_foreach(value, i, inner) if (refers(inner)) return true;
  return false;
}

/* ---- what the other server has ----------------------------------------------------------------------------------- */

/* Scripts run where their user chose to have them run. */
static bool offers(const json_t *server, const json_t *node)
{
  const char *process = json_string_value(json_object_get(node, "process_id"));
  const json_t *space = json_object_get(node, "namespace");
  return process && json_object_get(json_object_get(server, "processes"), process) && strcmp(process, "run_udf") != 0 &&
         (!space || json_is_null(space));
}

/* Whether it has all that the graphs inside a value call. */
static bool offers_within(const json_t *server, const json_t *value)
{
  const char *key;
  json_t *inner;
  size_t i;
  if (json_object_get(value, "process_id") && !offers(server, value))
    return false;
  json_object_foreach((json_t *)(uintptr_t)value, key, inner) if (!offers_within(server, inner)) return false;
  json_array_foreach(value, i, inner) if (!offers_within(server, inner)) return false;
  return true;
}

static bool is_own(const struct sharing *s, const char *collection)
{
  struct buffer document = {0};
  struct error error = {0};
  int status =
      s->options->catalogue ? catalogue_collection_json(s->options->catalogue, collection, "", &document, &error) : -1;
  buffer_free(&document);
  return status == 0;
}

/* *out: the answer of the collection's server; NULL where none has it. */
static int find_server(struct sharing *s, const char *id, const char *collection, const json_t **out)
{
  const struct local_files *local = s->options->local;
  const char *answer = NULL;
  *out = json_object_get(s->servers, collection);
  if (!*out && json_object_size(s->servers) < SERVERS_ASKED_MOST && !is_own(s, collection)) {
    if (local->offered_elsewhere(local->context, s->arena, collection, &answer, s->error) != 0) {
      error_at_parameter(s->error, "id");
      return error_at_node(s->error, id);
    }
    json_t *server = answer ? json_loads(answer, 0, NULL) : NULL;
    json_object_set_new(s->servers, collection, server ? server : json_null());
    *out = json_object_get(s->servers, collection);
  }
  *out = json_is_object(*out) ? *out : NULL;
  return 0;
}

/* ---- nodes that can be computed there ---------------------------------------------------------------------------- */

static bool is_same_server(const json_t *a, const json_t *b)
{
  return json_equal(json_object_get(a, "backend"), json_object_get(b, "backend"));
}

static bool has_bands(const struct far_cube *cube)
{
  return far_cube_find(cube, 'b') != SIZE_MAX;
}

static int make_load(struct sharing *s, struct far_node *far, bool *is_far)
{
  const char *collection = json_string_value(json_object_get(json_object_get(far->node, "arguments"), "id"));
  const json_t *arguments = json_object_get(far->node, "arguments");
  if (!collection || json_object_get(far->node, "namespace") || refers(arguments))
    return 0;
  if (find_server(s, far->id, collection, &far->server) != 0)
    return -1;
  *is_far = far->server && offers_within(far->server, arguments) && offers(far->server, far->node);
  if (*is_far)
    far->cube = far_cube_load(json_object_get(far->server, "collection"), arguments);
  return 0;
}

static int find_far(struct sharing *s, const char *id, unsigned depth, const struct far_node **out);

/* The cubes that a step takes; false where one of them is not there, or something else is not known before. */
static bool find_inputs(struct sharing *s, struct far_node *far, unsigned depth, int *status)
{
  const char *name;
  json_t *argument;
  json_object_foreach(json_object_get(far->node, "arguments"), name, argument)
  {
    const char *from = json_string_value(json_object_get(argument, "from_node"));
    size_t i = 0;
    while (i < FAR_INPUTS_MOST && far->step->inputs[i] && strcmp(far->step->inputs[i], name) != 0)
      i++;
    const bool is_cube = i < FAR_INPUTS_MOST && far->step->inputs[i];
    if (!is_cube && refers(argument))
      return false;
    if (!is_cube)
      continue;
    *status = from ? find_far(s, from, depth + 1, &far->inputs[i]) : 0;
    if (*status != 0 || !far->inputs[i])
      return false;
  }
  while (far->input_count < FAR_INPUTS_MOST && far->step->inputs[far->input_count])
    far->input_count++;
  for (size_t i = 0; i < far->input_count; i++)
    if (!far->inputs[i] || !is_same_server(far->inputs[i]->server, far->inputs[0]->server))
      return false;
  return true;
}

static bool apply_step(struct far_node *far)
{
  const struct far_cube *other = far->input_count > 1 ? &far->inputs[1]->cube : NULL;
  const json_t *arguments = json_object_get(far->node, "arguments");
  far->server = far->inputs[0]->server;
  if (!offers(far->server, far->node) || !offers_within(far->server, arguments))
    return false;
  far->cube = far->inputs[0]->cube;
  for (size_t i = 0; i < far->input_count; i++)
    far->has_lost_bands = far->has_lost_bands || far->inputs[i]->has_lost_bands || has_bands(&far->inputs[i]->cube);
  if (!far->step->apply(&far->cube, other, arguments))
    return false;
  far->has_lost_bands = far->has_lost_bands && !has_bands(&far->cube);
  return !far->cube.geometries || json_is_true(json_object_get(far->server, "vectors"));
}

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

/* A server may write files of rasters only. */
static bool can_come(const struct far_node *far)
{
  return !json_is_true(json_object_get(far->server, "rasters_only")) ||
         (far_cube_is_raster(&far->cube) && (has_bands(&far->cube) || far->has_lost_bands));
}

/* What cannot come is more than all that can; the sum of all nodes is a number still. */
static double cost_of(const struct far_node *far)
{
  return can_come(far) ? far_cube_bytes(&far->cube) : 1e300;
}

static double bytes_of(const struct sharing *s, const bool *brought, size_t *count)
{
  double bytes = 0;
  *count = 0;
  for (size_t i = 0; i < s->count; i++) {
    bytes += brought[i] ? cost_of(&s->nodes[i]) : 0;
    *count += brought[i];
  }
  return bytes;
}

/* It comes here, or what it needs does: whichever is less; where it is the same, what is fewer requests, or may turn
 * out to be less. */
static void choose(struct sharing *s, struct far_node *far)
{
  const size_t own = (size_t)(far - s->nodes);
  size_t count;
  for (size_t k = 0; k < far->input_count; k++)
    for (size_t i = 0; i < own; i++)
      far->brought[i] = far->brought[i] || far->inputs[k]->brought[i];
  const double bytes = cost_of(far), others = bytes_of(s, far->brought, &count);
  if (far->step && (bytes > others || (bytes == others && count == 1 && !far->step->is_filter)))
    return;
  memset(far->brought, 0, FAR_NODES_MOST * sizeof *far->brought);
  far->brought[own] = true;
}

static int add_far(struct sharing *s, const struct far_node *far, const struct far_node **out)
{
  struct far_node *added = &s->nodes[s->count];
  *added = *far;
  added->brought = ARENA_ARRAY(s->arena, bool, FAR_NODES_MOST);
  if (!added->brought)
    return error_memory(s->error);
  choose(s, added);
  json_object_set_new(s->places, far->id, json_integer((json_int_t)s->count++));
  *out = added;
  return 0;
}

/* *out is NULL where the node is computed here. One that is looked for while it is looked for is of a circle. */
static int find_far(struct sharing *s, const char *id, unsigned depth, const struct far_node **out)
{
  const json_t *place = json_object_get(s->places, id);
  struct far_node far = {.node = json_object_get(s->graph, id)};
  const char *process = json_string_value(json_object_get(far.node, "process_id"));
  bool is_far = false;
  int status = 0;
  *out = place && json_integer_value(place) >= 0 ? &s->nodes[json_integer_value(place)] : NULL;
  if (place || !process || depth > DEPTH_MOST)
    return 0;
  json_object_set_new(s->places, id, json_integer(-1));
  far.id = json_object_iter_key(json_object_iter_at(s->graph, id));
  far.step = far_step_find(process);
  if (strcmp(process, "load_collection") == 0)
    status = make_load(s, &far, &is_far);
  else if (far.step)
    is_far = find_inputs(s, &far, depth, &status) && apply_step(&far);
  if (status != 0 || !is_far || s->count == FAR_NODES_MOST)
    return status;
  return add_far(s, &far, out);
}

/* ---- parts ------------------------------------------------------------------------------------------------------- */

static void mark_needed(const struct sharing *s, const struct far_node *far, bool *needed)
{
  const size_t at = (size_t)(far - s->nodes);
  if (needed[at])
    return;
  needed[at] = true;
  for (size_t i = 0; i < far->input_count; i++)
    mark_needed(s, far->inputs[i], needed);
}

/* As text in the arena; NULL: memory is short. */
static const char *write_json(struct sharing *s, const json_t *json)
{
  char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
  const char *kept = text ? arena_strdup(s->arena, text) : NULL;
  free(text);
  return kept;
}

/* All that the node needs as a graph of its own, with the node as the result. */
static int write_graph(struct sharing *s, const struct far_node *far, const bool *needed, struct elsewhere_part *out)
{
  json_t *graph = json_object();
  struct buffer steps = {0};
  for (size_t i = 0; i < s->count; i++) {
    const struct far_node *one = &s->nodes[i];
    if (!needed[i])
      continue;
    json_t *node = json_copy((json_t *)(uintptr_t)one->node);
    json_object_del(node, "result");
    if (one == far)
      json_object_set_new(node, "result", json_true());
    buffer_printf(&steps, "%s%s", steps.length > 0 ? ", " : "", json_string_value(json_object_get(node, "process_id")));
    json_object_set_new(graph, one->id, node);
  }
  out->wanted.graph = write_json(s, graph);
  out->steps = steps.failed ? NULL : arena_strdup(s->arena, steps.data);
  json_decref(graph);
  buffer_free(&steps);
  return out->wanted.graph && out->steps ? 0 : error_memory(s->error);
}

/* Of texts, or of arrays that begin with one. */
static int write_labels(struct sharing *s, const json_t *from, const char *const **out, size_t *count)
{
  const json_t *label;
  size_t i;
  const char **labels = ARENA_ARRAY(s->arena, const char *, json_array_size(from) + 1);
  if (!labels)
    return error_memory(s->error);
  json_array_foreach(from, i, label)
  {
    const json_t *text = json_is_array(label) ? json_array_get(label, 0) : label;
    labels[i] = arena_strdup(s->arena, json_string_value(text));
    if (!labels[i])
      return error_memory(s->error);
  }
  *out = labels;
  *count = json_array_size(from);
  return 0;
}

/* What the file of a raster need not tell. Error FeatureUnsupported where no file of that server can have it. */
static int write_bands(struct sharing *s, const struct far_node *far, struct elsewhere_part *out)
{
  const size_t d = far_cube_find(&far->cube, 'b');
  if (!json_is_true(json_object_get(far->server, "rasters_only")))
    return 0;
  out->wanted.is_raster = can_come(far);
  if (out->wanted.is_raster)
    return d == SIZE_MAX ? 0 : write_labels(s, far->cube.dimension[d].labels, &out->bands, &out->band_count);
  error_set(s->error, ERROR_FeatureUnsupported,
            "the back-end '%s' of the federation writes GTiff, and no netCDF: what comes from there may have bands, of "
            "names that are known, y and x, and nothing else",
            out->server);
  return error_at_node(s->error, far->id);
}

static const struct far_node *first_load(const struct far_node *far)
{
  while (far->input_count > 0)
    far = far->inputs[0];
  return far;
}

static const char *collection_of(const struct far_node *load)
{
  return json_string_value(json_object_get(json_object_get(load->node, "arguments"), "id"));
}

static int make_part(struct sharing *s, const struct far_node *far)
{
  struct elsewhere_part *out = &s->parts[s->part_count++];
  bool *needed = ARENA_ARRAY(s->arena, bool, FAR_NODES_MOST);
  const struct far_cube *cube = &far->cube;
  const char *server = json_string_value(json_object_get(far->server, "backend"));
  if (!needed)
    return error_memory(s->error);
  mark_needed(s, far, needed);
  *out = (struct elsewhere_part){.node = arena_strdup(s->arena, far->id),
                                 .server = arena_strdup(s->arena, server ? server : ""),
                                 .wanted.collection = arena_strdup(s->arena, collection_of(first_load(far))),
                                 .wanted.bytes = far_cube_bytes(cube),
                                 .is_assumed = cube->is_assumed,
                                 .has_lost_bands = far->has_lost_bands,
                                 .period = cube->period ? arena_strdup(s->arena, cube->period) : NULL,
                                 .geometries = cube->geometries ? write_json(s, cube->geometries) : NULL};
  const json_t *job_bytes = json_object_get(far->server, "job_bytes");
  out->is_job = job_bytes && out->wanted.bytes > json_number_value(job_bytes);
  for (size_t i = 0; i < s->count; i++)
    out->bytes_as_loaded += needed[i] && !s->nodes[i].step ? far_cube_bytes(&s->nodes[i].cube) : 0;
  if (!out->node || !out->server || !out->wanted.collection || (cube->period && !out->period) ||
      (cube->geometries && !out->geometries))
    return error_memory(s->error);
  if (write_labels(s, cube->labels, &out->labels, &out->label_count) != 0 || write_bands(s, far, out) != 0)
    return -1;
  return write_graph(s, far, needed, out);
}

/* What is wanted of all, brought as each is best brought. */
static void choose_parts(struct sharing *s)
{
  for (size_t i = 0; i < s->count; i++) {
    const struct far_node *far = &s->nodes[i];
    const bool is_result = json_is_true(json_object_get(far->node, "result"));
    if (!is_result && json_object_get(s->used, far->id) && !json_object_get(s->wanted, far->id))
      continue;
    for (size_t k = 0; k <= i; k++)
      s->is_part[k] = s->is_part[k] || far->brought[k];
    s->nodes[i].is_kept = true;
  }
}

/* One that can be computed from others that come anyway need not come. */
static void spare_parts(struct sharing *s)
{
  bool is_had[FAR_NODES_MOST] = {false};
  for (size_t i = 0; i < s->count; i++) {
    const struct far_node *far = &s->nodes[i];
    bool can_be_made = far->input_count > 0;
    for (size_t k = 0; k < far->input_count; k++)
      can_be_made = can_be_made && is_had[far->inputs[k] - s->nodes];
    s->is_part[i] = s->is_part[i] && !can_be_made;
    is_had[i] = s->is_part[i] || can_be_made;
  }
  for (size_t i = s->count; i-- > 0;) /* inputs stand before what takes them */
    for (size_t k = 0; s->nodes[i].is_kept && !s->is_part[i] && k < s->nodes[i].input_count; k++)
      s->nodes[s->nodes[i].inputs[k] - s->nodes].is_kept = true;
}

/* The node becomes the load_collection that stands for it. */
static void stand_in(struct sharing *s, const struct far_node *far)
{
  json_t *node = json_copy(json_object_get(s->graph, far->id));
  const struct far_node *load = first_load(far);
  json_object_set(node, "process_id", json_object_get(load->node, "process_id"));
  json_object_set(node, "arguments", json_object_get(load->node, "arguments"));
  json_object_set_new(s->graph, far->id, node);
}

static int make_parts(struct sharing *s)
{
  json_t *whole = json_copy(s->graph); /* keeps the nodes and their ids */
  int status = 0;
  s->parts = ARENA_ARRAY(s->arena, struct elsewhere_part, s->count + 1);
  if (!s->parts)
    status = error_memory(s->error);
  for (size_t i = 0; status == 0 && i < s->count; i++)
    if (s->is_part[i] && s->nodes[i].is_kept)
      status = make_part(s, &s->nodes[i]);
  for (size_t i = 0; status == 0 && i < s->count; i++) {
    if (s->is_part[i] && s->nodes[i].is_kept)
      stand_in(s, &s->nodes[i]);
    else if (!s->nodes[i].is_kept)
      json_object_del(s->graph, s->nodes[i].id);
  }
  json_decref(whole);
  return status;
}

static int share_nodes(struct sharing *s)
{
  const struct far_node *far;
  const char *id;
  json_t *node;
  json_object_foreach(s->graph, id, node)
  {
    if (find_far(s, id, 0, &far) != 0)
      return -1;
    note_references(s->used, json_object_get(node, "arguments"));
    if (!far)
      note_references(s->wanted, json_object_get(node, "arguments"));
  }
  if (s->count == 0)
    return 0;
  choose_parts(s);
  spare_parts(s);
  return make_parts(s);
}

/* A graph without a result would have one when it is down to one node. */
static bool has_result(const json_t *graph)
{
  const char *id;
  json_t *node;
  json_object_foreach((json_t *)(uintptr_t)graph, id,
                      node) if (json_is_true(json_object_get(node, "result"))) return true;
  return json_object_size(graph) == 1;
}

/* ---- the graph --------------------------------------------------------------------------------------------------- */

/* The nodes, in whichever form the graph was given; NULL where it has parameters, or is none. */
static json_t *find_nodes(json_t *json)
{
  json_t *process = json_object_get(json, "process");
  if (process && !json_object_get(process, "process_id"))
    json = process;
  json_t *nodes = json_object_get(json, "process_graph");
  if (json_array_size(json_object_get(json, "parameters")) > 0)
    return NULL;
  return json_is_object(nodes) && !json_object_get(nodes, "process_id") ? nodes : json;
}

static int write_rest(struct sharing *s, const json_t *json, struct graph_shares *out)
{
  char *text = json_dumps(json, JSON_COMPACT);
  out->graph = text ? arena_strdup(s->arena, text) : NULL;
  out->length = out->graph ? strlen(out->graph) : 0;
  out->parts = s->parts;
  out->count = s->part_count;
  free(text);
  return out->graph ? 0 : error_memory(s->error);
}

static int start(struct sharing *s)
{
  s->servers = json_object();
  s->places = json_object();
  s->wanted = json_object();
  s->used = json_object();
  s->nodes = ARENA_ARRAY(s->arena, struct far_node, FAR_NODES_MOST);
  s->is_part = ARENA_ARRAY(s->arena, bool, FAR_NODES_MOST);
  return s->servers && s->places && s->wanted && s->used && s->nodes && s->is_part ? 0 : error_memory(s->error);
}

int graph_share(struct arena *arena, const char *text, size_t length, const struct graph_options *options,
                struct graph_shares *out, struct error *error)
{
  json_t *json = NULL;
  struct error ignored = {0};
  *out = (struct graph_shares){0};
  if (!options->local || !options->local->offered_elsewhere || options->parameter_count > 0 ||
      options->official_encoding || !memmem(text, length, "load_collection", strlen("load_collection")))
    return 0;
  const size_t tree = 2 * json_tree_bytes(text, length);
  if (arena_reserve(arena, tree) != 0)
    return 0; /* graph_parse says so */
  struct sharing s = {.arena = arena, .options = options, .error = error};
  int status = start(&s);
  if (status == 0 && json_read(text, length, false, &json, &ignored) == 0)
    s.graph = find_nodes(json);
  if (status == 0 && json_is_object(s.graph) && has_result(s.graph))
    status = share_nodes(&s);
  if (status == 0 && s.part_count > 0)
    status = write_rest(&s, json, out);
  json_decref(s.servers);
  json_decref(s.places);
  json_decref(s.wanted);
  json_decref(s.used);
  json_decref(json);
  arena_release(arena, tree);
  return status;
}
