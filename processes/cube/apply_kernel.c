/* apply_kernel: a weighted sum of the window around each pixel. What is not a number is replaced before (by a kernel of
 * its own, so once a pixel and not once a window); then a window along y and x and one weighted sum. */
#include "processes/cube/shape.h"

#include "datacube/base/checked.h"
#include "datacube/base/missing.h"

#include <math.h>
#include <string.h>

struct weights {
  size_t rows, columns; /* odd */
  double *values;       /* row-major */
  double factor;
};

struct border {
  enum border_rule rule;
  double value; /* BORDER_VALUE */
};

/* ---- arguments -------------------------------------------------------------------------------------------------- */

static int uneven(struct call *call)
{
  return error_parameter(call->error, ERROR_KernelDimensionsUneven, "kernel",
                         "the kernel needs an odd number of rows and of columns");
}

static int read_weights(struct call *call, struct weights *w)
{
  const struct value *kernel = call_argument(call, "kernel");
  size_t count;
  w->rows = kernel->count;
  w->columns = w->rows ? kernel->items[0].count : 0;
  if (w->rows % 2 == 0 || w->columns % 2 == 0)
    return uneven(call);
  if (checked_mul(w->rows, w->columns, &count) != 0)
    return error_memory(call->error);
  w->values = ARENA_ARRAY(call->arena, double, count);
  if (!w->values)
    return error_memory(call->error);
  for (size_t i = 0; i < count; i++) {
    const struct value *row = &kernel->items[i / w->columns], *weight = &row->items[i % w->columns];
    if (row->count != w->columns)
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "kernel",
                             "the kernel's rows differ in length");
    if (weight->kind != VALUE_NUMBER || !isfinite(weight->number))
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "kernel", "weights are finite numbers");
    w->values[i] = weight->number;
  }
  return call_number(call, "factor", &w->factor);
}

static int read_border(struct call *call, struct border *border)
{
  static const struct {
    const char *name;
    enum border_rule rule;
  } rules[] = {{"replicate", BORDER_REPLICATE},
               {"reflect", BORDER_REFLECT},
               {"reflect_pixel", BORDER_REFLECT_PIXEL},
               {"wrap", BORDER_WRAP}};
  const struct value *value = call_argument(call, "border");
  *border = (struct border){.rule = BORDER_VALUE, .value = value->number};
  if (value->kind == VALUE_NUMBER && isfinite(value->number))
    return 0;
  for (size_t i = 0; value->kind == VALUE_TEXT && i < sizeof rules / sizeof *rules; i++)
    if (strcmp(value->text, rules[i].name) == 0) {
      border->rule = rules[i].rule;
      return 0;
    }
  return error_parameter(call->error, ERROR_ProcessParameterInvalid, "border",
                         "the border is a finite number, replicate, reflect, reflect_pixel or wrap");
}

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

static bool holds(enum element_type type, double value)
{
  return type == ELEMENT_F32 ? (double)(float)value == value : element_holds(type, value);
}

/* The data where every element is a finite number, of a type that holds the border's value too. */
static int only_numbers(struct call *call, const struct node *data, double replacement, const struct border *border,
                        const struct node **out)
{
  const struct element_info *info = element_info(data->cube->type);
  bool clean = !info->is_float && !data->cube->has_nodata && data->cube->type != ELEMENT_BOOLEAN;
  bool fits = border->rule != BORDER_VALUE || holds(data->cube->type, border->value);
  struct program *program = program_new(call->arena);
  struct cube *cube = cube_copy(call->arena, data->cube);
  struct kernel_input *input = ARENA_NEW(call->arena, struct kernel_input);
  *out = data;
  if (clean && fits)
    return 0;
  if (!program || !cube || !input)
    return error_memory(call->error);
  struct lanes x = program_input(program, 0, false, 1, data->cube->type, NULL), zero = program_constant(program, 0);
  struct lanes finite = program_binary(program, KOP_EQ, program_binary(program, KOP_SUB, x, x), zero);
  struct lanes number = program_ternary(program, KOP_SELECT, x, program_constant(program, replacement), finite);
  if (program_failed(program))
    return program_error(program, call->error);
  bool narrow = info->exact_in_f32 && holds(ELEMENT_F32, replacement) &&
                (border->rule != BORDER_VALUE || holds(ELEMENT_F32, border->value));
  cube->type = narrow ? ELEMENT_F32 : ELEMENT_F64;
  cube->has_nodata = true;
  cube->nodata = na_f64();
  kernel_inputs_by_names(cube, &data, 1, input);
  *out = node_kernel(call->arena, call_origin(call), cube, input, 1, program, number, NO_DIMENSION);
  return *out ? 0 : error_memory(call->error);
}

/* The window's elements times their weights, summed. Weights of 0 take no part. */
static struct lanes weighted_sum(struct program *program, const struct weights *w, enum element_type type)
{
  size_t count = w->rows * w->columns, used = 0;
  size_t *taken = ARENA_ARRAY(program->arena, size_t, count);
  double *parameters = ARENA_ARRAY(program->arena, double, count + 1); /* 0: nothing is missing */
  program->failed = program->failed || !taken || !parameters;
  if (program->failed)
    return program_missing(program);
  for (size_t i = 0; i < count; i++)
    if (w->values[i] != 0) {
      taken[used] = i;
      parameters[++used] = w->values[i];
    }
  if (used == 0)
    return program_constant(program, 0);
  struct lanes window = program_input(program, 0, true, count, type, NULL);
  if (used < count)
    window = program_pick(program, window, taken, used);
  struct lanes sum = program_reduce(program, KRED_WEIGHTED_SUM, window, parameters, used + 1);
  return w->factor == 1 ? sum : program_binary(program, KOP_MUL, sum, program_constant(program, w->factor));
}

static int convolve(struct call *call, const struct node *data, const struct weights *w, const struct border *border,
                    const struct node **out)
{
  size_t y = cube_find_axis(data->cube, 'y'), x = cube_find_axis(data->cube, 'x');
  struct program *program = program_new(call->arena);
  struct cube *cube = cube_copy(call->arena, data->cube);
  struct kernel_input *input = ARENA_NEW(call->arena, struct kernel_input);
  if (!program || !cube || !input)
    return error_memory(call->error);
  struct lanes sum = weighted_sum(program, w, data->cube->type);
  if (program_failed(program))
    return program_error(program, call->error);
  kernel_inputs_by_names(cube, &data, 1, input);
  input->window[0] = (struct window){(int)y, w->rows / 2, w->rows, border->rule, border->value};
  input->window[1] = (struct window){(int)x, w->columns / 2, w->columns, border->rule, border->value};
  input->window_count = 2;
  cube_set_result_type(cube, &sum, input, 1);
  if (cube_settle_packing(call, cube, program, &sum) != 0)
    return -1;
  *out = node_kernel(call->arena, call_origin(call), cube, input, 1, program, sum, NO_DIMENSION);
  return *out ? 0 : error_memory(call->error);
}

static int apply_kernel_call(struct call *call, struct value *result)
{
  const struct node *data, *numbers, *node;
  struct weights weights;
  struct border border;
  double replacement;
  if (call_cube(call, "data", &data) != 0 || read_weights(call, &weights) != 0 || read_border(call, &border) != 0 ||
      call_number(call, "replace_invalid", &replacement) != 0)
    return -1;
  if (cube_find_axis(data->cube, 'y') == SIZE_MAX || cube_find_axis(data->cube, 'x') == SIZE_MAX)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data",
                           "the cube has no x and y (its dimensions: %s)",
                           cube_dimension_names(call->arena, data->cube));
  if (!isfinite(replacement))
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "replace_invalid",
                           "the replacement must be finite");
  if (only_numbers(call, data, replacement, &border, &numbers) != 0 ||
      convolve(call, numbers, &weights, &border, &node) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_apply_kernel = {.id = "apply_kernel", .shape = PROCESS_CUBE, .call = apply_kernel_call};
