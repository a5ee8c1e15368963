/* A box is cut at the ends of the parts; where the dimension of time is not the first, it is also cut along those
 * before it, so that each piece is one stretch of the result. A reader keeps a few parts open, the one longest unused
 * goes. */
#include "datacube/source/time_series_source.h"

#include "datacube/source/identity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OPEN = 4 };

struct time_series {
  const struct time_series_part *parts; /* by date */
  size_t *starts;                       /* of each part: index of its first date; behind the last: all dates */
  size_t count;
  size_t time; /* dimension */
};

struct open_part {
  struct source_reader *reader; /* NULL: free */
  size_t part;
  uint64_t used;
};

struct source_reader {
  const struct source *source;
  unsigned threads;
  struct block_cache *cache; /* of the parts; NULL: none is shared */
  uint64_t clock;
  struct open_part open[MOST_OPEN];
};

/* ---- one series ------------------------------------------------------------------------------------------------- */

static bool same_nodata(const struct cube *a, const struct cube *b)
{
  return a->has_nodata == b->has_nodata &&
         (!a->has_nodata || a->nodata == b->nodata || (isnan(a->nodata) && isnan(b->nodata)));
}

static bool same_texts(const char *a, const char *b)
{
  return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* What two cubes differ in but for their dates; NULL: nothing. */
static const char *find_difference(const struct cube *a, const struct cube *b, size_t time)
{
  if (a->dimensions != b->dimensions)
    return "numbers of dimensions";
  for (size_t d = 0; d < a->dimensions; d++) {
    const struct dimension *one = &a->dimension[d], *other = &b->dimension[d];
    if (strcmp(one->name, other->name) != 0 || one->type != other->type)
      return "dimensions";
    if (d == time ? one->calendar != other->calendar : !dimension_labels_equal(one, other))
      return d == time ? "calendars" : one->name;
  }
  if (a->type != b->type || !same_nodata(a, b))
    return "types or values for no-data";
  return same_texts(a->crs, b->crs) ? NULL : "coordinate reference systems";
}

static const struct dimension *dates_of(const struct time_series_part *part, size_t time)
{
  return &part->source->cube.dimension[time];
}

static int check_part(const struct time_series_part *first, const struct time_series_part *part, size_t time,
                      struct error *error)
{
  const char *difference = find_difference(&first->source->cube, &part->source->cube, time);
  if (difference)
    return error_set(error, ERROR_FileContentInvalid, "'%s' and '%s' have different %s: they are no series",
                     first->name, part->name, difference);
  const struct dimension *dates = dates_of(part, time);
  for (size_t i = 1; i < dates->size; i++)
    if (dates->times[i] <= dates->times[i - 1])
      return error_set(error, ERROR_FileContentInvalid, "the dates of '%s' do not ascend", part->name);
  return 0;
}

static int by_date(const void *a, const void *b, void *time)
{
  const struct time_series_part *one = a, *other = b;
  const int64_t x = dates_of(one, *(size_t *)time)->times[0], y = dates_of(other, *(size_t *)time)->times[0];
  return (x > y) - (x < y);
}

/* The dates of all, in order. */
static int join_dates(struct arena *arena, const struct time_series *series, struct dimension *out, struct error *error)
{
  const size_t count = series->starts[series->count];
  int64_t *times = ARENA_ARRAY(arena, int64_t, count);
  if (!times)
    return error_memory(error);
  for (size_t p = 0; p < series->count; p++) {
    const struct dimension *dates = dates_of(&series->parts[p], series->time);
    memcpy(times + series->starts[p], dates->times, dates->size * sizeof *times);
    if (p > 0 && times[series->starts[p]] <= times[series->starts[p] - 1])
      return error_set(error, ERROR_FileContentInvalid, "'%s' and '%s' have dates in the same span of time",
                       series->parts[p - 1].name, series->parts[p].name);
  }
  out->size = count;
  out->times = times;
  out->texts = NULL;
  return 0;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static int open_reader(const struct source *source, unsigned threads, struct source_reader **out, struct error *error)
{
  *out = calloc(1, sizeof **out);
  if (!*out)
    return error_memory(error);
  **out = (struct source_reader){.source = source, .threads = threads};
  return 0;
}

static void close_part(const struct time_series *series, struct open_part *open)
{
  if (open->reader)
    series->parts[open->part].source->ops->close(open->reader);
  *open = (struct open_part){.reader = NULL};
}

static void close_reader(struct source_reader *reader)
{
  for (size_t i = 0; i < MOST_OPEN; i++)
    close_part(reader->source->state, &reader->open[i]);
  free(reader);
}

static void share_cache(struct source_reader *reader, struct block_cache *cache)
{
  reader->cache = cache;
}

static int find_part(struct source_reader *reader, size_t part, struct source_reader **out, struct error *error)
{
  const struct time_series *series = reader->source->state;
  const struct source *source = series->parts[part].source;
  struct open_part *best = &reader->open[0];
  for (size_t i = 0; i < MOST_OPEN; i++) {
    struct open_part *open = &reader->open[i];
    if (open->reader && open->part == part) {
      open->used = ++reader->clock;
      *out = open->reader;
      return 0;
    }
    if (best->reader && (!open->reader || open->used < best->used))
      best = open;
  }
  close_part(series, best);
  if (source->ops->open(source, reader->threads, &best->reader, error) != 0) {
    best->reader = NULL;
    return -1;
  }
  if (reader->cache && source->ops->share)
    source->ops->share(best->reader, reader->cache);
  best->part = part;
  best->used = ++reader->clock;
  *out = best->reader;
  return 0;
}

/* The dates of a box that has one label of each dimension before time: `data` is one stretch. */
static int read_dates(struct source_reader *reader, const struct box *box, unsigned char *data, struct error *error)
{
  const struct time_series *series = reader->source->state;
  const size_t t = series->time, first = box->start[t], end = first + box->count[t];
  size_t bytes = element_info(reader->source->cube.type)->size; /* of a date */
  for (size_t d = t + 1; d < box->dimensions; d++)
    bytes *= box->count[d];
  for (size_t p = 0; p < series->count; p++) {
    const size_t from = first > series->starts[p] ? first : series->starts[p];
    const size_t to = end < series->starts[p + 1] ? end : series->starts[p + 1];
    struct source_reader *part;
    struct box piece = *box;
    if (from >= to)
      continue;
    piece.start[t] = from - series->starts[p];
    piece.count[t] = to - from;
    if (find_part(reader, p, &part, error) != 0 ||
        series->parts[p].source->ops->read(part, &piece, data + (from - first) * bytes, error) != 0)
      return -1;
  }
  return 0;
}

static int read_box(struct source_reader *reader, const struct box *box, void *data, struct error *error)
{
  const struct time_series *series = reader->source->state;
  size_t stretches = 1, bytes = element_info(reader->source->cube.type)->size;
  for (size_t d = 0; d < box->dimensions; d++)
    *(d < series->time ? &stretches : &bytes) *= box->count[d];
  for (size_t i = 0; i < stretches; i++) {
    struct box piece = *box;
    size_t rest = i;
    for (size_t d = series->time; d > 0; d--) {
      piece.start[d - 1] += rest % box->count[d - 1];
      piece.count[d - 1] = 1;
      rest /= box->count[d - 1];
    }
    if (read_dates(reader, &piece, (unsigned char *)data + i * bytes, error) != 0)
      return -1;
  }
  return 0;
}

static void identity(const struct source *source, struct buffer *out)
{
  const struct time_series *series = source->state;
  identity_text(out, "time series");
  identity_count(out, series->count);
  for (size_t p = 0; p < series->count; p++)
    series->parts[p].source->ops->identity(series->parts[p].source, out);
}

static const struct source_ops series_ops = {.name = "time series",
                                             .open = open_reader,
                                             .read = read_box,
                                             .close = close_reader,
                                             .share = share_cache,
                                             .identity = identity};

/* ---- making ----------------------------------------------------------------------------------------------------- */

static int order_parts(struct arena *arena, const struct time_series_part *parts, struct time_series *out,
                       struct error *error)
{
  struct time_series_part *sorted = arena_copy(arena, parts, out->count * sizeof *parts);
  out->starts = ARENA_ARRAY(arena, size_t, out->count + 1);
  if (!sorted || !out->starts)
    return error_memory(error);
  for (size_t p = 0; p < out->count; p++)
    if (check_part(&parts[0], &parts[p], out->time, error) != 0)
      return -1;
  qsort_r(sorted, out->count, sizeof *sorted, by_date, &out->time);
  for (size_t p = 0; p < out->count; p++)
    out->starts[p + 1] = out->starts[p] + dates_of(&sorted[p], out->time)->size;
  out->parts = sorted;
  return 0;
}

static int find_time(const struct time_series_part *parts, size_t count, size_t *out, struct error *error)
{
  *out = cube_find_type(&parts[0].source->cube, DIMENSION_TEMPORAL);
  for (size_t p = 0; p < count; p++) {
    const struct cube *cube = &parts[p].source->cube;
    const size_t t = cube_find_type(cube, DIMENSION_TEMPORAL);
    if (t == SIZE_MAX || cube->dimension[t].labels != LABEL_TIME || cube->dimension[t].size == 0)
      return error_set(error, ERROR_FileContentInvalid, "'%s' has no dates: it is no part of a series", parts[p].name);
    if (t != *out)
      return error_set(error, ERROR_FileContentInvalid, "'%s' and '%s' have different dimensions: they are no series",
                       parts[0].name, parts[p].name);
  }
  return 0;
}

int time_series_source(struct arena *arena, const struct time_series_part *parts, size_t count,
                       const struct source **out, struct error *error)
{
  struct time_series *series = ARENA_NEW(arena, struct time_series);
  struct source *source = ARENA_NEW(arena, struct source);
  if (!series || !source)
    return error_memory(error);
  series->count = count;
  if (find_time(parts, count, &series->time, error) != 0 || order_parts(arena, parts, series, error) != 0)
    return -1;
  *source = *series->parts[0].source;
  source->ops = &series_ops;
  source->state = series;
  for (size_t p = 0; p < count; p++) {
    const size_t bytes = MOST_OPEN * series->parts[p].source->reader_bytes;
    source->reader_bytes = bytes > source->reader_bytes ? bytes : source->reader_bytes;
  }
  *out = source;
  return join_dates(arena, series, &source->cube.dimension[series->time], error);
}
