/* A plain evaluator of node expressions: the independent answer that plans are compared with.
 *
 * Every node becomes a dense array of doubles, one after the other, by the definitions in hpc/plan/node.h. Missing is
 * NaN; the programs of these tests have no operation that makes another NaN. */
#ifndef TWINCUBE_TESTS_UNIT_HPC_PLAN_REFERENCE_H
#define TWINCUBE_TESTS_UNIT_HPC_PLAN_REFERENCE_H

#include "datacube/base/missing.h"
#include "hpc/plan/plan_internal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct numbers { /* an array of a program, or a whole cube */
  double *v;
  size_t n;
};

static struct numbers numbers_new(struct arena *arena, size_t n)
{
  struct numbers a = {ARENA_ARRAY(arena, double, n), n};
  assert(a.v);
  return a;
}

static size_t offset_of(const struct cube *cube, const size_t *index)
{
  size_t at = 0;
  for (size_t d = 0; d < cube->dimensions; d++)
    at = at * cube->dimension[d].size + index[d];
  return at;
}

static void index_of_offset(const struct cube *cube, size_t at, size_t *index)
{
  for (size_t d = cube->dimensions; d-- > 0;) {
    index[d] = at % cube->dimension[d].size;
    at /= cube->dimension[d].size;
  }
}

static double stored_value(enum element_type type, const void *data, size_t i)
{
  switch (type) {
  case ELEMENT_U8:
  case ELEMENT_BOOLEAN:
    return ((const uint8_t *)data)[i];
  case ELEMENT_I16:
    return ((const int16_t *)data)[i];
  case ELEMENT_I32:
    return ((const int32_t *)data)[i];
  case ELEMENT_F32:
    return (double)((const float *)data)[i];
  case ELEMENT_F64:
    return ((const double *)data)[i];
  default:
    abort();
  }
}

static void store_value(enum element_type type, void *data, size_t i, double value)
{
  switch (type) {
  case ELEMENT_U8:
  case ELEMENT_BOOLEAN:
    ((uint8_t *)data)[i] = (uint8_t)value;
    return;
  case ELEMENT_I16:
    ((int16_t *)data)[i] = (int16_t)value;
    return;
  case ELEMENT_I32:
    ((int32_t *)data)[i] = (int32_t)value;
    return;
  case ELEMENT_F32:
    ((float *)data)[i] = (float)value;
    return;
  case ELEMENT_F64:
    ((double *)data)[i] = value;
    return;
  default:
    abort();
  }
}

/* ---- programs --------------------------------------------------------------------------------------------------- */

static double element_value(enum kernel_op op, double a, double b, double c)
{
  switch (op) {
  case KOP_ADD:
    return a + b;
  case KOP_SUB:
    return a - b;
  case KOP_MIN:
    return isnan(a) || isnan(b) ? NAN : fmin(a, b);
  case KOP_MAX:
    return isnan(a) || isnan(b) ? NAN : fmax(a, b);
  case KOP_NEG:
    return -a;
  case KOP_GT:
    return isnan(a) || isnan(b) ? NAN : a > b;
  case KOP_IS_NODATA:
    return isnan(a);
  case KOP_MASK:
    return !isnan(b) && b != 0 ? NAN : a;
  case KOP_SELECT:
    return !isnan(c) && c != 0 ? a : b;
  default:
    abort();
  }
}

static int ascending(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Three-valued: an element that decides, else a missing one, else the other way; a single missing one is as good as
 * none. */
static double decided(bool any, struct numbers a, bool ignore)
{
  bool missing = false;
  for (size_t i = 0; i < a.n; i++) {
    missing = missing || isnan(a.v[i]);
    if (!isnan(a.v[i]) && (a.v[i] != 0) == any)
      return any;
  }
  return missing && !ignore && a.n > 1 ? NAN : !any;
}

static double reduce_value(enum kernel_reducer reducer, struct numbers a, bool ignore)
{
  double *valid = malloc((a.n + 1) * sizeof *valid), result = NAN;
  size_t n = 0;
  for (size_t i = 0; i < a.n; i++)
    if (!isnan(a.v[i]))
      valid[n++] = a.v[i];
  bool usable = n > 0 && (ignore || n == a.n);
  if (reducer == KRED_COUNT)
    result = (double)n;
  else if (reducer == KRED_ALL || reducer == KRED_ANY)
    result = decided(reducer == KRED_ANY, a, ignore);
  else if (reducer == KRED_FIRST)
    result = ignore ? (n ? valid[0] : NAN) : a.n ? a.v[0] : NAN;
  else if (reducer == KRED_LAST)
    result = ignore ? (n ? valid[n - 1] : NAN) : a.n ? a.v[a.n - 1] : NAN;
  else if (usable && reducer == KRED_SUM) {
    result = 0;
    for (size_t i = 0; i < n; i++)
      result += valid[i];
  } else if (usable) {
    qsort(valid, n, sizeof *valid, ascending);
    result = reducer == KRED_MIN ? valid[0] : reducer == KRED_MAX ? valid[n - 1] : (valid[(n - 1) / 2] + valid[n / 2]) / 2;
  }
  free(valid);
  return result;
}

static void series_value(enum kernel_series series, struct numbers a, const double *parameters, struct numbers out)
{
  double sum = 0;
  size_t n = 0;
  bool ended = false;
  for (size_t i = 0; i < a.n; i++) {
    bool missing = isnan(a.v[i]);
    ended = ended || (missing && parameters && parameters[0] == 0);
    sum += missing ? 0 : a.v[i];
    if (series == KSER_REVERSE)
      out.v[i] = a.v[a.n - 1 - i];
    else if (series == KSER_CUMSUM)
      out.v[i] = ended || missing ? NAN : sum;
    else if (!missing)
      out.v[n++] = a.v[i];
  }
  if (series != KSER_SORT)
    return;
  qsort(out.v, n, sizeof *out.v, ascending); /* ascending, missing values last */
  for (; n < a.n; n++)
    out.v[n] = NAN;
}

static double at_or_scalar(struct numbers a, bool is_array, size_t i)
{
  return a.v[is_array ? i : 0];
}

static struct numbers run_program_step(struct arena *arena, const struct program *p, const struct program_step *step,
                                       const struct numbers *values, const struct numbers *inputs)
{
  if (step->kind == PROGRAM_INPUT)
    return inputs[step->input];
  struct numbers out = numbers_new(arena, step->length), a = step->operand[0] >= 0 ? values[step->operand[0]] : out;
  size_t at = 0;
  switch (step->kind) {
  case PROGRAM_CONSTANT:
    out.v[0] = step->constant;
    break;
  case PROGRAM_ELEMENT:
    for (size_t i = 0; i < out.n; i++) {
      double x[3] = {0, 0, 0};
      for (int k = 0; k < kernel_op_arity((enum kernel_op)step->op); k++)
        x[k] = at_or_scalar(values[step->operand[k]], p->steps[step->operand[k]].is_array, i);
      out.v[i] = element_value((enum kernel_op)step->op, x[0], x[1], x[2]);
    }
    break;
  case PROGRAM_REDUCE:
    out.v[0] = reduce_value((enum kernel_reducer)step->op, a, step->parameters[0] != 0);
    break;
  case PROGRAM_SERIES:
    series_value((enum kernel_series)step->op, a, step->parameters, out);
    break;
  case PROGRAM_PICK:
    for (size_t i = 0; i < out.n; i++)
      out.v[i] = a.v[step->indexes[i]];
    break;
  case PROGRAM_CONCAT:
    for (size_t k = 0; k < step->part_count; k++)
      for (size_t i = 0; i < values[step->parts[k]].n; i++)
        out.v[at++] = values[step->parts[k]].v[i];
    break;
  default:
    abort();
  }
  return out;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

struct evaluation {
  struct arena *arena;
  const struct definition *definitions; /* of nodes that are known by what they were made from */
  const struct node *given;             /* stands for these numbers */
  struct numbers numbers;
};

/* What a node was asked to be, whatever nodes it was made of. */
struct definition {
  const struct definition *next;
  const struct node *node;
  void (*evaluate)(struct evaluation *e, const void *data, struct numbers out);
  const void *data;
};

static struct numbers reference(struct evaluation *e, const struct node *node);

static void reference_source(const struct node *node, struct numbers out)
{
  const struct cube *cube = node->cube;
  for (size_t i = 0; i < out.n; i++) {
    double x = stored_value(cube->type, node_source_of(node)->state, i);
    bool missing = isnan(x) || (cube->has_nodata && x == cube->nodata) || (cube->type == ELEMENT_BOOLEAN && x == 255);
    out.v[i] = missing ? NAN : x;
  }
}

static void reference_view(struct evaluation *e, const struct node *node, struct numbers out)
{
  struct numbers in = reference(e, node->input);
  size_t to[CUBE_MAX_DIMENSIONS] = {0}, from[CUBE_MAX_DIMENSIONS] = {0};
  for (size_t i = 0; i < out.n; i++) {
    index_of_offset(node->cube, i, to);
    bool hole = false;
    for (size_t d = 0; d < node->input->cube->dimensions; d++) {
      const struct view_dimension *view = &node->view[d];
      from[d] = view->out == NO_DIMENSION ? view->fixed : view->indexes ? view->indexes[to[view->out]] : to[view->out] + view->offset;
      hole = hole || from[d] == NO_INDEX;
    }
    out.v[i] = hole ? NAN : in.v[offset_of(node->input->cube, from)];
  }
}

/* Index that stands for index i by the pictures in node.h; NO_INDEX: the border's value. */
static size_t beyond_edge(enum border_rule border, ptrdiff_t i, ptrdiff_t size)
{
  while (border != BORDER_VALUE && (i < 0 || i >= size)) {
    if (border == BORDER_REPLICATE)
      i = i < 0 ? 0 : size - 1;
    else if (border == BORDER_WRAP)
      i += i < 0 ? size : -size;
    else if (border == BORDER_REFLECT)
      i = i < 0 ? -1 - i : 2 * size - 1 - i;
    else
      i = size == 1 ? 0 : i < 0 ? -i : 2 * size - 2 - i;
  }
  return i < 0 || i >= size ? NO_INDEX : (size_t)i;
}

/* The windows around an output position, the last one's index fastest. */
static struct numbers window_values(struct arena *arena, const struct kernel_input *input, struct numbers in,
                                    const size_t *to)
{
  const struct cube *cube = input->node->cube;
  size_t n = 1, from[CUBE_MAX_DIMENSIONS] = {0};
  for (size_t w = 0; w < input->window_count; w++)
    n *= input->window[w].length;
  struct numbers out = numbers_new(arena, n);
  for (size_t i = 0; i < n; i++) {
    size_t rest = i;
    const struct window *outside = NULL;
    for (size_t d = 0; d < cube->dimensions; d++)
      from[d] = to[input->to_output[d]];
    for (size_t w = input->window_count; w-- > 0;) {
      const struct window *window = &input->window[w];
      size_t d = (size_t)window->dimension;
      ptrdiff_t index = (ptrdiff_t)(from[d] + rest % window->length) - (ptrdiff_t)window->before;
      from[d] = beyond_edge(window->border, index, (ptrdiff_t)cube->dimension[d].size);
      outside = from[d] == NO_INDEX && (!outside || window->dimension < outside->dimension) ? window : outside;
      rest /= window->length;
    }
    out.v[i] = outside ? outside->value : in.v[offset_of(cube, from)];
  }
  return out;
}

/* The numbers of one input of a kernel at an output position. */
static struct numbers kernel_values(struct arena *arena, const struct kernel_input *input, struct numbers in, const size_t *to)
{
  const struct cube *cube = input->node->cube;
  size_t from[CUBE_MAX_DIMENSIONS] = {0};
  bool array = input->array_dimension != NO_DIMENSION;
  if (input->window_count)
    return window_values(arena, input, in, to);
  struct numbers out = numbers_new(arena, array ? cube->dimension[input->array_dimension].size : 1);
  for (size_t i = 0; i < out.n; i++) {
    for (size_t d = 0; d < cube->dimensions; d++)
      from[d] = array && (int)d == input->array_dimension ? i : to[input->to_output[d]];
    out.v[i] = in.v[offset_of(cube, from)];
  }
  return out;
}

static void reference_position(const struct node *node, const struct numbers *inputs, size_t *to, struct numbers out)
{
  struct arena *arena = arena_new(0);
  const struct program *p = node->program;
  struct numbers slots[4] = {{NULL, 0}}, *values = ARENA_ARRAY(arena, struct numbers, p->count);
  for (size_t k = 0; k < node->input_count; k++)
    slots[k] = kernel_values(arena, &node->inputs[k], inputs[k], to);
  for (size_t i = 0; i < p->count; i++)
    values[i] = run_program_step(arena, p, &p->steps[i], values, slots);
  struct numbers result = values[node->result.value];
  for (size_t i = 0; i < result.n; i++) {
    if (node->array_out != NO_DIMENSION)
      to[node->array_out] = i;
    out.v[offset_of(node->cube, to)] = result.v[i];
  }
  arena_free(arena);
}

static void reference_kernel(struct evaluation *e, const struct node *node, struct numbers out)
{
  struct numbers inputs[4] = {{NULL, 0}};
  size_t to[CUBE_MAX_DIMENSIONS] = {0};
  for (size_t k = 0; k < node->input_count; k++)
    inputs[k] = reference(e, node->inputs[k].node);
  for (size_t i = 0; i < out.n; i++) {
    index_of_offset(node->cube, i, to);
    if (node->array_out == NO_DIMENSION || to[node->array_out] == 0)
      reference_position(node, inputs, to, out);
  }
}

static void reference_stack(struct evaluation *e, const struct node *node, struct numbers out)
{
  size_t to[CUBE_MAX_DIMENSIONS] = {0}, s = (size_t)node->stack_dimension;
  for (size_t k = 0; k < node->cube->dimension[s].size; k++) {
    struct numbers part = reference(e, node->children[k]);
    for (size_t i = 0; i < out.n; i++) {
      index_of_offset(node->cube, i, to);
      if (to[s] != k)
        continue;
      to[s] = 0;
      out.v[i] = part.v[offset_of(node->children[k]->cube, to)];
    }
  }
}

/* Nearest neighbour in the same CRS: the source pixel that holds the target's centre. */
static void reference_warp(struct evaluation *e, const struct node *node, struct numbers out)
{
  struct numbers in = reference(e, node_input(node, 0));
  const struct cube *from = node_input(node, 0)->cube;
  const struct grid *target = &node_warp_of(node)->grid;
  struct grid grid;
  size_t to[CUBE_MAX_DIMENSIONS] = {0}, y = node->cube->dimensions - 2, x = y + 1;
  int known = grid_of_cube(from, &grid);
  assert(known == 0);
  (void)known;
  for (size_t i = 0; i < out.n; i++) {
    index_of_offset(node->cube, i, to);
    double column = floor((target->west + ((double)to[x] + 0.5) * target->res_x - grid.west) / grid.res_x);
    double row = floor((grid.north - (target->north - ((double)to[y] + 0.5) * target->res_y)) / grid.res_y);
    out.v[i] = NAN;
    if (column < 0 || row < 0 || column >= (double)grid.width || row >= (double)grid.height)
      continue;
    to[x] = (size_t)column;
    to[y] = (size_t)row;
    out.v[i] = in.v[offset_of(from, to)];
  }
}

static struct numbers reference(struct evaluation *e, const struct node *node)
{
  struct numbers out = numbers_new(e->arena, cube_elements(node->cube));
  if (node == e->given)
    return e->numbers;
  for (const struct definition *d = e->definitions; d; d = d->next)
    if (d->node == node) {
      d->evaluate(e, d->data, out);
      return out;
    }
  switch (node->kind) {
  case NODE_STAGE:
    if (node_source_of(node))
      reference_source(node, out);
    else
      reference_warp(e, node, out);
    break;
  case NODE_VIEW:
    reference_view(e, node, out);
    break;
  case NODE_KERNEL:
    reference_kernel(e, node, out);
    break;
  case NODE_STACK:
    reference_stack(e, node, out);
    break;
  }
  return out;
}

#endif
