/* A window's border value beside elements that cannot hold it: -1 in bytes, 0 where 0 is no-data, NA where nothing is.
 * The input becomes floats first, whose no-data is NaN. */
#include "hpc/plan/rewrite.h"

#include "datacube/base/missing.h"

#include <math.h>

/* Whether elements of the cube can be the border's value and nothing else. */
static bool holds_border(const struct cube *cube, const struct window *window)
{
  if (window->border != BORDER_VALUE)
    return true;
  if (isnan(window->value))
    return cube->has_nodata || element_info(cube->type)->is_float;
  bool is_missing = cube->has_nodata && window->value == cube->nodata;
  bool is_value = cube->type == ELEMENT_BOOLEAN ? window->value == 0 || window->value == 1
                                                : element_holds(cube->type, window->value);
  return is_value && !is_missing;
}

/* The type of floats that holds the cube's elements and the values of its windows. */
static enum element_type float_type(const struct kernel_input *input)
{
  bool narrow = element_info(input->node->cube->type)->exact_in_f32;
  for (size_t w = 0; w < input->window_count; w++) {
    double value = input->window[w].value;
    narrow = narrow && (isnan(value) || (fabs(value) < 1e38 && (double)(float)value == value));
  }
  return narrow ? ELEMENT_F32 : ELEMENT_F64;
}

static bool input_holds(const struct kernel_input *input)
{
  bool holds = true;
  for (size_t w = 0; w < input->window_count; w++)
    holds = holds && holds_border(input->node->cube, &input->window[w]);
  return holds;
}

int rewrite_window(struct arena *arena, const struct node *node, const struct node **out, struct error *error)
{
  bool fits = true;
  for (size_t i = 0; node->kind == NODE_KERNEL && i < node->input_count; i++)
    fits = fits && input_holds(&node->inputs[i]);
  if (fits)
    return 0;
  struct kernel_input *inputs = arena_copy(arena, node->inputs, node->input_count * sizeof *inputs);
  if (!inputs)
    return error_memory(error);
  for (size_t i = 0; i < node->input_count; i++) {
    if (input_holds(&inputs[i]))
      continue;
    const struct cube floats = {.type = float_type(&inputs[i]), .has_nodata = true, .nodata = na_f64()};
    inputs[i].node = node_convert(arena, inputs[i].node, &floats);
    if (!inputs[i].node)
      return error_memory(error);
  }
  *out = node_kernel(arena, (struct node_origin){node->id, node->process}, node->cube, inputs, node->input_count,
                     node->program, node->result, node->array_out);
  return *out ? 0 : error_memory(error);
}
