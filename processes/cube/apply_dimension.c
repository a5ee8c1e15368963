/* apply_dimension: the values along a dimension become other values, in the same dimension or in a new one. */
#include "processes/cube/along.h"

#include <string.h>

/* The dimension that holds the values: the source's labels stay where the number of values does. */
static int place_dimension(struct call *call, const struct along *along, const char *target, const struct lanes *lanes,
                           struct cube *cube)
{
  const struct dimension *source = &along->data->cube->dimension[along->dimension];
  struct dimension *out = &cube->dimension[along->dimension];
  bool same = !target || strcmp(target, source->name) == 0;
  if (!same && cube_find_dimension(cube, target) != SIZE_MAX)
    return error_parameter(call->error, "DimensionExists", "target_dimension", "a dimension named '%s' exists already",
                           target);
  if (same && lanes->length == source->size)
    return 0;
  if (lanes->labels) {
    *out = *lanes->labels;
    out->name = same ? source->name : target;
    out->type = same ? source->type : DIMENSION_OTHER;
  } else
    *out = dimension_enumerated(same ? source->name : target, same ? source->type : DIMENSION_OTHER, lanes->length);
  if (source->type == DIMENSION_SPATIAL && same)
    out->axis = source->axis;
  if (source->type == DIMENSION_BANDS)
    cube->bands = NULL;
  return 0;
}

static int apply_dimension_call(struct call *call, struct value *result)
{
  struct along along = {.parameter = "process"};
  struct program *program;
  struct value value;
  struct lanes lanes;
  const char *target = NULL;
  if (call_cube(call, "data", &along.data) != 0 ||
      call_dimension(call, "dimension", along.data, &along.dimension) != 0 ||
      call_callback_argument(call, "process", &along.callback) != 0)
    return -1;
  if (call_has(call, "target_dimension") && call_text(call, "target_dimension", &target) != 0)
    return -1;
  struct cube *cube = cube_copy(call->arena, along.data->cube);
  struct kernel_input *input = ARENA_NEW(call->arena, struct kernel_input);
  if (!cube || !input)
    return error_memory(call->error);
  if (along_run(call, &along, &program, &value) != 0 ||
      callback_lanes(call, program, &value, true, "process", &lanes) != 0 ||
      place_dimension(call, &along, target, &lanes, cube) != 0)
    return -1;
  *input = (struct kernel_input){.node = along.data, .array_dimension = (int)along.dimension};
  for (size_t d = 0; d < along.data->cube->dimensions; d++)
    input->to_output[d] = d == along.dimension ? NO_DIMENSION : (int)d;
  cube_set_result_type(cube, &lanes, input, 1);
  if (cube_settle_packing(call, cube, program, &lanes) != 0)
    return -1;
  const struct node *node =
      node_kernel(call->arena, call_origin(call), cube, input, 1, program, lanes, (int)along.dimension);
  *result = value_cube(node);
  return node ? 0 : error_memory(call->error);
}

const struct process process_apply_dimension = {
    .id = "apply_dimension", .shape = PROCESS_CUBE, .call = apply_dimension_call};
