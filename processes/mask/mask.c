/* mask: values are replaced where a mask is not zero. */
#include "processes/cube/shape.h"
#include "processes/resample/regrid.h"

static int check_compatible(struct call *call, const struct node *data, const struct node *mask)
{
  for (size_t d = 0; d < mask->cube->dimensions; d++) {
    const struct dimension *theirs = &mask->cube->dimension[d];
    size_t ours = cube_find_dimension(data->cube, theirs->name);
    if (ours == SIZE_MAX)
      return error_parameter(call->error, "IncompatibleDataCubes", "mask",
                             "the mask has a dimension '%s' that the data cube lacks", theirs->name);
    if (!dimension_labels_equal(&data->cube->dimension[ours], theirs))
      return error_parameter(call->error, "IncompatibleDataCubes", "mask",
                             "the labels of dimension '%s' differ between data (%zu) and mask (%zu)", theirs->name,
                             data->cube->dimension[ours].size, theirs->size);
  }
  return 0;
}

static int mask_call(struct call *call, struct value *result)
{
  const struct node *inputs[2], *mask, *node;
  struct program *program = program_new(call->arena);
  if (!program)
    return error_memory(call->error);
  if (call_cube(call, "data", &inputs[0]) != 0 || call_cube(call, "mask", &mask) != 0 ||
      regrid_like(call, mask, inputs[0], "mask", &inputs[1]) != 0 || check_compatible(call, inputs[0], inputs[1]) != 0)
    return -1;
  struct lanes values = program_input(program, 0, false, 1, inputs[0]->cube->type, NULL);
  struct lanes where = program_input(program, 1, false, 1, inputs[1]->cube->type, NULL), masked;
  const struct value *replacement = call_argument(call, "replacement");
  if (replacement && value_is_lanes_like(replacement) && replacement->kind != VALUE_NULL)
    masked = program_ternary(program, KOP_SELECT, value_as_lanes(program, replacement), values, where);
  else if (replacement && replacement->kind != VALUE_NULL)
    return error_parameter(call->error, "ProcessParameterInvalid", "replacement",
                           "only numbers, booleans and null can replace values");
  else
    masked = program_binary(program, KOP_MASK, values, where);
  if (kernel_by_names(call, inputs[0]->cube, inputs, 2, program, masked, &node) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_mask = {.id = "mask", .shape = PROCESS_CUBE, .call = mask_call};
