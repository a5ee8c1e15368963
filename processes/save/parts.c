/* Parts: views of one label each, saved like cubes of their own. */
#include "processes/save/parts.h"

#include "datacube/sink/options.h"
#include "processes/cube/shape.h"
#include "processes/graph/saves.h"

#include <string.h>

int parts_wanted(struct call *call, const struct outcome_output *output, bool *dates, bool *bands)
{
  const struct sink_options options = {output->options, output->option_count};
  *dates = *bands = false;
  if (sink_options_bool(options, "separate_dates", dates, call->error) != 0 ||
      sink_options_bool(options, "separate_bands", bands, call->error) != 0)
    return -1;
  return sink_options_bool(options, "separate_asset_per_band", bands, call->error);
}

/* A label in a file's name: of midnights the date alone. */
static const char *label_name(struct arena *arena, const struct dimension *dimension, size_t i)
{
  static const char midnight[] = "T00:00:00Z";
  char room[LABEL_TEXT_ROOM];
  const char *text = dimension_label_text(dimension, i, room);
  size_t length = strlen(text), end = sizeof midnight - 1;
  if (length > end && strcmp(text + length - end, midnight) == 0)
    length -= end;
  return arena_strndup(arena, text, length);
}

/* The parts along one dimension of what is left to be taken apart. */
struct part_cuts {
  size_t dimensions[2], count;
};

static int save_parts(struct call *call, const struct outcome_output *rest, const struct part_cuts *cutting,
                      size_t depth)
{
  if (depth == cutting->count)
    return lowering_save(call, rest);
  const size_t d = cutting->dimensions[depth];
  const struct dimension *dimension = &rest->node->cube->dimension[d];
  for (size_t i = 0; i < dimension->size; i++) {
    struct outcome_output part = *rest;
    struct value value;
    const char *label = label_name(call->arena, dimension, i);
    part.stem = label != NULL ? arena_printf(call->arena, "%s_%s", rest->stem, label) : NULL;
    if (part.stem == NULL)
      return error_memory(call->error);
    if (view_pick(call, rest->node, d, &i, 1, &value) != 0)
      return -1;
    part.node = value.cube;
    if (save_parts(call, &part, cutting, depth + 1) != 0)
      return -1;
  }
  return 0;
}

int parts_save(struct call *call, const struct outcome_output *whole, bool dates, bool bands)
{
  struct outcome_output output = *whole;
  struct part_cuts cutting = {.count = 0};
  const size_t t = cube_find_type(whole->node->cube, DIMENSION_TEMPORAL);
  const size_t b = cube_find_type(whole->node->cube, DIMENSION_BANDS);
  if (dates && t != SIZE_MAX)
    cutting.dimensions[cutting.count++] = t;
  if (bands && b != SIZE_MAX)
    cutting.dimensions[cutting.count++] = b;
  output.part_of = whole->node;
  output.stem = output.stem != NULL ? output.stem : output.name;
  return save_parts(call, &output, &cutting, 0);
}
