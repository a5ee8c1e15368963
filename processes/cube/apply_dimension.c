/* apply_dimension: the values along a dimension become other values: in the same dimension, in a new one in its place,
 * or in another one that has a single label so far. */
#include "processes/cube/along.h"

#include <string.h>

struct application {
  struct along along;
  const char *target; /* name; NULL: the source dimension */
  size_t existing;    /* the target in the data, where it is another dimension that is there; else SIZE_MAX */
};

static int read_target(struct call *call, struct application *a)
{
  const struct cube *cube = a->along.data->cube;
  a->existing = SIZE_MAX;
  if (!call_has(call, "target_dimension"))
    return 0;
  if (call_text(call, "target_dimension", &a->target) != 0)
    return -1;
  size_t there = cube_find_dimension(cube, a->target);
  if (there == a->along.dimension)
    a->target = NULL;
  else if (there != SIZE_MAX && cube->dimension[there].size != 1)
    return error_parameter(call->error, ERROR_DimensionExists, "target_dimension",
                           "a dimension named '%s' exists already and has %zu labels, not one", a->target,
                           cube->dimension[there].size);
  else
    a->existing = there;
  return 0;
}

/* The dimension that holds the values: the source's labels stay where the number of values does. */
static struct dimension target_dimension(const struct application *a, const struct lanes *lanes)
{
  const struct cube *cube = a->along.data->cube;
  const struct dimension *source = &cube->dimension[a->along.dimension], *kept = a->existing != SIZE_MAX
                                                                                     ? &cube->dimension[a->existing]
                                                                                 : a->target ? NULL
                                                                                             : source;
  const char *name = a->target ? a->target : source->name;
  if (!a->target && lanes->length == source->size)
    return *source;
  struct dimension out = lanes->labels ? *lanes->labels : dimension_enumerated(name, DIMENSION_OTHER, lanes->length);
  out.name = name;
  out.type = kept ? kept->type : DIMENSION_OTHER;
  out.axis = kept ? kept->axis : 0;
  return out;
}

/* The data's cube with the target in its place, and the input that the kernel reads. */
static int place_target(struct call *call, const struct application *a, const struct lanes *lanes, struct cube *cube,
                        struct kernel_input *input)
{
  const struct node *data = a->along.data;
  size_t source = a->along.dimension, at = a->existing != SIZE_MAX ? a->existing : source;
  if (cube->dimension[source].type == DIMENSION_BANDS && (a->target || cube->dimension[source].size != lanes->length))
    cube->bands = NULL;
  cube->dimension[at] = target_dimension(a, lanes);
  if (a->existing != SIZE_MAX) {
    if (cube->dimension[at].type == DIMENSION_BANDS)
      cube->bands = NULL;
    cube_remove_dimension(cube, source);
    if (view_drop(call, data, a->existing, 0, &data) != 0)
      return -1;
  }
  kernel_inputs_by_names(cube, &data, 1, input);
  size_t array = cube_find_dimension(data->cube, a->along.data->cube->dimension[source].name);
  input->array_dimension = (int)array;
  input->to_output[array] = NO_DIMENSION;
  return 0;
}

/* Where bands change places, their codes must be of one kind. */
static int settle_bands(struct call *call, const struct along *along, const struct program *program,
                        const struct lanes *lanes, struct cube *cube)
{
  const struct dimension *source = &along->data->cube->dimension[along->dimension];
  bool of_bands = along->dimension == cube_find_type(along->data->cube, DIMENSION_BANDS), same = true;
  bool moved = of_bands && program->steps[lanes->value].kind != PROGRAM_INPUT;
  for (size_t i = 1; cube->bands && moved && i < source->size; i++)
    same = same && band_same_packing(&cube->bands[i], &cube->bands[0]);
  if (same)
    return cube_settle_packing(call, cube, program, lanes);
  struct band_info *plain = arena_copy(call->arena, cube->bands, source->size * sizeof *plain);
  for (size_t i = 0; plain && i < source->size; i++)
    band_set_plain(&plain[i]);
  cube->bands = plain;
  return plain ? 0 : error_memory(call->error);
}

static int apply_dimension_call(struct call *call, struct value *result)
{
  struct application a = {.along = {.parameter = "process"}};
  struct kernel_frame frame = {.array_dimension = NO_DIMENSION};
  struct value value;
  struct lanes lanes;
  if (call_cube(call, "data", &a.along.data) != 0 ||
      call_dimension(call, "dimension", a.along.data, &a.along.dimension) != 0 ||
      call_callback_argument(call, "process", &a.along.callback) != 0 || read_target(call, &a) != 0)
    return -1;
  if (along_run(call, &a.along, &frame, &value) != 0 ||
      callback_lanes(call, frame.program, &value, true, "process", &lanes) != 0)
    return -1;
  struct cube *cube = frame_cube(call, &frame);
  struct kernel_input input, *inputs;
  if (!cube || place_target(call, &a, &lanes, cube, &input) != 0 || (inputs = frame_inputs(call, &frame, cube)) == NULL)
    return -1;
  inputs[0] = input;
  const char *name = a.target ? a.target : a.along.data->cube->dimension[a.along.dimension].name;
  cube_set_result_type(cube, &lanes, inputs, 1 + frame.count);
  if (settle_bands(call, &a.along, frame.program, &lanes, cube) != 0)
    return -1;
  const struct node *node = node_kernel(call->arena, call_origin(call), cube, inputs, 1 + frame.count, frame.program,
                                        lanes, (int)cube_find_dimension(cube, name));
  *result = value_cube(node);
  return node ? 0 : error_memory(call->error);
}

const struct process process_apply_dimension = {
    .id = "apply_dimension", .shape = PROCESS_CUBE, .call = apply_dimension_call};
