#include "server/auth/login_limit.h"

#include "server/auth/client_address.h"
#include "server/clock.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum {
  SLOTS = 4096,
  FAILURES_PER_NAME = 10,    /* a window, for one name from one client */
  FAILURES_PER_CLIENT = 100, /* a window, from one client */
  WINDOW_MS = 60000,
  NAME_MOST = 64
};

struct failure_count {
  uint64_t key;  /* hash of the client, or of client and name; 0: free */
  int64_t since; /* start of the window */
  unsigned count;
};

struct login_limit {
  pthread_mutex_t lock;
  unsigned char key[crypto_shorthash_KEYBYTES];
  struct failure_count clients[SLOTS], names[SLOTS]; /* apart: names do not drive clients out */
  uint64_t welcome[SLOTS];                           /* keys of names that have logged in */
};

struct login_limit *login_limit_new(void)
{
  struct login_limit *limit = calloc(1, sizeof *limit);
  if (limit == NULL)
    return NULL;
  pthread_mutex_init(&limit->lock, NULL);
  crypto_shorthash_keygen(limit->key);
  return limit;
}

void login_limit_free(struct login_limit *limit)
{
  if (limit == NULL)
    return;
  pthread_mutex_destroy(&limit->lock);
  free(limit);
}

/* The key of a client and a name, or (no name) of a client. */
static uint64_t key_of(const struct login_limit *limit, const char *address, const char *name)
{
  char client[CLIENT_ADDRESS_SIZE], text[CLIENT_ADDRESS_SIZE + NAME_MOST + 2];
  uint64_t key = 0;
  client_network(address, client);
  int length = snprintf(text, sizeof text, "%s\n%.*s", client, NAME_MOST, name);
  crypto_shorthash((unsigned char *)&key, (const unsigned char *)text, (size_t)length, limit->key);
  return key ? key : 1;
}

/* The slot of a key; one of another key is taken over: the table only has to slow guessing down. */
static struct failure_count *slot_of(struct failure_count *slots, uint64_t key, int64_t now)
{
  struct failure_count *slot = &slots[key % SLOTS];
  if (slot->key != key || now - slot->since >= WINDOW_MS)
    *slot = (struct failure_count){.key = key, .since = now};
  return slot;
}

static unsigned seconds_left(const struct failure_count *slot, unsigned most, int64_t now)
{
  return slot->count < most ? 0 : (unsigned)((slot->since + WINDOW_MS - now + 999) / 1000);
}

unsigned login_limit_wait(struct login_limit *limit, const char *address, const char *name)
{
  const int64_t now = steady_now();
  const uint64_t client = key_of(limit, address, ""), pair = key_of(limit, address, name);
  pthread_mutex_lock(&limit->lock);
  const unsigned by_name = seconds_left(slot_of(limit->names, pair, now), FAILURES_PER_NAME, now);
  const unsigned by_client = limit->welcome[pair % SLOTS] == pair
                                 ? 0
                                 : seconds_left(slot_of(limit->clients, client, now), FAILURES_PER_CLIENT, now);
  pthread_mutex_unlock(&limit->lock);
  return by_name > by_client ? by_name : by_client;
}

void login_limit_count(struct login_limit *limit, const char *address, const char *name)
{
  const int64_t now = steady_now();
  const uint64_t client = key_of(limit, address, ""), pair = key_of(limit, address, name);
  pthread_mutex_lock(&limit->lock);
  slot_of(limit->names, pair, now)->count++;
  slot_of(limit->clients, client, now)->count++;
  pthread_mutex_unlock(&limit->lock);
}

void login_limit_welcome(struct login_limit *limit, const char *address, const char *name)
{
  const uint64_t pair = key_of(limit, address, name);
  pthread_mutex_lock(&limit->lock);
  limit->welcome[pair % SLOTS] = pair;
  pthread_mutex_unlock(&limit->lock);
}
