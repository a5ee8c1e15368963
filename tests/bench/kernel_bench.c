/* How fast kernels are, on one core: nanoseconds a value of one operation, and of whole expressions against the loop
 * that one would write by hand, compiled with the same flags.
 *
 *   kernel_bench ROUNDS cache    the first kind of these lines only
 *   kernel_bench [ROUNDS]        lines "cache NAME TYPE KERNEL LOOP", where values lie in the L2 cache, and "memory",
 *                                where they do not; "op NAME F32 F64", "reduce NAME N F32 F64", "series NAME N F32
 *                                F64", along N values: nanoseconds a value, the fastest of the rounds
 *
 * Kernel and loop take turns, so that what else the machine does meets both. Checks that both give the same values. */
#include "datacube/base/missing.h"
#include "hpc/kernel/kernel_engine.h"
#include "hpc/kernel/kernel_relay.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__x86_64__)
#define EACH_CPU __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define EACH_CPU
#endif

enum {
  LANES = 8192,
  FAR_LANES = 1 << 22,
  REPEATS = 24,
  MOST_DATES = 365,
  DATES_VALUES = 24 * LANES, /* of an array, about, however long */
  CACHE_BYTES = 32 << 10,
  MOST_STEPS = 64,
  SLOTS = 24,
  NUMBERS = 12,
  INPUTS = 3
};

static const size_t lengths[] = {4, 12, 24, 64, 128, MOST_DATES}; /* that are reduced and sorted */

static const double constants[] = {2.5, 6, 7.5, 1, 0.0001, -0.1, 0.25, 0.75}; /* of an expression's digits */

/* ---- by hand ----------------------------------------------------------------------------------------------------- */

#define LOOP(name, T, expression)                                                                                      \
  EACH_CPU static void name(const void *const in[INPUTS], void *restrict to, size_t lanes)                             \
  {                                                                                                                    \
    const T *a = in[0], *b = in[1], *c = in[2];                                                                        \
    T *restrict out = to;                                                                                              \
    for (size_t i = 0; i < lanes; i++) {                                                                               \
      const T x = a[i], y = b[i], z = c[i];                                                                            \
      (void)y, (void)z;                                                                                                \
      out[i] = expression;                                                                                             \
    }                                                                                                                  \
  }
#define LOOPS(name, expression_f32, expression_f64)                                                                    \
  LOOP(name##_f32, float, expression_f32)                                                                              \
  LOOP(name##_f64, double, expression_f64)

LOOPS(scale, x * 0.0001f + -0.1f, x * 0.0001 + -0.1)
LOOPS(ndvi, (x - y) / (x + y), (x - y) / (x + y))
LOOPS(evi, 2.5f * (x - y) / (x + 6 * y - 7.5f * z + 1), 2.5 * (x - y) / (x + 6 * y - 7.5 * z + 1))
LOOPS(length, sqrtf(x *x + y * y), sqrt(x *x + y * y))
LOOPS(horner, ((((x * 2.5f + 6) * x + 7.5f) * x + 1) * x + 0.25f) * x + 0.75f,
      ((((x * 2.5 + 6) * x + 7.5) * x + 1) * x + 0.25) * x + 0.75)
LOOPS(clamp, x<0.25f ? 0.25f : x> 0.75f ? 0.75f : x, x<0.25 ? 0.25 : x> 0.75 ? 0.75 : x)
LOOPS(choose, x > y ? x - y : z, x > y ? x - y : z)
LOOPS(copy, x, x)

struct expression {
  const char *name;
  const char *steps; /* operands before operations: x, y, z inputs, digits constants */
  void (*loop[2])(const void *const in[INPUTS], void *out, size_t lanes); /* f32, f64 */
};

static const struct expression expressions[] = {
    {"copy", "x", {copy_f32, copy_f64}},
    {"scale", "x4*5+", {scale_f32, scale_f64}},
    {"ndvi", "xy-xy+/", {ndvi_f32, ndvi_f64}},
    {"evi", "0xy-*x1y*+2z*-3+/", {evi_f32, evi_f64}},
    {"length", "xx*yy*+r", {length_f32, length_f64}},
    {"horner", "x0*1+x*2+x*3+x*6+x*7+", {horner_f32, horner_f64}},
    {"clamp", "x6M7m", {clamp_f32, clamp_f64}},
    {"choose", "xy-zxy>?", {choose_f32, choose_f64}},
};

static const struct {
  char letter;
  enum kernel_op op;
} operations[] = {{'+', KOP_ADD}, {'-', KOP_SUB}, {'*', KOP_MUL}, {'/', KOP_DIV},   {'r', KOP_SQRT},
                  {'m', KOP_MIN}, {'M', KOP_MAX}, {'>', KOP_GT},  {'?', KOP_SELECT}};

/* ---- kernels ----------------------------------------------------------------------------------------------------- */

struct built {
  struct kernel_step steps[MOST_STEPS];
  ptrdiff_t offsets[MOST_DATES];
  double parameters[MOST_DATES + 1];
  size_t registers[SLOTS];
  struct kernel kernel;
};

static struct kernel_step *add_step(struct built *p, enum kernel_step_kind kind, uint32_t dst, uint32_t blocks)
{
  struct kernel_step *step = &p->steps[p->kernel.step_count++];
  *step = (struct kernel_step){.kind = kind, .dst = dst, .blocks = blocks, .offsets = p->offsets, .lane_stride = 1};
  return step;
}

static struct kernel_operand block_of(size_t slot)
{
  return (struct kernel_operand){.reg = (uint32_t)slot, .step = 1};
}

/* Positions of arrays of so many values. */
static size_t lanes_of(size_t dates)
{
  const size_t lanes = DATES_VALUES / dates / 512 * 512;
  return lanes > 0 ? lanes : 512;
}

/* Lanes of a piece, as plans choose them: array, result and work space stay in the first-level cache. */
static size_t piece_of(const struct kernel *kernel, size_t blocks)
{
  const size_t lane_bytes = (kernel->lane_type == LANE_F32 ? 4 : 8) * 2 * blocks + 8 * kernel->work_blocks;
  const size_t lanes = (size_t)CACHE_BYTES / lane_bytes & ~(size_t)15;
  return blocks == 1 || lanes > 512 ? 512 : lanes < 32 ? 32 : lanes;
}

/* used: bit i: input i is. */
static void built_start(struct built *p, enum lane_type type, size_t blocks, unsigned used)
{
  memset(p, 0, sizeof *p);
  for (size_t i = 0; i < SLOTS; i++)
    p->registers[i] = i * blocks;
  for (size_t i = 0; i < MOST_DATES; i++)
    p->offsets[i] = (ptrdiff_t)(i * lanes_of(blocks));
  p->parameters[0] = 1;
  p->kernel = (struct kernel){.lane_type = type,
                              .steps = p->steps,
                              .register_offset = p->registers,
                              .register_count = SLOTS,
                              .scratch_blocks = SLOTS * blocks,
                              .load_count = INPUTS};
  for (size_t i = 0; i < INPUTS; i++)
    if (used >> i & 1) {
      struct kernel_step *load = add_step(p, STEP_LOAD, (uint32_t)i, (uint32_t)blocks);
      load->type = type == LANE_F32 ? ELEMENT_F32 : ELEMENT_F64;
      load->has_nodata = true; /* as between stages: NA and NaN stay what they are */
      load->nodata = na_f64();
      load->load = (uint32_t)i;
    }
}

static void built_end(struct built *p, size_t slot)
{
  struct kernel_step *store = add_step(p, STEP_STORE, 0, 1);
  store->operand[0] = block_of(slot);
  store->type = p->kernel.lane_type == LANE_F32 ? ELEMENT_F32 : ELEMENT_F64;
  store->has_nodata = true;
  store->nodata = na_f64();
  for (size_t i = 0; i < p->kernel.step_count; i++) {
    const size_t work = kernel_step_work_blocks(&p->steps[i]);
    p->kernel.work_blocks = work > p->kernel.work_blocks ? work : p->kernel.work_blocks;
  }
  p->kernel.lane_block = piece_of(&p->kernel, p->kernel.scratch_blocks / SLOTS);
  uint32_t blocks[SLOTS]; /* every register keeps its own memory here */
  if (kernel_find_relays(p->steps, p->kernel.step_count, blocks, SLOTS) != 0)
    exit(1);
}

/* As a stack machine; operands that are inputs are taken where they lie. */
static void built_of(struct built *p, enum lane_type type, const char *text)
{
  size_t stack[SLOTS], depth = 0, numbers = NUMBERS; /* numbers keep their slots, from there on */
  built_start(p, type, 1, 1u | (strchr(text, 'y') ? 2u : 0u) | (strchr(text, 'z') ? 4u : 0u));
  for (; *text; text++) {
    if (*text >= 'x' && *text <= 'z') {
      stack[depth++] = (size_t)(*text - 'x');
    } else if (*text >= '0' && *text <= '9') {
      struct kernel_step *number = add_step(p, STEP_CONSTANT, (uint32_t)numbers, 1);
      number->value = constants[*text - '0'];
      number->once = true;
      stack[depth++] = numbers++;
    } else {
      size_t o = 0;
      while (operations[o].letter != *text)
        o++;
      const size_t arity = (size_t)kernel_op_arity(operations[o].op);
      depth -= arity;
      struct kernel_step *step = add_step(p, STEP_ELEMENT, (uint32_t)(INPUTS + depth), 1);
      step->op = (uint16_t)operations[o].op;
      for (size_t i = 0; i < arity; i++)
        step->operand[i] = block_of(stack[depth + i]);
      stack[depth] = INPUTS + depth;
      depth++;
    }
  }
  built_end(p, stack[0]);
}

static void built_op(struct built *p, enum lane_type type, enum kernel_op op)
{
  built_start(p, type, 1, (1u << kernel_op_arity(op)) - 1);
  struct kernel_step *step = add_step(p, STEP_ELEMENT, INPUTS, 1);
  step->op = (uint16_t)op;
  for (size_t i = 0; i < INPUTS; i++)
    step->operand[i] = block_of(i);
  built_end(p, INPUTS);
}

static void built_reducer(struct built *p, enum lane_type type, enum kernel_reducer reducer, size_t dates)
{
  built_start(p, type, dates, 1);
  struct kernel_step *step = add_step(p, STEP_REDUCE, 1, 1);
  step->op = (uint16_t)reducer;
  step->operand[0] = block_of(0);
  step->outer = 1, step->n = (uint32_t)dates;
  step->parameters = p->parameters;
  step->parameter_count = reducer == KRED_COUNT ? 2 : reducer == KRED_QUANTILES ? 2 : 1;
  if (reducer == KRED_QUANTILES)
    p->parameters[1] = 0.25;
  if (reducer == KRED_WEIGHTED_SUM)
    step->parameter_count = (uint32_t)dates + 1;
  built_end(p, 1);
}

static void built_sort(struct built *p, enum lane_type type, enum kernel_series series, size_t dates)
{
  built_start(p, type, dates, 1);
  struct kernel_step *step = add_step(p, STEP_SERIES, 1, (uint32_t)dates);
  step->op = (uint16_t)series;
  step->operand[0] = block_of(0);
  step->outer = 1, step->n = (uint32_t)dates;
  p->parameters[1] = 1;
  step->parameters = p->parameters;
  step->parameter_count = 2;
  built_end(p, 1);
}

/* ---- times ------------------------------------------------------------------------------------------------------- */

struct values { /* of one type: FAR_LANES each */
  const void *in[INPUTS];
  void *out[2]; /* the kernel's, the loop's */
  void *scratch;
};

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* what others do beside it does not count */
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void values_make(struct values *v, enum lane_type type)
{
  const size_t size = type == LANE_F32 ? sizeof(float) : sizeof(double), count = FAR_LANES;
  uint64_t state = 1;
  for (int k = 0; k < INPUTS; k++) {
    void *values = aligned_alloc(64, count * size);
    for (size_t i = 0; values && i < count; i++) {
      state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
      const double x = 0.01 + 0.98 * (double)(state >> 11) * 0x1p-53;
      if (type == LANE_F32)
        ((float *)values)[i] = (float)x;
      else
        ((double *)values)[i] = x;
    }
    v->in[k] = values;
  }
  for (int k = 0; k < 2; k++)
    v->out[k] = aligned_alloc(64, count * size);
  v->scratch = aligned_alloc(64, (size_t)64 << 20);
  if (!v->in[0] || !v->in[1] || !v->in[2] || !v->out[0] || !v->out[1] || !v->scratch)
    exit(1);
}

struct race {
  const struct built *kernel;
  const struct expression *loop; /* or NULL */
  size_t lanes, rounds;
  double best[2]; /* seconds a turn of kernel and loop */
};

static double turn(const struct race *race, bool is_loop, const struct values *v)
{
  const size_t repeats = race->lanes < FAR_LANES ? REPEATS : 1;
  const double start = now();
  for (size_t i = 0; i < repeats; i++) {
    if (is_loop)
      race->loop->loop[race->kernel->kernel.lane_type](v->in, v->out[1], race->lanes);
    else
      kernel_run(&race->kernel->kernel, v->scratch, v->in, v->out[0], race->lanes);
    __asm__ volatile("" ::: "memory");
  }
  return (now() - start) / (double)repeats;
}

static void run(struct race *race, const struct values *v)
{
  race->best[0] = race->best[1] = INFINITY;
  for (size_t round = 0; round < race->rounds; round++)
    for (int side = 0; side < (race->loop ? 2 : 1); side++)
      race->best[side] = fmin(race->best[side], turn(race, side == 1, v));
}

static bool same(const struct values *v, enum lane_type type)
{
  for (size_t i = 0; i < LANES; i++) {
    const double a = type == LANE_F32 ? (double)((float *)v->out[0])[i] : ((double *)v->out[0])[i];
    const double b = type == LANE_F32 ? (double)((float *)v->out[1])[i] : ((double *)v->out[1])[i];
    if (!(fabs(a - b) <= (type == LANE_F32 ? 1e-6 : 1e-14) * fabs(b)))
      return false;
  }
  return true;
}

static int print_expressions(const struct values values[2], size_t rounds, const char *where, size_t lanes)
{
  static const char *const types[] = {"f32", "f64"};
  static struct built p;
  for (size_t e = 0; e < sizeof expressions / sizeof expressions[0]; e++)
    for (int type = LANE_F32; type <= LANE_F64; type++) {
      built_of(&p, (enum lane_type)type, expressions[e].steps);
      struct race race = {&p, &expressions[e], lanes, rounds, {0}};
      run(&race, &values[type]);
      if (!same(&values[type], (enum lane_type)type)) {
        fprintf(stderr, "kernel_bench: %s differs from its loop\n", expressions[e].name);
        return -1;
      }
      const double ns = 1e9 / (double)lanes;
      printf("%s %s %s %.4f %.4f\n", where, expressions[e].name, types[type], ns * race.best[0], ns * race.best[1]);
    }
  return 0;
}

/* A value of `dates` at each position. */
static double ns_of(const struct built *p, const struct values *v, size_t rounds, size_t dates)
{
  struct race race = {p, NULL, dates > 1 ? lanes_of(dates) : LANES, rounds, {0}};
  run(&race, v);
  return 1e9 * race.best[0] / (double)(race.lanes * dates);
}

static void print_lengths(const struct values values[2], size_t rounds, size_t dates)
{
  static struct built p;
  double ns[2];
  for (int reducer = 0; reducer < KRED_COUNT_; reducer++) {
    for (int type = LANE_F32; type <= LANE_F64; type++) {
      built_reducer(&p, (enum lane_type)type, (enum kernel_reducer)reducer, dates);
      ns[type] = ns_of(&p, &values[type], rounds, dates);
    }
    printf("reduce %s %zu %.4f %.4f\n", kernel_reducer_name((enum kernel_reducer)reducer), dates, ns[0], ns[1]);
  }
  for (int series = KSER_SORT; series <= KSER_ORDER; series++) {
    for (int type = LANE_F32; type <= LANE_F64; type++) {
      built_sort(&p, (enum lane_type)type, (enum kernel_series)series, dates);
      ns[type] = ns_of(&p, &values[type], rounds, dates);
    }
    printf("series %s %zu %.4f %.4f\n", kernel_series_name((enum kernel_series)series), dates, ns[0], ns[1]);
  }
}

static void print_rows(const struct values values[2], size_t rounds)
{
  static struct built p;
  double ns[2];
  for (int op = 0; op < KOP_COUNT_; op++) {
    for (int type = LANE_F32; type <= LANE_F64; type++) {
      built_op(&p, (enum lane_type)type, (enum kernel_op)op);
      ns[type] = ns_of(&p, &values[type], rounds, 1);
    }
    printf("op %s %.4f %.4f\n", kernel_op_name((enum kernel_op)op), ns[0], ns[1]);
  }
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
    print_lengths(values, rounds, lengths[i]);
}

int main(int count, char **arguments)
{
  static struct values values[2];
  const long rounds = count > 1 ? strtol(arguments[1], NULL, 10) : 9;
  const bool cache_only = count == 3 && strcmp(arguments[2], "cache") == 0;
  if (rounds < 1 || (count > 2 && !cache_only)) {
    fprintf(stderr, "usage: kernel_bench [ROUNDS [cache]]\n");
    return 2;
  }
  printf("level %s\n", kernel_simd_level());
  for (int type = LANE_F32; type <= LANE_F64; type++)
    values_make(&values[type], (enum lane_type)type);
  if (print_expressions(values, (size_t)rounds, "cache", LANES) != 0)
    return 1;
  if (cache_only)
    return 0;
  if (print_expressions(values, (size_t)rounds, "memory", FAR_LANES) != 0)
    return 1;
  print_rows(values, (size_t)rounds);
  return 0;
}
