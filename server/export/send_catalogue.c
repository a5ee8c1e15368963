/* A static catalogue: its list is read, items are added to it, and it is written where nobody wrote it meanwhile. */
#include "server/export/send_plan.h"

#include "stac/json_tree.h"
#include "stac/result_item.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 8, PATH_SIZE = ROOTED_PATH_SIZE + SEND_NAME_SIZE + 8 };

static int put_tree(const struct send_plan *plan, const char *path, json_t *tree, const char *match, bool *is_taken,
                    struct error *error)
{
  char *text = tree != NULL ? json_dumps(tree, JSON_INDENT(2)) : NULL;
  const struct send_body body = {
      .type = "application/json", .fd = -1, .text = text, .size = text != NULL ? strlen(text) : 0};
  const int status =
      text != NULL ? send_place_put(&plan->place, path, &body, match, is_taken, error) : error_memory(error);
  free(text);
  return status;
}

static int send_items(struct send_plan *plan, struct error *error)
{
  char path[PATH_SIZE];
  bool is_taken;
  int status = 0;
  for (size_t i = 0; i < plan->count && status == 0; i++) {
    json_t *item = send_item(&plan->results[i], error);
    if (item == NULL)
      return -1;
    snprintf(path, sizeof path, "%s/%s.json", plan->catalogue, plan->results[i].id);
    plan->results[i].item_is_sent = true;
    status = put_tree(plan, path, item, NULL, &is_taken, error);
    json_decref(item);
  }
  return status;
}

static bool has_link(const json_t *links, const char *href)
{
  const json_t *link;
  size_t i;
  json_array_foreach(links, i, link)
  {
    const char *text = json_tree_text(link, "href");
    if (text != NULL && strcmp(text, href) == 0)
      return true;
  }
  return false;
}

/* Whether there is anything to add. */
static bool add_links(const struct send_plan *plan, json_t *links)
{
  bool adds = false;
  for (size_t i = 0; i < plan->count; i++) {
    char href[SEND_NAME_SIZE + 16];
    snprintf(href, sizeof href, "./%s.json", plan->results[i].id);
    if (has_link(links, href))
      continue;
    json_array_append_new(links,
                          json_pack("{s:s, s:s, s:s}", "rel", "item", "href", href, "type", "application/geo+json"));
    adds = true;
  }
  return adds;
}

static json_t *new_catalogue(const struct send_plan *plan, struct error *error)
{
  struct buffer text = {0};
  const char *slash = strrchr(plan->catalogue, '/');
  json_t *tree = NULL;
  if (result_catalogue_write(slash != NULL ? slash + 1 : plan->catalogue, NULL, 0, &text, error) == 0 &&
      (tree = json_loadb(text.data, text.length, 0, NULL)) == NULL)
    error_memory(error);
  buffer_free(&text);
  return tree;
}

static json_t *read_catalogue(const struct send_plan *plan, const struct buffer *text, struct error *error)
{
  json_t *tree = json_loadb(text->length > 0 ? text->data : "", text->length, 0, NULL);
  const char *type = json_tree_text(tree, "type");
  if (type != NULL && (strcmp(type, "Catalog") == 0 || strcmp(type, "Collection") == 0) &&
      json_is_array(json_object_get(tree, "links")))
    return tree;
  json_decref(tree);
  error_parameter(error, ERROR_ProcessParameterInvalid, "merge",
                  "'%.200s' has a " RESULT_CATALOGUE_NAME " that is no catalogue", plan->catalogue);
  return NULL;
}

/* One try: *is_taken where somebody else wrote the catalogue meanwhile. */
static int list_items(const struct send_plan *plan, bool *is_taken, struct error *error)
{
  char path[PATH_SIZE], etag[SEND_ETAG_SIZE];
  struct buffer text;
  bool is_there;
  snprintf(path, sizeof path, "%s/" RESULT_CATALOGUE_NAME, plan->catalogue);
  if (send_place_get(&plan->place, path, &text, etag, &is_there, error) != 0)
    return -1;
  json_t *tree = is_there ? read_catalogue(plan, &text, error) : new_catalogue(plan, error);
  buffer_free(&text);
  int status = tree != NULL ? 0 : -1;
  if (status == 0 && add_links(plan, json_object_get(tree, "links")))
    status = put_tree(plan, path, tree, !is_there ? "" : etag[0] != '\0' ? etag : NULL, is_taken, error);
  json_decref(tree);
  return status;
}

/* A catalogue that is none is told before anything is sent. */
static int check_catalogue(const struct send_plan *plan, struct error *error)
{
  char path[PATH_SIZE], etag[SEND_ETAG_SIZE];
  struct buffer text;
  bool is_there;
  snprintf(path, sizeof path, "%s/" RESULT_CATALOGUE_NAME, plan->catalogue);
  if (send_place_get(&plan->place, path, &text, etag, &is_there, error) != 0)
    return -1;
  json_t *tree = is_there ? read_catalogue(plan, &text, error) : NULL;
  const int status = is_there && tree == NULL ? -1 : 0;
  json_decref(tree);
  buffer_free(&text);
  return status;
}

int send_catalogue(struct send_plan *plan, struct error *error)
{
  bool is_taken = true;
  int status = plan->is_merged ? check_catalogue(plan, error) : 0;
  if (status == 0)
    status = send_files(plan, error);
  if (status == 0)
    status = send_items(plan, error);
  if (status == 0)
    status = send_place_lock(&plan->place, plan->catalogue, error);
  for (unsigned i = 0; i < TRIES && status == 0 && is_taken; i++) {
    is_taken = false;
    status = list_items(plan, &is_taken, error);
  }
  return status == 0 && is_taken
             ? error_set(error, ERROR_StacConflict,
                         "the catalogue '%.200s' is being changed by others; please try again", plan->catalogue)
             : status;
}
