/* Files first, then one transaction of the catalogue. */
#include "server/publish/publish.h"

#include "server/endpoints/result_document.h"
#include "server/publish/published_files.h"

#include "stac/items_extent.h"
#include "stac/search/stored_items.h"

#include <stdlib.h>
#include <string.h>

/* One transaction of the catalogue: nothing of what `change` writes counts where it fails. */
static int change_catalogue(const struct publish_place *place,
                            int (*change)(struct item_writer *, const void *context, struct error *),
                            const void *context, struct error *error)
{
  struct catalogue *catalogue = NULL;
  struct item_writer *writer = NULL;
  int status = catalogue_open_shared(place->catalogue, place->shared, &catalogue, error);
  if (status == 0)
    status = item_writer_new(catalogue, &writer, error);
  if (status == 0) {
    status = change(writer, context, error);
    if (status == 0)
      status = item_writer_commit(writer, error);
    else
      item_writer_abort(writer);
  }
  catalogue_close(catalogue);
  return status;
}

/* ---- what is there ----------------------------------------------------------------------------------------------- */

/* The collection as it is, owned by the caller; NULL without an error where there is none. */
static int read_collection(const struct publish_place *place, const char *id, const char *base, json_t **out,
                           struct error *error)
{
  struct catalogue *catalogue = NULL;
  struct buffer text = {0};
  struct error none = {0};
  *out = NULL;
  if (catalogue_open(place->catalogue, false, &catalogue, error) != 0)
    return -1;
  int status = catalogue_collection_json(catalogue, id, base, &text, &none);
  catalogue_close(catalogue);
  if (status == 0 && (*out = json_loadb(text.data, text.length, 0, NULL)) == NULL)
    status = error_memory(error);
  else if (status != 0 && error_is(&none, ERROR_CollectionNotFound))
    status = 0;
  else if (status != 0)
    *error = none;
  buffer_free(&text);
  return status;
}

static int check_enabled(const struct publish_place *place, struct error *error)
{
  return place->folder != NULL ? 0 : error_set(error, ERROR_FeatureUnsupported, "results are not published here");
}

int publish_check_id(const struct publish_place *place, const char *id, struct error *error)
{
  return check_enabled(place, error) == 0 ? published_check_id(id, error) : -1;
}

int publish_check(const struct publish_place *place, const char *id, const char *user, bool adds, bool *is_there,
                  struct error *error)
{
  json_t *present = NULL;
  struct error none = {0};
  if (publish_check_id(place, id, error) != 0 || read_collection(place, id, "", &present, error) != 0)
    return -1;
  *is_there = present != NULL;
  json_decref(present);
  if (!*is_there)
    return 0;
  if (adds && published_check_owner(place->folder, id, user, &none) == 0)
    return 0;
  if (adds && error_is(&none, ERROR_PermissionsInsufficient)) {
    *error = none;
    return -1;
  }
  return error_set(error, ERROR_StacConflict, "there is a collection '%.100s' already", id);
}

/* ---- documents --------------------------------------------------------------------------------------------------- */

struct publication_documents {
  json_t *collection; /* NULL: it stays as it is */
  json_t **items;
  size_t count;
  const struct publication *p;
};

static void documents_free(struct publication_documents *d)
{
  json_decref(d->collection);
  for (size_t i = 0; i < d->count; i++)
    json_decref(d->items[i]);
  free(d->items);
}

static size_t count_files(const struct job *job)
{
  struct stored_file file;
  size_t at = 0, count = 0;
  while (stored_file_next(job, &at, &file))
    count++;
  return count;
}

static int make_items(struct publication_documents *d, const struct job *job, struct error *error)
{
  struct stored_file file;
  size_t at = 0;
  d->items = calloc(count_files(job) + 1, sizeof *d->items);
  if (d->items == NULL)
    return error_memory(error);
  while (stored_file_next(job, &at, &file)) {
    if ((d->items[d->count] = published_item(d->p, job, &file, error)) == NULL)
      return -1;
    d->count++;
  }
  return 0;
}

/* A collection that is there grows around its new items. */
static int grow(const struct publish_place *place, struct publication_documents *d, struct error *error)
{
  if (read_collection(place, d->p->id, d->p->base, &d->collection, error) != 0)
    return -1;
  if (d->collection == NULL)
    return error_set(error, ERROR_CollectionNotFound, "the collection '%.100s' is gone", d->p->id);
  json_t *extent = items_extent(json_object_get(d->collection, "extent"), d->items, d->count);
  return extent != NULL && json_object_set_new(d->collection, "extent", extent) == 0 ? 0 : error_memory(error);
}

static int make_documents(const struct publish_place *place, const struct publication *p, const struct job *job,
                          struct publication_documents *out, struct error *error)
{
  *out = (struct publication_documents){.p = p};
  if (make_items(out, job, error) != 0)
    return -1;
  if (p->stamp != NULL)
    return grow(place, out, error);
  out->collection = published_collection(p, job, error);
  return out->collection != NULL ? 0 : -1;
}

static int put_tree(struct item_writer *writer, const struct publication *p, bool is_item, const json_t *tree,
                    struct error *error)
{
  char *text = json_dumps(tree, JSON_COMPACT);
  int status = text != NULL ? 0 : error_memory(error);
  if (status == 0)
    status = is_item ? item_writer_put(writer, p->id, ITEM_INSERT, text, strlen(text), error)
                     : item_writer_put_collection(writer, NULL, p->stamp != NULL ? ITEM_UPDATE : ITEM_INSERT, text,
                                                  strlen(text), error);
  free(text);
  return status;
}

static int write_documents(struct item_writer *writer, const void *context, struct error *error)
{
  const struct publication_documents *d = context;
  int status = put_tree(writer, d->p, false, d->collection, error);
  for (size_t i = 0; i < d->count && status == 0; i++)
    status = put_tree(writer, d->p, true, d->items[i], error);
  return status;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static int add_files(const struct publish_place *place, const struct publication *p, const struct job *job,
                     const char *from, struct error *error)
{
  struct stored_file file;
  char name[PUBLISHED_NAME_SIZE];
  size_t at = 0;
  int status = 0;
  while (status == 0 && stored_file_next(job, &at, &file)) {
    published_name(p, file.name, name);
    status = published_add(place->folder, p->id, &(struct published_source){from, file.name}, name, error);
  }
  return status;
}

static void drop_files(const struct publish_place *place, const struct publication *p, const struct job *job)
{
  struct stored_file file;
  char name[PUBLISHED_NAME_SIZE];
  size_t at = 0;
  while (p->stamp != NULL && stored_file_next(job, &at, &file)) {
    published_name(p, file.name, name);
    published_drop(place->folder, p->id, name);
  }
  if (p->stamp == NULL)
    published_remove(place->folder, p->id);
}

/* ---- together ---------------------------------------------------------------------------------------------------- */

static int publish(const struct publish_place *place, const struct publication *p, const struct job *job,
                   const char *from, struct error *error)
{
  struct publication_documents documents;
  int status = p->stamp == NULL ? published_make(place->folder, p->id, p->user, error) : 0;
  if (status != 0)
    return -1;
  status = add_files(place, p, job, from, error);
  if (status == 0) {
    status = make_documents(place, p, job, &documents, error);
    if (status == 0)
      status = change_catalogue(place, write_documents, &documents, error);
    documents_free(&documents);
  }
  if (status != 0)
    drop_files(place, p, job);
  return status;
}

int publish_results(const struct publish_place *place, const struct publication *p, const struct job *job,
                    const char *from, struct error *error)
{
  struct publication whole = *p;
  char stamp[40];
  bool is_there;
  if (publish_check(place, p->id, p->user, p->adds, &is_there, error) != 0)
    return -1;
  published_stamp(stamp);
  whole.stamp = is_there ? stamp : NULL;
  return publish(place, &whole, job, from, error);
}

/* A folder that a crash left has no collection. */
static int remove_documents(struct item_writer *writer, const void *id, struct error *error)
{
  int status = item_writer_remove_collection(writer, id, error);
  if (status != 0 && error_is(error, ERROR_CollectionNotFound)) {
    *error = (struct error){0};
    status = 0;
  }
  return status;
}

int publish_take_back(const struct publish_place *place, const char *id, const char *user, struct error *error)
{
  if (check_enabled(place, error) != 0 || published_check_owner(place->folder, id, user, error) != 0 ||
      change_catalogue(place, remove_documents, id, error) != 0)
    return -1;
  published_remove(place->folder, id);
  return 0;
}
