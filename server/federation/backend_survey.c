#include "server/federation/backend_survey.h"

#include "server/clock.h"
#include "server/federation/backend_collection.h"
#include "server/federation/backend_items.h"
#include "server/http/json_check.h"
#include "server/http/json_text.h"

#include "datacube/base/logger.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
  LOOK_SECONDS = 5,
  LIST_SECONDS = 20,              /* of one document: lists of some back-ends take as long */
  LIST_BYTES = 8 * 1024 * 1024,   /* likewise */
  COLLECTION_BYTES = 1024 * 1024, /* of one collection in a list */
  PAGES_MOST = 50,                /* of a list */
  COLLECTIONS_MOST = 10000,
  LISTED_BYTES = 32 * 1024 * 1024, /* of all collections */
  NAMES_MOST = 5000
};

/* ---- documents -------------------------------------------------------------------------------------------------- */

/* What is there, whole and valid. The caller frees the document in any case. */
static int get(const struct survey_place *place, const char *url, double seconds, struct web_document *out,
               struct error *error)
{
  const struct web_fetch question = {.via = "1.1 " FEDERATION_VIA,
                                     .ca_file = place->backend->ca_file,
                                     .most = LIST_BYTES,
                                     .seconds = seconds,
                                     .stopping = place->stopping};
  size_t line;
  *out = (struct web_document){0};
  if (web_kept_find(place->kept, url, out, error) != 0)
    return -1;
  if (out->expires <= steady_now() && web_kept_renew(place->kept, &question, out, error) != 0)
    return -1;
  const char *wrong = out->text.length > 0 ? json_check(out->text.data, out->text.length, &line) : "it is empty";
  return wrong == NULL && out->text.data[strspn(out->text.data, " \t\r\n")] == '{'
             ? 0
             : error_set(error, ERROR_InfrastructureBusy, "%.200s is no JSON object%s%s", url, wrong ? ": " : "",
                         wrong ? wrong : "");
}

static int get_path(const struct survey_place *place, const char *path, double seconds, struct web_document *out,
                    struct error *error)
{
  char url[BACKEND_URL_SIZE + 32];
  snprintf(url, sizeof url, "%s%s", place->backend->url, path);
  return get(place, url, seconds, out, error);
}

static bool has(const struct web_document *document, const char *member, char starts, const char **out, size_t *length)
{
  const char *text = document->text.data;
  const size_t blank = strspn(text, " \t\r\n");
  *out = json_text_member(text + blank, document->text.length - blank, member, length);
  return *out != NULL && **out == starts;
}

/* Most tell two addresses, or one, by GET and by POST. */
static void find_search(const struct web_document *document, char out[BACKEND_URL_SIZE])
{
  const char *links, *one;
  size_t length, at = 0, size;
  out[0] = '\0';
  if (!has(document, "links", '[', &links, &length))
    return;
  while ((one = json_text_element(links, length, &at, &size)) != NULL) {
    struct buffer url = {0};
    json_t *link = json_loadb(one, size, 0, NULL);
    const char *relation = json_string_value(json_object_get(link, "rel"));
    const char *href = json_string_value(json_object_get(link, "href"));
    const char *method = json_string_value(json_object_get(link, "method"));
    const bool is_post = method != NULL && strcmp(method, "POST") == 0;
    if (relation != NULL && strcmp(relation, "search") == 0 && href != NULL && (is_post || out[0] == '\0'))
      backend_resolve(document->url, href, &url);
    if (!url.failed && url.length > 0 && url.length < BACKEND_URL_SIZE)
      snprintf(out, BACKEND_URL_SIZE, "%s", url.data);
    buffer_free(&url);
    json_decref(link);
  }
}

static bool says(const char *text, size_t length, const char *part)
{
  return memmem(text, length, part, strlen(part)) != NULL;
}

/* Whether batch jobs can be made. */
static bool find_jobs(const struct web_document *document)
{
  const char *endpoints, *one, *path;
  size_t length, at = 0, size, path_length;
  if (!has(document, "endpoints", '[', &endpoints, &length))
    return false;
  while ((one = json_text_element(endpoints, length, &at, &size)) != NULL) {
    path = *one == '{' ? json_text_member(one, size, "path", &path_length) : NULL;
    if (path != NULL && path_length == strlen("\"/jobs\"") && memcmp(path, "\"/jobs\"", path_length) == 0)
      return says(one, size, "\"POST\"") || says(one, size, "\"post\"");
  }
  return false;
}

/* A filter is sent as JSON, which whoever filters in a body takes. False: the document says nothing of searches. */
static bool read_ability(const struct web_document *document, struct search_ability *out)
{
  const char *classes, *one;
  size_t length, at = 0, size;
  bool searches = false, reads_json = false, filters = false;
  *out = (struct search_ability){false, false, false};
  if (!has(document, "conformsTo", '[', &classes, &length))
    return false;
  while ((one = json_text_element(classes, length, &at, &size)) != NULL) {
    searches = searches || says(one, size, "/item-search");
    out->sorts = out->sorts || says(one, size, "/item-search#sort");
    out->queries = out->queries || says(one, size, "/item-search#query");
    filters = filters || says(one, size, "/item-search#filter");
    reads_json = reads_json || says(one, size, "/cql2-json");
  }
  out->filters = filters && reads_json;
  return searches;
}

/* An openEO API may lead to a STAC API that has the search, and says beside it what that does. */
static void find_ability(const struct survey_place *place, const struct web_document *document,
                         struct backend_look *out)
{
  const char *slash = strrchr(out->search, '/');
  struct buffer url = {0};
  struct error ignored = {0};
  if (read_ability(document, &out->ability) || slash == NULL || !backend_is_there(place->backend, out->search))
    return;
  buffer_add(&url, out->search, (size_t)(slash - out->search));
  buffer_text(&url, "/conformance");
  struct web_document classes = {0};
  if (!url.failed && get(place, url.data, LOOK_SECONDS, &classes, &ignored) == 0)
    read_ability(&classes, &out->ability);
  web_document_free(&classes);
  buffer_free(&url);
}

/* Always asked anew: it is what tells whether it is there. */
int backend_survey_look(const struct survey_place *place, struct backend_look *out, struct error *error)
{
  struct survey_place now = *place;
  struct web_document document;
  const char *found;
  size_t length;
  now.kept = web_kept_new();
  if (now.kept == NULL)
    return error_memory(error);
  int status = get_path(&now, "/", LOOK_SECONDS, &document, error);
  if (status == 0) {
    out->speaks_openeo = has(&document, "api_version", '"', &found, &length);
    out->has_jobs = find_jobs(&document);
    find_search(&document, out->search);
    find_ability(&now, &document, out);
    if (!out->speaks_openeo && !has(&document, "stac_version", '"', &found, &length))
      status =
          error_set(error, ERROR_InfrastructureBusy, "%s is neither an openEO nor a STAC API", place->backend->url);
  }
  web_document_free(&document);
  web_kept_free(now.kept);
  return status;
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

static void add_name(json_t *names, const char *text, size_t length, bool in_small_letters)
{
  char name[256];
  if (length >= sizeof name || memchr(text, '\\', length) != NULL || json_object_size(names) >= NAMES_MOST)
    return;
  for (size_t i = 0; i < length; i++)
    name[i] = in_small_letters ? (char)tolower((unsigned char)text[i]) : text[i];
  name[length] = '\0';
  json_object_set_new(names, name, json_true());
}

static int read_processes(const struct survey_place *place, struct backend_survey *out, struct error *error)
{
  struct web_document document;
  const char *list, *one;
  size_t length, at = 0, size, id_length;
  int status = get_path(place, "/processes", LIST_SECONDS, &document, error);
  if (status == 0 && has(&document, "processes", '[', &list, &length)) {
    out->processes = json_object();
    while ((one = json_text_element(list, length, &at, &size)) != NULL) {
      const char *id = *one == '{' ? json_text_member(one, size, "id", &id_length) : NULL;
      if (id != NULL && *id == '"')
        add_name(out->processes, id + 1, id_length - 2, false);
    }
  }
  web_document_free(&document);
  return out->processes != NULL ? 0 : error_set(error, ERROR_InfrastructureBusy, "it lists no processes");
}

static bool is_netcdf(const struct text_member *format)
{
  return format->name_length == strlen("netcdf") && strncasecmp(format->name, "netcdf", format->name_length) == 0;
}

static int read_formats(const struct survey_place *place, struct backend_survey *out, struct error *error)
{
  struct web_document document;
  struct text_member format;
  const char *output;
  size_t length, at = 0, size;
  int status = get_path(place, "/file_formats", LIST_SECONDS, &document, error);
  if (status == 0 && has(&document, "output", '{', &output, &length)) {
    out->formats = json_object();
    while (json_text_next(output, length, &at, &format)) {
      const char *types = json_text_member(format.value, format.value_length, "gis_data_types", &size);
      add_name(out->formats, format.name, format.name_length, true);
      out->writes_vectors =
          out->writes_vectors || (is_netcdf(&format) && types != NULL && says(types, size, "\"vector\""));
    }
  }
  web_document_free(&document);
  return out->formats != NULL ? 0 : error_set(error, ERROR_InfrastructureBusy, "it lists no file formats");
}

/* ---- collections ------------------------------------------------------------------------------------------------ */

struct gathering { /* of collections */
  const struct survey_place *place;
  struct backend_survey *survey;
  size_t room, bytes;
};

static void free_listed(struct listed_collection *one)
{
  free(one->name);
  free(one->id);
  free(one->title);
  free(one->json);
  free(one->links);
}

static bool make_room(struct gathering *g)
{
  struct backend_survey *survey = g->survey;
  if (survey->count < g->room)
    return true;
  const size_t room = g->room > 0 ? 2 * g->room : 64;
  struct listed_collection *longer = realloc(survey->collections, room * sizeof *longer);
  if (longer == NULL)
    return false;
  survey->collections = longer;
  g->room = room;
  return true;
}

/* Takes a collection, where it can be one of ours. */
static void take_collection(struct gathering *g, const json_t *document)
{
  struct error ignored = {0};
  struct collection_texts texts;
  char name[COLLECTION_NAME_SIZE];
  const char *id = json_string_value(json_object_get(document, "id"));
  const char *title = json_string_value(json_object_get(document, "title"));
  if (id == NULL || !backend_collection_name(g->place->backend, id, name) || !make_room(g) ||
      backend_collection_make(g->place->backend, document, name, true, &texts, &ignored) != 0)
    return;
  struct listed_collection one = {.name = strdup(name),
                                  .id = strdup(id),
                                  .title = title != NULL ? strdup(title) : NULL,
                                  .json = texts.json.data,
                                  .links = texts.links.data};
  g->bytes += texts.json.length + texts.links.length;
  if (one.name != NULL && one.id != NULL && g->bytes <= LISTED_BYTES && g->survey->count < COLLECTIONS_MOST)
    g->survey->collections[g->survey->count++] = one;
  else
    free_listed(&one);
}

static void take_page(struct gathering *g, const char *list, size_t length)
{
  const char *one;
  size_t at = 0, size;
  while ((one = json_text_element(list, length, &at, &size)) != NULL) {
    json_t *document = *one == '{' && size <= COLLECTION_BYTES ? json_loadb(one, size, 0, NULL) : NULL;
    take_collection(g, document);
    json_decref(document);
  }
}

/* The next page's address, below that of the API; nothing where there is none. */
static void find_next(const struct survey_place *place, const struct web_document *document, struct buffer *out)
{
  const char *prefix = place->backend->url, *links, *one;
  const struct web_rule rule = {&prefix, 1, true};
  enum web_reach reach;
  size_t length, at = 0, size;
  if (!has(document, "links", '[', &links, &length))
    return;
  while (out->length == 0 && (one = json_text_element(links, length, &at, &size)) != NULL) {
    json_t *link = json_loadb(one, size, 0, NULL);
    const char *relation = json_string_value(json_object_get(link, "rel"));
    const char *href = json_string_value(json_object_get(link, "href"));
    if (relation != NULL && strcmp(relation, "next") == 0 && href != NULL)
      backend_resolve(document->url, href, out);
    json_decref(link);
  }
  if (out->length > 0 && web_rule_check(&rule, out->data, &reach, &(struct error){0}) != 0)
    buffer_free(out);
}

static int by_name(const void *a, const void *b)
{
  return strcmp(((const struct listed_collection *)a)->name, ((const struct listed_collection *)b)->name);
}

/* A name that comes twice, on two pages or under an alias, counts once. */
static void put_in_order(struct backend_survey *survey)
{
  size_t kept = 0;
  if (survey->count > 0)
    qsort(survey->collections, survey->count, sizeof *survey->collections, by_name);
  for (size_t i = 0; i < survey->count; i++) {
    if (kept > 0 && by_name(&survey->collections[kept - 1], &survey->collections[i]) == 0)
      free_listed(&survey->collections[i]);
    else
      survey->collections[kept++] = survey->collections[i];
  }
  survey->count = kept;
}

static int read_collections(const struct survey_place *place, struct backend_survey *out, struct error *error)
{
  struct gathering g = {.place = place, .survey = out};
  struct buffer url = {0};
  int status = 0;
  buffer_printf(&url, "%s/collections", place->backend->url);
  for (unsigned page = 0; status == 0 && url.length > 0 && page < PAGES_MOST; page++) {
    struct web_document document;
    const char *list;
    size_t length;
    status = get(place, url.data, LIST_SECONDS, &document, error);
    buffer_free(&url);
    if (status == 0 && !has(&document, "collections", '[', &list, &length))
      status = error_set(error, ERROR_InfrastructureBusy, "it lists no collections");
    if (status == 0) {
      take_page(&g, list, length);
      find_next(place, &document, &url);
    }
    web_document_free(&document);
  }
  buffer_free(&url);
  put_in_order(out);
  return status;
}

/* ---- together --------------------------------------------------------------------------------------------------- */

int backend_survey_read(const struct survey_place *place, bool speaks_openeo, struct backend_survey *out,
                        struct error *error)
{
  *out = (struct backend_survey){.speaks_openeo = speaks_openeo};
  out->is_known[SURVEY_COLLECTIONS] = read_collections(place, out, error) == 0;
  out->is_known[SURVEY_PROCESSES] = !speaks_openeo || read_processes(place, out, error) == 0;
  out->is_known[SURVEY_FORMATS] = !speaks_openeo || read_formats(place, out, error) == 0;
  return error_is_set(error) ? -1 : 0;
}

void backend_survey_free(struct backend_survey *survey)
{
  for (size_t i = 0; i < survey->count; i++)
    free_listed(&survey->collections[i]);
  free(survey->collections);
  json_decref(survey->processes);
  json_decref(survey->formats);
  *survey = (struct backend_survey){0};
}
