/* apply: a process on each element by itself. */
#include "processes/cube/shape.h"

static int apply_call(struct call *call, struct value *result)
{
  const struct node *data, *node;
  const struct callback *process;
  struct program *program = program_new(call->arena);
  struct value value;
  struct lanes lanes;
  if (!program)
    return error_memory(call->error);
  if (call_cube(call, "data", &data) != 0 || call_callback_argument(call, "process", &process) != 0)
    return -1;
  struct argument parameters[] = {{"x", value_lanes(program_input(program, 0, false, 1, data->cube->type, NULL))},
                                  {"context", call_context(call)}};
  if (call_run_callback(call, process, program, parameters, 2, &value) != 0 ||
      callback_lanes(call, program, &value, false, "process", &lanes) != 0 ||
      kernel_by_names(call, data->cube, &data, 1, program, lanes, &node) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_apply = {.id = "apply", .shape = PROCESS_CUBE, .call = apply_call};
