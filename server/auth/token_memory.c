#include "server/auth/token_memory.h"

#include "server/clock.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 1024, HASH_BYTES = 32 };

struct remembered {
  unsigned char hash[HASH_BYTES];
  int64_t until;  /* steady milliseconds */
  json_t *claims; /* NULL: refused */
};

struct token_memory {
  pthread_mutex_t lock;
  struct remembered slots[SLOTS];
};

struct token_memory *token_memory_new(void)
{
  struct token_memory *memory = calloc(1, sizeof *memory);
  if (memory != NULL)
    pthread_mutex_init(&memory->lock, NULL);
  return memory;
}

void token_memory_free(struct token_memory *memory)
{
  if (memory == NULL)
    return;
  for (size_t i = 0; i < SLOTS; i++)
    json_decref(memory->slots[i].claims);
  pthread_mutex_destroy(&memory->lock);
  free(memory);
}

/* The slot of a token and its hash. */
static struct remembered *slot_of(struct token_memory *memory, const char *token, unsigned char hash[HASH_BYTES])
{
  crypto_generichash(hash, HASH_BYTES, (const unsigned char *)token, strlen(token), NULL, 0);
  return &memory->slots[(hash[0] | hash[1] << 8) % SLOTS];
}

bool token_memory_find(struct token_memory *memory, const char *token, json_t **claims)
{
  unsigned char hash[HASH_BYTES];
  struct remembered *slot = slot_of(memory, token, hash);
  *claims = NULL;
  pthread_mutex_lock(&memory->lock);
  bool found = steady_now() < slot->until && memcmp(slot->hash, hash, HASH_BYTES) == 0;
  if (found && slot->claims != NULL) {
    *claims = json_deep_copy(slot->claims);
    found = *claims != NULL; /* no memory: as if nothing were known */
  }
  pthread_mutex_unlock(&memory->lock);
  return found;
}

void token_memory_put(struct token_memory *memory, const char *token, const json_t *claims, long seconds)
{
  unsigned char hash[HASH_BYTES];
  struct remembered *slot = slot_of(memory, token, hash);
  json_t *copy = json_deep_copy(claims);
  if (claims != NULL && copy == NULL)
    return;
  pthread_mutex_lock(&memory->lock);
  json_decref(slot->claims);
  slot->claims = copy;
  slot->until = steady_now() + seconds * 1000;
  memcpy(slot->hash, hash, HASH_BYTES);
  pthread_mutex_unlock(&memory->lock);
}
