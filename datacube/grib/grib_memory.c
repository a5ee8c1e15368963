#include "datacube/grib/grib_memory.h"

#include "datacube/base/hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 1024, BYTES_MOST = 16 << 20 };

struct grib_answer {
  struct grib_answer *next;
  int kind;
  size_t key_length;
  unsigned char bytes[]; /* key, value */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct grib_answer *slots[SLOTS];
static size_t used; /* bytes */

static struct grib_answer **slot_of(int kind, const void *key, size_t length)
{
  struct hash hash = {(uint64_t)kind, 0};
  hash_bytes(&hash, key, length);
  return &slots[hash.a % SLOTS];
}

static const struct grib_answer *find(const struct grib_answer *at, int kind, const void *key, size_t length)
{
  while (at && (at->kind != kind || at->key_length != length || memcmp(at->bytes, key, length) != 0))
    at = at->next;
  return at;
}

bool grib_recall(int kind, const void *key, size_t key_length, void *value, size_t value_length)
{
  pthread_mutex_lock(&lock);
  const struct grib_answer *found = find(*slot_of(kind, key, key_length), kind, key, key_length);
  if (found)
    memcpy(value, found->bytes + key_length, value_length);
  pthread_mutex_unlock(&lock);
  return found != NULL;
}

void grib_remember(int kind, const void *key, size_t key_length, const void *value, size_t value_length)
{
  const size_t bytes = sizeof(struct grib_answer) + key_length + value_length;
  pthread_mutex_lock(&lock);
  struct grib_answer **slot = slot_of(kind, key, key_length);
  struct grib_answer *own = used + bytes <= BYTES_MOST && !find(*slot, kind, key, key_length) ? malloc(bytes) : NULL;
  if (own) {
    *own = (struct grib_answer){.next = *slot, .kind = kind, .key_length = key_length};
    memcpy(own->bytes, key, key_length);
    memcpy(own->bytes + key_length, value, value_length);
    *slot = own;
    used += bytes;
  }
  pthread_mutex_unlock(&lock);
}
