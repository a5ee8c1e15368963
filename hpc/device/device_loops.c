/* Steps go, in their order, into the first loop that has all they read. */
#include "hpc/device/device_writer.h"

#include <stdlib.h>

bool device_step_streams(const struct kernel_step *step)
{
  static const bool reducers[KRED_COUNT_] = {
#define KRED_WHOLE(name, parameters) [KRED_##name] = KRED_##name == KRED_WEIGHTED_SUM,
#define KRED(name, ...) [KRED_##name] = true,
#include "hpc/kernel/kernel_reducers.def"
#undef KRED
  };
  static const bool series[KSER_COUNT_] = {
#define KSER_WHOLE(name, parameters) [KSER_##name] = false,
#define KSER(name, ...) [KSER_##name] = true,
#include "hpc/kernel/kernel_series.def"
#undef KSER
  };
  return (step->kind == STEP_REDUCE && reducers[step->op]) || (step->kind == STEP_SERIES && series[step->op]);
}

static bool takes_arrays(const struct kernel_step *step)
{
  return step->kind == STEP_REDUCE || step->kind == STEP_SERIES || step->kind == STEP_FIT;
}

/* The loop that the step would have to itself. */
static struct device_loop own_loop(const struct kernel_step *step)
{
  const bool streams = device_step_streams(step);
  if (!takes_arrays(step))
    return (struct device_loop){.outer = 1, .n = step->blocks};
  return (struct device_loop){.outer = step->outer,
                              .n = step->n,
                              .is_shaped = streams,
                              .is_whole = !streams,
                              .is_serial = step->kind == STEP_SERIES,
                              .reduces = streams && step->kind == STEP_REDUCE};
}

static bool fit_together(const struct device_loop *a, const struct device_loop *b)
{
  if (a->is_whole || b->is_whole || (size_t)a->outer * a->n != (size_t)b->outer * b->n)
    return false;
  return !a->is_shaped || !b->is_shaped || (a->outer == b->outer && a->n == b->n);
}

static void join_loops(struct device_loop *loop, const struct device_loop *with)
{
  if (with->is_shaped)
    loop->outer = with->outer, loop->n = with->n;
  loop->is_shaped |= with->is_shaped;
  loop->is_serial |= with->is_serial;
  loop->reduces |= with->reduces;
}

static int operand_count(const struct kernel_step *step)
{
  if (step->kind == STEP_ELEMENT)
    return kernel_op_arity((enum kernel_op)step->op);
  return step->kind == STEP_CONSTANT || step->kind == STEP_LOAD ? 0 : 1;
}

/* Whether block k of the operand is what its register's only writer gives for its own block k. */
static bool is_aligned(const struct kernel *kernel, const struct kernel_step *step,
                       const struct kernel_operand *operand, const struct device_register *from)
{
  const struct kernel_step *writer = from->writers == 1 ? &kernel->steps[from->writer] : NULL;
  const bool by_block =
      writer && (!takes_arrays(writer) || (writer->kind == STEP_SERIES && device_step_streams(writer)));
  return by_block && step->kind != STEP_GATHER && operand->step == 1 && operand->block == writer->dst_block;
}

static size_t loop_of(const struct kernel *kernel, struct device_loops *loops, const struct kernel_step *step)
{
  const struct device_loop own = own_loop(step);
  size_t at = 0;
  for (int k = 0; k < operand_count(step); k++) {
    const struct device_register *from = &loops->registers[step->operand[k].reg];
    const size_t after = from->writers == 0 ? 0 : from->after + !is_aligned(kernel, step, &step->operand[k], from);
    at = after > at ? after : at;
  }
  while (at < loops->loop_count && !fit_together(&loops->loops[at], &own))
    at++;
  if (at == loops->loop_count)
    loops->loops[loops->loop_count++] = own;
  join_loops(&loops->loops[at], &own);
  return at;
}

static void note_reads(const struct kernel *kernel, struct device_loops *loops, const struct kernel_step *step,
                       size_t loop)
{
  for (int k = 0; k < operand_count(step); k++) {
    struct device_register *from = &loops->registers[step->operand[k].reg];
    from->is_local &= from->after == loop && is_aligned(kernel, step, &step->operand[k], from);
  }
}

static size_t blocks_written(const struct kernel_step *step)
{
  if (!takes_arrays(step))
    return step->dst_block + step->blocks;
  const bool many = step->kind == STEP_FIT || (step->kind == STEP_REDUCE && step->op == KRED_QUANTILES);
  const size_t results = step->kind == STEP_SERIES ? step->n : many ? step->parameter_count - 1 : 1;
  return step->dst_block + step->outer * results;
}

static void note_write(struct device_loops *loops, const struct kernel_step *step, size_t index, size_t loop)
{
  struct device_register *to = &loops->registers[step->dst];
  const size_t end = blocks_written(step);
  to->blocks = end > to->blocks ? end : to->blocks;
  to->is_local =
      to->writers++ == 0 && (!takes_arrays(step) || step->kind == STEP_SERIES) && !loops->loops[loop].is_whole;
  to->writer = index;
  to->after = to->writers == 1 || loop > to->after ? loop : to->after;
}

static void place_steps(const struct kernel *kernel, struct device_loops *loops)
{
  size_t memory = 0, offsets = 0;
  for (size_t i = 0; i < kernel->step_count; i++) {
    const struct kernel_step *step = &kernel->steps[i];
    const size_t loop = loop_of(kernel, loops, step);
    loops->places[i] = (struct device_place){.loop = loop, .memory = memory, .offsets = offsets};
    note_reads(kernel, loops, step, loop);
    if (step->kind != STEP_STORE)
      note_write(loops, step, i, loop);
    if (step->kind == STEP_LOAD || step->kind == STEP_STORE) {
      memory++;
      offsets += step->blocks;
    }
  }
}

/* Steps by loop, each loop's in their order. */
static void order_steps(const struct kernel *kernel, struct device_loops *loops)
{
  for (size_t i = 0; i < kernel->step_count; i++)
    loops->loops[loops->places[i].loop].count++;
  for (size_t l = 1; l < loops->loop_count; l++)
    loops->loops[l].first = loops->loops[l - 1].first + loops->loops[l - 1].count;
  for (size_t l = 0; l < loops->loop_count; l++)
    loops->loops[l].count = 0;
  for (size_t i = 0; i < kernel->step_count; i++) {
    struct device_loop *loop = &loops->loops[loops->places[i].loop];
    loops->steps[loop->first + loop->count++] = i;
  }
}

/* ---- memory ---- */

static size_t whole_words(size_t bytes)
{
  return (bytes + 7) & ~(size_t)7;
}

/* Bytes of what a fit and its model keep. */
static int fit_bytes(const struct kernel_step *fit, size_t *out, struct error *error)
{
  struct kernel model;
  struct device_loops loops = {0};
  int status = device_model_steps(fit, &model, error);
  if (status == 0) {
    status = device_loops_find(&model, device_fit_bytes(fit), &loops, error);
    free((void *)(uintptr_t)model.steps);
  }
  *out = loops.scratch;
  device_loops_free(&loops);
  return status;
}

/* Bytes of a step's own copies of an array that is too long to be held. */
static int work_bytes(const struct kernel_step *step, size_t lane_bytes, size_t *out, struct error *error)
{
  *out = 0;
  if (step->kind == STEP_FIT)
    return fit_bytes(step, out, error);
  if (step->n > DEVICE_NEAR && step->kind == STEP_REDUCE && !device_step_streams(step))
    *out = whole_words(step->n * lane_bytes);
  if (step->n > DEVICE_NEAR && step->kind == STEP_SERIES && (step->op == KSER_SORT || step->op == KSER_ORDER))
    *out = 2 * whole_words(step->n * sizeof(uint32_t));
  return 0;
}

static int place_far(const struct kernel *kernel, struct device_loops *loops, struct error *error)
{
  const size_t lane_bytes = kernel->lane_type == LANE_F32 ? sizeof(float) : sizeof(double);
  size_t most = 0, bytes;
  for (size_t r = 0; r < kernel->register_count; r++) {
    struct device_register *own = &loops->registers[r];
    own->is_far = !own->is_local && own->blocks > DEVICE_NEAR;
    own->scratch = loops->work;
    loops->work += own->is_far ? whole_words(own->blocks * lane_bytes) : 0;
  }
  for (size_t i = 0; i < kernel->step_count; i++) {
    if (work_bytes(&kernel->steps[i], lane_bytes, &bytes, error) != 0)
      return -1;
    most = bytes > most ? bytes : most;
  }
  loops->scratch = loops->work + most;
  return 0;
}

uint32_t device_loop_parts(const struct device_loop *loop)
{
  const bool parts = loop->reduces && !loop->is_serial && loop->n > DEVICE_NEAR;
  return parts ? loop->n / DEVICE_PART + (loop->n % DEVICE_PART != 0) : 1;
}

/* Threads share a lane where every long loop is cut into parts and hands on nothing but its reducers' results. */
static size_t most_parts(const struct kernel *kernel, const struct device_loops *loops)
{
  size_t parts = 1;
  for (size_t l = 0; l < loops->loop_count; l++) {
    const size_t own = device_loop_parts(&loops->loops[l]);
    if (own == 1 && loops->loops[l].n > DEVICE_NEAR)
      return 1;
    parts = own > parts ? own : parts;
  }
  for (size_t r = 0; r < kernel->register_count; r++) {
    const struct device_register *own = &loops->registers[r];
    if (own->is_far || (own->writers > 0 && !own->is_local && kernel->steps[own->writer].kind != STEP_REDUCE &&
                        device_loop_parts(&loops->loops[own->after]) > 1))
      return 1;
  }
  return parts;
}

int device_loops_find(const struct kernel *kernel, size_t before, struct device_loops *out, struct error *error)
{
  *out = (struct device_loops){.work = before,
                               .places = calloc(kernel->step_count + 1, sizeof *out->places),
                               .loops = calloc(kernel->step_count + 1, sizeof *out->loops),
                               .steps = calloc(kernel->step_count + 1, sizeof *out->steps),
                               .registers = calloc(kernel->register_count + 1, sizeof *out->registers)};
  if (!out->places || !out->loops || !out->steps || !out->registers) {
    device_loops_free(out);
    return error_memory(error);
  }
  place_steps(kernel, out);
  order_steps(kernel, out);
  if (place_far(kernel, out, error) != 0) {
    device_loops_free(out);
    return -1;
  }
  out->parts = most_parts(kernel, out);
  return 0;
}

void device_loops_free(struct device_loops *loops)
{
  free(loops->places);
  free(loops->loops);
  free(loops->steps);
  free(loops->registers);
  *loops = (struct device_loops){0};
}
