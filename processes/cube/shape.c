/* Shared parts of the cube processes. */
#include "processes/cube/shape.h"

#include "datacube/base/missing.h"

#include <math.h>
#include <string.h>

struct cube *cube_copy(struct arena *arena, const struct cube *cube)
{
  return arena_copy(arena, cube, sizeof *cube);
}

void cube_remove_dimension(struct cube *cube, size_t d)
{
  bool only = cube->dimension[d].size == 1 && cube_count_type(cube, DIMENSION_BANDS) == 1;
  if (d == cube_find_type(cube, DIMENSION_BANDS) && !only)
    cube->bands = NULL;
  memmove(&cube->dimension[d], &cube->dimension[d + 1], (cube->dimensions - d - 1) * sizeof cube->dimension[0]);
  cube->dimensions--;
}

struct view_dimension *view_identity(struct arena *arena, const struct cube *input)
{
  struct view_dimension *view = ARENA_ARRAY(arena, struct view_dimension, CUBE_MAX_DIMENSIONS);
  for (size_t d = 0; view && d < input->dimensions; d++)
    view[d].out = (int)d;
  return view;
}

struct node_origin call_origin(const struct call *call)
{
  return (struct node_origin){call->node, call->process->id};
}

static const struct band_info *pick_bands(struct arena *arena, const struct band_info *bands, const size_t *indexes,
                                          size_t count)
{
  struct band_info *picked = bands ? ARENA_ARRAY(arena, struct band_info, count) : NULL;
  for (size_t i = 0; picked && i < count; i++)
    picked[i] = bands[indexes[i]];
  return picked;
}

static bool is_run(const size_t *indexes, size_t count)
{
  for (size_t i = 1; i < count; i++)
    if (indexes[i] != indexes[0] + i)
      return false;
  return true;
}

int view_pick(struct call *call, const struct node *input, size_t d, const size_t *indexes, size_t count,
              struct value *result)
{
  struct cube *cube = cube_copy(call->arena, input->cube);
  struct view_dimension *view = view_identity(call->arena, input->cube);
  if (!cube || !view)
    return error_memory(call->error);
  if (dimension_pick(call->arena, &input->cube->dimension[d], indexes, count, &cube->dimension[d]) != 0)
    return error_memory(call->error);
  if (d == cube_find_type(cube, DIMENSION_BANDS))
    cube->bands = pick_bands(call->arena, cube->bands, indexes, count);
  if (is_run(indexes, count))
    view[d].offset = count ? indexes[0] : 0;
  else
    view[d].indexes = arena_copy(call->arena, indexes, count * sizeof *indexes);
  *result = value_cube(node_view(call->arena, call_origin(call), input, cube, view));
  return result->cube ? 0 : error_memory(call->error);
}

int view_drop(struct call *call, const struct node *input, size_t d, size_t index, const struct node **out)
{
  struct cube *cube = cube_copy(call->arena, input->cube);
  struct view_dimension *view = view_identity(call->arena, input->cube);
  if (!cube || !view)
    return error_memory(call->error);
  cube_remove_dimension(cube, d);
  for (size_t k = 0; k < input->cube->dimensions; k++)
    view[k].out = (int)(k < d ? k : k - 1);
  view[d] = (struct view_dimension){.out = NO_DIMENSION, .fixed = index};
  *out = node_view(call->arena, call_origin(call), input, cube, view);
  return *out ? 0 : error_memory(call->error);
}

int view_spread(struct call *call, const struct node *input, size_t d, const struct dimension *labels,
                const size_t *indexes, const struct node **out)
{
  struct cube *cube = cube_copy(call->arena, input->cube);
  struct view_dimension *view = view_identity(call->arena, input->cube);
  if (!cube || !view)
    return error_memory(call->error);
  cube->dimension[d] = *labels;
  view[d].indexes = indexes;
  *out = node_view(call->arena, call_origin(call), input, cube, view);
  return *out ? 0 : error_memory(call->error);
}

int view_last(struct call *call, const struct node *input, const size_t *dimensions, size_t count,
              const struct node **out)
{
  const struct cube *from = input->cube;
  struct cube *to = cube_copy(call->arena, from);
  struct view_dimension *view = view_identity(call->arena, from);
  if (!to || !view)
    return error_memory(call->error);
  bool moved = false;
  for (size_t d = 0, front = 0; d < from->dimensions; d++) {
    size_t i = 0;
    while (i < count && dimensions[i] != d)
      i++;
    size_t place = i < count ? from->dimensions - count + i : front++;
    view[d].out = (int)place;
    to->dimension[place] = from->dimension[d];
    moved = moved || place != d;
  }
  *out = moved ? node_view(call->arena, call_origin(call), input, to, view) : input;
  return *out ? 0 : error_memory(call->error);
}

int view_plane_last(struct call *call, const struct node *input, const struct node **out)
{
  const size_t plane[] = {cube_find_axis(input->cube, 'y'), cube_find_axis(input->cube, 'x')};
  return view_last(call, input, plane, 2, out);
}

void cube_admit_missing(struct cube *cube)
{
  const struct element_info *info = element_info(cube->type);
  if (cube->has_nodata)
    return;
  if (!info->is_float && !info->is_complex && cube->type != ELEMENT_BOOLEAN)
    cube->type = info->exact_in_f32 ? ELEMENT_F32 : ELEMENT_F64;
  cube->has_nodata = true;
  cube->nodata = cube->type == ELEMENT_BOOLEAN ? 255 : NAN;
}

int node_admit_missing(struct call *call, const struct node *input, const struct node **out)
{
  struct cube *cube = cube_copy(call->arena, input->cube);
  struct kernel_input *from = ARENA_NEW(call->arena, struct kernel_input);
  struct program *program = program_new(call->arena);
  *out = input;
  if (input->cube->has_nodata)
    return 0;
  if (!cube || !from || !program)
    return error_memory(call->error);
  cube_admit_missing(cube);
  kernel_inputs_by_names(cube, &input, 1, from);
  struct lanes x = program_input(program, 0, false, 1, input->cube->type, NULL);
  if (program_failed(program))
    return program_error(program, call->error);
  *out = node_kernel(call->arena, call_origin(call), cube, from, 1, program, x, NO_DIMENSION);
  return *out ? 0 : error_memory(call->error);
}

int callback_lanes(struct call *call, struct program *program, const struct value *value, bool is_array,
                   const char *parameter, struct lanes *out)
{
  if (value_is_lanes_like(value)) {
    *out = value_as_lanes(program, value);
    if (is_array)
      *out = program_concat(program, out, 1);
  } else if (is_array && value_is_lanes_array_like(value))
    *out = value_as_lanes_array(program, value);
  else if (is_array && value->kind == VALUE_LANES && value->kept != NULL)
    return error_parameter(call->error, ERROR_FeatureUnsupported, parameter,
                           "the process given as '%s' returns an array of which 'array_filter' leaves other elements "
                           "at each pixel; a dimension has the same labels everywhere",
                           parameter);
  else
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, parameter,
                           "the process given as '%s' returns %s, not %s", parameter,
                           value->kind == VALUE_LANES ? "an array" : value_kind_name(value),
                           is_array ? "numbers" : "a single value");
  if (!program_failed(program))
    return 0;
  program_error(program, call->error);
  return error_at_parameter(call->error, parameter);
}

void kernel_inputs_by_names(const struct cube *cube, const struct node *const *inputs, size_t count,
                            struct kernel_input *out)
{
  for (size_t i = 0; i < count; i++) {
    out[i] = (struct kernel_input){.node = inputs[i], .array_dimension = NO_DIMENSION};
    for (size_t d = 0; d < inputs[i]->cube->dimensions; d++)
      out[i].to_output[d] = (int)cube_find_dimension(cube, inputs[i]->cube->dimension[d].name);
  }
}

int kernel_by_names(struct call *call, const struct cube *cube, const struct node *const *inputs, size_t count,
                    const struct program *program, struct lanes result, const struct node **out)
{
  struct kernel_input *list = ARENA_ARRAY(call->arena, struct kernel_input, count);
  struct cube *typed = cube_copy(call->arena, cube);
  if (!list || !typed)
    return error_memory(call->error);
  kernel_inputs_by_names(cube, inputs, count, list);
  cube_set_result_type(typed, &result, list, count);
  if (cube_settle_packing(call, typed, program, &result) != 0)
    return -1;
  *out = node_kernel(call->arena, call_origin(call), typed, list, count, program, result, NO_DIMENSION);
  return *out ? 0 : error_memory(call->error);
}

struct value call_context(const struct call *call)
{
  const struct value *context = call_argument(call, "context");
  return context ? *context : value_null();
}
