/* Region allocator: everything a request, a plan or a worker owns dies together.
 *
 * Memory comes zeroed and 64-byte aligned for arrays above 64 bytes, else 16. An arena has a byte limit on what it
 * takes from the system and what is reserved beside it; an allocation past it, or a failed malloc, returns NULL.
 * Cleanups run in reverse order of registration when the arena is freed.
 * Not thread safe: one owner. */
#ifndef TWINCUBE_DATACUBE_BASE_ARENA_H
#define TWINCUBE_DATACUBE_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

/* New arena, limit in bytes (0: no limit). NULL when out of memory. */
struct arena *arena_new(size_t limit);
void arena_free(struct arena *arena); /* NULL is allowed */

void *arena_alloc(struct arena *arena, size_t bytes);
/* count * size with overflow check. */
void *arena_array(struct arena *arena, size_t count, size_t size);
char *arena_strdup(struct arena *arena, const char *string);
char *arena_strndup(struct arena *arena, const char *string, size_t length);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
void *arena_copy(struct arena *arena, const void *data, size_t bytes);

/* A growing array: items with room for one more after `count`, moved to twice the capacity when full; NULL when out of
 * memory (items stay valid). */
void *arena_grow(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size);

/* Calls cleanup(data) when the arena is freed. Returns 0, or -1 when out of memory (cleanup has then been called). */
int arena_on_free(struct arena *arena, void (*cleanup)(void *), void *data);

size_t arena_used(const struct arena *arena);

/* Counts bytes that live elsewhere, but for the arena's sake, against its limit; released with the same number. 0, or
 * -1 where they would not fit. */
int arena_reserve(struct arena *arena, size_t bytes);
void arena_release(struct arena *arena, size_t bytes);
/* Whether the limit refused something so far. */
bool arena_refused(const struct arena *arena);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_array((arena), (count), sizeof(type)))

#endif
