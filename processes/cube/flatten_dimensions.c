/* flatten_dimensions: several dimensions as one, with the joined labels. */
#include "processes/cube/regrouping.h"

#include "datacube/base/checked.h"

#include <string.h>

static const size_t most_labels = (size_t)1 << 22;

struct flattening {
  struct call *call;
  const struct cube *cube;
  const char *separator;
  size_t dimensions[CUBE_MAX_DIMENSIONS], count; /* to be joined, the slowest first */
};

static int read_dimensions(struct flattening *f)
{
  struct call *call = f->call;
  const struct value *names = call_argument(call, "dimensions");
  if (names->count == 0)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "dimensions", "no dimension is named");
  for (size_t i = 0; i < names->count; i++) {
    const char *name = names->items[i].text;
    size_t d = cube_find_dimension(f->cube, name);
    if (d == SIZE_MAX)
      return error_parameter(call->error, ERROR_DimensionNotAvailable, "dimensions",
                             "the data cube has no dimension '%s'; its dimensions are: %s", name,
                             cube_dimension_names(call->arena, f->cube));
    for (size_t k = 0; k < f->count; k++)
      if (f->dimensions[k] == d)
        return error_parameter(call->error, ERROR_ProcessParameterInvalid, "dimensions",
                               "the dimension '%s' is named twice", name);
    f->dimensions[f->count++] = d;
  }
  return 0;
}

/* The labels of the dimensions before, each with all of the next one behind it. */
static int join_next(struct flattening *f, const char *const **texts, size_t *size, const struct dimension *next)
{
  const char **joined = ARENA_ARRAY(f->call->arena, const char *, *size * next->size);
  char room[LABEL_TEXT_ROOM];
  for (size_t i = 0; joined && i < *size; i++)
    for (size_t k = 0; k < next->size; k++) {
      const char *label = dimension_label_text(next, k, room), **text = &joined[i * next->size + k];
      *text = *texts ? arena_printf(f->call->arena, "%s%s%s", (*texts)[i], f->separator, label)
                     : arena_strdup(f->call->arena, label);
      if (!*text)
        return error_memory(f->call->error);
    }
  *texts = joined;
  *size *= next->size;
  return joined ? 0 : error_memory(f->call->error);
}

static int join_dimensions(struct flattening *f, const char *name, struct dimension *out)
{
  const char *const *texts = NULL;
  size_t size = 1, all = 1;
  for (size_t i = 0; i < f->count; i++)
    all = saturated_mul(all, f->cube->dimension[f->dimensions[i]].size);
  if (all > most_labels)
    return error_parameter(f->call->error, ERROR_ProcessGraphComplexity, "dimensions",
                           "the new dimension would have more than %zu labels", most_labels);
  for (size_t i = 0; i < f->count; i++)
    if (join_next(f, &texts, &size, &f->cube->dimension[f->dimensions[i]]) != 0)
      return -1;
  *out = dimension_texts(name, DIMENSION_OTHER, texts, size);
  return 0;
}

static bool is_joined(const struct flattening *f, size_t d)
{
  for (size_t i = 0; i < f->count; i++)
    if (f->dimensions[i] == d)
      return true;
  return false;
}

static int flatten_dimensions_call(struct call *call, struct value *result)
{
  const struct node *data, *node;
  const char *name;
  struct flattening f = {.call = call};
  struct dimension joined;
  struct regrouping r;
  if (call_cube(call, "data", &data) != 0 || call_text(call, "target_dimension", &name) != 0 ||
      call_text(call, "label_separator", &f.separator) != 0)
    return -1;
  f.cube = data->cube;
  if (read_dimensions(&f) != 0)
    return -1;
  if (cube_find_dimension(f.cube, name) != SIZE_MAX)
    return error_parameter(call->error, ERROR_TargetDimensionExists, "target_dimension",
                           "a dimension named '%s' exists already", name);
  if (join_dimensions(&f, name, &joined) != 0 || regrouping_begin(call, data, &r) != 0 ||
      regrouping_add(&r, &joined) != 0)
    return -1;
  for (size_t i = 0; i < f.count; i++)
    regrouping_axis(&r, f.dimensions[i], f.cube->dimension[f.dimensions[i]].size);
  for (size_t d = 0; d < f.cube->dimensions; d++)
    if (!is_joined(&f, d) && regrouping_keep(&r, d) != 0)
      return -1;
  if (regrouping_end(&r, &node) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_flatten_dimensions = {
    .id = "flatten_dimensions", .shape = PROCESS_CUBE, .call = flatten_dimensions_call};
