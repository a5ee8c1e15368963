/* Finding relays: the longest stretches of steps that fit, then a form for each leg. */
#include "hpc/kernel/kernel_relay.h"

#include "hpc/kernel/kernel_forms.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NO_STEP SIZE_MAX

static const bool is_short[] = {
/* operations that pay in a relay */
#define KOP_LONG(name, arity, class, expression) [KOP_##name] = false,
#define KOP(name, arity, class, expression) [KOP_##name] = true,
#include "hpc/kernel/kernel_ops.def"
#undef KOP
};

enum place { PLACE_N, PLACE_A, PLACE_B, PLACE_M, PLACE_C };

struct form {
  int operands;
  bool pushes;
  enum place place[3];
};

enum { STAY = 0, PUSH = 1 };
#define FORM(arity, name, push, x, y, z) [FORM_##name] = {arity, push, {PLACE_##x, PLACE_##y, PLACE_##z}},
static const struct form forms[FORM_COUNT_] = {FORMS_1(FORM, 1) FORMS_2_CONSTANT(FORM, 2) FORMS_2(FORM, 2)
                                                   FORMS_3(FORM, 3)};
#undef FORM

static const bool has_form[KOP_COUNT_][FORM_COUNT_] = {
#define FORM(x, name, ...) [FORM_##name] = true,
#define KOP_LONG(name, arity, class, expression)
#define KOP(name, arity, class, expression)                                                                            \
  [KOP_##name] = {class##_FORMS_##arity(FORM, ) class##_FORMS_##arity##_CONSTANT(FORM, )},
#include "hpc/kernel/kernel_ops.def"
#undef KOP
#undef FORM
};

struct register_use {
  size_t first, last; /* steps that name it; last: that read it */
  size_t writer;      /* the newest step that wrote it before the one looked at, or NO_STEP */
  size_t writers;     /* steps that write it */
  bool constant;      /* one of them is a CONSTANT, whose blocks may differ */
  size_t relay;       /* the newest relay that names it, by its first step, or NO_STEP */
  uint32_t block;     /* its first block there */
  bool still;         /* that one block serves all blocks there */
};

struct relay_search {
  struct kernel_step *steps;
  size_t count;
  struct register_use *uses; /* owned */
  size_t start, end;         /* the relay at hand */
  uint32_t blocks;           /* of its steps */
  size_t in_a, in_b;         /* steps whose results A and B hold at this point, or NO_STEP */
};

static int operands_of(const struct kernel_step *step)
{
  if (step->kind == STEP_ELEMENT)
    return kernel_op_arity((enum kernel_op)step->op);
  return step->kind == STEP_CONSTANT || step->kind == STEP_LOAD ? 0 : 1;
}

static void note_uses(struct relay_search *s)
{
  for (size_t i = 0; i < s->count; i++) {
    const struct kernel_step *step = &s->steps[i];
    for (int k = 0; k < operands_of(step); k++) {
      struct register_use *use = &s->uses[step->operand[k].reg];
      use->first = i < use->first ? i : use->first;
      use->last = i;
    }
    if (step->kind == STEP_STORE)
      continue;
    struct register_use *written = &s->uses[step->dst];
    written->first = i < written->first ? i : written->first;
    written->writers++;
    written->constant |= step->kind == STEP_CONSTANT;
  }
}

/* ---- which steps ------------------------------------------------------------------------------------------------- */

/* Within a relay, all name a register's blocks alike: block b belongs to block b. */
static bool names_alike(struct relay_search *s, uint32_t reg, uint32_t block, bool still)
{
  struct register_use *use = &s->uses[reg];
  if (use->relay == s->start)
    return use->block == block && use->still == still;
  use->relay = s->start;
  use->block = block;
  use->still = still;
  return true;
}

/* Whether the relay can go on with the step; constants are set before it runs. */
static bool joins(struct relay_search *s, const struct kernel_step *step)
{
  if (step->kind == STEP_CONSTANT)
    return s->uses[step->dst].relay != s->start;
  const bool fits =
      step->kind == STEP_LOAD || step->kind == STEP_STORE || (step->kind == STEP_ELEMENT && is_short[step->op]);
  if (!fits || step->blocks != s->blocks)
    return false;
  for (int k = 0; k < operands_of(step); k++) {
    const struct kernel_operand *from = &step->operand[k];
    if (!names_alike(s, from->reg, from->block, from->step == 0 && s->blocks > 1))
      return false;
  }
  return step->kind == STEP_STORE || names_alike(s, step->dst, step->dst_block, false);
}

/* Whether the relay's last step needs none. */
static bool is_loose_end(const struct relay_search *s)
{
  const struct kernel_step *step = &s->steps[s->end - 1];
  return step->kind == STEP_CONSTANT || (step->kind == STEP_LOAD && s->uses[step->dst].last >= s->end);
}

/* Finds the relay that starts at s->start. False where there is none; s->end is where to look on. */
static bool find_stretch(struct relay_search *s)
{
  size_t legs = 0, others = 0;
  s->end = s->start;
  s->blocks = s->steps[s->start].blocks;
  if (s->steps[s->start].kind == STEP_CONSTANT || s->blocks == 0) {
    s->end++;
    return false;
  }
  for (; s->end < s->count && legs < RELAY_STEPS && joins(s, &s->steps[s->end]); s->end++)
    legs += s->steps[s->end].kind != STEP_CONSTANT;
  const size_t next = s->end > s->start ? s->end : s->start + 1;
  while (s->end > s->start && is_loose_end(s))
    s->end--;
  legs = 0;
  for (size_t i = s->start; i < s->end; i++) {
    legs += s->steps[i].kind != STEP_CONSTANT;
    others += s->steps[i].kind == STEP_ELEMENT || s->steps[i].kind == STEP_STORE;
  }
  if (legs >= 2 && others > 0)
    return true;
  s->end = next;
  return false;
}

/* ---- forms ------------------------------------------------------------------------------------------------------- */

/* Whether all blocks of the register are one number: other steps may have written some of them. */
static bool is_number(const struct relay_search *s, const struct kernel_operand *from)
{
  const struct register_use *use = &s->uses[from->reg];
  const struct kernel_step *step = use->writer == NO_STEP || use->writers > 1 ? NULL : &s->steps[use->writer];
  return step && step->kind == STEP_CONSTANT && !step->parameters && !isnan(step->value);
}

static bool is_in_place(const struct relay_search *s, const struct kernel_operand *from, enum place place)
{
  const size_t writer = s->uses[from->reg].writer;
  switch (place) {
  case PLACE_A:
    return writer != NO_STEP && writer == s->in_a;
  case PLACE_B:
    return writer != NO_STEP && writer == s->in_b;
  case PLACE_C:
    return is_number(s, from);
  default:
    return true;
  }
}

static bool form_fits(const struct relay_search *s, int f, const struct kernel_step *step)
{
  const struct form *form = &forms[f];
  bool fits = step->kind == STEP_STORE ? form->operands == 1 : has_form[step->op][f];
  for (int k = 0; fits && k < form->operands; k++)
    fits = is_in_place(s, &step->operand[k], form->place[k]);
  return fits;
}

/* The operand is read from memory: who makes it writes it there. */
static void take_from_memory(struct relay_search *s, size_t i, int k)
{
  const size_t writer = s->uses[s->steps[i].operand[k].reg].writer;
  if (writer == NO_STEP || writer < s->start)
    return;
  if (s->steps[writer].kind == STEP_LOAD)
    s->steps[i].leg.loaded[k] = (uint16_t)(i - writer);
  else if (s->steps[writer].kind == STEP_ELEMENT)
    s->steps[writer].leg.saved = true;
}

static void choose_form(struct relay_search *s, size_t i)
{
  struct kernel_step *step = &s->steps[i];
  int f = step->kind == STEP_STORE ? FORM_A : FORM_NONE + 1;
  while (!form_fits(s, f, step))
    f++; /* all operands in memory fits always */
  step->leg.form = (uint8_t)f;
  for (int k = 0; k < forms[f].operands; k++) {
    if (forms[f].place[k] == PLACE_M)
      take_from_memory(s, i, k);
    if (forms[f].place[k] == PLACE_C)
      step->leg.number = (uint8_t)(k + 1);
    if (forms[f].place[k] >= PLACE_M)
      step->leg.reads |= (uint8_t)(1 << k);
  }
  s->in_b = forms[f].pushes ? s->in_a : s->in_b;
  if (step->kind != STEP_STORE)
    s->in_a = i;
  else if (f == FORM_M)
    s->in_a = s->uses[step->operand[0].reg].writer;
}

/* ---- registers --------------------------------------------------------------------------------------------------- */

/* Whether the register holds what legs write and legs read, so that one block serves all. Constants are written before
 * the relay runs, each block with its own. */
static bool is_inner(const struct relay_search *s, uint32_t reg)
{
  const struct register_use *use = &s->uses[reg];
  return !use->constant && use->first >= s->start && use->last < s->end && use->block == 0 && !use->still;
}

static void fix_registers(struct relay_search *s, uint32_t *blocks)
{
  for (size_t i = s->start; i < s->end; i++) {
    struct kernel_step *step = &s->steps[i];
    if (step->kind == STEP_CONSTANT)
      continue;
    for (int k = 0; k < operands_of(step); k++)
      if (step->operand[k].step == 0 || s->blocks == 1 || is_inner(s, step->operand[k].reg))
        step->leg.fixed |= (uint8_t)(1 << k);
    if (step->kind == STEP_STORE)
      continue;
    const struct register_use *use = &s->uses[step->dst];
    step->leg.saved |= use->writer == i && use->last >= s->end;
    if (s->blocks == 1 || is_inner(s, step->dst))
      step->leg.fixed |= 8;
    if (!is_inner(s, step->dst))
      continue;
    if (use->first == i)
      blocks[step->dst] = 0;
    if (step->kind == STEP_LOAD || step->leg.saved)
      blocks[step->dst] = 1;
  }
}

static void make_relay(struct relay_search *s, uint32_t *blocks)
{
  s->in_a = s->in_b = NO_STEP;
  for (size_t i = s->start; i < s->end; i++)
    if (s->steps[i].kind == STEP_CONSTANT)
      s->uses[s->steps[i].dst].writer = i;
  for (size_t i = s->start; i < s->end; i++) {
    const struct kernel_step *step = &s->steps[i];
    if (step->kind == STEP_CONSTANT)
      continue;
    if (step->kind != STEP_LOAD)
      choose_form(s, i);
    if (step->kind != STEP_STORE)
      s->uses[step->dst].writer = i;
  }
  fix_registers(s, blocks);
  s->steps[s->start].leg.steps = (uint16_t)(s->end - s->start);
}

int kernel_find_relays(struct kernel_step *steps, size_t count, uint32_t *blocks, size_t registers)
{
  struct relay_search s = {.steps = steps, .count = count, .uses = calloc(registers + 1, sizeof *s.uses)};
  if (!s.uses)
    return -1;
  for (size_t r = 0; r < registers; r++)
    s.uses[r] = (struct register_use){.first = NO_STEP, .writer = NO_STEP, .relay = NO_STEP};
  note_uses(&s);
  for (s.start = 0; s.start < count; s.start = s.end) {
    const size_t start = s.start;
    if (find_stretch(&s))
      make_relay(&s, blocks);
    else
      for (size_t i = start; i < s.end; i++)
        if (steps[i].kind != STEP_STORE)
          s.uses[steps[i].dst].writer = i;
  }
  free(s.uses);
  return 0;
}
