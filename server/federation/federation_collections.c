/* Lists are merged by name as they are written: those of the back-ends are in order each. */
#include "server/federation/federation_state.h"

#include "server/clock.h"
#include "server/http/http.h"
#include "server/http/json_check.h"

#include <stdlib.h>
#include <string.h>

enum { DOCUMENT_BYTES = 4 * 1024 * 1024 };

/* ---- names ------------------------------------------------------------------------------------------------------ */

size_t backend_first_behind(const struct backend *backend, const char *name)
{
  size_t low = 0, high = backend->survey.count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (strcmp(backend->survey.collections[middle].name, name) <= 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

const struct listed_collection *backend_find(const struct backend *backend, const char *name)
{
  const size_t behind = backend_first_behind(backend, name);
  const struct listed_collection *found = behind > 0 ? &backend->survey.collections[behind - 1] : NULL;
  return found != NULL && strcmp(found->name, name) == 0 ? found : NULL;
}

/* The part of BACKEND|ID behind the bar; NULL where the name is not of that form. */
static const char *id_within(const struct backend *backend, const char *name)
{
  const size_t length = strlen(backend->settings->id);
  return strncmp(name, backend->settings->id, length) == 0 && name[length] == '|' ? name + length + 1 : NULL;
}

/* A collection that has an alias may be called BACKEND|ID, too. */
const struct listed_collection *backend_named(const struct backend *backend, const char *name)
{
  const struct listed_collection *found = backend_find(backend, name);
  const char *id = id_within(backend, name);
  for (size_t i = 0; found == NULL && id != NULL && i < backend->survey.count; i++)
    if (strcmp(backend->survey.collections[i].id, id) == 0)
      found = &backend->survey.collections[i];
  return found;
}

/* Under the lock. One of a back-end that is there goes first. */
static const struct listed_collection *find_first(struct federation *federation, const char *name,
                                                  const struct backend **backend)
{
  const struct listed_collection *found = NULL;
  for (size_t i = 0; i < federation->count; i++) {
    const struct listed_collection *one = backend_named(&federation->backends[i], name);
    if (one == NULL || (found != NULL && !federation->backends[i].is_online))
      continue;
    found = one;
    *backend = &federation->backends[i];
    if (federation->backends[i].is_online)
      break;
  }
  return found;
}

/* A back-end that has not told yet what it has may have it. */
static int not_found(const struct federation *federation, const char *name, struct error *error)
{
  for (size_t i = 0; i < federation->count; i++) {
    const struct backend *backend = &federation->backends[i];
    const bool is_its = id_within(backend, name) != NULL || json_object_get(backend->settings->aliases, name) != NULL;
    if (is_its && backend->survey.count == 0 && !backend->survey.is_known[SURVEY_COLLECTIONS])
      return error_set(error, ERROR_InfrastructureBusy,
                       "the back-end '%s' of the federation has not told yet what collections it has",
                       backend->settings->id);
  }
  return error_set(error, ERROR_CollectionNotFound, "there is no collection '%.200s'", name);
}

int federation_find(struct federation *federation, const char *name, struct federated_collection *out,
                    struct error *error)
{
  const struct backend *backend = NULL;
  pthread_rwlock_rdlock(&federation->lock);
  const struct listed_collection *found = find_first(federation, name, &backend);
  if (found != NULL) {
    *out = (struct federated_collection){.backend = backend->settings,
                                         .speaks_openeo = backend->survey.speaks_openeo,
                                         .writes_netcdf = json_object_get(backend->survey.formats, "netcdf") != NULL,
                                         .writes_vectors = backend->survey.writes_vectors,
                                         .writes_gtiff = json_object_get(backend->survey.formats, "gtiff") != NULL,
                                         .has_jobs = backend->has_jobs,
                                         .is_online = backend->is_online};
    snprintf(out->id, sizeof out->id, "%s", found->id);
  }
  int status = found != NULL ? 0 : not_found(federation, name, error);
  pthread_rwlock_unlock(&federation->lock);
  return status;
}

bool federation_id_at(struct federation *federation, const struct backend_settings *settings, const char *name,
                      char out[COLLECTION_NAME_SIZE])
{
  const struct listed_collection *found = NULL;
  pthread_rwlock_rdlock(&federation->lock);
  for (size_t i = 0; i < federation->count && found == NULL; i++)
    if (federation->backends[i].settings == settings)
      found = backend_named(&federation->backends[i], name);
  if (found != NULL)
    snprintf(out, COLLECTION_NAME_SIZE, "%s", found->id);
  pthread_rwlock_unlock(&federation->lock);
  return found != NULL;
}

/* ---- documents -------------------------------------------------------------------------------------------------- */

static void write_link(struct json_writer *w, const char *rel, const char *type, const char *href, const char *end)
{
  struct buffer whole = {0};
  buffer_printf(&whole, "%s%s", href, end);
  json_write_object(w);
  json_kv_string(w, "rel", rel);
  json_kv_string(w, "href", whole.failed ? href : whole.data);
  json_kv_string(w, "type", type);
  json_end_object(w);
  buffer_free(&whole);
}

/* Ours, and then those that came with the document. */
static void write_links(const char *name, const char *base, const char *further, struct json_writer *w)
{
  static const char json[] = "application/json";
  struct buffer self = {0};
  buffer_printf(&self, "%s/collections/", base);
  http_encode(name, &self);
  const char *href = self.failed ? base : self.data;
  json_key(w, "links");
  json_write_array(w);
  write_link(w, "self", json, href, "");
  write_link(w, "root", json, base, "/");
  write_link(w, "parent", json, base, "/");
  write_link(w, "http://www.opengis.net/def/rel/ogc/1.0/queryables", "application/schema+json", href, "/queryables");
  json_write_raw(w, further, strlen(further));
  json_end_array(w);
  buffer_free(&self);
}

/* The rest of an object that a text began. */
static struct json_writer reopen(struct buffer *out, const char *json)
{
  buffer_text(out, json);
  return (struct json_writer){.out = out, .depth = 1, .need_comma = true};
}

/* Under the lock. */
static void write_backends(const struct federation *federation, const char *name, struct json_writer *w)
{
  json_key(w, "federation:backends");
  json_write_array(w);
  for (size_t i = 0; i < federation->count; i++)
    if (backend_named(&federation->backends[i], name) != NULL)
      json_write_string(w, federation->backends[i].settings->id);
  json_end_array(w);
}

/* The next name of those that stand at `at`: its first collection; all of that name are passed. */
static const struct listed_collection *next_listed(const struct federation *federation, size_t at[BACKENDS_MOST])
{
  const struct listed_collection *first = NULL;
  for (size_t i = 0; i < federation->count; i++) {
    const struct backend_survey *survey = &federation->backends[i].survey;
    const struct listed_collection *one = at[i] < survey->count ? &survey->collections[at[i]] : NULL;
    if (one != NULL && (first == NULL || strcmp(one->name, first->name) < 0))
      first = one;
  }
  for (size_t i = 0; first != NULL && i < federation->count; i++) {
    const struct backend_survey *survey = &federation->backends[i].survey;
    at[i] += at[i] < survey->count && strcmp(survey->collections[at[i]].name, first->name) == 0;
  }
  return first;
}

/* Under the lock. */
static void write_listed(const struct federation *federation, const struct listed_collection *one, const char *base,
                         struct buffer *out)
{
  struct json_writer object = reopen(out, one->json);
  write_backends(federation, one->name, &object);
  write_links(one->name, base, one->links, &object);
  json_end_object(&object);
}

int federation_listed_json(struct federation *federation, const char *name, const char *base, struct buffer *out,
                           struct error *error)
{
  const struct backend *backend = NULL;
  pthread_rwlock_rdlock(&federation->lock);
  const struct listed_collection *one = find_first(federation, name, &backend);
  if (one != NULL)
    write_listed(federation, one, base, out);
  pthread_rwlock_unlock(&federation->lock);
  if (one == NULL)
    return error_set(error, ERROR_CollectionNotFound, "there is no collection '%.200s'", name);
  return out->failed ? error_memory(error) : 0;
}

void federation_write_collections(struct federation *federation, struct federation_page *page, struct json_writer *w)
{
  size_t at[BACKENDS_MOST];
  const struct listed_collection *one;
  pthread_rwlock_rdlock(&federation->lock);
  for (size_t i = 0; i < federation->count; i++)
    at[i] = page->after[0] != '\0' ? backend_first_behind(&federation->backends[i], page->after) : 0;
  while (!page->more && (one = next_listed(federation, at)) != NULL) {
    if (page->is_own(page->data, one->name))
      continue;
    page->more = page->left == 0;
    if (page->more)
      break;
    struct buffer json = {0};
    write_listed(federation, one, page->base, &json);
    if (json.failed)
      w->out->failed = true;
    else
      json_write_raw(w, json.data, json.length);
    buffer_free(&json);
    snprintf(page->last, sizeof page->last, "%s", one->name);
    page->left--;
  }
  pthread_rwlock_unlock(&federation->lock);
}

void federation_each(struct federation *federation, bool (*report)(void *data, const char *id, const char *title),
                     void *data)
{
  size_t at[BACKENDS_MOST] = {0};
  const struct listed_collection *one;
  pthread_rwlock_rdlock(&federation->lock);
  while ((one = next_listed(federation, at)) != NULL && report(data, one->name, one->title))
    ;
  pthread_rwlock_unlock(&federation->lock);
}

/* ---- one collection, whole -------------------------------------------------------------------------------------- */

static json_t *read_object(const struct buffer *text)
{
  size_t line;
  json_t *tree = text->length > 0 && json_check(text->data, text->length, &line) == NULL
                     ? json_loadb(text->data, text->length, 0, NULL)
                     : NULL;
  if (json_is_object(tree))
    return tree;
  json_decref(tree);
  return NULL;
}

/* The document of an address there, as new as can be had now; *is_old: it is not known whether it still holds. NULL,
 * and the error, where there is none. */
static json_t *get_document(struct federation *federation, const struct federated_collection *where, const char *end,
                            bool *is_old, struct error *error)
{
  struct buffer url = {0};
  struct web_document document = {0};
  struct error reason = {0};
  const struct web_fetch question = {.via = "1.1 " FEDERATION_VIA,
                                     .ca_file = where->backend->ca_file,
                                     .most = DOCUMENT_BYTES,
                                     .stopping = &federation->stopping};
  backend_collection_url(where->backend, where->id, end, &url);
  *is_old = !where->is_online;
  if (!url.failed && web_kept_find(federation->kept, url.data, &document, &reason) == 0 && where->is_online &&
      document.expires <= steady_now() && web_kept_renew(federation->kept, &question, &document, &reason) != 0) {
    *is_old = true;
    federation_doubt(federation, where->backend);
  }
  json_t *tree = read_object(&document.text);
  if (tree == NULL)
    error_set(error, ERROR_InfrastructureBusy, "the back-end '%s' of the federation does not say it now%s%s",
              where->backend->id, error_is_set(&reason) ? ": " : "", reason.message);
  web_document_free(&document);
  buffer_free(&url);
  return tree;
}

json_t *federation_document(struct federation *federation, const struct federated_collection *where, bool may_wait)
{
  struct federated_collection asked = *where;
  struct error ignored = {0};
  bool is_old;
  asked.is_online = where->is_online && may_wait;
  return get_document(federation, &asked, "", &is_old, &ignored);
}

static void write_old(const struct federated_collection *where, struct json_writer *w)
{
  json_key(w, "federation:missing");
  json_write_array(w);
  json_write_string(w, where->backend->id);
  json_end_array(w);
}

struct own_place { /* of a document here */
  const char *name, *base;
};

/* What the list says, in place of a document that cannot be had. */
static int write_from_list(struct federation *federation, const struct federated_collection *where,
                           const struct own_place *place, struct buffer *out)
{
  const struct backend *backend = NULL;
  pthread_rwlock_rdlock(&federation->lock);
  const struct listed_collection *one = find_first(federation, place->name, &backend);
  if (one != NULL) {
    struct json_writer w = reopen(out, one->json);
    write_backends(federation, one->name, &w);
    write_old(where, &w);
    write_links(one->name, place->base, one->links, &w);
    json_end_object(&w);
  }
  pthread_rwlock_unlock(&federation->lock);
  return one != NULL ? 0 : -1;
}

static int write_document(struct federation *federation, const struct collection_texts *texts,
                          const struct federated_collection *old, const struct own_place *place, struct buffer *out)
{
  struct json_writer w = reopen(out, texts->json.data);
  pthread_rwlock_rdlock(&federation->lock);
  write_backends(federation, place->name, &w);
  pthread_rwlock_unlock(&federation->lock);
  if (old != NULL)
    write_old(old, &w);
  write_links(place->name, place->base, texts->links.data, &w);
  json_end_object(&w);
  return out->failed ? -1 : 0;
}

/* One that may not be waited for is as good as away. */
static int find_for(struct federation *federation, const struct collection_question *question,
                    struct federated_collection *out, struct error *error)
{
  int status = federation_find(federation, question->name, out, error);
  if (status == 0)
    out->is_online = out->is_online && question->may_wait;
  return status;
}

int federation_collection_json(struct federation *federation, const struct collection_question *question,
                               struct buffer *out, struct error *error)
{
  struct federated_collection where;
  struct collection_texts texts;
  struct error reason = {0};
  char listed[COLLECTION_NAME_SIZE];
  bool is_old;
  if (find_for(federation, question, &where, error) != 0)
    return -1;
  if (!backend_collection_name(where.backend, where.id, listed))
    return not_found(federation, question->name, error);
  const struct own_place place = {listed, question->base};
  json_t *document = get_document(federation, &where, "", &is_old, &reason);
  if (document == NULL)
    return write_from_list(federation, &where, &place, out) == 0 ? 0 : not_found(federation, question->name, error);
  int status = backend_collection_make(where.backend, document, listed, false, &texts, error);
  json_decref(document);
  if (status != 0)
    return -1;
  status = write_document(federation, &texts, is_old ? &where : NULL, &place, out);
  buffer_free(&texts.json);
  buffer_free(&texts.links);
  return status == 0 ? 0 : error_memory(error);
}

int federation_queryables_json(struct federation *federation, const struct collection_question *question,
                               struct buffer *out, struct error *error)
{
  struct federated_collection where;
  struct buffer self = {0};
  bool is_old;
  if (find_for(federation, question, &where, error) != 0)
    return -1;
  json_t *document = get_document(federation, &where, "/queryables", &is_old, error);
  if (document == NULL)
    return -1;
  buffer_printf(&self, "%s/collections/", question->base);
  http_encode(question->name, &self);
  buffer_text(&self, "/queryables");
  json_object_set_new(document, "$id", json_string(self.failed ? question->base : self.data));
  char *text = json_dumps(document, JSON_COMPACT);
  buffer_text(out, text != NULL ? text : "");
  free(text);
  json_decref(document);
  buffer_free(&self);
  return out->length == 0 || out->failed ? error_memory(error) : 0;
}
