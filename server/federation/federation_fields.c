/* The extension's fields, written from what is known. */
#include "server/federation/federation_state.h"
#include "server/server.h"

#include <ctype.h>
#include <time.h>

static void write_root(const char *url, struct json_writer *w)
{
  struct buffer root = {0};
  buffer_printf(&root, "%s/", url);
  json_kv_string(w, "url", root.failed ? url : root.data);
  buffer_free(&root);
}

static void write_this_server(const char *url, struct json_writer *w)
{
  const int64_t now = (int64_t)time(NULL) * 1000;
  json_key(w, FEDERATION_OWN_ID);
  json_write_object(w);
  write_root(url, w);
  json_kv_string(w, "title", "This server");
  json_kv_string(w, "status", "online");
  write_time(w, "last_status_check", now);
  write_time(w, "last_successful_check", now);
  json_end_object(w);
}

static void write_backend(const struct backend *backend, struct json_writer *w)
{
  const struct backend_settings *settings = backend->settings;
  json_key(w, settings->id);
  json_write_object(w);
  write_root(settings->url, w);
  json_kv_string(w, "title", settings->title);
  if (settings->description != NULL)
    json_kv_string(w, "description", settings->description);
  json_kv_string(w, "status", backend->is_online ? "online" : "offline");
  if (backend->checked > 0)
    write_time(w, "last_status_check", backend->checked);
  if (backend->succeeded > 0)
    write_time(w, "last_successful_check", backend->succeeded);
  if (settings->experimental)
    json_kv_bool(w, "experimental", true);
  if (settings->deprecated)
    json_kv_bool(w, "deprecated", true);
  json_end_object(w);
}

void federation_write(struct federation *federation, const char *own_url, struct json_writer *w)
{
  json_key(w, "federation");
  json_write_object(w);
  write_this_server(own_url, w);
  pthread_rwlock_rdlock(&federation->lock);
  for (size_t i = 0; i < federation->count; i++)
    write_backend(&federation->backends[i], w);
  pthread_rwlock_unlock(&federation->lock);
  json_end_object(w);
}

void federation_write_missing(struct federation *federation, enum survey_list list, struct json_writer *w)
{
  bool any = false;
  pthread_rwlock_rdlock(&federation->lock);
  for (size_t i = 0; i < federation->count; i++) {
    const struct backend *backend = &federation->backends[i];
    if (backend->is_online && backend->survey.is_known[list])
      continue;
    if (!any) {
      json_key(w, "federation:missing");
      json_write_array(w);
    }
    any = true;
    json_write_string(w, backend->settings->id);
  }
  pthread_rwlock_unlock(&federation->lock);
  if (any)
    json_end_array(w);
}

static void begin_backends(struct json_writer *w)
{
  json_key(w, "federation:backends");
  json_write_array(w);
  json_write_string(w, FEDERATION_OWN_ID);
}

void federation_write_own(struct json_writer *w)
{
  begin_backends(w);
  json_end_array(w);
}

/* Names of formats are the same in capital and in small letters. */
static bool supports(const struct backend *backend, enum survey_list list, const char *name)
{
  char small[64];
  size_t i = 0;
  if (list == SURVEY_PROCESSES)
    return json_object_get(backend->survey.processes, name) != NULL;
  for (; name[i] != '\0' && i < sizeof small - 1; i++)
    small[i] = (char)tolower((unsigned char)name[i]);
  small[i] = '\0';
  return json_object_get(backend->survey.formats, small) != NULL;
}

void federation_write_support(struct federation *federation, enum survey_list list, const char *name,
                              struct json_writer *w)
{
  size_t count = 0;
  pthread_rwlock_rdlock(&federation->lock);
  for (size_t i = 0; i < federation->count; i++)
    count += supports(&federation->backends[i], list, name);
  if (count < federation->count) {
    begin_backends(w);
    for (size_t i = 0; i < federation->count; i++)
      if (supports(&federation->backends[i], list, name))
        json_write_string(w, federation->backends[i].settings->id);
    json_end_array(w);
  }
  pthread_rwlock_unlock(&federation->lock);
}

void federation_write_hosts(struct federation *federation, const char *name, struct json_writer *w)
{
  begin_backends(w);
  pthread_rwlock_rdlock(&federation->lock);
  for (size_t i = 0; i < federation->count; i++)
    if (backend_find(&federation->backends[i], name) != NULL)
      json_write_string(w, federation->backends[i].settings->id);
  pthread_rwlock_unlock(&federation->lock);
  json_end_array(w);
}
