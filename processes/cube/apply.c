/* apply: a process on each element by itself. */
#include "processes/cube/kernel_frame.h"

/* The node that the callback's program computes. */
static int compute(struct call *call, struct kernel_frame *frame, const struct value *value, const struct node **out)
{
  const struct cube *cube = frame_cube(call, frame);
  const struct node *inputs[1 + FRAME_MOST] = {frame->data};
  struct lanes lanes;
  for (size_t i = 0; i < frame->count; i++)
    inputs[1 + i] = frame->added[i];
  if (!cube || callback_lanes(call, frame->program, value, false, "process", &lanes) != 0)
    return -1;
  return kernel_by_names(call, cube, inputs, 1 + frame->count, frame->program, lanes, out);
}

static int apply_call(struct call *call, struct value *result)
{
  const struct node *data;
  const struct callback *process;
  struct value value;
  struct kernel_frame frame = {.array_dimension = NO_DIMENSION, .program = program_new(call->arena)};
  if (!frame.program)
    return error_memory(call->error);
  if (call_cube(call, "data", &data) != 0 || call_callback_argument(call, "process", &process) != 0)
    return -1;
  frame.data = data;
  struct argument parameters[] = {{"x", value_lanes(program_input(frame.program, 0, false, 1, data->cube->type, NULL))},
                                  {"context", call_context(call)}};
  if (frame_run(call, &frame, process, parameters, 2, &value) != 0)
    return -1;
  const struct node *node = frame_whole(&frame, &value);
  if (!node && compute(call, &frame, &value, &node) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_apply = {.id = "apply", .shape = PROCESS_CUBE, .call = apply_call};
