/* Callbacks along a dimension. */
#include "processes/cube/along.h"

int along_run(struct call *call, const struct along *along, struct program **program, struct value *value)
{
  const struct cube *cube = along->data->cube;
  const struct dimension *labels = &cube->dimension[along->dimension];
  *program = program_new(call->arena);
  if (!*program)
    return error_memory(call->error);
  struct lanes array = program_input(*program, 0, true, labels->size, cube->type, labels);
  struct argument parameters[] = {{"data", value_lanes(array)}, {"context", call_context(call)}};
  return call_run_callback(call, along->callback, *program, parameters, 2, value);
}

/* The band that the result is an element of; NULL where it is none. */
static const struct band_info *picked_band(const struct along *along, const struct program *program,
                                           const struct lanes *result)
{
  const struct cube *cube = along->data->cube;
  const struct program_step *step = &program->steps[result->value];
  bool picks = step->kind == PROGRAM_PICK && !step->is_array && !result->is_complex &&
               program->steps[step->operand[0]].kind == PROGRAM_INPUT;
  if (!picks || !cube->bands || along->dimension != cube_find_type(cube, DIMENSION_BANDS) ||
      cube_count_type(cube, DIMENSION_BANDS) > 1)
    return NULL;
  return &cube->bands[step->indexes[0]];
}

int along_reduce(struct call *call, const struct along *along, const struct dimension *kept, const struct node **out)
{
  struct program *program;
  struct value value;
  struct lanes lanes;
  struct cube *cube = cube_copy(call->arena, along->data->cube);
  struct kernel_input *input = ARENA_NEW(call->arena, struct kernel_input);
  if (!cube || !input)
    return error_memory(call->error);
  if (along_run(call, along, &program, &value) != 0 ||
      callback_lanes(call, program, &value, false, along->parameter, &lanes) != 0)
    return -1;
  if (kept)
    cube->dimension[along->dimension] = *kept;
  else {
    const struct band_info *band = picked_band(along, program, &lanes);
    cube_remove_dimension(cube, along->dimension);
    cube->bands = band ? band : cube->bands;
  }
  *input = (struct kernel_input){.node = along->data, .array_dimension = (int)along->dimension};
  for (size_t d = 0; d < along->data->cube->dimensions; d++)
    input->to_output[d] = d == along->dimension ? NO_DIMENSION : (int)(kept || d < along->dimension ? d : d - 1);
  cube_set_result_type(cube, &lanes, input, 1);
  if (cube_settle_packing(call, cube, program, &lanes) != 0)
    return -1;
  *out = node_kernel(call->arena, call_origin(call), cube, input, 1, program, lanes, NO_DIMENSION);
  return *out ? 0 : error_memory(call->error);
}
