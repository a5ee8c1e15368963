/* Decoded blocks of files that are read in pieces: each is decoded once, for all readers that share the cache.
 *
 * Whoever wants a block holds it, copies what it needs and lets it go. The first one fills it; others who want it
 * meanwhile wait for that. Blocks that nobody holds stay until room is wanted, the one longest unused goes first. Any
 * number of threads. */
#ifndef TWINCUBE_DATACUBE_SOURCE_BLOCK_CACHE_H
#define TWINCUBE_DATACUBE_SOURCE_BLOCK_CACHE_H

#include "datacube/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum { BLOCK_CACHE_LEAST = 32 << 20 }; /* bytes that a run's cache has at least, and a reader's that has no run */

struct block_cache;

/* bytes: most that its blocks take together. */
int block_cache_new(size_t bytes, struct block_cache **out, struct error *error);
void block_cache_free(struct block_cache *cache); /* NULL is allowed; nothing is held any more */

struct block_key {
  uint64_t file;  /* of block_file_id */
  uint64_t block; /* of the file's own choice */
};

struct cached_block {   /* held; to be let go once, by the thread that holds it */
  unsigned char *bytes; /* aligned for anything */
  bool is_new;          /* what it holds is still to be filled in */
  struct block_entry *entry;
};

/* What tells open files apart, whoever has opened them. status: of the file; NULL where it is none of this machine.
 * part: of the file, such as a variable. */
uint64_t block_file_id(const char *path, const struct stat *status, uint64_t part);

/* Holds a block of so many bytes, which are the same whenever it is asked for. False where it finds no room: then the
 * caller decodes elsewhere. */
bool block_cache_hold(struct block_cache *cache, struct block_key key, size_t bytes, struct cached_block *out);
/* A run reads its files more than once: blocks that are read whole, which others would not want, are to be held, too,
 * by block_cache_hold_free. Before anyone uses it. */
void block_cache_keep(struct block_cache *cache);
bool block_cache_keeps(const struct block_cache *cache); /* NULL: no */
/* The same as block_cache_hold, but nothing has to go for it: of a file that is read from its first block to its last,
 * the first ones stay for the next time, as far as there is room. */
bool block_cache_hold_free(struct block_cache *cache, struct block_key key, size_t bytes, struct cached_block *out);
/* Whether it is there, or about to be: for who would fetch its bytes. */
bool block_cache_has(struct block_cache *cache, struct block_key key);
/* is_good: what was new has been filled in. Where not, the next one tries again. */
void block_cache_release(struct block_cache *cache, struct cached_block *block, bool is_good);

#endif
