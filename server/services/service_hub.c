/* One store handle behind a lock: services change seldom, and errors are logged seldom. */
#include "server/services/service_hub.h"

#include "datacube/base/logger.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { LOG_PAUSE_MS = 1000 };
static const size_t tile_bytes = (size_t)64 << 20;
static const double tile_seconds = 60;

struct service_hub {
  pthread_mutex_t lock; /* guards what follows */
  struct store *store;
  int64_t logged; /* when the last error was: Unix milliseconds */
  char logged_service[SERVICE_ID_SIZE];
  struct tile_cache *tiles;   /* has a lock of its own, and so has … */
  struct tile_folder *folder; /* or NULL */
};

int service_hub_open(const char *place, const char *tiles, uint64_t bytes, struct service_hub **out,
                     struct error *error)
{
  struct service_hub *hub = calloc(1, sizeof *hub);
  if (hub == NULL)
    return error_memory(error);
  pthread_mutex_init(&hub->lock, NULL);
  hub->tiles = tile_cache_new(tile_bytes, tile_seconds);
  if (hub->tiles == NULL || store_open(place, &hub->store, error) != 0 ||
      (bytes > 0 && tile_folder_open(tiles, bytes, &hub->folder, error) != 0)) {
    service_hub_close(hub);
    return error_is_set(error) ? -1 : error_memory(error);
  }
  *out = hub;
  return 0;
}

void service_hub_close(struct service_hub *hub)
{
  if (hub == NULL)
    return;
  store_close(hub->store);
  tile_cache_free(hub->tiles);
  tile_folder_close(hub->folder);
  pthread_mutex_destroy(&hub->lock);
  free(hub);
}

struct tile_cache *service_hub_tiles(struct service_hub *hub)
{
  return hub->tiles;
}

struct tile_folder *service_hub_folder(struct service_hub *hub)
{
  return hub->folder;
}

int service_hub_store(struct service_hub *hub, int (*use)(struct store *store, void *data, struct error *error),
                      void *data, struct error *error)
{
  pthread_mutex_lock(&hub->lock);
  int status = use(hub->store, data, error);
  pthread_mutex_unlock(&hub->lock);
  return status;
}

/* Whether so little has been logged lately that one more may be; notes it. */
static bool may_log(struct service_hub *hub, const char *service)
{
  const int64_t now = store_now();
  if (now - hub->logged < LOG_PAUSE_MS && strcmp(hub->logged_service, service) == 0)
    return false;
  hub->logged = now;
  memcpy(hub->logged_service, service, strnlen(service, SERVICE_ID_SIZE - 1) + 1);
  return true;
}

void service_hub_log_error(struct service_hub *hub, const char *service, const struct error *found)
{
  const struct log_entry entry = {.level = LOG_ERROR,
                                  .message = found->message,
                                  .code = found->code,
                                  .node = found->node[0] ? found->node : NULL,
                                  .parameter = found->parameter[0] ? found->parameter : NULL};
  struct error error = {0};
  pthread_mutex_lock(&hub->lock);
  if (may_log(hub, service) && store_service_log_put(hub->store, service, &entry, &error) != 0)
    log_message(LOG_WARNING, "the log of service %s: %s", service, error.message);
  pthread_mutex_unlock(&hub->lock);
}
