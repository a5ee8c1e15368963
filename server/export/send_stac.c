/* A STAC API with transactions: a collection is made where there is none, items are POSTed, and where the collection
 * was there its extent grows. After a failure what is new goes again. */
#include "server/export/send_plan.h"

#include "stac/href.h"
#include "stac/items_extent.h"
#include "stac/json_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char json[] = "application/json", geojson[] = "application/geo+json";

struct posting {
  struct send_plan *plan;
  json_t **items;
  json_t *present; /* the collection as it was; NULL: there was none */
  char etag[SEND_ETAG_SIZE];
  bool is_made;  /* the collection, by us */
  size_t posted; /* items, of which the last one may not have come */
};

/* ---- asking ------------------------------------------------------------------------------------------------------ */

/* {API}/collections[/ID[/items[/ITEM]]]; to be freed. */
static char *address_of(const struct send_plan *plan, const char *collection, const char *item)
{
  struct buffer out = {0};
  buffer_printf(&out, "%scollections", plan->url);
  if (collection != NULL) {
    buffer_text(&out, "/");
    href_encode(collection, &out);
  }
  if (item != NULL) {
    buffer_text(&out, "/items");
    buffer_text(&out, item[0] != '\0' ? "/" : "");
    href_encode(item, &out);
  }
  if (!out.failed)
    return out.data;
  buffer_free(&out);
  return NULL;
}

/* Takes the address and the tree (NULL: no body). The error of a refusal is in *refusal, and the status is told. */
static int ask(const struct send_plan *plan, const char *method, char *url, json_t *tree, const char *match,
               struct send_answer *answer, struct error *refusal, struct error *error)
{
  char *text = tree != NULL ? json_dumps(tree, JSON_COMPACT) : NULL;
  const bool is_item = tree != NULL && json_object_get(tree, "geometry") != NULL;
  const struct send_request request = {.method = method,
                                       .url = url,
                                       .type = tree == NULL ? NULL
                                               : is_item    ? geojson
                                                            : json,
                                       .fd = -1,
                                       .text = text,
                                       .size = text != NULL ? strlen(text) : 0,
                                       .match = match};
  int status = url == NULL || (tree != NULL && text == NULL) ? error_memory(error) : 0;
  if (status == 0)
    status = send_request(plan->place.sender, &request, answer, error);
  if (status == 0 && (answer->status < 200 || answer->status >= 300))
    send_refused(&request, answer, refusal);
  free(text);
  free(url);
  json_decref(tree);
  return status;
}

/* Whatever is no success is an error; what an earlier try of the same may have made is none. */
static int change(const struct send_plan *plan, const char *method, char *url, json_t *tree, const char *match,
                  struct error *error)
{
  struct send_answer answer;
  struct error refusal = {0};
  if (ask(plan, method, url, tree, match, &answer, &refusal, error) != 0)
    return -1;
  buffer_free(&answer.body);
  if (!error_is_set(&refusal) || (answer.status == 409 && answer.was_repeated))
    return 0;
  *error = refusal;
  return -1;
}

/* ---- what is sent ------------------------------------------------------------------------------------------------ */

static void add_address(const struct send_plan *plan, const char *name, struct buffer *out)
{
  char piece[ROOTED_PATH_SIZE];
  const bool is_bare = strncmp(plan->href, "s3://", 5) == 0; /* nothing is escaped there */
  buffer_text(out, plan->href);
  for (const char *at = plan->catalogue; *at != '\0'; at += *at == '/') {
    const size_t length = strcspn(at, "/");
    snprintf(piece, sizeof piece, "%.*s", (int)length, at);
    if (is_bare)
      buffer_text(out, piece);
    else
      href_encode(piece, out);
    buffer_text(out, "/");
    at += length;
  }
  if (is_bare)
    buffer_text(out, name);
  else
    href_encode(name, out);
}

/* The item as the API is to have it: with addresses, and in its collection. */
static json_t *make_item(const struct send_plan *plan, const struct send_result *result, struct error *error)
{
  struct buffer href = {0};
  json_t *item = send_item(result, error);
  json_t *asset = json_object_get(json_object_get(item, "assets"), "data");
  if (item == NULL)
    return NULL;
  add_address(plan, result->file, &href);
  if (href.failed || asset == NULL || json_object_set_new(asset, "href", json_string(href.data)) != 0 ||
      json_object_set_new(item, "collection", json_string(plan->catalogue)) != 0 ||
      json_object_set_new(item, "links", json_array()) != 0) {
    json_decref(item);
    item = NULL;
    error_memory(error);
  }
  buffer_free(&href);
  return item;
}

static int make_items(struct posting *p, struct error *error)
{
  p->items = calloc(p->plan->count, sizeof *p->items);
  if (p->items == NULL)
    return error_memory(error);
  for (size_t i = 0; i < p->plan->count; i++)
    if ((p->items[i] = make_item(p->plan, &p->plan->results[i], error)) == NULL)
      return -1;
  return 0;
}

/* ---- the collection ---------------------------------------------------------------------------------------------- */

static int find_collection(struct posting *p, struct error *error)
{
  struct send_answer answer;
  struct error refusal = {0};
  if (ask(p->plan, "GET", address_of(p->plan, p->plan->catalogue, NULL), NULL, NULL, &answer, &refusal, error) != 0)
    return -1;
  if (!error_is_set(&refusal)) {
    p->present = json_loadb(answer.body.length > 0 ? answer.body.data : "", answer.body.length, 0, NULL);
    snprintf(p->etag, sizeof p->etag, "%s", answer.etag);
    if (!json_is_object(p->present))
      error_set(&refusal, ERROR_StorageFailure, "%.200s is no STAC API", p->plan->url);
  } else if (answer.status == 404 || answer.status == 410) {
    refusal = (struct error){0};
  }
  buffer_free(&answer.body);
  if (!error_is_set(&refusal))
    return 0;
  *error = refusal;
  return -1;
}

static int make_collection(struct posting *p, struct error *error)
{
  const char *id = p->plan->catalogue;
  json_t *tree = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:[]}", "type", "Collection", "stac_version", "1.1.0", "id",
                           id, "description", "Results that were exported.", "license", "other", "extent",
                           items_extent(json_object_get(p->present, "extent"), p->items, p->plan->count), "links");
  const int status =
      tree != NULL ? change(p->plan, "POST", address_of(p->plan, NULL, NULL), tree, NULL, error) : error_memory(error);
  p->is_made = status == 0 || !p->plan->is_merged; /* a name with the stamp is nobody else's */
  return status;
}

static int grow_collection(struct posting *p, struct error *error)
{
  json_t *extent = items_extent(json_object_get(p->present, "extent"), p->items, p->plan->count),
         *tree = json_deep_copy(p->present);
  const bool is_same = json_equal(extent, json_object_get(p->present, "extent"));
  if (extent == NULL || tree == NULL || json_object_set_new(tree, "extent", extent) != 0) {
    json_decref(tree);
    return error_memory(error);
  }
  if (is_same) {
    json_decref(tree);
    return 0;
  }
  return change(p->plan, "PUT", address_of(p->plan, p->plan->catalogue, NULL), tree,
                p->etag[0] != '\0' ? p->etag : NULL, error);
}

/* ---- together ---------------------------------------------------------------------------------------------------- */

static int post_items(struct posting *p, struct error *error)
{
  int status = 0;
  while (p->posted < p->plan->count && status == 0) {
    json_t *item = json_incref(p->items[p->posted++]);
    status = change(p->plan, "POST", address_of(p->plan, p->plan->catalogue, ""), item, NULL, error);
  }
  return status;
}

static void take_back(struct posting *p)
{
  struct error ignored = {0};
  p->plan->place.sender->control = -1; /* this is done even where nobody waits any more */
  while (p->posted > 0)
    change(p->plan, "DELETE", address_of(p->plan, p->plan->catalogue, p->plan->results[--p->posted].id), NULL, NULL,
           &ignored);
  if (p->is_made)
    change(p->plan, "DELETE", address_of(p->plan, p->plan->catalogue, NULL), NULL, NULL, &ignored);
}

static int post_all(struct posting *p, struct error *error)
{
  if (p->present == NULL ? make_collection(p, error) != 0 : grow_collection(p, error) != 0)
    return -1;
  return post_items(p, error);
}

int send_to_stac(struct send_plan *plan, struct error *error)
{
  struct posting p = {.plan = plan};
  int status = strchr(plan->catalogue, '/') == NULL
                   ? 0
                   : error_parameter(error, ERROR_ProcessParameterInvalid, "merge",
                                     "wants a collection's id, which has no slash, where the workspace is a STAC API");
  if (status == 0)
    status = find_collection(&p, error);
  if (status == 0)
    status = make_items(&p, error);
  if (status == 0)
    status = send_files(plan, error);
  if (status == 0 && (status = post_all(&p, error)) != 0)
    take_back(&p);
  for (size_t i = 0; p.items != NULL && i < plan->count; i++)
    json_decref(p.items[i]);
  free(p.items);
  json_decref(p.present);
  return status;
}
