/* Arena: a chain of blocks, each twice the one before up to 1 MiB; big allocations get a block of their own. */
#include "datacube/base/arena.h"

#include "datacube/base/checked.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BLOCK = 4096, LARGEST_BLOCK = 1 << 20 };

struct block {
  struct block *next;
  size_t size, used; /* of data */
  _Alignas(64) unsigned char data[];
};

struct cleanup {
  struct cleanup *next;
  void (*run)(void *);
  void *data;
};

struct arena {
  struct block *blocks; /* newest first */
  struct cleanup *cleanups;
  size_t limit, used, next_size;
  size_t held; /* bytes of all blocks, and those reserved */
  bool refused;
};

struct arena *arena_new(size_t limit)
{
  struct arena *arena = calloc(1, sizeof *arena);
  if (!arena)
    return NULL;
  arena->limit = limit;
  arena->next_size = FIRST_BLOCK;
  return arena;
}

void arena_free(struct arena *arena)
{
  if (!arena)
    return;
  for (struct cleanup *cleanup = arena->cleanups; cleanup; cleanup = cleanup->next)
    cleanup->run(cleanup->data);
  for (struct block *block = arena->blocks; block;) {
    struct block *next = block->next;
    free(block);
    block = next;
  }
  free(arena);
}

/* Bytes that the limit still allows. */
static size_t room(const struct arena *arena)
{
  if (!arena->limit)
    return SIZE_MAX;
  return arena->held < arena->limit ? arena->limit - arena->held : 0;
}

static struct block *add_block(struct arena *arena, size_t bytes)
{
  size_t size = bytes > arena->next_size ? bytes : arena->next_size;
  size_t whole;
  if (size > room(arena)) /* the last block may be a smaller one */
    size = bytes;
  if (size > room(arena)) {
    arena->refused = true;
    return NULL;
  }
  if (checked_add(sizeof(struct block) + 63, size, &whole) != 0)
    return NULL;
  struct block *block = aligned_alloc(64, whole & ~(size_t)63);
  if (!block)
    return NULL;
  memset(block, 0, whole & ~(size_t)63);
  block->size = size;
  arena->held += size;
  if (bytes > arena->next_size && arena->blocks) { /* keep filling the current block */
    block->next = arena->blocks->next;
    arena->blocks->next = block;
  } else {
    block->next = arena->blocks;
    arena->blocks = block;
    if (arena->next_size < LARGEST_BLOCK)
      arena->next_size *= 2;
  }
  return block;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
  size_t align = bytes > 64 ? 64 : 16;
  if (bytes == 0)
    bytes = 1;
  if (bytes > SIZE_MAX / 2) {
    arena->refused = arena->limit != 0;
    return NULL;
  }
  struct block *block = arena->blocks;
  size_t at = block ? (block->used + align - 1) & ~(align - 1) : 0;
  if (!block || at > block->size || block->size - at < bytes) {
    block = add_block(arena, bytes);
    if (!block)
      return NULL;
    at = 0;
  }
  block->used = at + bytes;
  arena->used += bytes;
  return block->data + at;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
  size_t bytes;
  if (checked_mul(count, size, &bytes) != 0)
    return NULL;
  return arena_alloc(arena, bytes);
}

void *arena_copy(struct arena *arena, const void *data, size_t bytes)
{
  void *copy = arena_alloc(arena, bytes);
  if (copy && bytes)
    memcpy(copy, data, bytes);
  return copy;
}

char *arena_strndup(struct arena *arena, const char *string, size_t length)
{
  char *copy = arena_alloc(arena, length + 1);
  if (copy) {
    memcpy(copy, string, length);
    copy[length] = '\0';
  }
  return copy;
}

char *arena_strdup(struct arena *arena, const char *string)
{
  return arena_strndup(arena, string, strlen(string));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  char *text = length < 0 ? NULL : arena_alloc(arena, (size_t)length + 1);
  if (text)
    vsnprintf(text, (size_t)length + 1, format, again);
  va_end(again);
  return text;
}

void *arena_grow(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size)
{
  if (count < *capacity)
    return items;
  size_t more = *capacity ? 2 * *capacity : size > 256 ? 1 : 16;
  void *copy = arena_array(arena, more, size);
  if (!copy)
    return NULL;
  if (count)
    memcpy(copy, items, count * size);
  *capacity = more;
  return copy;
}

int arena_on_free(struct arena *arena, void (*run)(void *), void *data)
{
  struct cleanup *cleanup = ARENA_NEW(arena, struct cleanup);
  if (!cleanup) {
    run(data);
    return -1;
  }
  *cleanup = (struct cleanup){.next = arena->cleanups, .run = run, .data = data};
  arena->cleanups = cleanup;
  return 0;
}

size_t arena_used(const struct arena *arena)
{
  return arena->used;
}

int arena_reserve(struct arena *arena, size_t bytes)
{
  if (bytes > room(arena)) {
    arena->refused = true;
    return -1;
  }
  arena->held += bytes;
  return 0;
}

void arena_release(struct arena *arena, size_t bytes)
{
  arena->held -= bytes;
}

bool arena_refused(const struct arena *arena)
{
  return arena->refused;
}
