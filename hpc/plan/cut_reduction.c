/* Cutting a reduction at its reducers.
 *
 * mean(x) - min(x * 2) along t becomes accumulators over t of x and of x * 2, and a kernel after them. A reducer that
 * works on what another one gave (the mean of (x - mean(x))^2) reads the accumulator of that one: two passes. */
#include "hpc/plan/cut_reduction.h"

#include "datacube/base/missing.h"
#include "hpc/kernel/accumulate.h"

#include <math.h>

/* ---- whether ------------------------------------------------------------------------------------------------------
 */

static bool step_can_be_cut(const struct node *node, const struct program_step *step)
{
  switch (step->kind) {
  case PROGRAM_INPUT:
    return !element_info(node->inputs[step->input].node->cube->type)->is_complex &&
           node->inputs[step->input].window_count == 0;
  case PROGRAM_CONSTANT:
    return !step->is_array;
  case PROGRAM_ELEMENT:
    return true;
  case PROGRAM_REDUCE:
    return kernel_reducer_states((enum kernel_reducer)step->op) > 0;
  default:
    return false;
  }
}

/* Whether a reducer among the needed steps works on what another one gave. */
static bool is_nested(const struct program *p, const bool *needed, bool *reduced)
{
  for (size_t i = 0; i < p->count; i++) {
    const struct program_step *step = &p->steps[i];
    bool inside = false;
    for (int k = 0; needed[i] && k < 3; k++)
      inside = inside || (step->operand[k] >= 0 && reduced[step->operand[k]]);
    if (inside && step->kind == PROGRAM_REDUCE)
      return true;
    reduced[i] = inside || step->kind == PROGRAM_REDUCE;
  }
  return false;
}

/* Length of the needed arrays; 0: there are none, or of several lengths. */
static size_t one_length(const struct program *p, const bool *needed)
{
  size_t length = 0;
  for (size_t i = 0; i < p->count; i++) {
    if (!needed[i] || !p->steps[i].is_array)
      continue;
    if (length && length != p->steps[i].length)
      return 0;
    length = p->steps[i].length;
  }
  return length;
}

int reduction_length(struct arena *arena, const struct node *node, bool nested, size_t *out, struct error *error)
{
  const struct program *p = node->program;
  bool *needed = ARENA_ARRAY(arena, bool, p->count), *reduced = ARENA_ARRAY(arena, bool, p->count);
  if (!needed || !reduced)
    return error_memory(error);
  bool fits = node->array_out == NO_DIMENSION && !node->result.is_complex && !p->steps[node->result.value].is_array;
  program_mark_needed(p, node->result.value, needed);
  for (size_t i = 0; i < p->count; i++)
    fits = fits && (!needed[i] || step_can_be_cut(node, &p->steps[i]));
  fits = fits && (nested || !is_nested(p, needed, reduced));
  *out = fits ? one_length(p, needed) : 0;
  return 0;
}

/* ---- cutting ------------------------------------------------------------------------------------------------------
 */

struct piece { /* a program being built from steps of the whole, and the nodes of its slots */
  struct program *program;
  struct kernel_input *inputs;
  size_t input_count;
  struct lanes *value; /* per step of the whole */
  bool before;         /* with the array's dimension */
};

struct cutting {
  const struct accumulator_maker *maker;
  const struct node **accumulators; /* per step of the whole: of a reducer */
  struct error *error;
};

static int piece_start(const struct cutting *c, struct piece *piece, bool before)
{
  struct arena *arena = c->maker->arena;
  size_t steps = c->maker->node->program->count;
  *piece = (struct piece){.program = program_new(arena), .before = before};
  piece->inputs = ARENA_ARRAY(arena, struct kernel_input, c->maker->node->input_count + steps);
  piece->value = ARENA_ARRAY(arena, struct lanes, steps);
  return piece->program && piece->inputs && piece->value ? 0 : error_memory(c->error);
}

/* Dimension of the piece's cube for dimension d of the reduction's result. */
static int place_of(const struct cutting *c, const struct piece *piece, int d)
{
  return piece->before ? c->maker->to_before[d] : d;
}

static struct lanes add_input(struct piece *piece, const struct node *node)
{
  piece->inputs[piece->input_count] = (struct kernel_input){.node = node, .array_dimension = NO_DIMENSION};
  return program_input(piece->program, piece->input_count++, false, 1, node->cube->type, NULL);
}

static struct lanes add_slot(const struct cutting *c, struct piece *piece, size_t slot)
{
  const struct kernel_input *input = &c->maker->node->inputs[slot];
  struct lanes lanes = add_input(piece, input->node);
  struct kernel_input *to = &piece->inputs[piece->input_count - 1];
  for (size_t d = 0; d < input->node->cube->dimensions; d++)
    to->to_output[d] =
        (int)d == input->array_dimension ? (int)c->maker->dimension : place_of(c, piece, input->to_output[d]);
  return lanes;
}

static int accumulate(struct cutting *c, int step);

static struct lanes add_accumulator(const struct cutting *c, struct piece *piece, int step)
{
  const struct node *node = c->accumulators[step];
  struct lanes lanes = add_input(piece, node);
  for (size_t d = 0; d < node->cube->dimensions; d++)
    piece->inputs[piece->input_count - 1].to_output[d] = place_of(c, piece, (int)d);
  return lanes;
}

struct lanes element_again(struct program *program, const struct program_step *step, const struct lanes *value)
{
  enum kernel_op op = (enum kernel_op)step->op;
  const int *of = step->operand;
  switch (kernel_op_arity(op)) {
  case 1:
    return program_unary(program, op, value[of[0]]);
  case 2:
    return program_binary(program, op, value[of[0]], value[of[1]]);
  default:
    return program_ternary(program, op, value[of[0]], value[of[1]], value[of[2]]);
  }
}

/* Adds what computes step i of the whole, steps before it first: they are in order, so no recursion is needed. */
static int piece_add(struct cutting *c, struct piece *piece, const bool *needed, int last)
{
  const struct program *whole = c->maker->node->program;
  for (int i = 0; i <= last; i++) {
    const struct program_step *step = &whole->steps[i];
    struct lanes *to = &piece->value[i];
    if (!needed[i])
      continue;
    if (step->kind == PROGRAM_REDUCE && accumulate(c, i) != 0)
      return -1;
    if (step->kind == PROGRAM_INPUT)
      *to = add_slot(c, piece, step->input);
    else if (step->kind == PROGRAM_CONSTANT)
      *to = program_constant(piece->program, step->constant);
    else if (step->kind == PROGRAM_REDUCE)
      *to = add_accumulator(c, piece, i);
    else
      *to = element_again(piece->program, step, piece->value);
  }
  return program_failed(piece->program) ? program_error(piece->program, c->error) : 0;
}

/* Steps that `result` needs, without what reducers before it need. */
static bool *needed_after(const struct cutting *c, int result)
{
  const struct program *whole = c->maker->node->program;
  bool *needed = ARENA_ARRAY(c->maker->arena, bool, whole->count);
  if (!needed)
    return NULL;
  needed[result] = true;
  for (int i = result; i >= 0; i--)
    for (int k = 0; needed[i] && whole->steps[i].kind == PROGRAM_ELEMENT && k < 3; k++)
      if (whole->steps[i].operand[k] >= 0)
        needed[whole->steps[i].operand[k]] = true;
  return needed;
}

static struct cube *float_cube(struct arena *arena, const struct cube *like, bool narrow)
{
  struct cube *cube = arena_copy(arena, like, sizeof *cube);
  if (!cube)
    return NULL;
  cube->type = narrow ? ELEMENT_F32 : ELEMENT_F64;
  cube->has_nodata = true;
  cube->nodata = na_f64();
  return cube;
}

/* The elements that a reducer reads; the input itself where they are just that. */
static const struct node *node_before(struct cutting *c, int operand)
{
  struct arena *arena = c->maker->arena;
  const struct node *node = c->maker->node;
  bool *needed = needed_after(c, operand);
  struct piece piece;
  if (!needed || piece_start(c, &piece, true) != 0) {
    error_memory(c->error);
    return NULL;
  }
  if (piece_add(c, &piece, needed, operand) != 0)
    return NULL;
  struct lanes value = piece.value[operand];
  const struct kernel_input *first = &piece.inputs[0];
  bool same = piece.input_count == 1 && piece.program->count == 1 &&
              first->node->cube->dimensions == c->maker->cube->dimensions;
  for (size_t d = 0; same && d < c->maker->cube->dimensions; d++)
    same = first->to_output[d] == (int)d;
  if (same)
    return first->node;
  struct cube *cube = float_cube(arena, c->maker->cube, element_info(value.type)->exact_in_f32);
  const struct node *before = cube ? node_kernel(arena, (struct node_origin){node->id, node->process}, cube,
                                                 piece.inputs, piece.input_count, piece.program, value, NO_DIMENSION)
                                   : NULL;
  if (!before)
    error_memory(c->error);
  return before;
}

/* The accumulator of a reducer, made at its first use. */
static int accumulate(struct cutting *c, int step)
{
  const struct program_step *reducer = &c->maker->node->program->steps[step];
  if (c->accumulators[step])
    return 0;
  const struct node *before = node_before(c, reducer->operand[0]);
  c->accumulators[step] = before ? c->maker->make(c->maker, before, reducer, c->error) : NULL;
  return c->accumulators[step] ? 0 : -1;
}

int reduction_cut(const struct accumulator_maker *maker, const struct node **out, struct error *error)
{
  const struct node *node = maker->node;
  struct cutting cutting = {.maker = maker, .error = error};
  cutting.accumulators = ARENA_ARRAY(maker->arena, const struct node *, node->program->count);
  bool *needed = needed_after(&cutting, node->result.value);
  struct piece piece;
  if (!cutting.accumulators || !needed || piece_start(&cutting, &piece, false) != 0)
    return error_memory(error);
  if (piece_add(&cutting, &piece, needed, node->result.value) != 0)
    return -1;
  *out = node_kernel(maker->arena, (struct node_origin){node->id, node->process}, node->cube, piece.inputs,
                     piece.input_count, piece.program, piece.value[node->result.value], NO_DIMENSION);
  return *out ? 0 : error_memory(error);
}
