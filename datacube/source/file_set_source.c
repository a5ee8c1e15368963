/* Parts are grouped by their bands, each group is a series, and the groups are stacked: a box is read group by group
 * into scratch, one band at a time, and from there into its place. */
#include "datacube/source/file_set_source.h"

#include "datacube/base/checked.h"
#include "datacube/source/identity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct band_place {
  size_t group, index; /* of the band in the group's cube */
};

struct band_stack {
  const struct source **groups;
  size_t group_count;
  size_t axis; /* dimension of the bands */
  struct band_place *places;
};

struct source_reader {
  const struct source *source;
  struct source_reader **groups;
  unsigned char *scratch; /* a band of a box */
  size_t room;            /* bytes */
};

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static void stack_close(struct source_reader *reader)
{
  const struct band_stack *stack = reader->source->state;
  for (size_t g = 0; reader->groups && g < stack->group_count; g++)
    if (reader->groups[g])
      stack->groups[g]->ops->close(reader->groups[g]);
  free(reader->groups);
  free(reader->scratch);
  free(reader);
}

static int stack_open(const struct source *source, unsigned threads, struct source_reader **out, struct error *error)
{
  const struct band_stack *stack = source->state;
  struct source_reader *reader = calloc(1, sizeof *reader);
  if (!reader)
    return error_memory(error);
  reader->source = source;
  reader->groups = calloc(stack->group_count, sizeof *reader->groups);
  int status = reader->groups ? 0 : error_memory(error);
  for (size_t g = 0; g < stack->group_count && status == 0; g++)
    status = stack->groups[g]->ops->open(stack->groups[g], threads, &reader->groups[g], error);
  if (status != 0)
    stack_close(reader);
  else
    *out = reader;
  return status;
}

static void stack_share(struct source_reader *reader, struct block_cache *cache)
{
  const struct band_stack *stack = reader->source->state;
  for (size_t g = 0; g < stack->group_count; g++)
    if (stack->groups[g]->ops->share)
      stack->groups[g]->ops->share(reader->groups[g], cache);
}

static int grow(struct source_reader *reader, size_t bytes, struct error *error)
{
  if (bytes <= reader->room)
    return 0;
  free(reader->scratch);
  reader->scratch = malloc(bytes);
  reader->room = reader->scratch ? bytes : 0;
  return reader->scratch ? 0 : error_memory(error);
}

static int stack_read(struct source_reader *reader, const struct box *box, void *data, struct error *error)
{
  const struct band_stack *stack = reader->source->state;
  const size_t axis = stack->axis, bands = box->count[axis];
  size_t outer = 1, inner = element_info(reader->source->cube.type)->size;
  for (size_t d = 0; d < box->dimensions; d++)
    if (d != axis)
      *(d < axis ? &outer : &inner) *= box->count[d];
  if (grow(reader, outer * inner, error) != 0)
    return -1;
  for (size_t b = 0; b < bands; b++) {
    const struct band_place *place = &stack->places[box->start[axis] + b];
    struct box piece = *box;
    piece.start[axis] = place->index;
    piece.count[axis] = 1;
    if (stack->groups[place->group]->ops->read(reader->groups[place->group], &piece, reader->scratch, error) != 0)
      return -1;
    for (size_t o = 0; o < outer; o++)
      memcpy((unsigned char *)data + (o * bands + b) * inner, reader->scratch + o * inner, inner);
  }
  return 0;
}

static void stack_identity(const struct source *source, struct buffer *out)
{
  const struct band_stack *stack = source->state;
  identity_text(out, "stack of files");
  for (size_t b = 0; b < source->cube.dimension[stack->axis].size; b++) {
    identity_count(out, stack->places[b].group);
    identity_count(out, stack->places[b].index);
  }
  for (size_t g = 0; g < stack->group_count; g++)
    stack->groups[g]->ops->identity(stack->groups[g], out);
}

static const struct source_ops stack_ops = {.name = "stack of files",
                                            .open = stack_open,
                                            .read = stack_read,
                                            .close = stack_close,
                                            .share = stack_share,
                                            .identity = stack_identity};

/* ---- making ----------------------------------------------------------------------------------------------------- */

static bool fits(const struct cube *a, const struct cube *b, size_t axis)
{
  bool same = a->dimensions == b->dimensions && a->type == b->type && a->has_nodata == b->has_nodata &&
              (!a->has_nodata || a->nodata == b->nodata || (isnan(a->nodata) && isnan(b->nodata))) &&
              (a->crs == b->crs || (a->crs && b->crs && strcmp(a->crs, b->crs) == 0)) &&
              cube_find_type(b, DIMENSION_BANDS) == axis;
  for (size_t d = 0; d < a->dimensions && same; d++)
    same = d == axis || dimension_labels_equal(&a->dimension[d], &b->dimension[d]);
  return same;
}

/* The band in one of the groups; false where none has it. */
static bool find_band(const struct band_stack *stack, const char *name, struct band_place *out)
{
  for (out->group = 0; out->group < stack->group_count; out->group++) {
    const struct dimension *bands = &stack->groups[out->group]->cube.dimension[stack->axis];
    for (out->index = 0; out->index < bands->size; out->index++) {
      char room[LABEL_TEXT_ROOM];
      if (strcmp(dimension_label_text(bands, out->index, room), name) == 0)
        return true;
    }
  }
  return false;
}

/* The names of all groups' bands, one behind the other. */
static const char **all_bands(struct arena *arena, const struct band_stack *stack, size_t *count)
{
  *count = 0;
  for (size_t g = 0; g < stack->group_count; g++)
    *count += stack->groups[g]->cube.dimension[stack->axis].size;
  const char **names = ARENA_ARRAY(arena, const char *, *count);
  for (size_t g = 0, n = 0; g < stack->group_count && names; g++)
    for (size_t i = 0; i < stack->groups[g]->cube.dimension[stack->axis].size; i++) {
      char room[LABEL_TEXT_ROOM];
      names[n++] = arena_strdup(arena, dimension_label_text(&stack->groups[g]->cube.dimension[stack->axis], i, room));
    }
  return names;
}

static int place_bands(struct arena *arena, struct band_stack *stack, const char *const *names, size_t count,
                       struct cube *cube, struct error *error)
{
  struct band_info *info = ARENA_ARRAY(arena, struct band_info, count);
  stack->places = ARENA_ARRAY(arena, struct band_place, count);
  if (!info || !stack->places)
    return error_memory(error);
  for (size_t b = 0; b < count; b++) {
    if (!names[b])
      return error_memory(error);
    if (!find_band(stack, names[b], &stack->places[b]))
      return error_set(error, ERROR_BandNotAvailable, "no file has the variable \"%.80s\"", names[b]);
    const struct cube *from = &stack->groups[stack->places[b].group]->cube;
    info[b] = from->bands ? from->bands[stack->places[b].index] : (struct band_info){.scale = 1};
  }
  cube->dimension[stack->axis] = dimension_texts(cube->dimension[stack->axis].name, DIMENSION_BANDS, names, count);
  cube->bands = info;
  return 0;
}

static int make_stack(struct arena *arena, struct band_stack *stack, const char *const *bands, size_t band_count,
                      const struct source **out, struct error *error)
{
  struct source *source = ARENA_NEW(arena, struct source);
  if (!source)
    return error_memory(error);
  *source = *stack->groups[0];
  source->ops = &stack_ops;
  source->state = stack;
  source->block[stack->axis] = 1;
  source->block_phase[stack->axis] = 0;
  source->reader_bytes = 0;
  for (size_t g = 0; g < stack->group_count; g++)
    source->reader_bytes = saturated_add(source->reader_bytes, stack->groups[g]->reader_bytes);
  const char *const *names = bands ? bands : all_bands(arena, stack, &band_count);
  if (!names)
    return error_memory(error);
  *out = source;
  return place_bands(arena, stack, names, band_count, &source->cube, error);
}

static bool same_bands(const struct source *a, const struct source *b)
{
  const size_t x = cube_find_type(&a->cube, DIMENSION_BANDS), y = cube_find_type(&b->cube, DIMENSION_BANDS);
  return x == y && (x == SIZE_MAX || dimension_labels_equal(&a->cube.dimension[x], &b->cube.dimension[y]));
}

/* The parts with the bands of parts[first], as one source; they are marked as taken. */
static int make_group(struct arena *arena, const struct time_series_part *parts, size_t count, size_t first,
                      bool *taken, const struct source **out, struct error *error)
{
  struct time_series_part *group = ARENA_ARRAY(arena, struct time_series_part, count);
  size_t n = 0;
  if (!group)
    return error_memory(error);
  for (size_t p = first; p < count; p++)
    if (!taken[p] && same_bands(parts[first].source, parts[p].source)) {
      taken[p] = true;
      group[n++] = parts[p];
    }
  *out = group[0].source;
  return n == 1 ? 0 : time_series_source(arena, group, n, out, error);
}

int file_set_source(struct arena *arena, const struct time_series_part *parts, size_t count, const char *const *bands,
                    size_t band_count, const struct source **out, struct error *error)
{
  struct band_stack *stack = ARENA_NEW(arena, struct band_stack);
  bool *taken = ARENA_ARRAY(arena, bool, count);
  if (stack)
    stack->groups = ARENA_ARRAY(arena, const struct source *, count);
  if (!stack || !taken || !stack->groups)
    return error_memory(error);
  for (size_t p = 0; p < count; p++)
    taken[p] = false;
  for (size_t p = 0; p < count; p++) {
    if (taken[p])
      continue;
    const struct source **group = &stack->groups[stack->group_count];
    if (make_group(arena, parts, count, p, taken, group, error) != 0)
      return -1;
    stack->axis = cube_find_type(&stack->groups[0]->cube, DIMENSION_BANDS);
    if (stack->group_count++ > 0 &&
        (stack->axis == SIZE_MAX || !fits(&stack->groups[0]->cube, &(*group)->cube, stack->axis)))
      return error_set(error, ERROR_FileContentInvalid,
                       "'%s' and '%s' hold different variables over different dimensions, labels or types: they are no "
                       "cube together",
                       parts[0].name, parts[p].name);
  }
  *out = stack->groups[0];
  return stack->axis == SIZE_MAX ? 0 : make_stack(arena, stack, bands, band_count, out, error);
}
