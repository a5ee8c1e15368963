/* Sources of quarks. See quark_source_arguments.h. */
#include "processes/lattice/quark_source_arguments.h"

#include "processes/lattice/lattice_arguments.h"

#include <string.h>

#define MAX_SEED INT64_C(9007199254740991)

static int read_position(struct call *call, const struct gauge_cube *cube, size_t *place)
{
  const struct value *given = call_argument(call, "position");
  if (given == NULL || given->kind == VALUE_NULL) {
    return 0;
  }
  bool fits = given->kind == VALUE_ARRAY && given->count == cube->dimensions;
  for (size_t k = 0; fits && k < given->count; k++) {
    const struct value *item = &given->items[k];
    fits = item->kind == VALUE_NUMBER && item->number >= 0 && item->number < (double)cube->extent[k] &&
           item->number == (double)(size_t)item->number;
    place[k] = fits ? (size_t)item->number : 0;
  }
  return fits ? 0
              : error_parameter(call->error, ERROR_ProcessParameterInvalid, "position",
                                "parameter 'position' of process '%s' must be an array of %zu whole numbers, one for "
                                "each axis, from 0 and below the axis' extent",
                                call->process->id, cube->dimensions);
}

int call_source(struct call *call, const struct gauge_cube *cube, struct source_arguments *out)
{
  static const char *const kinds[] = {"point", "wall", "z2", "z4", "gauss", NULL};
  size_t kind, seed;
  if (lattice_choice(call, "source", kinds, &kind) != 0 || lattice_count(call, "seed", 0, MAX_SEED, &seed) != 0) {
    return -1;
  }
  *out = (struct source_arguments){.kind = kind < SOURCE_NOISE ? kind : SOURCE_NOISE,
                                   .noise = kind < SOURCE_NOISE ? 0 : kind - SOURCE_NOISE,
                                   .seed = seed};
  return read_position(call, cube, out->place);
}

struct quark_source quark_source_of(const struct source_arguments *arguments, const struct gauge_field *gauge)
{
  struct quark_source source = {.kind = (enum source_kind)arguments->kind, .noise = (enum noise_kind)arguments->noise};
  memcpy(source.place, arguments->place, sizeof source.place);
  if (source.kind == SOURCE_NOISE) {
    source.stream = noise_stream(gauge, arguments->seed, arguments->place[0]);
  }
  return source;
}
