/* Type, no-data value and packing of what a program computes.
 *
 * The one idea: a value is what it was before only where the program selects it. So each step is asked, from the inputs
 * on, whether it gives stored values of the inputs and nothing else, and whether it may give a certain number. The
 * first decides on packing, the second on whether that number can still stand for "missing" in the result. */
#include "processes/cube/shape.h"

#include "datacube/base/missing.h"

#include <math.h>

/* Operands whose values an element operation hands on; 0: it computes its own. */
static int handed_on(const struct program_step *step)
{
  switch (step->op) {
  case KOP_MASK:
    return 1;
  case KOP_SELECT:
  case KOP_MIN:
  case KOP_MAX:
    return 2;
  default:
    return 0;
  }
}

static bool selects(const struct program_step *step)
{
  switch (step->kind) {
  case PROGRAM_PICK:
    return true;
  case PROGRAM_REDUCE:
    return step->op == KRED_MIN || step->op == KRED_MAX || step->op == KRED_FIRST || step->op == KRED_LAST;
  case PROGRAM_SERIES:
    return step->op == KSER_SORT || step->op == KSER_REVERSE || step->op == KSER_CUMMIN || step->op == KSER_CUMMAX;
  default:
    return false;
  }
}

static bool averages(const struct program_step *step)
{
  return step->kind == PROGRAM_REDUCE &&
         (step->op == KRED_MEAN || step->op == KRED_MEDIAN || step->op == KRED_QUANTILES);
}

/* What is asked about every step: a property of inputs and constants, and of the rest by what it hands on. */
struct question {
  bool (*input)(const void *data, size_t slot);
  bool (*constant)(const void *data, double value);
  const void *data;
  bool every;    /* true where all that it hands on is so, else where any is */
  bool computed; /* the answer for what computes */
  bool averaged; /* averages count as handed on */
};

static bool ask_constant(const struct question *q, const struct program_step *step)
{
  bool answer = q->every;
  for (size_t i = 0; i < (step->parameters ? step->length : 1); i++) {
    double value = step->parameters ? step->parameters[i] : step->constant;
    bool one = is_na_f64(value) ? q->every : q->constant(q->data, value);
    answer = q->every ? answer && one : answer || one;
  }
  return answer;
}

static bool ask_step(const struct question *q, const struct program_step *step, const bool *answers)
{
  const int *from = step->kind == PROGRAM_CONCAT ? step->parts : step->operand;
  size_t count = step->kind == PROGRAM_CONCAT ? step->part_count : 0;
  if (step->kind == PROGRAM_INPUT)
    return q->input(q->data, step->input);
  if (step->kind == PROGRAM_CONSTANT)
    return ask_constant(q, step);
  if (step->kind == PROGRAM_ELEMENT)
    count = (size_t)handed_on(step);
  else if (selects(step) || (q->averaged && averages(step)))
    count = 1;
  if (count == 0)
    return step->kind == PROGRAM_CONCAT ? q->every : q->computed;
  bool answer = q->every;
  for (size_t i = 0; i < count; i++)
    answer = q->every ? answer && answers[from[i]] : answer || answers[from[i]];
  return answer;
}

/* The answer for value `result`; that for what computes where memory ends. */
static bool ask(const struct program *program, int result, const struct question *q)
{
  bool *answers = ARENA_ARRAY(program->arena, bool, program->count + 1);
  if (!answers || program->failed)
    return q->computed;
  for (int i = 0; i <= result; i++)
    answers[i] = ask_step(q, &program->steps[i], answers);
  return answers[result];
}

/* ---- type and no-data ------------------------------------------------------------------------------------------- */

struct sentinel { /* may this number come out as a value? */
  double value;
  const struct kernel_input *inputs;
  size_t count;
};

static bool input_may_be(const void *data, size_t slot)
{
  const struct sentinel *s = data;
  if (slot >= s->count)
    return true;
  const struct cube *cube = s->inputs[slot].node->cube;
  bool missing = cube->has_nodata && cube->nodata == s->value;
  return !missing && element_holds(cube->type, s->value);
}

static bool constant_is(const void *data, double value)
{
  return value == ((const struct sentinel *)data)->value;
}

/* The no-data value of one of the inputs that no value of the result can be. */
static bool find_sentinel(const struct lanes *result, const struct kernel_input *inputs, size_t count, double *out)
{
  for (size_t i = 0; i < count; i++) {
    const struct cube *cube = inputs[i].node->cube;
    struct sentinel sentinel = {.value = cube->nodata, .inputs = inputs, .count = count};
    const struct question q = {
        .input = input_may_be, .constant = constant_is, .data = &sentinel, .every = false, .computed = true};
    if (cube->type != result->type || !cube->has_nodata || !element_can_mark(cube->type, cube->nodata) ||
        ask(result->program, result->value, &q))
      continue;
    *out = cube->nodata;
    return true;
  }
  return false;
}

void cube_set_result_type(struct cube *cube, const struct lanes *result, const struct kernel_input *inputs,
                          size_t count)
{
  const struct element_info *info = element_info(result->type);
  cube->type = result->class == LANES_BOOLEAN ? ELEMENT_BOOLEAN : result->type;
  cube->has_nodata = true;
  if (cube->type == ELEMENT_BOOLEAN) {
    cube->nodata = 255;
    return;
  }
  if (!info->is_float && !info->is_complex && find_sentinel(result, inputs, count, &cube->nodata))
    return;
  if (!info->is_float && !info->is_complex)
    cube->type = info->exact_in_f32 ? ELEMENT_F32 : ELEMENT_F64;
  cube->nodata = na_f64();
}

/* ---- packing ---------------------------------------------------------------------------------------------------- */

static bool always(const void *data, size_t slot)
{
  (void)data;
  (void)slot;
  return true;
}

static bool never(const void *data, double value)
{
  (void)data;
  (void)value;
  return false;
}

bool band_is_packed(const struct band_info *band)
{
  return band->scale != 0 && (band->scale != 1 || band->offset != 0);
}

static size_t band_count(const struct cube *cube)
{
  size_t bands = cube_find_type(cube, DIMENSION_BANDS);
  return bands == SIZE_MAX ? 1 : cube->dimension[bands].size;
}

bool cube_is_packed(const struct cube *cube)
{
  for (size_t i = 0; cube->bands && i < band_count(cube); i++)
    if (band_is_packed(&cube->bands[i]))
      return true;
  return false;
}

bool program_selects(const struct program *program, const struct lanes *result)
{
  const struct question q = {.input = always, .constant = never, .every = true, .computed = false};
  return !program_failed(program) && ask(program, result->value, &q);
}

int cube_settle_packing(struct call *call, struct cube *cube, const struct program *program, const struct lanes *result)
{
  struct question q = {.input = always, .constant = never, .every = true, .computed = false};
  if (!cube->bands || program_failed(program) || ask(program, result->value, &q))
    return 0;
  q.averaged = true; /* an average of values that are no codes has their unit */
  if (!cube_is_packed(cube) && ask(program, result->value, &q))
    return 0;
  struct band_info *plain = arena_copy(call->arena, cube->bands, band_count(cube) * sizeof *plain);
  if (!plain)
    return error_memory(call->error);
  for (size_t i = 0; i < band_count(cube); i++)
    band_set_plain(&plain[i]);
  cube->bands = plain;
  return 0;
}

void band_set_plain(struct band_info *band)
{
  band->scale = 1;
  band->offset = 0;
  band->unit = NULL;
  band->standard_name = NULL;
}

bool band_same_packing(const struct band_info *a, const struct band_info *b)
{
  if (!band_is_packed(a) || !band_is_packed(b))
    return band_is_packed(a) == band_is_packed(b);
  return a->scale == b->scale && a->offset == b->offset;
}

/* ---- several results as one ------------------------------------------------------------------------------------- */

static bool same_type(const struct cube *a, const struct cube *b)
{
  return a->type == b->type && a->has_nodata == b->has_nodata && (!a->has_nodata || same_nodata(a->nodata, b->nodata));
}

static bool same_packing(const struct cube *a, const struct cube *b)
{
  if (!a->bands || !b->bands)
    return !cube_is_packed(a) && !cube_is_packed(b);
  for (size_t i = 0; i < band_count(a); i++)
    if (!band_same_packing(&a->bands[i], &b->bands[i]))
      return false;
  return true;
}

void cube_set_joint_type(struct cube *cube, const struct node *const *parts, size_t count)
{
  const struct band_info *plain = NULL; /* of a part without packing */
  bool same = true, packed = true, narrow = true, is_complex = false;
  for (size_t i = 0; i < count; i++) {
    const struct cube *part = parts[i]->cube;
    same = same && same_type(part, parts[0]->cube);
    packed = packed && same_packing(part, parts[0]->cube);
    plain = part->bands && !cube_is_packed(part) ? part->bands : plain;
    narrow = narrow && (element_info(part->type)->exact_in_f32 || part->type == ELEMENT_C64);
    is_complex = is_complex || element_info(part->type)->is_complex;
  }
  if (count == 0)
    return;
  cube->type = parts[0]->cube->type;
  cube->has_nodata = parts[0]->cube->has_nodata;
  cube->nodata = parts[0]->cube->nodata;
  cube->bands = packed ? parts[0]->cube->bands : plain;
  if (same)
    return;
  if (is_complex)
    cube->type = narrow ? ELEMENT_C64 : ELEMENT_C128;
  else
    cube->type = narrow ? ELEMENT_F32 : ELEMENT_F64;
  cube->has_nodata = true;
  cube->nodata = na_f64();
}
