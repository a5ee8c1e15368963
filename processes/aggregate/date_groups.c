/* The output is a stack along time: each group is a kernel of its own over its dates, so a tile of one group reads
 * those dates only. Groups without dates share one node. */
#include "processes/aggregate/date_groups.h"

#include "processes/cube/along.h"

#include <string.h>

int date_dimension_find(struct call *call, const struct node *data, size_t *out)
{
  if (call_has(call, "dimension")) {
    if (call_dimension(call, "dimension", data, out) != 0)
      return -1;
  } else {
    size_t count = cube_count_type(data->cube, DIMENSION_TEMPORAL);
    *out = cube_find_type(data->cube, DIMENSION_TEMPORAL);
    if (count > 1)
      return error_parameter(call->error, ERROR_TooManyDimensions, "dimension",
                             "the cube has %zu temporal dimensions; name one", count);
    if (count == 0)
      return error_parameter(call->error, ERROR_DimensionNotAvailable, "dimension",
                             "the cube has no temporal dimension; its dimensions are: %s",
                             cube_dimension_names(call->arena, data->cube));
  }
  const struct dimension *time = &data->cube->dimension[*out];
  if (time->type != DIMENSION_TEMPORAL || (time->size > 0 && time->labels != LABEL_TIME))
    return error_parameter(call->error, ERROR_DimensionNotAvailable, "dimension",
                           "'%s' is not a temporal dimension with dates as labels", time->name);
  return 0;
}

/* The reducer of nothing, or no-data where the reducer asks for an element. */
static int reduce_nothing(struct call *call, const struct along *along, const struct dimension *kept,
                          const struct node **out)
{
  struct error before = *call->error;
  if (along_reduce(call, along, kept, out) == 0)
    return 0;
  if (strcmp(call->error->code, "ArrayElementNotAvailable") != 0)
    return -1;
  *call->error = before;
  return along_missing(call, along, kept, out);
}

static int reduce_group(struct call *call, const struct along *along, const struct date_groups *groups, size_t i,
                        const struct node **out)
{
  struct value picked;
  struct dimension kept;
  struct along part = *along;
  size_t count = groups->start[i + 1] - groups->start[i];
  if (view_pick(call, along->data, groups->dimension, groups->dates + groups->start[i], count, &picked) != 0)
    return -1;
  part.data = picked.cube;
  if (dimension_pick(call->arena, &groups->labels, &i, 1, &kept) != 0)
    return error_memory(call->error);
  return count ? along_reduce(call, &part, &kept, out) : reduce_nothing(call, &part, &kept, out);
}

int date_groups_reduce(struct call *call, const struct node *data, const struct callback *reducer,
                       const struct date_groups *groups, struct value *result)
{
  const struct along along = {
      .data = data, .dimension = groups->dimension, .callback = reducer, .parameter = "reducer"};
  const struct node **children = ARENA_ARRAY(call->arena, const struct node *, groups->labels.size);
  const struct node *nothing = NULL;
  struct cube *cube = cube_copy(call->arena, data->cube);
  if (!children || !cube)
    return error_memory(call->error);
  for (size_t i = 0; i < groups->labels.size; i++) {
    bool empty = groups->start[i] == groups->start[i + 1];
    children[i] = nothing;
    if (!(empty && nothing) && reduce_group(call, &along, groups, i, &children[i]) != 0)
      return -1;
    nothing = empty ? children[i] : nothing;
  }
  cube->dimension[groups->dimension] = groups->labels;
  cube_set_joint_type(cube, children, groups->labels.size);
  *result = value_cube(node_stack(call->arena, call_origin(call), cube, (int)groups->dimension, children));
  return result->cube ? 0 : error_memory(call->error);
}
