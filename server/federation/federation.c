#include "server/federation/federation_state.h"

#include "server/clock.h"
#include "server/workers/backoff.h"

#include "datacube/base/logger.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOOK_MS = 30000, LISTS_MS = 300000 };

static int64_t unix_now(void)
{
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- a back-end's thread ---------------------------------------------------------------------------------------- */

struct look { /* at a back-end */
  bool is_online, has_lists;
  struct backend_look found;
  struct backend_survey survey;
  struct error error;
};

/* Puts what was learned in place of what was known; a list that could not be had stays as it was, and counts as old. */
static void take_survey(struct backend *backend, struct backend_survey *survey)
{
  struct backend_survey *old = &backend->survey;
  if (!survey->is_known[SURVEY_COLLECTIONS]) {
    const struct backend_survey partial = *survey;
    survey->collections = old->collections;
    survey->count = old->count;
    old->collections = partial.collections;
    old->count = partial.count;
  }
  if (!survey->is_known[SURVEY_PROCESSES])
    survey->processes = json_incref(old->processes);
  if (!survey->is_known[SURVEY_FORMATS]) {
    survey->formats = json_incref(old->formats);
    survey->writes_vectors = old->writes_vectors;
  }
  backend_survey_free(old);
  *old = *survey;
}

/* What is wrong is told once. */
static void tell(const struct backend *backend, const struct look *look)
{
  const char *id = backend->settings->id;
  if (error_is_set(&look->error) && (look->has_lists || backend->is_online || !backend->was_asked))
    log_message(LOG_WARNING, "back-end %s of the federation: %s", id, look->error.message);
  else if (look->is_online && !backend->is_online)
    log_message(LOG_INFO, "back-end %s of the federation is there", id);
}

static void take_look(struct backend *backend, struct look *look)
{
  pthread_rwlock_wrlock(&backend->federation->lock);
  tell(backend, look);
  backend->was_asked = true;
  backend->is_online = look->is_online;
  backend->checked = unix_now();
  if (look->is_online) {
    backend->succeeded = backend->checked;
    snprintf(backend->search, sizeof backend->search, "%s", look->found.search);
    backend->ability = look->found.ability;
    backend->has_jobs = look->found.has_jobs;
  }
  if (look->has_lists)
    take_survey(backend, &look->survey);
  pthread_rwlock_unlock(&backend->federation->lock);
}

/* Waits until the back-end is to be looked at; false at the end. */
static bool wait_until_due(struct backend *backend)
{
  struct federation *federation = backend->federation;
  pthread_mutex_lock(&federation->wake_lock);
  while (!atomic_load(&federation->stopping) && steady_now() < backend->due)
    steady_wait(&federation->wake, &federation->wake_lock, backend->due);
  pthread_mutex_unlock(&federation->wake_lock);
  return !atomic_load(&federation->stopping);
}

static void set_due(struct backend *backend, int64_t pause)
{
  pthread_mutex_lock(&backend->federation->wake_lock);
  backend->due = steady_now() + pause;
  pthread_mutex_unlock(&backend->federation->wake_lock);
}

static void *run_backend(void *data)
{
  struct backend *backend = data;
  const struct survey_place place = {backend->settings, backend->federation->kept, &backend->federation->stopping};
  struct backoff backoff = {0};
  int64_t lists_due = 0;
  while (wait_until_due(backend)) {
    struct look look = {0};
    look.is_online = backend_survey_look(&place, &look.found, &look.error) == 0;
    look.has_lists = look.is_online && steady_now() >= lists_due;
    bool is_whole = look.is_online;
    if (look.has_lists)
      is_whole = backend_survey_read(&place, look.found.speaks_openeo, &look.survey, &look.error) == 0;
    if (look.has_lists || !look.is_online)
      lists_due = is_whole ? steady_now() + LISTS_MS : 0;
    take_look(backend, &look);
    if (is_whole)
      backoff = (struct backoff){0};
    set_due(backend, is_whole ? LOOK_MS : (int64_t)backoff_next(&backoff));
  }
  return NULL;
}

/* ---- start and end ---------------------------------------------------------------------------------------------- */

int federation_start(const struct federation_settings *settings, struct federation **out, struct error *error)
{
  struct federation *federation = calloc(1, sizeof *federation);
  struct web_kept *kept = web_kept_new();
  if (federation == NULL || kept == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    web_kept_free(kept);
    free(federation);
    return error_memory(error);
  }
  federation->kept = kept;
  pthread_rwlock_init(&federation->lock, NULL);
  pthread_mutex_init(&federation->wake_lock, NULL);
  steady_condition_init(&federation->wake);
  *out = federation;
  federation->count = settings->count;
  for (size_t i = 0; i < settings->count; i++) {
    struct backend *backend = &federation->backends[i];
    backend->federation = federation;
    backend->settings = &settings->backends[i];
    backend->has_thread = pthread_create(&backend->thread, NULL, run_backend, backend) == 0;
    if (!backend->has_thread)
      return error_set(error, ERROR_Internal, "cannot start threads");
  }
  return 0;
}

void federation_stop(struct federation *federation)
{
  if (federation == NULL)
    return;
  pthread_mutex_lock(&federation->wake_lock);
  atomic_store(&federation->stopping, true);
  pthread_cond_broadcast(&federation->wake);
  pthread_mutex_unlock(&federation->wake_lock);
  for (size_t i = 0; i < federation->count; i++) {
    if (federation->backends[i].has_thread)
      pthread_join(federation->backends[i].thread, NULL);
    backend_survey_free(&federation->backends[i].survey);
  }
  web_kept_free(federation->kept);
  pthread_rwlock_destroy(&federation->lock);
  pthread_mutex_destroy(&federation->wake_lock);
  pthread_cond_destroy(&federation->wake);
  curl_global_cleanup();
  free(federation);
}

void federation_doubt(struct federation *federation, const struct backend_settings *backend)
{
  pthread_mutex_lock(&federation->wake_lock);
  for (size_t i = 0; i < federation->count; i++)
    if (federation->backends[i].settings == backend)
      federation->backends[i].due = 0;
  pthread_cond_broadcast(&federation->wake);
  pthread_mutex_unlock(&federation->wake_lock);
}
