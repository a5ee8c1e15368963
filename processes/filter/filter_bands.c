/* filter_bands: bands by name, common name or wavelength, in the order asked for. */
#include "processes/cube/shape.h"

#include <string.h>

struct choice {
  size_t *indexes, count;
  bool *taken;
};

static void take(struct choice *choice, size_t i)
{
  if (!choice->taken[i])
    choice->indexes[choice->count++] = i;
  choice->taken[i] = true;
}

/* A name that no band has is an error beside names that do match; where nothing matches at all, no band stays, as the
 * specification has it. */
static int take_names(struct call *call, const struct cube *cube, const struct dimension *bands, struct choice *choice)
{
  const struct value *names = call_argument(call, "bands");
  const char *unknown = NULL;
  for (size_t k = 0; names && k < names->count; k++) {
    const char *name = names->items[k].text;
    bool found = false;
    size_t i = names->items[k].kind == VALUE_TEXT ? dimension_find_text(bands, name) : SIZE_MAX;
    if (i != SIZE_MAX) {
      take(choice, i);
      continue;
    }
    for (i = 0; cube->bands && name && i < bands->size; i++)
      if (cube->bands[i].common_name && strcmp(cube->bands[i].common_name, name) == 0) {
        take(choice, i);
        found = true;
      }
    if (!found)
      unknown = name ? name : "?";
  }
  if (unknown && choice->count > 0)
    return error_parameter(call->error, "BandNotAvailable", "bands", "the cube has no band '%s'", unknown);
  return 0;
}

static void take_wavelengths(struct call *call, const struct cube *cube, const struct dimension *bands,
                             struct choice *choice)
{
  const struct value *ranges = call_argument(call, "wavelengths");
  for (size_t k = 0; ranges && k < ranges->count; k++) {
    const struct value *range = &ranges->items[k];
    for (size_t i = 0; cube->bands && range->kind == VALUE_ARRAY && range->count == 2 && i < bands->size; i++)
      if (cube->bands[i].wavelength > 0 && cube->bands[i].wavelength >= range->items[0].number &&
          cube->bands[i].wavelength <= range->items[1].number)
        take(choice, i);
  }
}

static int filter_bands_call(struct call *call, struct value *result)
{
  const struct node *data;
  if (call_cube(call, "data", &data) != 0)
    return -1;
  size_t d = cube_find_type(data->cube, DIMENSION_BANDS);
  if (d == SIZE_MAX)
    return error_parameter(call->error, "DimensionMissing", "data", "the cube has no dimension of type bands");
  const struct value *names = call_argument(call, "bands"), *ranges = call_argument(call, "wavelengths");
  if (!(names && names->count) && !(ranges && ranges->count))
    return error_set(call->error, "BandFilterParameterMissing", "give 'bands' or 'wavelengths'");
  const struct dimension *bands = &data->cube->dimension[d];
  struct choice choice = {.indexes = ARENA_ARRAY(call->arena, size_t, bands->size),
                          .taken = ARENA_ARRAY(call->arena, bool, bands->size)};
  if (!choice.indexes || !choice.taken)
    return error_memory(call->error);
  if (take_names(call, data->cube, bands, &choice) != 0)
    return -1;
  take_wavelengths(call, data->cube, bands, &choice);
  return view_pick(call, data, d, choice.indexes, choice.count, result);
}

const struct process process_filter_bands = {.id = "filter_bands", .shape = PROCESS_CUBE, .call = filter_bands_call};
