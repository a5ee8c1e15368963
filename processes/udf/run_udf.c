/* run_udf: a user's script makes the values.
 *
 * A cube goes to the script as a whole. In a callback of a cube process, what this has computed so far becomes a cube,
 * of which the script sees parts: blocks of x and y with all labels of the other dimensions, and the whole of the
 * dimension that the callback is about. The callback goes on with what the script gives (cube/kernel_frame.h). A plain
 * value goes there and back at once. */
#include "processes/cube/kernel_frame.h"
#include "processes/graph/lower.h"
#include "processes/graph/value_text.h"
#include "processes/local_files.h"
#include "processes/udf/udf_result.h"
#include "processes/udf/udf_source.h"

#include "hpc/plan/rewrite.h"

#include <math.h>
#include <string.h>
#include <strings.h>

/* ---- the runtime ------------------------------------------------------------------------------------------------ */

/* "3.11.2" may be asked for as that, "3.11" and "3". */
static bool has_version(const char *offered, const char *wanted)
{
  const size_t length = strlen(wanted);
  return length > 0 && strncmp(offered, wanted, length) == 0 && strchr(".\n", offered[length]) != NULL &&
         wanted[length - 1] != '.';
}

static int check_runtime(struct call *call)
{
  const char *runtime;
  if (call_text(call, "runtime", &runtime) != 0)
    return -1;
  return strcasecmp(runtime, "Python") == 0
             ? 0
             : error_parameter(call->error, ERROR_InvalidRuntime, "runtime",
                               "'%s' is no runtime for user-defined functions; Python is the only one", runtime);
}

static int check_version(struct call *call)
{
  struct interpreters *all = call->local ? call->local->interpreters : NULL;
  const char *version, *offered;
  if (interpreters_describe(all, &offered, call->error) != 0)
    return error_at_parameter(call->error, "runtime");
  if (!call_has(call, "version"))
    return 0;
  if (call_text(call, "version", &version) != 0)
    return -1;
  if (has_version(offered, version))
    return 0;
  return error_parameter(call->error, ERROR_InvalidVersion, "version", "Python is here in version %.*s, not '%s'",
                         (int)strcspn(offered, "\n"), offered, version);
}

/* What the same script made of other arrays; NULL: nothing yet. */
static const struct node *model_of(const struct call *call)
{
  const struct kernel_frame *frame = value_has_lanes(call_argument(call, "data")) ? frame_of(call) : NULL;
  return frame && frame->model && frame->count < frame->model->count ? frame->model->added[frame->count] : NULL;
}

/* JSON {"source", "context"}; NULL: error. */
static const char *write_message(struct call *call)
{
  const struct value *context = call_argument(call, "context");
  const char *source, *message = NULL;
  struct buffer text = {0};
  struct json_writer w = {.out = &text};
  if (udf_source_read(call, &source) != 0)
    return NULL;
  if (context && !value_is_host(context)) {
    error_parameter(call->error, ERROR_FeatureUnsupported, "context",
                    "the context of a user-defined function is known before it runs: it holds no pixels and no cubes");
    return NULL;
  }
  json_write_object(&w);
  json_kv_string(&w, "source", source);
  json_key(&w, "context");
  if (context)
    value_write(context, &w);
  else
    json_write_null(&w);
  json_end_object(&w);
  if (text.failed || !(message = arena_copy(call->arena, text.data, text.length + 1)))
    error_memory(call->error);
  buffer_free(&text);
  return message;
}

/* Written once for all data of one script. */
static const char *script_message(struct call *call)
{
  const struct node *model = model_of(call);
  return model ? ((const struct udf *)model->data)->script.message : write_message(call);
}

/* ---- cubes ------------------------------------------------------------------------------------------------------ */

/* Missing values are NaN for scripts: integers that have a no-data value become floats. */
static const struct node *with_nan(struct call *call, const struct node *node)
{
  const struct element_info *info = element_info(node->cube->type);
  struct cube *cube = cube_copy(call->arena, node->cube);
  if (!cube || !node->cube->has_nodata || info->is_complex)
    return cube ? node : NULL;
  cube->nodata = NAN;
  if (!info->is_float)
    cube->type = info->exact_in_f32 ? ELEMENT_F32 : ELEMENT_F64;
  return node_convert(call->arena, node, cube);
}

static void follow_plane(const struct udf_use *use)
{
  const struct cube *cube = use->input->cube;
  for (size_t d = 0; d < cube->dimensions; d++)
    use->udf->follows[d] = d != use->array && (cube->dimension[d].axis == 'x' || cube->dimension[d].axis == 'y');
}

/* The node of what the script makes of use->input; *out is NULL where it is a plain value, which *value is. */
static int run_on(struct call *call, struct udf_use *use, const char *message, const struct node **out,
                  const char **value)
{
  const struct cube *cube;
  use->input = with_nan(call, use->input);
  use->udf = ARENA_NEW(call->arena, struct udf);
  if (!use->input || !use->udf)
    return error_memory(call->error);
  *use->udf = (struct udf){.interpreters = call->local->interpreters, .script = {call->node, message}};
  if (!use->is_whole)
    follow_plane(use);
  if (udf_result_find(call, use, &cube, value) != 0)
    return -1;
  *out = cube ? node_udf(call->arena, call_origin(call), use->input, cube, use->udf) : NULL;
  return cube && !*out ? error_memory(call->error) : 0;
}

/* A script's own: what is no value here is its fault. */
static int take_value(struct call *call, const char *json, struct value *result)
{
  struct error error = {0};
  if (value_read(call->arena, json, false, result, &error) == 0)
    return 0;
  return error_parameter(call->error, ERROR_ProcessParameterInvalid, "udf",
                         "the user-defined function gives what is no value here: %s", error.message);
}

static int run_on_cube(struct call *call, const struct node *data, const char *message, struct value *result)
{
  struct udf_use use = {.input = data, .array = SIZE_MAX, .is_whole = true};
  const struct node *node;
  const char *value;
  if (run_on(call, &use, message, &node, &value) != 0)
    return -1;
  if (!node)
    return take_value(call, value, result);
  *result = value_cube(node);
  return 0;
}

/* ---- lanes ------------------------------------------------------------------------------------------------------ */

static bool is_data(const struct kernel_frame *frame, const struct lanes *lanes)
{
  const struct program_step *step = &frame->program->steps[lanes->value];
  return step->kind == PROGRAM_INPUT && step->input == 0;
}

/* The cube of what the callback has computed: the program as it is now, which goes on growing. */
static int node_so_far(struct call *call, const struct kernel_frame *frame, struct lanes lanes, const struct node **out)
{
  struct cube *cube = frame_cube(call, frame);
  struct program *program = arena_copy(call->arena, frame->program, sizeof *program);
  const int array = frame->array_dimension;
  if (!cube || !program)
    return error_memory(call->error);
  program->steps = arena_copy(call->arena, program->steps, program->count * sizeof *program->steps);
  program->capacity = program->count;
  if (!program->steps)
    return error_memory(call->error);
  lanes.program = program;
  cube->bands = NULL;
  if (lanes.is_array && array == NO_DIMENSION)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data",
                           "an array that the callback of 'apply' makes itself is no data cube");
  if (lanes.is_array) {
    struct dimension *to = &cube->dimension[array];
    const struct dimension from = *to;
    if (lanes.labels)
      *to = *lanes.labels;
    else if (lanes.length != from.size)
      *to = dimension_enumerated(from.name, DIMENSION_OTHER, lanes.length);
    to->name = from.name;
    to->axis = from.axis;
  } else if (array != NO_DIMENSION)
    cube_remove_dimension(cube, (size_t)array);
  struct kernel_input *inputs = frame_inputs(call, frame, cube);
  if (!inputs)
    return -1;
  kernel_inputs_by_names(cube, &frame->data, 1, inputs);
  if (array != NO_DIMENSION) {
    inputs[0].array_dimension = array;
    inputs[0].to_output[array] = NO_DIMENSION;
  }
  cube_set_result_type(cube, &lanes, inputs, 1 + frame->count);
  *out = node_kernel(call->arena, call_origin(call), cube, inputs, 1 + frame->count, program, lanes,
                     lanes.is_array ? array : NO_DIMENSION);
  return *out ? 0 : error_memory(call->error);
}

static int run_on_lanes(struct call *call, const struct value *data, const char *message, struct value *result)
{
  struct kernel_frame *frame = frame_of(call);
  const bool is_array = !value_is_lanes_like(data);
  struct udf_use use = {.array = SIZE_MAX};
  struct lanes lanes;
  const char *value;
  if (!frame)
    return error_parameter(call->error, ERROR_FeatureUnsupported, "data",
                           "a user-defined function runs on what apply, apply_dimension, apply_neighborhood, "
                           "reduce_dimension, reduce_spatial and the aggregations give their callbacks, and on whole "
                           "data cubes; not here");
  if (!frame->data) {
    frame->lacks_data = true;
    return error_parameter(call->error, ERROR_FeatureUnsupported, "data", "there are no arrays of pixels yet");
  }
  if (callback_lanes(call, frame->program, data, is_array, "data", &lanes) != 0)
    return -1;
  use.input = frame->data;
  if (!is_data(frame, &lanes) && node_so_far(call, frame, lanes, &use.input) != 0)
    return -1;
  if (is_array)
    use.array = (size_t)frame->array_dimension;
  use.drops = is_array && frame->wants_single;
  use.model = model_of(call);
  const struct node *node;
  if (run_on(call, &use, message, &node, &value) != 0)
    return -1;
  const size_t array =
      is_array ? cube_find_dimension(node->cube, use.input->cube->dimension[use.array].name) : SIZE_MAX;
  if (frame_add(call, frame, node, array == SIZE_MAX ? NO_DIMENSION : (int)array, &lanes) != 0)
    return -1;
  *result = value_lanes(lanes);
  return 0;
}

/* ---- plain values ----------------------------------------------------------------------------------------------- */

static int run_on_value(struct call *call, const struct value *data, const char *message, struct value *result)
{
  const struct udf_script script = {call->node, message};
  struct buffer view = {0}, reply = {.limit = 64 << 20};
  struct json_writer w = {.out = &view};
  if (call->lowering->options->describes_only) {
    *call->lowering->options->has_guessed = true;
    *result = value_null();
    return 0;
  }
  json_write_object(&w);
  json_key(&w, "value");
  value_write(data, &w);
  json_end_object(&w);
  const struct udf_call asked = {.script = &script, .view = view.data};
  int status = view.failed ? error_memory(call->error)
                           : interpreters_call(call->local->interpreters, &asked, &reply, call->error);
  if (status == 0) /* "value", and the value */
    status = reply.length > 6 ? take_value(call, reply.data + 6, result)
                              : error_set(call->error, ERROR_Internal, "an interpreter gives no value");
  buffer_free(&view);
  buffer_free(&reply);
  return status;
}

static int run_udf_call(struct call *call, struct value *result)
{
  const struct value *data = call_argument(call, "data");
  const char *message = check_runtime(call) == 0 ? script_message(call) : NULL;
  if (!message || check_version(call) != 0)
    return -1;
  if (data->kind == VALUE_CUBE)
    return run_on_cube(call, data->cube, message, result);
  if (value_has_lanes(data))
    return run_on_lanes(call, data, message, result);
  if (value_is_host(data))
    return run_on_value(call, data, message, result);
  return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data",
                         "%s cannot be given to a user-defined function", value_kind_name(data));
}

const struct process process_run_udf = {.id = "run_udf", .shape = PROCESS_CUBE, .call = run_udf_call};
