/* Files first, then one transaction of the catalogue. */
#include "server/publish/publish.h"

#include "server/endpoints/result_document.h"
#include "server/publish/published_files.h"

#include "stac/items_extent.h"
#include "stac/search/stored_items.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static int is_private_here(const struct publish_place *place, const char *id, bool *out, struct error *error)
{
  struct catalogue *catalogue = NULL;
  if (catalogue_open(place->catalogue, false, &catalogue, error) != 0)
    return -1;
  const int status = catalogue_is_private(catalogue, id, out, error);
  catalogue_close(catalogue);
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

/* To others a private collection is one that they cannot have, and nothing more. */
static int refuse_present(const char *id, struct error *error)
{
  return error_set(error, ERROR_StacConflict, "there is a collection '%.100s' already", id);
}

static int check_present(const struct publish_place *place, const struct publication *p, struct error *error)
{
  struct error none = {0};
  bool is_private = false;
  if (is_private_here(place, p->id, &is_private, error) != 0)
    return -1;
  const bool is_own = p->adds && published_check_owner(place->folder, p->id, p->user, &none) == 0;
  if (p->adds && !is_own && !is_private && error_is(&none, ERROR_PermissionsInsufficient)) {
    *error = none;
    return -1;
  }
  if (!is_own)
    return refuse_present(p->id, error);
  if (p->audience == PUBLISH_AS_BEFORE || p->audience == PUBLISH_AS_BEFORE_OR_ALL ||
      (p->audience == PUBLISH_FOR_OWNER) == is_private)
    return 0;
  return error_set(error, ERROR_StacConflict, "collection '%.100s' is there, and %s", p->id,
                   is_private ? "yours alone, not public" : "public");
}

int publish_check(const struct publish_place *place, const struct publication *p, bool *is_there, struct error *error)
{
  json_t *present = NULL;
  if (publish_check_id(place, p->id, error) != 0 || read_collection(place, p->id, "", &present, error) != 0)
    return -1;
  *is_there = present != NULL;
  json_decref(present);
  return *is_there ? check_present(place, p, error) : 0;
}

/* ---- documents --------------------------------------------------------------------------------------------------- */

struct publication_documents {
  json_t *collection;
  json_t **items;
  size_t count;
  const struct publication *p;
  bool is_there; /* the collection grows */
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
static int grow(const struct publish_place *place, const struct job *job, struct publication_documents *d,
                struct error *error)
{
  if (read_collection(place, d->p->id, d->p->base, &d->collection, error) != 0)
    return -1;
  if (d->collection == NULL)
    return error_set(error, ERROR_CollectionNotFound, "the collection '%.100s' is gone", d->p->id);
  json_t *extent = items_extent(json_object_get(d->collection, "extent"), d->items, d->count);
  published_set_updated(job, d->collection);
  published_add_sources(d->p, job, json_object_get(d->collection, "links"));
  return extent != NULL && json_object_set_new(d->collection, "extent", extent) == 0 ? 0 : error_memory(error);
}

static int make_documents(const struct publish_place *place, const struct publication *p, const struct job *job,
                          struct publication_documents *out, struct error *error)
{
  if (make_items(out, job, error) != 0)
    return -1;
  if (out->is_there)
    return grow(place, job, out, error);
  out->collection = published_collection(p, job, error);
  return out->collection != NULL ? 0 : -1;
}

static int put_tree(struct item_writer *writer, const struct publication_documents *d, bool is_item, const json_t *tree,
                    struct error *error)
{
  char *text = json_dumps(tree, JSON_COMPACT);
  int status = text != NULL ? 0 : error_memory(error);
  if (status == 0)
    status = is_item ? item_writer_put(writer, d->p->id, ITEM_UPSERT, text, strlen(text), error)
                     : item_writer_put_collection(writer, NULL, d->is_there ? ITEM_UPDATE : ITEM_INSERT, text,
                                                  strlen(text), error);
  free(text);
  return status;
}

/* A new collection. */
static bool is_for_owner(const struct publication *p)
{
  return p->audience == PUBLISH_FOR_OWNER || p->audience == PUBLISH_AS_BEFORE;
}

static int write_documents(struct item_writer *writer, const void *context, struct error *error)
{
  const struct publication_documents *d = context;
  int status = put_tree(writer, d, false, d->collection, error);
  if (status == 0 && !d->is_there && is_for_owner(d->p))
    status = item_writer_set_owner(writer, d->p->id, d->p->user, error);
  for (size_t i = 0; i < d->count && status == 0; i++)
    status = put_tree(writer, d, true, d->items[i], error);
  return status;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* `is_new` has room for what each file is; *count: how many were added. */
static int add_files(const struct publish_place *place, const struct publication *p, const struct job *job,
                     const char *from, bool *is_new, size_t *count, struct error *error)
{
  struct stored_file file;
  char name[PUBLISHED_NAME_SIZE];
  size_t at = 0;
  int status = 0;
  for (*count = 0; stored_file_next(job, &at, &file); ++*count) {
    published_name(p, job, file.name, name);
    status =
        published_add(place->folder, p->id, &(struct published_source){from, file.name}, name, &is_new[*count], error);
    if (status != 0)
      break;
  }
  return status;
}

/* What was there before, of this job too, stays. */
static void drop_files(const struct publish_place *place, const struct publication *p, const struct job *job,
                       const bool *is_new, size_t count)
{
  struct stored_file file;
  char name[PUBLISHED_NAME_SIZE];
  size_t at = 0;
  for (size_t i = 0; i < count && stored_file_next(job, &at, &file); i++) {
    published_name(p, job, file.name, name);
    if (is_new[i])
      published_drop(place->folder, p->id, name);
  }
}

/* ---- together ---------------------------------------------------------------------------------------------------- */

static int publish(const struct publish_place *place, struct publication_documents *documents, const struct job *job,
                   const char *from, struct error *error)
{
  const struct publication *p = documents->p;
  size_t count = 0;
  bool *is_new = calloc(count_files(job) + 1, sizeof *is_new);
  int status = is_new != NULL ? 0 : error_memory(error);
  if (status == 0 && !documents->is_there)
    status = published_make(place->folder, p->id, p->user, error);
  const bool is_made = status == 0 && !documents->is_there;
  if (status == 0)
    status = add_files(place, p, job, from, is_new, &count, error);
  if (status == 0)
    status = make_documents(place, p, job, documents, error);
  if (status == 0)
    status = change_catalogue(place, write_documents, documents, error);
  if (status != 0 && is_made)
    published_remove(place->folder, p->id);
  else if (status != 0)
    drop_files(place, p, job, is_new, count);
  free(is_new);
  return status;
}

/* Names in a public collection are for all. One that is there is public or not, whatever is said. */
static int publish_told(const struct publish_place *place, const struct publication *p, bool is_there,
                        const struct job *job, const char *from, struct error *error)
{
  struct publication whole = *p;
  struct catalogue *secrets = NULL;
  bool is_private = is_for_owner(p);
  if (is_there && is_private_here(place, p->id, &is_private, error) != 0)
    return -1;
  if (!is_private && catalogue_open(place->catalogue, false, &secrets, error) != 0)
    return -1;
  whole.secrets = secrets;
  struct publication_documents documents = {.p = &whole, .is_there = is_there};
  const int status = publish(place, &documents, job, from, error);
  documents_free(&documents);
  catalogue_close(secrets);
  return status;
}

int publish_results(const struct publish_place *place, const struct publication *p, const struct job *job,
                    const char *from, struct error *error)
{
  int lock;
  bool is_there;
  if (check_enabled(place, error) != 0 || published_lock(place->folder, &lock, error) != 0)
    return -1;
  int status = publish_check(place, p, &is_there, error);
  if (status == 0)
    status = publish_told(place, p, is_there, job, from, error);
  close(lock);
  return status;
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

/* Of others' private collections nobody hears. */
static int check_remover(const struct publish_place *place, const char *id, const char *user, struct error *error)
{
  struct error found = {0};
  bool is_private = false;
  if (published_check_owner(place->folder, id, user, &found) == 0)
    return 0;
  if (error_is(&found, ERROR_PermissionsInsufficient) && is_private_here(place, id, &is_private, error) != 0)
    return -1;
  if (is_private)
    return error_set(error, ERROR_CollectionNotFound, "nobody here published a collection '%.100s'", id);
  *error = found;
  return -1;
}

int publish_take_back(const struct publish_place *place, const char *id, const char *user, struct error *error)
{
  int lock;
  if (check_enabled(place, error) != 0 || check_remover(place, id, user, error) != 0 ||
      published_lock(place->folder, &lock, error) != 0)
    return -1;
  const int status = change_catalogue(place, remove_documents, id, error);
  if (status == 0)
    published_remove(place->folder, id);
  close(lock);
  return status;
}
