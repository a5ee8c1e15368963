#include "processes/cube/kernel_frame.h"

#include "processes/graph/lower.h"

int frame_run(struct call *call, struct kernel_frame *frame, const struct callback *callback,
              const struct argument *parameters, size_t count, struct value *result)
{
  struct lowering *lowering = call->lowering;
  struct kernel_frame *outer = lowering->frame;
  frame->callbacks = lowering->callbacks + 1;
  lowering->frame = frame;
  const int status = call_run_callback(call, callback, frame->program, parameters, count, result);
  lowering->frame = outer;
  return status;
}

struct kernel_frame *frame_of(const struct call *call)
{
  struct kernel_frame *frame = call->lowering->frame;
  return frame && frame->callbacks == call->lowering->callbacks && frame->program == call->program ? frame : NULL;
}

int frame_add(struct call *call, struct kernel_frame *frame, const struct node *node, int array_dimension,
              struct lanes *out)
{
  const struct dimension *labels = array_dimension == NO_DIMENSION ? NULL : &node->cube->dimension[array_dimension];
  if (frame->count == FRAME_MOST)
    return error_set(call->error, ERROR_ProcessGraphComplexity, "a callback runs more than %d user-defined functions",
                     FRAME_MOST);
  frame->added[frame->count] = node;
  frame->added_array[frame->count++] = array_dimension;
  *out =
      program_input(frame->program, frame->count, labels != NULL, labels ? labels->size : 1, node->cube->type, labels);
  return program_failed(frame->program) ? program_error(frame->program, call->error) : 0;
}

const struct node *frame_whole(const struct kernel_frame *frame, const struct value *value)
{
  if (value->kind != VALUE_LANES || value->kept || value->lanes.program != frame->program)
    return NULL;
  const struct program_step *step = &frame->program->steps[value->lanes.value];
  const bool is_added = step->kind == PROGRAM_INPUT && step->input > 0 && step->input <= frame->count;
  return is_added ? frame->added[step->input - 1] : NULL;
}

struct cube *frame_cube(struct call *call, const struct kernel_frame *frame)
{
  struct cube *cube = cube_copy(call->arena, frame->data->cube);
  if (!cube)
    error_memory(call->error);
  else if (frame->count > 0)
    cube->bands = NULL;
  return cube;
}

struct kernel_input *frame_inputs(struct call *call, const struct kernel_frame *frame, const struct cube *cube)
{
  struct kernel_input *inputs = ARENA_ARRAY(call->arena, struct kernel_input, 1 + frame->count);
  if (!inputs) {
    error_memory(call->error);
    return NULL;
  }
  if (frame->count == 0)
    return inputs;
  kernel_inputs_by_names(cube, frame->added, frame->count, inputs + 1);
  for (size_t i = 0; i < frame->count; i++) {
    const int array = frame->added_array[i];
    inputs[i + 1].array_dimension = array;
    if (array != NO_DIMENSION)
      inputs[i + 1].to_output[array] = NO_DIMENSION;
  }
  return inputs;
}
