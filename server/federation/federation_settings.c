#include "server/federation/federation_settings.h"

#include "server/commands/command.h"
#include "server/config/config_members.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { ALIASES_MOST = 1000 };

static const size_t standard_result_size = (size_t)2 << 30, standard_job_size = (size_t)64 << 20;

/* A bar stands between a back-end and its collections; the id is part of addresses and of files' names. */
static bool is_id(const char *id)
{
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return id[0] != '\0' && strlen(id) < BACKEND_ID_SIZE && strspn(id, plain) == strlen(id);
}

static size_t count_value(const json_t *object, const json_t *value)
{
  const char *key;
  json_t *one;
  size_t count = 0;
  json_object_foreach((json_t *)(uintptr_t)object, key, one) count += (size_t)json_equal(one, value);
  return count;
}

static int check_aliases(const json_t *aliases, const char *place, struct error *error)
{
  const char *name;
  json_t *collection;
  if (aliases == NULL)
    return 0;
  if (!json_is_object(aliases) || json_object_size(aliases) > ALIASES_MOST)
    return config_wrong(error, place, "aliases", "wants a table of at most 1000 names and collections");
  json_object_foreach((json_t *)(uintptr_t)aliases, name, collection)
  {
    if (json_string_length(collection) == 0 || name[0] == '\0' || strpbrk(name, "|/") != NULL)
      return config_wrong(error, place, "aliases", "wants names, without | and /, of collections' ids");
    if (count_value(aliases, collection) > 1)
      return config_wrong(error, place, "aliases", "gives a collection two names");
  }
  return 0;
}

/* Our token goes to nobody who listens. */
static int check_url(const struct backend_settings *backend, const char *url, const char *place, struct error *error)
{
  const bool is_allowed = config_url_is_allowed(url, backend->token_file == NULL);
  if (!is_allowed || strpbrk(url, "?#") != NULL || strlen(url) >= BACKEND_URL_SIZE)
    return config_wrong(error, place, "url",
                        "wants an address without user, ? and #: https, or http where no token goes there or it is on "
                        "this machine");
  return 0;
}

static void take_url(struct backend_settings *backend, const char *url)
{
  size_t length = strlen(url);
  while (length > 0 && url[length - 1] == '/')
    length--;
  snprintf(backend->url, sizeof backend->url, "%.*s", (int)length, url);
}

static int take_names(struct backend_settings *backend, const char *id, const char *url, const char *place,
                      struct error *error)
{
  if (id == NULL || !is_id(id) || strcmp(id, FEDERATION_OWN_ID) == 0)
    return config_wrong(error, place, "id",
                        "wants letters, digits, _ and -, at most 32, and is not " FEDERATION_OWN_ID);
  if (url == NULL)
    return config_wrong(error, place, "url", "is wanted");
  if (check_url(backend, url, place, error) != 0)
    return -1;
  snprintf(backend->id, sizeof backend->id, "%s", id);
  take_url(backend, url);
  if (backend->title == NULL)
    backend->title = backend->id;
  return 0;
}

static int read_table(const json_t *table, struct backend_settings *out, const char *place, struct error *error)
{
  const char *id = NULL, *url = NULL, *size = NULL, *job_size = NULL;
  const struct config_member members[] = {{"id", MEMBER_TEXT, &id, NULL},
                                          {"url", MEMBER_TEXT, &url, NULL},
                                          {"title", MEMBER_TEXT, &out->title, NULL},
                                          {"description", MEMBER_TEXT, &out->description, NULL},
                                          {"token_file", MEMBER_TEXT, &out->token_file, NULL},
                                          {"ca_file", MEMBER_TEXT, &out->ca_file, NULL},
                                          {"experimental", MEMBER_FLAG, &out->experimental, NULL},
                                          {"deprecated", MEMBER_FLAG, &out->deprecated, NULL},
                                          {"result_size", MEMBER_TEXT, &size, NULL},
                                          {"job_size", MEMBER_TEXT, &job_size, NULL},
                                          {"aliases", MEMBER_VALUE, &out->aliases, NULL},
                                          {NULL, MEMBER_VALUE, NULL, NULL}};
  if (config_read_object(table, members, place, error) != 0)
    return -1;
  if (size != NULL && command_size(size, &out->result_size) != 0)
    return config_wrong(error, place, "result_size", "wants a size such as \"2G\"");
  if (job_size != NULL && command_size(job_size, &out->job_size) != 0)
    return config_wrong(error, place, "job_size", "wants a size such as \"64M\"");
  if (check_aliases(out->aliases, place, error) != 0)
    return -1;
  return take_names(out, id, url, place, error);
}

/* "ID=URL" */
static int read_text(const char *text, struct backend_settings *out, const char *place, struct error *error)
{
  char id[BACKEND_ID_SIZE] = "";
  const char *equals = strchr(text, '=');
  if (equals == NULL)
    return error_set(error, ERROR_ServerConfigInvalid, "%s wants ID=URL", place);
  if (equals - text < BACKEND_ID_SIZE)
    snprintf(id, sizeof id, "%.*s", (int)(equals - text), text);
  return take_names(out, id, equals + 1, place, error);
}

static int read_one(const json_t *value, struct federation_settings *out, struct error *error)
{
  char place[32];
  struct backend_settings *backend = &out->backends[out->count];
  snprintf(place, sizeof place, "federation[%zu]", out->count);
  backend->result_size = standard_result_size;
  backend->job_size = standard_job_size;
  if ((json_is_string(value) ? read_text(json_string_value(value), backend, place, error)
                             : read_table(value, backend, place, error)) != 0)
    return -1;
  for (size_t i = 0; i < out->count; i++)
    if (strcmp(out->backends[i].id, backend->id) == 0)
      return config_wrong(error, place, "id", "is another one's, too");
  out->count++;
  return 0;
}

int federation_settings_read(json_t *document, struct federation_settings *out, struct error *error)
{
  const json_t *one;
  size_t i;
  *out = (struct federation_settings){.document = json_is_string(document) ? json_pack("[O]", document)
                                                                           : json_incref(document)};
  if (!json_is_array(out->document) || json_array_size(out->document) > BACKENDS_MOST)
    return error_set(error, ERROR_ServerConfigInvalid, "federation wants ID=URL or tables, at most %d of them",
                     (int)BACKENDS_MOST);
  json_array_foreach(out->document, i, one)
  {
    if (read_one(one, out, error) != 0)
      return -1;
  }
  return 0;
}

void federation_settings_free(struct federation_settings *settings)
{
  json_decref(settings->document);
  *settings = (struct federation_settings){0};
}
