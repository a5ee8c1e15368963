/* Coverage source: draws the runs of a box's rows. */
#include "datacube/source/coverage_source.h"

#include "datacube/source/identity.h"

#include <string.h>

struct drawing {
  const struct coverage *coverage;
  const size_t *row; /* first run of each row, and behind the last */
};

static int open_drawing(const struct source *source, unsigned threads, struct source_reader **out, struct error *error)
{
  (void)threads;
  (void)error;
  *out = (struct source_reader *)(void *)(uintptr_t)source; /* nothing of its own to keep */
  return 0;
}

static int read_drawing(struct source_reader *reader, const struct box *box, void *data, struct error *error)
{
  const struct source *source = (const struct source *)(const void *)reader;
  const struct drawing *drawing = source->state;
  size_t west = box->start[1], east = west + box->count[1];
  unsigned char *out = data;
  (void)error;
  memset(out, 0, box_elements(box));
  for (size_t row = box->start[0]; row < box->start[0] + box->count[0]; row++, out += box->count[1])
    for (size_t i = drawing->row[row]; i < drawing->row[row + 1]; i++) {
      const struct zone_span *run = &drawing->coverage->runs[i];
      size_t first = run->first > west ? run->first : west, last = run->last < east ? run->last : east;
      if (first < last)
        memset(out + first - west, 1, last - first);
    }
  return 0;
}

static void close_drawing(struct source_reader *reader)
{
  (void)reader;
}

static void drawing_identity(const struct source *source, struct buffer *out)
{
  const struct coverage *coverage = ((const struct drawing *)source->state)->coverage;
  identity_text(out, "coverage");
  identity_cube(out, &source->cube);
  for (size_t i = 0; i < coverage->run_count; i++) {
    identity_count(out, coverage->runs[i].row);
    identity_count(out, coverage->runs[i].first);
    identity_count(out, coverage->runs[i].last);
  }
}

static const struct source_ops coverage_ops = {.name = "coverage",
                                               .open = open_drawing,
                                               .read = read_drawing,
                                               .close = close_drawing,
                                               .identity = drawing_identity};

const struct source *coverage_source(struct arena *arena, const struct cube *cube, const struct coverage *united)
{
  struct source *source = ARENA_NEW(arena, struct source);
  struct drawing *drawing = ARENA_NEW(arena, struct drawing);
  if (!source || !drawing)
    return NULL;
  *drawing = (struct drawing){united, coverage_row_starts(united, arena)};
  *source = (struct source){.ops = &coverage_ops, .origin = "pixels of geometries", .state = drawing};
  source->cube = (struct cube){.dimensions = 2, .type = ELEMENT_U8, .crs = cube->crs};
  source->cube.dimension[0] = cube->dimension[cube_find_axis(cube, 'y')];
  source->cube.dimension[1] = cube->dimension[cube_find_axis(cube, 'x')];
  return drawing->row ? source : NULL;
}
