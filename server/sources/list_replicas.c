/* Replicas of files, as Rucio lists them: a metalink (RFC 5854), or lines of JSON. Each file is read from the first
 * replica, in the order of their priorities, that answers; those that may not be asked, or speak no HTTP, do not count.
 * A file that nobody answers for is an error: a collection without it would be another one. */
#include "server/sources/source_kind.h"
#include "server/sources/xml_tree.h"

#include "stac/href.h"

#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { REPLICAS_MOST = 64, SILENT_MOST = 64 };

struct replica {
  const char *address;
  long priority;
};

struct replicated_file {
  const char *name, *stamp;
  uint64_t size;
  struct replica replicas[REPLICAS_MOST];
  size_t count;
};

struct replica_search {
  struct source_session *session;
  struct source_listing *listing;
  const char *silent[SILENT_MOST]; /* hosts that did not answer: they are asked last */
  size_t silent_count;
};

/* ---- replicas ---------------------------------------------------------------------------------------------------- */

static void add_replica(struct arena *arena, struct replicated_file *file, const char *address, long priority)
{
  const char *web = source_web_address(arena, address);
  if (web && href_is_web(web) && file->count < REPLICAS_MOST)
    file->replicas[file->count++] = (struct replica){web, priority};
}

static size_t origin_length(const char *address)
{
  const char *host = strstr(address, "://");
  return host ? (size_t)(host - address) + 3 + strcspn(host + 3, "/?#") : strlen(address);
}

static bool is_silent(const struct replica_search *search, const char *address)
{
  const size_t length = origin_length(address);
  for (size_t i = 0; i < search->silent_count; i++)
    if (strlen(search->silent[i]) == length && strncmp(search->silent[i], address, length) == 0)
      return true;
  return false;
}

static void note_silent(struct replica_search *search, const char *address)
{
  const char *origin = arena_strndup(search->session->arena, address, origin_length(address));
  if (origin && search->silent_count < SILENT_MOST && !is_silent(search, address))
    search->silent[search->silent_count++] = origin;
}

static int compare_replica(const void *a, const void *b)
{
  const struct replica *first = a, *second = b;
  return first->priority < second->priority ? -1 : first->priority > second->priority;
}

/* Whether it answers; the reason where it does not. */
static bool answers(struct replica_search *search, const char *address, struct error *reason)
{
  struct source_answer answer;
  struct error own = {0};
  const bool found =
      source_ask(search->session, &(struct source_question){.url = address, .method = "HEAD"}, &answer, &own) == 0;
  if (found)
    source_answer_free(&answer);
  else if (error_is(&own, ERROR_InfrastructureBusy))
    note_silent(search, address);
  *reason = found ? *reason : own;
  return found;
}

static int take_file(struct replica_search *search, struct replicated_file *file, struct error *error)
{
  struct error reason = {0};
  if (file->count > 0)
    qsort(file->replicas, file->count, sizeof *file->replicas, compare_replica);
  for (unsigned pass = 0; pass < 2; pass++) /* those of silent hosts in the second one */
    for (size_t i = 0; i < file->count; i++) {
      const char *address = file->replicas[i].address;
      if (is_silent(search, address) != (pass == 1))
        continue;
      if (answers(search, address, &reason))
        return source_listing_add(search->listing, &(struct listed_file){file->name, address, file->stamp, file->size},
                                  error);
      if (error_is(&reason, ERROR_RequestTimeout) || error_is(&reason, ERROR_ProcessGraphComplexity)) {
        *error = reason;
        return -1;
      }
    }
  return error_set(error, file->count ? error_code_find(reason.code) : ERROR_FeatureUnsupported,
                   "no replica of %.200s can be read: %.300s", file->name,
                   file->count ? reason.message : "none speaks HTTP or S3");
}

/* ---- metalinks --------------------------------------------------------------------------------------------------- */

static int take_metalink(struct replica_search *search, const struct xml_element *root, struct error *error)
{
  const struct xml_element *files = xml_child(root, "files"); /* of version 3 */
  for (const struct xml_element *at = xml_child(files ? files : root, "file"); at; at = xml_further(at, "file")) {
    const char *size = xml_child_text(at, "size");
    struct replicated_file file = {.name = xml_value(at, "name"), .stamp = xml_child_text(at, "hash")};
    const struct xml_element *resources = xml_child(at, "resources");
    file.size = size ? strtoull(size, NULL, 10) : 0;
    for (const struct xml_element *url = xml_child(resources ? resources : at, "url"); url;
         url = xml_further(url, "url")) {
      const char *priority = xml_value(url, "priority");
      add_replica(search->session->arena, &file, url->text, priority ? strtol(priority, NULL, 10) : LONG_MAX);
    }
    if (!file.name)
      search->listing->left_out++;
    else if (take_file(search, &file, error) != 0)
      return -1;
  }
  return 0;
}

/* ---- lines of JSON ----------------------------------------------------------------------------------------------- */

/* {"scope", "name", "bytes", "adler32", "pfns": {ADDRESS: {"priority"}}}, or "rses": {NAME: [ADDRESS]} alone. */
static int take_object(struct replica_search *search, json_t *object, struct error *error)
{
  struct arena *arena = search->session->arena;
  json_t *pfns = json_object_get(object, "pfns"), *rses = json_object_get(object, "rses");
  const json_int_t size = json_integer_value(json_object_get(object, "bytes"));
  struct replicated_file file = {.name = json_string_value(json_object_get(object, "name")),
                                 .stamp = json_string_value(json_object_get(object, "adler32")),
                                 .size = size > 0 ? (uint64_t)size : 0};
  for (void *at = json_object_iter(pfns); at; at = json_object_iter_next(pfns, at)) {
    const json_t *priority = json_object_get(json_object_iter_value(at), "priority");
    add_replica(arena, &file, json_object_iter_key(at),
                json_is_integer(priority) ? (long)json_integer_value(priority) : LONG_MAX);
  }
  for (void *at = pfns ? NULL : json_object_iter(rses); at; at = json_object_iter_next(rses, at))
    for (size_t i = 0; i < json_array_size(json_object_iter_value(at)); i++) {
      const char *address = json_string_value(json_array_get(json_object_iter_value(at), i));
      if (address)
        add_replica(arena, &file, address, LONG_MAX);
    }
  if (file.name)
    return take_file(search, &file, error);
  search->listing->left_out++;
  return 0;
}

static int take_lines(struct replica_search *search, const char *address, const struct buffer *body,
                      struct error *error)
{
  int status = 0;
  for (size_t at = 0; at < body->length && status == 0;) {
    const char *line = body->data + at, *end = memchr(line, '\n', body->length - at);
    const size_t length = end ? (size_t)(end - line) : body->length - at;
    at += length + 1;
    if (strspn(line, " \t\r\n") >= length)
      continue;
    json_t *object = json_loadb(line, length, 0, NULL);
    status = json_is_object(object) ? take_object(search, object, error)
                                    : error_set(error, ERROR_FileContentInvalid,
                                                "%.200s: the answer is neither a metalink nor lines of JSON", address);
    json_decref(object);
  }
  return status;
}

static int take_answer(struct replica_search *search, const char *address, const struct buffer *body,
                       struct error *error)
{
  const size_t blank = body->length ? strspn(body->data, " \t\r\n\xef\xbb\xbf") : 0;
  if (blank >= body->length || body->data[blank] != '<')
    return take_lines(search, address, body, error);
  struct arena *arena = arena_new(0);
  const struct xml_element *root = arena ? xml_parse(arena, body->data, body->length, error) : NULL;
  int status = root ? 0 : arena ? -1 : error_memory(error);
  if (root && strcmp(root->name, "metalink") != 0)
    status = error_set(error, ERROR_FileContentInvalid, "%.200s is no metalink", address);
  if (status == 0)
    status = take_metalink(search, root, error);
  arena_free(arena);
  return status;
}

int list_replicas(struct source_session *session, const char *address, struct source_listing *listing,
                  struct error *error)
{
  struct replica_search search = {.session = session, .listing = listing};
  struct source_answer answer;
  const struct source_question question = {
      .url = address, .accept = "application/metalink4+xml, application/x-json-stream;q=0.9, */*;q=0.1"};
  if (source_ask(session, &question, &answer, error) != 0)
    return -1;
  const int status = take_answer(&search, address, &answer.body, error);
  source_answer_free(&answer);
  return status;
}
