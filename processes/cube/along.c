/* Callbacks along a dimension. */
#include "processes/cube/along.h"

int along_run(struct call *call, const struct along *along, struct kernel_frame *frame, struct value *value)
{
  const struct cube *cube = along->data->cube;
  const struct dimension *labels = &cube->dimension[along->dimension];
  frame->data = along->data;
  frame->array_dimension = (int)along->dimension;
  frame->program = program_new(call->arena);
  if (!frame->program)
    return error_memory(call->error);
  struct lanes array = program_input(frame->program, 0, true, labels->size, cube->type, labels);
  struct argument parameters[] = {{"data", value_lanes(array)}, {"context", call_context(call)}};
  return frame_run(call, frame, along->callback, parameters, 2, value);
}

/* The band that the result is an element of; NULL where it is none. */
static const struct band_info *picked_band(const struct along *along, const struct program *program,
                                           const struct lanes *result)
{
  const struct cube *cube = along->data->cube;
  const struct program_step *step = &program->steps[result->value];
  bool picks = step->kind == PROGRAM_PICK && !step->is_array && !result->is_complex &&
               program->steps[step->operand[0]].kind == PROGRAM_INPUT && program->steps[step->operand[0]].input == 0;
  if (!picks || !cube->bands || along->dimension != cube_find_type(cube, DIMENSION_BANDS) ||
      cube_count_type(cube, DIMENSION_BANDS) > 1)
    return NULL;
  return &cube->bands[step->indexes[0]];
}

/* The reduced cube, still with the data's type. */
static void describe_reduced(const struct along *along, const struct kernel_frame *frame, const struct lanes *lanes,
                             const struct dimension *kept, struct cube *cube)
{
  if (kept) {
    cube->dimension[along->dimension] = *kept;
    return;
  }
  const struct band_info *band = picked_band(along, frame->program, lanes);
  cube_remove_dimension(cube, along->dimension);
  cube->bands = band ? band : cube->bands;
}

int along_reduce(struct call *call, const struct along *along, const struct dimension *kept, const struct node **out)
{
  struct kernel_frame frame = {.wants_single = true, .model = along->model};
  struct value value;
  struct lanes lanes;
  if (along_run(call, along, &frame, &value) != 0)
    return -1;
  const struct node *whole = frame_whole(&frame, &value);
  if (whole && value.lanes.is_array && value.lanes.length == 1) /* a script that leaves the dimension, with one label */
    value = value_lanes(program_element(frame.program, value.lanes, 0));
  else if (whole && !value.lanes.is_array && !kept) {
    *out = whole;
    return 0;
  }
  struct cube *cube = frame_cube(call, &frame);
  if (!cube || callback_lanes(call, frame.program, &value, false, along->parameter, &lanes) != 0)
    return -1;
  describe_reduced(along, &frame, &lanes, kept, cube);
  struct kernel_input *inputs = frame_inputs(call, &frame, cube);
  if (!inputs)
    return -1;
  inputs[0] = (struct kernel_input){.node = along->data, .array_dimension = (int)along->dimension};
  for (size_t d = 0; d < along->data->cube->dimensions; d++)
    inputs[0].to_output[d] = d == along->dimension ? NO_DIMENSION : (int)(kept || d < along->dimension ? d : d - 1);
  cube_set_result_type(cube, &lanes, inputs, 1 + frame.count);
  if (cube_settle_packing(call, cube, frame.program, &lanes) != 0)
    return -1;
  *out = node_kernel(call->arena, call_origin(call), cube, inputs, 1 + frame.count, frame.program, lanes, NO_DIMENSION);
  return *out ? 0 : error_memory(call->error);
}

int along_missing(struct call *call, const struct along *along, const struct dimension *kept, const struct node **out)
{
  struct cube *cube = cube_copy(call->arena, along->data->cube);
  struct program *program = program_new(call->arena);
  if (!cube || !program)
    return error_memory(call->error);
  cube->dimension[along->dimension] = *kept;
  cube_admit_missing(cube);
  *out = node_kernel(call->arena, call_origin(call), cube, NULL, 0, program, program_missing(program), NO_DIMENSION);
  return *out ? 0 : error_memory(call->error);
}
