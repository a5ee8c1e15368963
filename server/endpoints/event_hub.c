/* Four looks a second, while there is a listener. One whose client has gone is let go; one whose client does not read
 * is told nothing new meanwhile, so what waits for it is bounded (and the connection's own time-out ends it). */
#include "server/endpoints/event_hub.h"

#include "server/endpoints/endpoints.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 128, MOST_OF_ONE = 8 };                                 /* listeners */
enum { LOOK_MS = 250, QUIET_MS = 15 * 1000, LIFE_MS = 3600 * 1000 }; /* a browser connects again by itself */
enum { BACKLOG = 64 * 1024, LOG_PAGE = 20 };

struct event_listener {
  char job[JOB_ID_SIZE], owner[USER_NAME_SIZE];
  struct http_feed *feed;
  int64_t after;          /* the last log entry that was sent */
  struct job_state state; /* that was sent; status "": none */
  int64_t begun, spoken;  /* steady milliseconds */
};

struct event_hub {
  pthread_mutex_t lock;
  pthread_cond_t wake; /* a listener came, or the end; CLOCK_MONOTONIC */
  pthread_t thread;
  bool has_thread, stopping;
  struct store *store;
  struct job_queue *jobs;
  unsigned count;
  struct event_listener listeners[MOST];
};

static int64_t steady_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct timespec next_look(void)
{
  const int64_t until = steady_ms() + LOOK_MS;
  return (struct timespec){.tv_sec = until / 1000, .tv_nsec = (long)(until % 1000) * 1000000};
}

/* ---- what is said ----------------------------------------------------------------------------------------------- */

static void begin_event(struct buffer *out, struct json_writer *w, const char *name)
{
  buffer_printf(out, "event: %s\ndata: ", name);
  *w = (struct json_writer){.out = out};
  json_write_object(w);
}

static void end_event(struct buffer *out, struct json_writer *w)
{
  json_end_object(w);
  buffer_text(out, "\n\n"); /* JSON of ours has no line feed in it */
}

static void say_state(struct buffer *out, const struct event_listener *listener)
{
  const struct job_state *state = &listener->state;
  struct json_writer w;
  begin_event(out, &w, "status");
  json_kv_string(&w, "id", listener->job);
  json_kv_string(&w, "status", state->status);
  if (state->progress >= 0)
    json_kv_number(&w, "progress", (double)(int)(state->progress * 100) / 100);
  write_time(&w, "updated", state->updated);
  end_event(out, &w);
}

struct telling {
  struct buffer *out;
  struct event_listener *listener;
  unsigned count;
};

static void say_log(void *data, const struct job_log *log)
{
  struct telling *telling = data;
  struct json_writer w;
  buffer_printf(telling->out, "id: %" PRId64 "\n", log->id);
  begin_event(telling->out, &w, "log");
  write_log_members(&w, log);
  end_event(telling->out, &w);
  telling->listener->after = log->id;
  telling->count++;
}

static bool is_over(const struct job_state *state)
{
  return strcmp(state->status, "finished") == 0 || strcmp(state->status, "error") == 0 ||
         strcmp(state->status, "canceled") == 0;
}

static void say_end(struct buffer *out, const struct event_listener *listener)
{
  struct json_writer w;
  begin_event(out, &w, "end");
  json_kv_string(&w, "id", listener->job);
  json_kv_string(&w, "status", listener->state.status);
  end_event(out, &w);
}

/* ---- looking ----------------------------------------------------------------------------------------------------- */

static int read_state(struct event_hub *hub, const struct event_listener *listener, struct job_state *state,
                      struct error *error)
{
  if (store_job_state(hub->store, listener->job, state, error) != 0)
    return -1;
  const double live = job_queue_progress(hub->jobs, listener->job);
  if (strcmp(state->status, "running") == 0 && live >= 0)
    state->progress = live;
  return 0;
}

/* What is new since the last look; false: there will be nothing more. */
static bool look(struct event_hub *hub, struct event_listener *listener, struct buffer *out)
{
  struct error error = {0};
  struct job_state state = {0};
  struct telling telling = {.out = out, .listener = listener};
  if (read_state(hub, listener, &state, &error) != 0)
    return !error_is(&error, ERROR_JobNotFound);
  const struct job_state *old = &listener->state;
  if (strcmp(old->status, state.status) != 0 || old->updated != state.updated || old->progress != state.progress) {
    listener->state = state;
    say_state(out, listener);
  }
  do {
    telling.count = 0;
    if (store_log_list(hub->store, listener->job, listener->after, LOG_DEBUG, LOG_PAGE, say_log, &telling, &error) != 0)
      return true;
  } while (telling.count == LOG_PAGE && out->length < BACKLOG);
  if (!is_over(&state) || telling.count == LOG_PAGE)
    return true;
  say_end(out, listener);
  return false;
}

/* false: the listener is to be let go. */
static bool serve_listener(struct event_hub *hub, struct event_listener *listener)
{
  const int64_t now = steady_ms();
  struct buffer out = {0};
  if (!http_feed_is_open(listener->feed))
    return false;
  if (http_feed_waiting(listener->feed) > BACKLOG)
    return true;
  bool goes_on = look(hub, listener, &out) && now - listener->begun < LIFE_MS;
  if (out.length == 0 && now - listener->spoken > QUIET_MS)
    buffer_text(&out, ": still here\n\n");
  if (out.length > 0)
    listener->spoken = now;
  if (out.failed || (out.length > 0 && !http_feed_put(listener->feed, out.data, out.length)))
    goes_on = false;
  buffer_free(&out);
  return goes_on;
}

/* With the lock: the thread alone takes listeners away. */
static void look_at_all(struct event_hub *hub)
{
  for (unsigned i = hub->count; i-- > 0;) {
    if (serve_listener(hub, &hub->listeners[i]))
      continue;
    http_feed_end(hub->listeners[i].feed);
    hub->listeners[i] = hub->listeners[--hub->count];
  }
}

static void *run(void *data)
{
  struct event_hub *hub = data;
  pthread_mutex_lock(&hub->lock);
  while (!hub->stopping) {
    look_at_all(hub);
    const struct timespec until = next_look();
    if (hub->count == 0 && !hub->stopping)
      pthread_cond_wait(&hub->wake, &hub->lock);
    else if (!hub->stopping)
      pthread_cond_timedwait(&hub->wake, &hub->lock, &until);
  }
  while (hub->count > 0)
    http_feed_end(hub->listeners[--hub->count].feed);
  pthread_mutex_unlock(&hub->lock);
  return NULL;
}

/* ---- start, end, listeners --------------------------------------------------------------------------------------- */

int event_hub_start(const char *place, struct job_queue *jobs, struct event_hub **out, struct error *error)
{
  struct event_hub *hub = calloc(1, sizeof *hub);
  pthread_condattr_t steady;
  if (hub == NULL)
    return error_memory(error);
  hub->jobs = jobs;
  pthread_mutex_init(&hub->lock, NULL);
  pthread_condattr_init(&steady);
  pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
  pthread_cond_init(&hub->wake, &steady);
  pthread_condattr_destroy(&steady);
  if (store_open(place, &hub->store, error) == 0) {
    hub->has_thread = pthread_create(&hub->thread, NULL, run, hub) == 0;
    if (hub->has_thread) {
      *out = hub;
      return 0;
    }
    error_set(error, ERROR_Internal, "cannot start threads");
  }
  event_hub_stop(hub);
  return -1;
}

void event_hub_stop(struct event_hub *hub)
{
  if (hub == NULL)
    return;
  pthread_mutex_lock(&hub->lock);
  hub->stopping = true;
  pthread_cond_signal(&hub->wake);
  pthread_mutex_unlock(&hub->lock);
  if (hub->has_thread)
    pthread_join(hub->thread, NULL);
  store_close(hub->store);
  pthread_cond_destroy(&hub->wake);
  pthread_mutex_destroy(&hub->lock);
  free(hub);
}

/* With the lock. */
static int find_room(const struct event_hub *hub, const char *owner, struct error *error)
{
  unsigned own = 0;
  for (unsigned i = 0; i < hub->count; i++)
    own += strcmp(hub->listeners[i].owner, owner) == 0;
  if (own == MOST_OF_ONE)
    return error_set(error, ERROR_TooManyRequests, "%d listeners hear of your jobs, no more can", (int)MOST_OF_ONE);
  if (hub->count == MOST || hub->stopping)
    return error_set(error, ERROR_InfrastructureBusy, "too many listen; please try again");
  return 0;
}

int event_hub_listen(struct event_hub *hub, const struct job *job, int64_t after, struct http_feed *feed,
                     struct error *error)
{
  pthread_mutex_lock(&hub->lock);
  int status = find_room(hub, job->owner, error);
  if (status == 0) {
    struct event_listener *listener = &hub->listeners[hub->count++];
    *listener = (struct event_listener){.feed = feed, .after = after, .begun = steady_ms(), .spoken = steady_ms()};
    memcpy(listener->job, job->id, sizeof listener->job);
    memcpy(listener->owner, job->owner, sizeof listener->owner);
    pthread_cond_signal(&hub->wake);
  }
  pthread_mutex_unlock(&hub->lock);
  if (status != 0)
    http_feed_end(feed);
  return status;
}
