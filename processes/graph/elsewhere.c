#include "processes/graph/elsewhere.h"

#include "processes/graph/json.h"
#include "stac/catalogue.h"

#include <stdlib.h>
#include <string.h>

enum { PARTS_MOST = 64, STEPS_MOST = 64 };

/* Steps that may run where the data lie. Those that give labels or dimensions which a file would not bring back as they
 * were are not among them. */
static const struct shared_step {
  const char *process;
  bool is_smaller;       /* what it gives is less than what it takes */
  const char *dimension; /* of which kind its parameter `dimension` must be; NULL: it has none */
} shared_steps[] = {
    {"filter_bands", true, NULL},    {"filter_bbox", true, NULL},     {"filter_spatial", true, NULL},
    {"filter_temporal", true, NULL}, {"apply", false, NULL},          {"apply_kernel", false, NULL},
    {"mask_polygon", false, NULL},   {"reduce_dimension", true, "t"},
};

struct sharing {
  struct arena *arena;
  const struct graph_options *options;
  struct error *error;
  json_t *graph;   /* nodes by id; becomes what is computed here */
  json_t *users;   /* id → id of the one node that refers to it once; null: there are more */
  json_t *offered; /* processes of the server at hand: name → anything */
  struct elsewhere_part *parts;
  size_t count;
};

/* ---- references -------------------------------------------------------------------------------------------------- */

static void note_user(json_t *users, const char *id, const char *user)
{
  json_object_set_new(users, id, json_object_get(users, id) ? json_null() : json_string(user));
}

/* References in an argument; those in graphs inside are to their own nodes. */
static void note_references(json_t *users, const json_t *value, const char *user)
{
  const char *key;
  json_t *inner;
  size_t i;
  const char *from = json_string_value(json_object_get(value, "from_node"));
  if (from)
    note_user(users, from, user);
  if (json_is_object(value) && !json_object_get(value, "process_graph"))
    json_object_foreach((json_t *)(uintptr_t)value, key, inner) note_references(users, inner, user);
  json_array_foreach(value, i, inner) note_references(users, inner, user);
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

static bool offers(const struct sharing *s, const json_t *node)
{
  const char *process = json_string_value(json_object_get(node, "process_id"));
  const json_t *space = json_object_get(node, "namespace");
  return process && json_object_get(s->offered, process) && (!space || json_is_null(space));
}

/* Whether it has all that the graphs inside a value call. */
static bool offers_within(const struct sharing *s, const json_t *value)
{
  const char *key;
  json_t *inner;
  size_t i;
  if (json_object_get(value, "process_id") && !offers(s, value))
    return false;
  json_object_foreach((json_t *)(uintptr_t)value, key, inner) if (!offers_within(s, inner)) return false;
  json_array_foreach(value, i, inner) if (!offers_within(s, inner)) return false;
  return true;
}

static const struct shared_step *find_step(const struct sharing *s, const json_t *node)
{
  const char *process = json_string_value(json_object_get(node, "process_id"));
  const json_t *arguments = json_object_get(node, "arguments");
  const char *dimension = json_string_value(json_object_get(arguments, "dimension"));
  for (size_t i = 0; process && offers(s, node) && i < sizeof shared_steps / sizeof shared_steps[0]; i++) {
    const struct shared_step *step = &shared_steps[i];
    if (strcmp(step->process, process) != 0)
      continue;
    const bool fits = !step->dimension || (dimension && strcmp(dimension, step->dimension) == 0);
    return fits && offers_within(s, arguments) ? step : NULL;
  }
  return NULL;
}

/* Whether a step needs nothing but what comes along the chain. */
static bool takes_only(const json_t *node, const char *from)
{
  const char *name;
  json_t *argument;
  json_object_foreach(json_object_get(node, "arguments"), name, argument)
  {
    const char *reference = json_string_value(json_object_get(argument, "from_node"));
    if (reference ? strcmp(reference, from) != 0 : refers(argument))
      return false;
  }
  return true;
}

/* ---- a part ------------------------------------------------------------------------------------------------------ */

struct shared_chain {
  const char *ids[STEPS_MOST];
  size_t count; /* of those that run there */
};

static void grow(const struct sharing *s, struct shared_chain *chain)
{
  size_t count = chain->count;
  const char *last = chain->ids[0];
  while (count < STEPS_MOST && !json_is_true(json_object_get(json_object_get(s->graph, last), "result"))) {
    const char *user = json_string_value(json_object_get(s->users, last));
    const json_t *node = user ? json_object_get(s->graph, user) : NULL;
    const struct shared_step *step = node ? find_step(s, node) : NULL;
    if (!step || !takes_only(node, last))
      return;
    chain->ids[count++] = last = user;
    if (step->is_smaller)
      chain->count = count;
  }
}

/* The chain as a graph of its own, with its last node as the result. */
static int write_part(struct sharing *s, const struct shared_chain *chain, struct elsewhere_part *out)
{
  json_t *graph = json_object();
  struct buffer steps = {0};
  for (size_t i = 0; i < chain->count; i++) {
    json_t *node = json_copy(json_object_get(s->graph, chain->ids[i]));
    if (i + 1 == chain->count)
      json_object_set_new(node, "result", json_true());
    else
      json_object_del(node, "result");
    buffer_printf(&steps, "%s%s", i > 0 ? ", " : "", json_string_value(json_object_get(node, "process_id")));
    json_object_set_new(graph, chain->ids[i], node);
  }
  char *text = json_dumps(graph, JSON_COMPACT);
  out->node = arena_strdup(s->arena, chain->ids[chain->count - 1]);
  out->wanted.graph = text ? arena_strdup(s->arena, text) : NULL;
  out->steps = steps.failed ? NULL : arena_strdup(s->arena, steps.data);
  free(text);
  json_decref(graph);
  buffer_free(&steps);
  return out->node && out->wanted.graph && out->steps ? 0 : error_memory(s->error);
}

/* The chain's last node becomes the load_collection that stands for it; the others go. */
static void replace(struct sharing *s, const struct shared_chain *chain)
{
  json_t *first = json_object_get(s->graph, chain->ids[0]);
  json_t *last = json_object_get(s->graph, chain->ids[chain->count - 1]);
  json_object_set(last, "process_id", json_object_get(first, "process_id"));
  json_object_set(last, "arguments", json_object_get(first, "arguments"));
  for (size_t i = 0; i + 1 < chain->count; i++)
    json_object_del(s->graph, chain->ids[i]);
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

static int share_node(struct sharing *s, const char *id, const json_t *node)
{
  const struct local_files *local = s->options->local;
  const char *process = json_string_value(json_object_get(node, "process_id"));
  const json_t *arguments = json_object_get(node, "arguments");
  const char *collection = json_string_value(json_object_get(arguments, "id")), *processes = NULL;
  if (!process || strcmp(process, "load_collection") != 0 || json_object_get(node, "namespace") || !collection ||
      refers(arguments) || s->count == PARTS_MOST || is_own(s, collection))
    return 0;
  if (local->offered_elsewhere(local->context, s->arena, collection, &processes, s->error) != 0) {
    error_at_parameter(s->error, "id");
    return error_at_node(s->error, id);
  }
  s->offered = processes ? json_loads(processes, 0, NULL) : NULL;
  if (!json_is_object(s->offered) || !offers_within(s, arguments))
    return 0;
  struct shared_chain chain = {.ids = {id}, .count = 1};
  struct elsewhere_part *part = &s->parts[s->count++];
  part->wanted.collection = arena_strdup(s->arena, collection);
  grow(s, &chain);
  if (!part->wanted.collection)
    return error_memory(s->error);
  if (write_part(s, &chain, part) != 0)
    return -1;
  replace(s, &chain);
  return 0;
}

static bool stands_for_part(const struct sharing *s, const char *id)
{
  for (size_t i = 0; i < s->count; i++)
    if (strcmp(s->parts[i].node, id) == 0)
      return true;
  return false;
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

static int share_nodes(struct sharing *s)
{
  const char *id;
  json_t *node;
  json_t *all = json_copy(s->graph); /* replaced nodes change s->graph */
  int status = 0;
  json_object_foreach(s->graph, id, node) note_references(s->users, json_object_get(node, "arguments"), id);
  json_object_foreach(all, id, node)
  {
    if (status == 0 && json_object_get(s->graph, id) && !stands_for_part(s, id))
      status = share_node(s, id, node);
    json_decref(s->offered);
    s->offered = NULL;
  }
  json_decref(all);
  return status;
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
  out->count = s->count;
  free(text);
  return out->graph ? 0 : error_memory(s->error);
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
  struct sharing s = {.arena = arena, .options = options, .error = error, .users = json_object()};
  s.parts = ARENA_ARRAY(arena, struct elsewhere_part, PARTS_MOST);
  int status = s.parts && s.users ? 0 : error_memory(error);
  if (status == 0 && json_read(text, length, false, &json, &ignored) == 0)
    s.graph = find_nodes(json);
  if (status == 0 && json_is_object(s.graph) && has_result(s.graph))
    status = share_nodes(&s);
  if (status == 0 && s.count > 0)
    status = write_rest(&s, json, out);
  json_decref(s.users);
  json_decref(json);
  arena_release(arena, tree);
  return status;
}
