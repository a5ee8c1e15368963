/* trim_cube: labels at which all elements are no-data go. Categories (bands, geometries, texts) go wherever they are,
 * what has an order (space, time, numbers) from both ends, so that steps stay steps. */
#include "processes/cube/occupied.h"

static bool is_category(const struct dimension *d)
{
  return d->type == DIMENSION_BANDS || d->labels == LABEL_GEOMETRY ||
         (d->type != DIMENSION_TEMPORAL && d->labels == LABEL_TEXT);
}

static size_t list_labels(const struct dimension *d, const unsigned char *occupied, size_t *indexes)
{
  size_t first = 0, end = d->size, count = 0;
  while (first < end && !occupied[first])
    first++;
  while (end > first && !occupied[end - 1])
    end--;
  for (size_t i = first; i < end; i++)
    if (occupied[i] || !is_category(d))
      indexes[count++] = i;
  return count;
}

static int trim_cube_call(struct call *call, struct value *result)
{
  const struct node *data;
  struct occupied occupied;
  if (call_cube(call, "data", &data) != 0)
    return -1;
  *result = value_cube(data);
  if (cube_elements(data->cube) == 0) /* nothing says what is no-data */
    return 0;
  if (cube_find_occupied(call, data, &occupied) != 0)
    return -1;
  for (size_t d = 0; d < data->cube->dimensions; d++) {
    const struct dimension *dimension = &data->cube->dimension[d];
    size_t *indexes = ARENA_ARRAY(call->arena, size_t, dimension->size);
    if (!indexes)
      return error_memory(call->error);
    size_t count = list_labels(dimension, occupied.labels[d], indexes);
    if (count < dimension->size && view_pick(call, result->cube, d, indexes, count, result) != 0)
      return -1;
  }
  return 0;
}

const struct process process_trim_cube = {.id = "trim_cube", .shape = PROCESS_CUBE, .call = trim_cube_call};
