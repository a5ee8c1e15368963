/* Memory source: copies rows of a box. */
#include "datacube/source/memory_source.h"

#include "datacube/source/identity.h"

#include <string.h>

static int open_reader(const struct source *source, unsigned threads, struct source_reader **out, struct error *error)
{
  (void)threads;
  (void)error;
  *out = (struct source_reader *)(void *)(uintptr_t)source; /* nothing of its own to keep */
  return 0;
}

static int read_box(struct source_reader *reader, const struct box *box, void *data, struct error *error)
{
  const struct source *source = (const struct source *)(const void *)reader;
  const struct cube *cube = &source->cube;
  size_t size = element_info(cube->type)->size, position[CUBE_MAX_DIMENSIONS] = {0};
  size_t last = cube->dimensions ? cube->dimensions - 1 : 0;
  size_t row = (cube->dimensions ? box->count[last] : 1) * size;
  unsigned char *out = data;
  (void)error;
  if (box_elements(box) == 0)
    return 0;
  for (;;) {
    size_t at = 0, d = last;
    for (size_t k = 0; k < cube->dimensions; k++)
      at = at * cube->dimension[k].size + box->start[k] + position[k];
    memcpy(out, (const unsigned char *)source->state + at * size, row);
    out += row;
    while (d > 0 && ++position[d - 1] == box->count[d - 1])
      position[--d] = 0;
    if (d == 0)
      return 0;
  }
}

static void close_reader(struct source_reader *reader)
{
  (void)reader;
}

static void identity(const struct source *source, struct buffer *out)
{
  identity_text(out, "memory");
  identity_cube(out, &source->cube);
  identity_bytes(out, source->state, cube_bytes(&source->cube));
}

static const struct source_ops memory_ops = {
    .name = "memory", .open = open_reader, .read = read_box, .close = close_reader, .identity = identity};

const struct source *memory_source(struct arena *arena, const struct cube *cube, const void *data, const char *origin)
{
  struct source *source = ARENA_NEW(arena, struct source);
  if (source)
    *source = (struct source){.ops = &memory_ops, .cube = *cube, .origin = origin, .state = (void *)(uintptr_t)data};
  return source;
}
