/* Shared decoded blocks: a table of chains by key, and a ring of all entries by their last use. One lock guards both;
 * it is never held while a block is filled. See the header. */
#include "datacube/source/block_cache.h"

#include "datacube/base/hash.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

enum { CHAINS = 1 << 12 };

struct block_entry {
  struct block_key key;
  struct block_entry *next;          /* of the chain */
  struct block_entry *newer, *older; /* of the ring */
  size_t room, holders;
  bool is_filled;
  unsigned char *bytes;
};

struct block_cache {
  pthread_mutex_t lock;
  pthread_cond_t filled; /* or given up */
  bool keeps;
  size_t most, used;       /* bytes */
  struct block_entry ring; /* ring.older is the newest */
  struct block_entry *chains[CHAINS];
};

int block_cache_new(size_t bytes, struct block_cache **out, struct error *error)
{
  struct block_cache *c = calloc(1, sizeof *c);
  if (!c)
    return error_memory(error);
  pthread_mutex_init(&c->lock, NULL);
  pthread_cond_init(&c->filled, NULL);
  c->most = bytes;
  c->ring.newer = c->ring.older = &c->ring;
  *out = c;
  return 0;
}

void block_cache_free(struct block_cache *c)
{
  if (!c)
    return;
  for (struct block_entry *e = c->ring.older, *older; e != &c->ring; e = older) {
    assert(e->holders == 0);
    older = e->older;
    free(e->bytes);
    free(e);
  }
  pthread_cond_destroy(&c->filled);
  pthread_mutex_destroy(&c->lock);
  free(c);
}

void block_cache_keep(struct block_cache *c)
{
  c->keeps = true;
}

bool block_cache_keeps(const struct block_cache *c)
{
  return c && c->keeps;
}

uint64_t block_file_id(const char *path, const struct stat *status, uint64_t part)
{
  struct hash hash = {0, part};
  hash_text(&hash, path);
  if (status) {
    hash_word(&hash, (uint64_t)status->st_dev);
    hash_word(&hash, (uint64_t)status->st_ino);
    hash_word(&hash, (uint64_t)status->st_size);
    hash_word(&hash, (uint64_t)status->st_mtim.tv_sec);
    hash_word(&hash, (uint64_t)status->st_mtim.tv_nsec);
  }
  return hash.a;
}

/* ---- under the lock ---------------------------------------------------------------------------------------------- */

static struct block_entry **chain_of(struct block_cache *c, struct block_key key)
{
  return &c->chains[hash_mix(key.file ^ hash_mix(key.block)) % CHAINS];
}

static struct block_entry *find(struct block_cache *c, struct block_key key)
{
  struct block_entry *e = *chain_of(c, key);
  while (e && (e->key.file != key.file || e->key.block != key.block))
    e = e->next;
  return e;
}

static void leave_ring(struct block_entry *e)
{
  e->newer->older = e->older;
  e->older->newer = e->newer;
}

static void make_newest(struct block_cache *c, struct block_entry *e)
{
  e->newer = &c->ring;
  e->older = c->ring.older;
  e->older->newer = c->ring.older = e;
}

/* Takes an entry out of everything; it keeps its bytes. */
static void take_out(struct block_cache *c, struct block_entry *e)
{
  struct block_entry **at = chain_of(c, e->key);
  while (*at != e)
    at = &(*at)->next;
  *at = e->next;
  leave_ring(e);
  c->used -= e->room;
}

static void drop(struct block_cache *c, struct block_entry *e)
{
  take_out(c, e);
  free(e->bytes);
  free(e);
}

/* An entry with so many bytes, in neither ring nor table; the bytes of one that goes, if any may, are used again where
 * they fit. NULL: no room. */
static struct block_entry *make_room(struct block_cache *c, size_t bytes, bool may_drop)
{
  struct block_entry *e = c->ring.newer, *newer;
  if (bytes > c->most / 2)
    return NULL;
  for (; may_drop && c->used + bytes > c->most && e != &c->ring; e = newer) {
    newer = e->newer;
    if (e->holders > 0)
      continue;
    if (e->room == bytes) {
      take_out(c, e);
      return e;
    }
    drop(c, e);
  }
  if (c->used + bytes > c->most || !(e = calloc(1, sizeof *e)))
    return NULL;
  e->bytes = malloc(bytes);
  e->room = bytes;
  if (e->bytes)
    return e;
  free(e);
  return NULL;
}

static struct block_entry *add(struct block_cache *c, struct block_key key, size_t bytes, bool may_drop)
{
  struct block_entry *e = make_room(c, bytes, may_drop);
  if (!e)
    return NULL;
  struct block_entry **chain = chain_of(c, key);
  e->key = key;
  e->is_filled = false;
  e->next = *chain;
  *chain = e;
  make_newest(c, e);
  c->used += bytes;
  return e;
}

/* ---- for all ----------------------------------------------------------------------------------------------------- */

static bool hold(struct block_cache *c, struct block_key key, size_t bytes, bool may_drop, struct cached_block *out)
{
  pthread_mutex_lock(&c->lock);
  struct block_entry *e;
  while ((e = find(c, key)) && !e->is_filled)
    pthread_cond_wait(&c->filled, &c->lock);
  *out = (struct cached_block){.is_new = !e};
  if (e && e->room == bytes) {
    leave_ring(e);
    make_newest(c, e);
  } else
    e = e ? NULL : add(c, key, bytes, may_drop);
  if (e) {
    e->holders++;
    out->entry = e;
    out->bytes = e->bytes;
  }
  pthread_mutex_unlock(&c->lock);
  return e != NULL;
}

bool block_cache_hold(struct block_cache *c, struct block_key key, size_t bytes, struct cached_block *out)
{
  return hold(c, key, bytes, true, out);
}

bool block_cache_hold_free(struct block_cache *c, struct block_key key, size_t bytes, struct cached_block *out)
{
  return hold(c, key, bytes, false, out);
}

bool block_cache_has(struct block_cache *c, struct block_key key)
{
  pthread_mutex_lock(&c->lock);
  const bool found = find(c, key) != NULL;
  pthread_mutex_unlock(&c->lock);
  return found;
}

void block_cache_release(struct block_cache *c, struct cached_block *block, bool is_good)
{
  struct block_entry *e = block->entry;
  pthread_mutex_lock(&c->lock);
  e->holders--;
  if (block->is_new) {
    e->is_filled = is_good;
    if (!is_good)
      drop(c, e);
    pthread_cond_broadcast(&c->filled);
  }
  pthread_mutex_unlock(&c->lock);
  block->entry = NULL;
}
