/* Opening and closing. */
#include "server/store/store_sql.h"

#include "stac/shared/postgres_link.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t store_now(void)
{
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool store_place_is_shared(const char *place)
{
  return postgres_link_is_uri(place);
}

int store_open(const char *place, struct store **out, struct error *error)
{
  struct store *store = calloc(1, sizeof *store);
  if (store == NULL)
    return error_memory(error);
  store->engine = store_place_is_shared(place) ? &store_engine_postgres : &store_engine_sqlite;
  if (store->engine->open(store, place, error) != 0 || store_make_schema(store, error) != 0) {
    store_close(store);
    return -1;
  }
  *out = store;
  return 0;
}

void store_close(struct store *store)
{
  if (store == NULL)
    return;
  for (size_t i = 0; i < store->cached; i++)
    store->engine->forget(&store->cache[i]);
  store->engine->close(store);
  free(store);
}

bool store_is_shared(const struct store *store)
{
  return store->engine->is_shared;
}

bool store_shrink(struct store *store)
{
  return store->engine->shrink(store);
}
