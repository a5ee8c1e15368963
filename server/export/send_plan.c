/* The plan as it is read, and files on their way. */
#include "server/export/send_plan.h"

#include "stac/json_tree.h"
#include "stac/result_item.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static int no_plan(struct error *error)
{
  return error_set(error, ERROR_Internal, "what is to be exported makes no sense");
}

static bool read_kind(const json_t *object, enum place_kind *out)
{
  const char *name = json_tree_text(object, "kind");
  for (int kind = PLACE_FOLDER; name != NULL && kind <= PLACE_STAC; kind++)
    if (strcmp(place_kind_name((enum place_kind)kind), name) == 0) {
      *out = (enum place_kind)kind;
      return true;
    }
  return false;
}

static int read_places(struct send_plan *plan, struct sender *sender, struct error *error)
{
  const json_t *where = plan->document;
  if (!read_kind(where, &plan->kind) || (plan->url = json_tree_text(where, "url")) == NULL)
    return no_plan(error);
  if (plan->kind == PLACE_STAC)
    where = json_object_get(where, "files");
  plan->place = (struct send_place){.sender = sender, .url = json_tree_text(where, "url"), .root = -1};
  plan->place.part = (uint64_t)json_integer_value(json_object_get(where, "part_mib")) << 20;
  plan->href = json_tree_text(where, "href");
  if (!read_kind(where, &plan->place.kind) || plan->place.kind == PLACE_STAC || plan->place.url == NULL ||
      plan->href == NULL)
    return no_plan(error);
  return send_place_open(&plan->place, error);
}

static bool has_id(const struct send_plan *plan, size_t end, const char *id)
{
  for (size_t i = 0; i < end; i++)
    if (strcmp(plan->results[i].id, id) == 0)
      return true;
  return false;
}

/* Names that are free: in a new catalogue those of the files, in another one with the stamp behind them; of files that
 * differ in their ending alone, with a number. A result in JSON must not be its item. */
static void name_result(struct send_plan *plan, size_t i, const char *file)
{
  struct send_result *r = &plan->results[i];
  const char *dot = strrchr(file, '.');
  const int stem = dot != NULL && dot != file ? (int)(dot - file) : (int)strlen(file);
  const char *ending = file + stem;
  for (unsigned n = 1; n == 1 || has_id(plan, i, r->id); n++) {
    char number[16] = "";
    if (n > 1)
      snprintf(number, sizeof number, "-%u", n);
    snprintf(r->id, sizeof r->id, "%.*s%s%s%.60s", stem < 180 ? stem : 180, file, number, plan->is_merged ? "-" : "",
             plan->is_merged ? plan->stamp : "");
  }
  if (strcmp(r->id, "catalog") == 0)
    snprintf(r->id, sizeof r->id, "catalog-item");
  snprintf(r->file, sizeof r->file, "%.240s%s%.40s", r->id, strcmp(ending, ".json") == 0 ? ".data" : "", ending);
}

static int read_results(struct send_plan *plan, const int *descriptors, struct error *error)
{
  const json_t *list = json_object_get(plan->document, "results");
  plan->count = json_array_size(list);
  plan->results = calloc(plan->count + 1, sizeof *plan->results);
  if (plan->results == NULL || plan->count == 0 || plan->count > SEND_RESULTS_MOST) {
    plan->count = 0;
    return plan->results == NULL ? error_memory(error) : no_plan(error);
  }
  for (size_t i = 0; i < plan->count; i++) {
    const json_t *one = json_array_get(list, i);
    const char *file = json_tree_text(one, "file"), *type = json_tree_text(one, "type");
    if (file == NULL || type == NULL || file[0] == '.' || strchr(file, '/') != NULL)
      return no_plan(error);
    plan->results[i] = (struct send_result){.type = type,
                                            .metadata = json_object_get(one, "metadata"),
                                            .changes = json_object_get(one, "changes"),
                                            .size = (uint64_t)json_integer_value(json_object_get(one, "size")),
                                            .fd = descriptors[i]};
    name_result(plan, i, file);
  }
  return 0;
}

int send_plan_read(json_t *document, const int *descriptors, struct sender *sender, struct send_plan *out,
                   struct error *error)
{
  *out = (struct send_plan){.document = document, .place.root = -1};
  const char *merge = json_tree_text(document, "merge"), *name = json_tree_text(document, "name");
  char path[ROOTED_PATH_SIZE];
  out->stamp = json_tree_text(document, "stamp");
  out->is_merged = merge != NULL;
  if (name == NULL || out->stamp == NULL)
    return no_plan(error);
  snprintf(path, sizeof path, "%.200s-%.60s", name, out->stamp);
  for (char *at = path; merge == NULL && *at != '\0'; at++) /* a node within another one is named by a path */
    *at = *at == '/' ? '-' : *at;
  if (rooted_path_read(merge != NULL ? merge : path, out->catalogue, error) != 0)
    return -1;
  return read_places(out, sender, error) == 0 ? read_results(out, descriptors, error) : -1;
}

void send_plan_free(struct send_plan *plan)
{
  send_place_close(&plan->place);
  free(plan->results);
  json_decref(plan->document);
}

/* ---- items ------------------------------------------------------------------------------------------------------- */

json_t *send_item(const struct send_result *result, struct error *error)
{
  struct buffer metadata = {0}, text = {0};
  char *known = result->metadata != NULL ? json_dumps(result->metadata, JSON_COMPACT) : NULL;
  char *changes = result->changes != NULL ? json_dumps(result->changes, JSON_COMPACT) : NULL;
  if (known != NULL)
    buffer_text(&metadata, known);
  const struct result_item item = {.id = result->id,
                                   .file = result->file,
                                   .media_type = result->type,
                                   .size = result->size,
                                   .metadata = &metadata,
                                   .changes = changes};
  json_t *tree = NULL;
  if (result_item_write(&item, &text, error) == 0 && (tree = json_loadb(text.data, text.length, 0, NULL)) == NULL)
    error_memory(error);
  free(known);
  free(changes);
  buffer_free(&metadata);
  buffer_free(&text);
  return tree;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static void path_of(const struct send_plan *plan, const char *name, const char *ending, char *out, size_t room)
{
  snprintf(out, room, "%s/%s%s", plan->catalogue, name, ending);
}

int send_files(struct send_plan *plan, struct error *error)
{
  char path[ROOTED_PATH_SIZE + SEND_NAME_SIZE + 8];
  bool is_taken;
  if (send_place_folder(&plan->place, plan->catalogue, error) != 0)
    return -1;
  for (size_t i = 0; i < plan->count; i++) {
    struct send_result *r = &plan->results[i];
    const struct send_body body = {.type = r->type, .fd = r->fd, .size = r->size};
    path_of(plan, r->file, "", path, sizeof path);
    r->is_sent = true; /* perhaps, and nobody else's name */
    if (send_place_put(&plan->place, path, &body, NULL, &is_taken, error) != 0)
      return -1;
  }
  return 0;
}

void send_undo(struct send_plan *plan)
{
  char path[ROOTED_PATH_SIZE + SEND_NAME_SIZE + 8];
  plan->place.sender->control = -1; /* this is done even where nobody waits any more */
  for (size_t i = plan->count; i-- > 0;) {
    const struct send_result *r = &plan->results[i];
    path_of(plan, r->id, ".json", path, sizeof path);
    if (r->item_is_sent)
      send_place_remove(&plan->place, path, false);
    path_of(plan, r->file, "", path, sizeof path);
    if (r->is_sent)
      send_place_remove(&plan->place, path, false);
  }
  if (!plan->is_merged)
    send_place_remove(&plan->place, plan->catalogue, true);
}
