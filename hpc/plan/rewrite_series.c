/* Running sums, products, minima and maxima along long axes, part by part: what a kernel holds in registers at once
 * grows with the axis; a part of PART indexes does not.
 *
 *   w    = what runs, an NA replaced by what changes nothing (0, 1, an infinity); NaN stays missing from there on
 *   own  = the running value of w inside each part: chunks
 *   past = of all that comes before the part: the running value of the last ones of `own`; few, and kept
 *   s    = past + own (times, smaller, larger), NaN where one of them is missing
 *   out  = s, but NA where an NA stood or, if NA is not ignored, from the first NA on: the running maximum of "is NA"
 *
 * A stored element does not tell NA from NaN, hence w and the maximum of its own.
 *
 * Whether an axis is cut depends on lengths alone, so the bits of a result depend neither on memory nor on threads. But
 * along long axes the sums and products are rounded in another order than along short ones, and what surrounds the
 * series is computed in f64; products of parts may leave the range of doubles where running ones just stay in it. */
#include "hpc/plan/cut_reduction.h"

#include "datacube/base/missing.h"
#include "hpc/plan/rewrite.h"
#include "hpc/stage/chunk_stage.h"

#include <math.h>

enum { LONG_SERIES = 65536, PART = 16384, CHUNK_POSITIONS = 16 };

struct running_kind { /* a kind of running value */
  enum kernel_series series;
  enum kernel_op combine; /* of what is past and one's own */
  double neutral;
};

static const struct running_kind runnings[] = {{KSER_CUMSUM, KOP_ADD, 0},
                                               {KSER_CUMPRODUCT, KOP_MUL, 1},
                                               {KSER_CUMMIN, KOP_MIN, (double)INFINITY},
                                               {KSER_CUMMAX, KOP_MAX, -(double)INFINITY}};

struct long_series {
  struct arena *arena;
  const struct node *node; /* the kernel */
  size_t axis, size;       /* of its cube; indexes along it */
  size_t part, parts;      /* indexes of a part; parts */
  int series;              /* its SERIES step */
  const struct running_kind *running;
  bool ignore;
};

struct in_parts { /* a running value */
  const struct node *own, *past;
};

/* ---- whether ------------------------------------------------------------------------------------------------------
 */

static const struct running_kind *running_of(enum kernel_series series)
{
  for (size_t i = 0; i < sizeof runnings / sizeof *runnings; i++)
    if (runnings[i].series == series)
      return &runnings[i];
  return NULL;
}

/* Elementwise along the axis: input, constant, operation. */
static bool is_elementwise(const struct long_series *c, const struct program_step *step)
{
  const struct kernel_input *input = step->kind == PROGRAM_INPUT ? &c->node->inputs[step->input] : NULL;
  if (step->is_array && step->length != c->size)
    return false;
  if (input)
    return input->window_count == 0 && !element_info(input->node->cube->type)->is_complex;
  return step->kind == PROGRAM_ELEMENT || (step->kind == PROGRAM_CONSTANT && !step->is_array);
}

/* Finds the one series among the needed steps; false: there is none, several, or something else besides. */
static bool find_series(struct long_series *c, const bool *needed)
{
  const struct program *p = c->node->program;
  bool fits = p->steps[c->node->result.value].is_array && !c->node->result.is_complex;
  c->series = -1;
  for (size_t i = 0; fits && i < p->count; i++) {
    const struct program_step *step = &p->steps[i];
    if (!needed[i] || is_elementwise(c, step))
      continue;
    fits = step->kind == PROGRAM_SERIES && c->series < 0 && step->length == c->size &&
           running_of((enum kernel_series)step->op);
    c->series = (int)i;
  }
  if (!fits || c->series < 0)
    return false;
  c->running = running_of((enum kernel_series)p->steps[c->series].op);
  c->ignore = p->steps[c->series].parameters[0] != 0;
  return true;
}

/* ---- nodes --------------------------------------------------------------------------------------------------------
 */

/* The kernel's cube of floats, with so many indexes along the axis. */
static struct cube *float_cube(const struct long_series *c, enum element_type type, size_t size)
{
  struct cube *cube = arena_copy(c->arena, c->node->cube, sizeof *cube);
  if (!cube)
    return NULL;
  cube->type = type;
  cube->has_nodata = true;
  cube->nodata = na_f64();
  if (size == c->size)
    return cube;
  struct dimension *axis = &cube->dimension[c->axis];
  *axis = dimension_enumerated(axis->name, DIMENSION_OTHER, size);
  if (cube_find_type(c->node->cube, DIMENSION_BANDS) == c->axis)
    cube->bands = NULL;
  return cube;
}

static struct kernel_input same_place(const struct node *node)
{
  struct kernel_input input = {.node = node, .array_dimension = NO_DIMENSION};
  for (size_t d = 0; d < node->cube->dimensions; d++)
    input.to_output[d] = (int)d;
  return input;
}

struct element_piece { /* a kernel being built */
  struct program *program;
  struct kernel_input *inputs;
  size_t input_count;
  struct lanes *value; /* per step of the whole */
};

static bool piece_start(const struct long_series *c, struct element_piece *piece)
{
  enum { OTHERS = 4 }; /* inputs besides those of the steps: what is past and own, twice */
  const struct program *whole = c->node->program;
  *piece = (struct element_piece){.program = program_new(c->arena),
                                  .inputs = ARENA_ARRAY(c->arena, struct kernel_input, whole->count + OTHERS),
                                  .value = ARENA_ARRAY(c->arena, struct lanes, whole->count)};
  return piece->program && piece->inputs && piece->value;
}

static struct lanes add_input(struct element_piece *piece, struct kernel_input input)
{
  piece->inputs[piece->input_count] = input;
  return program_input(piece->program, piece->input_count++, false, 1, input.node->cube->type, NULL);
}

static struct lanes add_slot(const struct long_series *c, struct element_piece *piece, size_t slot)
{
  struct kernel_input input = c->node->inputs[slot];
  if (input.array_dimension != NO_DIMENSION)
    input.to_output[input.array_dimension] = (int)c->axis;
  input.array_dimension = NO_DIMENSION;
  return add_input(piece, input);
}

/* Adds what computes step `last` element by element; the series, where it is needed, has its value already. */
static struct lanes piece_add(const struct long_series *c, struct element_piece *piece, int last)
{
  const struct program *whole = c->node->program;
  bool *needed = ARENA_ARRAY(c->arena, bool, whole->count);
  piece->program->failed = piece->program->failed || !needed;
  if (needed)
    needed[last] = true;
  for (int i = last; needed && i >= 0; i--)
    for (int k = 0; needed[i] && whole->steps[i].kind == PROGRAM_ELEMENT && k < 3; k++)
      if (whole->steps[i].operand[k] >= 0)
        needed[whole->steps[i].operand[k]] = true;
  for (int i = 0; needed && i <= last; i++) {
    const struct program_step *step = &whole->steps[i];
    if (!needed[i] || step->kind == PROGRAM_SERIES)
      continue;
    piece->value[i] = step->kind == PROGRAM_INPUT      ? add_slot(c, piece, step->input)
                      : step->kind == PROGRAM_CONSTANT ? program_constant(piece->program, step->constant)
                                                       : element_again(piece->program, step, piece->value);
  }
  return piece->value[last];
}

static struct node_origin origin_of(const struct long_series *c)
{
  return (struct node_origin){c->node->id, c->node->process};
}

static const struct node *piece_end(const struct long_series *c, const struct element_piece *piece,
                                    const struct cube *cube, struct lanes value)
{
  if (program_failed(piece->program) || !cube)
    return NULL;
  return node_kernel(c->arena, origin_of(c), cube, piece->inputs, piece->input_count, piece->program, value,
                     NO_DIMENSION);
}

/* The step that the series reads. */
static int series_operand(const struct long_series *c)
{
  return c->node->program->steps[c->series].operand[0];
}

static const struct node *what_runs(const struct long_series *c)
{
  struct element_piece piece;
  if (!piece_start(c, &piece))
    return NULL;
  struct program *p = piece.program;
  struct lanes x = piece_add(c, &piece, series_operand(c));
  struct lanes w =
      program_ternary(p, KOP_SELECT, program_constant(p, c->running->neutral), x, program_unary(p, KOP_IS_NODATA, x));
  return piece_end(c, &piece, float_cube(c, ELEMENT_F64, c->size), w);
}

static const struct node *where_missing(const struct long_series *c)
{
  struct element_piece piece;
  if (!piece_start(c, &piece))
    return NULL;
  struct lanes missing = program_unary(piece.program, KOP_IS_NODATA, piece_add(c, &piece, series_operand(c)));
  return piece_end(c, &piece, float_cube(c, ELEMENT_F32, c->size), missing);
}

/* ---- a running value in parts -------------------------------------------------------------------------------------
 */

/* A kernel that makes an array along the axis from one along the axis. */
static const struct node *along_axis(const struct long_series *c, const struct node *input, const struct cube *cube,
                                     const struct program *program, struct lanes array)
{
  struct kernel_input along = same_place(input), *kept;
  along.array_dimension = (int)c->axis;
  along.to_output[c->axis] = NO_DIMENSION;
  kept = arena_copy(c->arena, &along, sizeof along);
  if (!kept || !cube || program_failed(program))
    return NULL;
  return node_kernel(c->arena, origin_of(c), cube, kept, 1, program, array, (int)c->axis);
}

/* Parts along the axis, and few positions beside: of one chunk. */
static void chunk_sizes(const struct long_series *c, size_t *size)
{
  size_t room = CHUNK_POSITIONS;
  for (size_t d = c->node->cube->dimensions; d-- > 0;) {
    size_t whole = c->node->cube->dimension[d].size;
    size[d] = d == c->axis ? c->part : whole < room ? whole : room;
    room = d == c->axis ? room : room / size[d];
    room = room ? room : 1;
  }
}

/* The running value inside each part. */
static const struct node *own_values(const struct long_series *c, const struct running_kind *running,
                                     const struct node *input)
{
  struct chunks *chunks = ARENA_NEW(c->arena, struct chunks);
  struct program *p = program_new(c->arena);
  if (!chunks || !p)
    return NULL;
  *chunks = (struct chunks){.chunk = NULL};
  chunk_sizes(c, chunks->size);
  chunks->chunk = node_chunk(c->arena, origin_of(c), input->cube, chunks->size, chunks->overlap);
  if (!chunks->chunk)
    return NULL;
  struct lanes array = program_input(p, 0, true, c->part, input->cube->type, NULL);
  struct lanes values = program_series(p, running->series, array, &(double){0}, 1);
  chunks->body = along_axis(c, chunks->chunk, chunks->chunk->cube, p, values);
  return chunks->body ? node_chunks(c->arena, origin_of(c), input, input->cube, chunks) : NULL;
}

/* A view that changes the axis alone. */
static const struct node *take(const struct long_series *c, const struct node *input, const size_t *indexes,
                               size_t count)
{
  struct view_dimension *view = ARENA_ARRAY(c->arena, struct view_dimension, input->cube->dimensions);
  struct cube *cube = float_cube(c, input->cube->type, count);
  if (!view || !cube)
    return NULL;
  for (size_t d = 0; d < input->cube->dimensions; d++)
    view[d] = (struct view_dimension){.out = (int)d, .indexes = d == c->axis ? indexes : NULL};
  return node_view(c->arena, origin_of(c), input, cube, view);
}

/* The last value of each part, and that of the last part once more: longer than what is made of it, which is therefore
 * made once, whole, and kept. */
static const struct node *last_values(const struct long_series *c, const struct node *own)
{
  size_t *last = ARENA_ARRAY(c->arena, size_t, c->parts + 1);
  for (size_t k = 0; last && k <= c->parts; k++)
    last[k] = k + 1 < c->parts ? (k + 1) * c->part - 1 : c->size - 1;
  return last ? take(c, own, last, c->parts + 1) : NULL;
}

/* The running value of all that comes before each part. */
static const struct node *past_of_parts(const struct long_series *c, const struct running_kind *running,
                                        const struct node *own)
{
  const struct node *last = last_values(c, own);
  size_t *before = ARENA_ARRAY(c->arena, size_t, c->parts - 1);
  struct program *p = program_new(c->arena);
  if (!last || !before || !p)
    return NULL;
  for (size_t k = 0; k + 1 < c->parts; k++)
    before[k] = k;
  struct lanes array =
      program_pick(p, program_input(p, 0, true, c->parts + 1, last->cube->type, NULL), before, c->parts - 1);
  struct lanes values[] = {program_constant(p, running->neutral),
                           program_series(p, running->series, array, &(double){0}, 1)};
  return along_axis(c, last, float_cube(c, own->cube->type, c->parts), p, program_concat(p, values, 2));
}

static int run_in_parts(const struct long_series *c, const struct running_kind *running, const struct node *input,
                        struct in_parts *out)
{
  out->own = input ? own_values(c, running, input) : NULL;
  const struct node *past = out->own ? past_of_parts(c, running, out->own) : NULL;
  size_t *part = ARENA_ARRAY(c->arena, size_t, c->size);
  if (!past || !part)
    return -1;
  for (size_t k = 0; k < c->size; k++)
    part[k] = k / c->part;
  out->past = take(c, past, part, c->size);
  return out->past ? 0 : -1;
}

static struct lanes add_running(struct element_piece *piece, const struct running_kind *running,
                                const struct in_parts *values)
{
  struct lanes past = add_input(piece, same_place(values->past)), own = add_input(piece, same_place(values->own));
  return program_binary(piece->program, running->combine, past, own);
}

/* ---- the kernel after it ------------------------------------------------------------------------------------------
 */

static const struct node *put_together(const struct long_series *c, const struct in_parts *values,
                                       const struct in_parts *missing)
{
  struct element_piece piece;
  if (!piece_start(c, &piece))
    return NULL;
  struct program *p = piece.program;
  struct lanes s = add_running(&piece, c->running, values);
  s = program_ternary(p, KOP_SELECT, s, program_constant(p, (double)NAN), program_unary(p, KOP_IS_VALID, s));
  struct lanes hidden = c->ignore ? program_unary(p, KOP_IS_NODATA, piece_add(c, &piece, series_operand(c)))
                                  : add_running(&piece, running_of(KSER_CUMMAX), missing);
  piece.value[c->series] = program_binary(p, KOP_MASK, s, hidden);
  return piece_end(c, &piece, c->node->cube, piece_add(c, &piece, c->node->result.value));
}

int series_cut(struct arena *arena, const struct node *node, const struct series_parts *parts, const struct node **out,
               struct error *error)
{
  struct in_parts values, missing = {NULL, NULL};
  *out = node;
  if (node->kind != NODE_KERNEL || node->array_out == NO_DIMENSION || cube_elements(node->cube) == 0)
    return 0;
  struct long_series c = {.arena = arena, .node = node, .axis = (size_t)node->array_out, .part = parts->length};
  c.size = node->cube->dimension[c.axis].size;
  c.parts = (c.size + c.part - 1) / c.part;
  bool *needed = ARENA_ARRAY(arena, bool, node->program->count);
  if (!needed)
    return error_memory(error);
  node_mark_needed(node, needed);
  if (c.size <= parts->longest || c.parts < 2 || !find_series(&c, needed))
    return 0;
  if (run_in_parts(&c, c.running, what_runs(&c), &values) != 0 ||
      (!c.ignore && run_in_parts(&c, running_of(KSER_CUMMAX), where_missing(&c), &missing) != 0))
    return error_memory(error);
  *out = put_together(&c, &values, &missing);
  return *out ? 0 : error_memory(error);
}

int rewrite_series(struct arena *arena, const struct node *node, const struct node **out, struct error *error)
{
  return series_cut(arena, node, &(const struct series_parts){LONG_SERIES, PART}, out, error);
}
