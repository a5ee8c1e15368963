/* The text of device kernels against the engine of the CPU.
 *
 * Each row of the element language, reducers, series, loads and stores, and the kernels of random plans are written as
 * one module, which a C++ compiler of this machine builds behind device_names.hpp: numbers that lose the payload of
 * NaN in every operation, as a device's do. Then each kernel runs on the same memory both ways. TWINCUBE_DEVICE_TEXT
 * names a file for the module as NVRTC takes it, and with --text nothing else is done; TWINCUBE_PROPERTY_SEED gives
 * other plans. */
#include "hpc_kernel_fixture.h"

#include "hpc_plan_reference.h"

#include "hpc_stage_random.h"

#include "hpc/device/device_loops.h"
#include "hpc/device/device_text.h"
#include "hpc/plan/plan_internal.h"
#include "hpc/stage/kernel_stage.h"

#include <dlfcn.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { MOST_CASES = 4000, MOST_STEPS = 64, MOST_BLOCKS = 4096, PLANS = 500, LANES = 64 };

struct device_case {
  char name[32], what[96];
  struct kernel kernel; /* its steps are placed */
  struct kernel_step steps[MOST_STEPS];
  ptrdiff_t offsets[MOST_BLOCKS]; /* of all LOADs and STOREs, in order */
  size_t register_offset[MOST_STEPS];
  size_t lanes, memory_steps;
  unsigned char *inputs[MOST_STEPS], *out; /* owned */
  size_t out_blocks, out_size;
  enum element_type out_type;
  double tolerance; /* of numbers, relative */
  unsigned ulp;     /* of the element operation that is all there is */
  struct device_launch launch;
};

static struct device_case *cases[MOST_CASES];
static size_t case_count;
static struct buffer module;
static struct arena *plans; /* what the kernels of plans point at */
static void *library;
static uint64_t random_state = 7;

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static double special_number(void)
{
  static const double numbers[] = {0,          -0.0, 1,   -1,     2,      3.5,    -0.25,  255,    7,        100,
                                   1e5,        1e30, 0.5, -40000, -1e30,  1e-40,  2.5,    -2.5,   0x1p-149, 0x1p24 + 1,
                                   0x1p51 + 1, 10,   -3,  1e-3,   0x1p31, 0x1p32, 0x1p63, 0x1p64, -0x1p63,  0x1p120};
  enum { NUMBERS = sizeof numbers / sizeof numbers[0] };
  const uint64_t r = random_bits(&random_state) % (NUMBERS + 16);
  if (r < NUMBERS)
    return numbers[r];
  switch (r - NUMBERS) {
  case 0:
  case 1:
    return na_f64();
  case 2:
    return (double)NAN;
  case 3:
    return (random_bits(&random_state) & 1) ? (double)INFINITY : -(double)INFINITY;
  default:
    return 20 * random_unit(&random_state) - 10;
  }
}

static void fill(enum element_type type, unsigned char *data, size_t count, double nodata)
{
  const size_t size = element_info(type)->size;
  for (size_t i = 0; i < count; i++) {
    const double x = special_number();
    const float narrow = (float)x;
    const uint64_t bits = random_bits(&random_state);
    if (type == ELEMENT_F32)
      memcpy(data + i * size, &narrow, size);
    else if (type == ELEMENT_F64)
      memcpy(data + i * size, &x, size);
    else if (type == ELEMENT_BOOLEAN)
      data[i] = bits % 8 == 0 ? 255 : (unsigned char)(bits >> 8) % 2;
    else if (bits % 4 == 0 && element_can_mark(type, nodata)) {
      const uint64_t word = nodata < 0 ? (uint64_t)element_i64(nodata) : element_u64(nodata);
      memcpy(data + i * size, &word, size);
    } else
      memcpy(data + i * size, &bits, size);
  }
}

static unsigned char *memory(size_t bytes)
{
  unsigned char *data = calloc(1, bytes + 64);
  assert_non_null(data);
  return data;
}

/* Places loads and stores as [block][lane], some as [lane][block] or one element for all lanes, and fills what is
 * loaded. */
static void place(struct device_case *c)
{
  size_t at = 0;
  for (size_t i = 0; i < c->kernel.step_count; i++) {
    struct kernel_step *step = &c->steps[i];
    if (step->kind != STEP_LOAD && step->kind != STEP_STORE)
      continue;
    const bool turned = random_bits(&random_state) % 3 == 0,
               same = step->kind == STEP_LOAD && !turned && random_bits(&random_state) % 6 == 0;
    const size_t first = step->kind == STEP_STORE ? c->out_blocks : 0;
    step->offsets = c->offsets + at;
    step->lane_stride = same ? 0 : 1;
    for (size_t b = 0; b < step->blocks; b++)
      c->offsets[at++] = (ptrdiff_t)((first + b) * c->lanes);
    if (turned && step->kind == STEP_LOAD) {
      step->lane_stride = (ptrdiff_t)step->blocks;
      for (size_t b = 0; b < step->blocks; b++)
        c->offsets[at - step->blocks + b] = (ptrdiff_t)b;
    }
    c->memory_steps++;
    if (step->kind == STEP_STORE) {
      c->out_blocks += step->blocks;
      c->out_type = step->type;
      c->out_size = element_info(step->type)->size;
      continue;
    }
    const size_t count = step->blocks * c->lanes;
    c->inputs[step->load] = memory(count * element_info(step->type)->size);
    fill(step->type, c->inputs[step->load], count, step->has_nodata ? step->nodata : (double)NAN);
  }
  c->out = memory(c->out_blocks * c->lanes * c->out_size);
}

/* A device has elementary functions of its own, and sums squares one by one. */
static bool has_own_rounding(const struct kernel_step *step)
{
  if (step->kind == STEP_ELEMENT)
    return step->op >= KOP_POW && step->op <= KOP_ARTANH;
  return step->kind == STEP_REDUCE && (step->op == KRED_VARIANCE || step->op == KRED_SD);
}

/* ---- cases ------------------------------------------------------------------------------------------------------- */

/* Whether elements are taken from an empty array: a plan masks them, by what is random here. */
static bool takes_nothing(const struct kernel *kernel)
{
  for (size_t i = 0; i < kernel->step_count; i++)
    for (size_t k = 0; kernel->steps[i].kind == STEP_GATHER && k < i; k++)
      if (kernel->steps[k].kind != STEP_STORE && kernel->steps[k].blocks == 0 &&
          kernel->steps[k].dst == kernel->steps[i].operand[0].reg)
        return true;
  return false;
}

/* Takes a copy of the kernel's steps; false: a device does not run it. */
static bool add_case(const struct kernel *kernel, size_t lanes, const char *what)
{
  struct error error = {0};
  struct device_case *c = calloc(1, sizeof *c);
  assert_non_null(c);
  assert_true(case_count < MOST_CASES);
  size_t blocks = 0;
  for (size_t i = 0; i < kernel->step_count; i++)
    blocks += kernel->steps[i].kind == STEP_LOAD || kernel->steps[i].kind == STEP_STORE ? kernel->steps[i].blocks : 0;
  if (kernel->step_count > MOST_STEPS || blocks > MOST_BLOCKS || takes_nothing(kernel)) {
    free(c);
    return false;
  }
  snprintf(c->name, sizeof c->name, "k%zu", case_count);
  snprintf(c->what, sizeof c->what, "%s", what);
  c->kernel = *kernel;
  memcpy(c->steps, kernel->steps, kernel->step_count * sizeof *c->steps);
  c->kernel.steps = c->steps;
  c->lanes = lanes;
  place(c);
  for (size_t i = 0; i < kernel->step_count; i++)
    if (has_own_rounding(&c->steps[i]))
      c->tolerance = kernel->lane_type == LANE_F32 ? 1e-5 : 1e-9;
    else if (c->steps[i].kind == STEP_REDUCE && c->steps[i].n > DEVICE_NEAR) /* sums in parts */
      c->tolerance = fmax(c->tolerance, kernel->lane_type == LANE_F32 ? 1e-6 : 1e-12);
  if (device_text_kernel(&c->kernel, c->name, &module, &c->launch, &error) != 0) {
    assert_string_equal(error.code, "FeatureUnsupported");
    free(c);
    return false;
  }
  cases[case_count++] = c;
  return true;
}

/* A kernel of `count` steps with registers of so many blocks. */
static void add_steps(enum lane_type type, struct kernel_step *steps, size_t count, const size_t *blocks,
                      const char *what)
{
  static size_t offsets[MOST_STEPS];
  struct kernel kernel = {.lane_type = type, .steps = steps, .step_count = count, .lane_block = LANES};
  for (size_t r = 0; r < 8; r++) {
    offsets[r] = kernel.scratch_blocks;
    kernel.scratch_blocks += blocks[r];
  }
  kernel.register_count = 8;
  for (size_t i = 0; i < count; i++) {
    const size_t work = kernel_step_work_blocks(&steps[i]);
    kernel.work_blocks = work > kernel.work_blocks ? work : kernel.work_blocks;
    kernel.load_count += steps[i].kind == STEP_LOAD;
  }
  size_t *own = arena_alloc(plans, sizeof offsets);
  assert_non_null(own);
  memcpy(own, offsets, sizeof offsets);
  kernel.register_offset = own;
  assert_true(add_case(&kernel, LANES, what));
}

enum way { IN, OUT };

static struct kernel_step as_it_is(enum way way, enum lane_type type, uint32_t reg, uint32_t blocks)
{
  struct kernel_step step = {.kind = way == IN ? STEP_LOAD : STEP_STORE,
                             .dst = reg,
                             .blocks = blocks,
                             .load = reg,
                             .operand = {operand(reg, 0, 1)},
                             .type = type == LANE_F32 ? ELEMENT_F32 : ELEMENT_F64,
                             .has_nodata = true,
                             .nodata = na_f64()};
  return step;
}

static void add_ops(void)
{
  for (int op = 0; op < KOP_COUNT_; op++)
    for (int t = 0; t < 2; t++) {
      struct kernel_step steps[] = {as_it_is(IN, lane_types[t], 0, 20),
                                    as_it_is(IN, lane_types[t], 1, 20),
                                    as_it_is(IN, lane_types[t], 2, 20),
                                    {.kind = STEP_ELEMENT,
                                     .op = (uint16_t)op,
                                     .dst = 3,
                                     .blocks = 20,
                                     .operand = {operand(0, 0, 1), operand(1, 0, 1), operand(2, 4, 0)}},
                                    as_it_is(OUT, lane_types[t], 3, 20)};
      add_steps(lane_types[t], steps, 5, (const size_t[8]){20, 20, 20, 20}, kernel_op_name((enum kernel_op)op));
      cases[case_count - 1]->ulp = device_op_ulp((enum kernel_op)op, lane_types[t]);
    }
}

static const double parameters[][6] = {{1, 0}, {0, 0}, {1, 1}, {0, 2}, {0, -1}, {1, -1}};

static void add_reducers(void)
{
  static const uint32_t lengths[] = {1, 2, 3, 8, 24, 65};
  static const double probabilities[] = {1, 0, 0.25, 0.5, 1}, all[] = {0, 0.1, 0.9};
  static double weights[66];
  for (size_t i = 0; i < 66; i++)
    weights[i] = i == 0 ? 0 : 0.25 * (double)i - 3;
  for (int reducer = 0; reducer < KRED_COUNT_; reducer++)
    for (size_t l = 0; l < 6; l++)
      for (size_t p = 0; p < 4; p++) {
        const enum lane_type type = lane_types[(l + p) % 2];
        const uint32_t n = lengths[l];
        const bool quantiles = reducer == KRED_QUANTILES, weighted = reducer == KRED_WEIGHTED_SUM;
        const uint32_t results = quantiles ? (p % 2 ? 4 : 2) : 1;
        struct kernel_step steps[] = {as_it_is(IN, type, 0, 3 * n),
                                      {.kind = STEP_REDUCE,
                                       .op = (uint16_t)reducer,
                                       .dst = 1,
                                       .outer = 3,
                                       .n = n,
                                       .operand = {operand(0, 0, 1)},
                                       .parameters = quantiles  ? (p % 2 ? probabilities : all)
                                                     : weighted ? weights
                                                                : parameters[p],
                                       .parameter_count = quantiles               ? results + 1
                                                          : weighted              ? n + 1
                                                          : reducer == KRED_COUNT ? 2
                                                                                  : 1},
                                      as_it_is(OUT, type, 1, 3 * results)};
        add_steps(type, steps, 3, (const size_t[8]){3 * n, 3 * results},
                  kernel_reducer_name((enum kernel_reducer)reducer));
      }
}

static void add_series(void)
{
  for (int s = 0; s < KSER_COUNT_; s++)
    for (size_t p = 0; p < 6; p++) {
      const enum lane_type type = lane_types[p % 2];
      const uint32_t n = (uint32_t)(1 + 5 * p);
      struct kernel_step steps[] = {as_it_is(IN, type, 0, 2 * n),
                                    {.kind = STEP_SERIES,
                                     .op = (uint16_t)s,
                                     .dst = 1,
                                     .outer = 2,
                                     .n = n,
                                     .operand = {operand(0, 0, 1)},
                                     .parameters = parameters[p],
                                     .parameter_count = 2},
                                    as_it_is(OUT, type, 1, 2 * n)};
      add_steps(type, steps, 3, (const size_t[8]){2 * n, 2 * n}, kernel_series_name((enum kernel_series)s));
    }
}

/* Long axes: elements that are computed on the way to reducers, and to what needs all of them. */
static void add_long_axes(void)
{
  static const struct kernel_operand computed = {2, 0, 1};
  static const uint32_t lengths[] = {63, 64, 65, 96, 97, 365, 1000};
  static const double sorts[] = {1, 1};
  for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++)
    for (uint32_t p = 0; p < 12; p++) {
      const uint32_t outer = lengths[l] < 300 ? 1 + p % 3 : 1, n = lengths[l], all = outer * n;
      const enum lane_type type = lane_types[p % 2];
      struct kernel_step steps[] = {
          as_it_is(IN, type, 0, all),
          as_it_is(IN, type, 1, all),
          {.kind = STEP_ELEMENT,
           .op = KOP_SUB,
           .dst = 2,
           .blocks = all,
           .operand = {operand(0, 0, 1), operand(1, 0, 1)}},
          {.kind = STEP_REDUCE,
           .op = p % 4 ? KRED_MEAN : KRED_FIRST,
           .dst = 3,
           .outer = outer,
           .n = n,
           .operand = {computed},
           .parameters = parameters[p % 3],
           .parameter_count = 1},
          {.kind = STEP_REDUCE,
           .op = p % 3 ? KRED_SD : KRED_MEDIAN,
           .dst = 4,
           .outer = outer,
           .n = n,
           .operand = {computed},
           .parameters = parameters[p % 3],
           .parameter_count = 1},
          {.kind = STEP_ELEMENT,
           .op = KOP_SUB,
           .dst = 5,
           .blocks = outer,
           .operand = {operand(3, 0, 1), operand(4, 0, 1)}},
          {.kind = STEP_SERIES,
           .op = p % 2 ? KSER_ORDER : KSER_CUMMAX,
           .dst = 6,
           .outer = outer,
           .n = n,
           .operand = {computed},
           .parameters = sorts,
           .parameter_count = 2},
          {.kind = STEP_REDUCE, .op = KRED_LAST, .dst = 7, .outer = outer, .n = n, .operand = {operand(6, 0, 1)}},
          {.kind = STEP_ELEMENT,
           .op = KOP_ADD,
           .dst = 5,
           .dst_block = outer,
           .blocks = outer,
           .operand = {operand(5, 0, 1), operand(7, 0, 1)}},
      };
      const size_t blocks[8] = {all, all, all, outer, outer, 2 * outer, all, outer};
      const bool series = p % 6 == 5;
      struct kernel_step own[11];
      const size_t count = series ? 9 : 6;
      memcpy(own, steps, count * sizeof *own);
      own[count] = as_it_is(OUT, type, 5, series ? 2 * outer : outer);
      add_steps(type, own, count + 1, blocks, "long axis");
    }
}

/* ---- windows ----
 *
 * A window's kernel and its lanes: an image of nx by ny lanes, nz of them, whose margins lie around it. */

struct window_case {
  struct device_case *kernel;
  size_t rows, columns, nx, ny, nz;
};

static struct window_case windows[64];
static size_t window_count;

static const size_t window_shapes[][5] = {{3, 3, 21, 19, 2}, {1, 5, 64, 1, 1}, {5, 1, 3, 30, 1},  {5, 5, 8, 8, 3},
                                          {9, 2, 40, 9, 1},  {1, 1, 5, 5, 1},  {2, 25, 17, 17, 2}};

/* The windows' weighted sum, their median, and a band beside them. */
static void add_window_cases(void)
{
  static double weights[82];
  static const enum element_type types[] = {ELEMENT_F32, ELEMENT_F64, ELEMENT_U8, ELEMENT_I16};
  for (size_t i = 0; i < 82; i++)
    weights[i] = i == 0 ? 0 : 0.5 * (double)(i % 7) - 1;
  for (size_t s = 0; s < sizeof window_shapes / sizeof *window_shapes; s++)
    for (size_t p = 0; p < 4; p++) {
      const size_t *shape = window_shapes[s];
      const uint32_t n = (uint32_t)(shape[0] * shape[1]);
      const enum lane_type type = lane_types[p % 2];
      struct kernel_step steps[] = {
          as_it_is(IN, type, 0, n),
          as_it_is(IN, type, 1, 1),
          {.kind = STEP_REDUCE,
           .op = p < 3 ? KRED_WEIGHTED_SUM : KRED_MEDIAN,
           .dst = 2,
           .outer = 1,
           .n = n,
           .operand = {operand(0, 0, 1)},
           .parameters = p < 3 ? weights : parameters[0],
           .parameter_count = p < 3 ? n + 1 : 1},
          {.kind = STEP_ELEMENT, .op = KOP_SUB, .dst = 3, .blocks = 1, .operand = {operand(2, 0, 1), operand(1, 0, 1)}},
          as_it_is(OUT, type, 3, 1)};
      steps[0].type = types[(s + p) % 4];
      steps[0].nodata = p == 0 ? na_f64() : 7;
      steps[0].window_columns = (uint32_t)shape[1];
      add_steps(type, steps, 5, (const size_t[8]){n, 1, 1, 1}, "window");
      windows[window_count++] =
          (struct window_case){cases[case_count - 1], shape[0], shape[1], shape[2], shape[3], shape[4]};
    }
}

/* p0 + p1 sqrt(p2 t) at t = 0, 1/n, … as a kernel of its own: arithmetic of the same bits everywhere. */
static const struct kernel_curve *make_curve(uint32_t n)
{
  struct kernel_curve *curve = arena_alloc(plans, sizeof *curve);
  double *t = arena_alloc(plans, n * sizeof *t);
  size_t *offsets = arena_alloc(plans, 5 * sizeof *offsets);
  assert_true(curve && t && offsets);
  for (uint32_t k = 0; k < n; k++)
    t[k] = (double)k / n;
  const struct kernel_step steps[] = {
      {.kind = STEP_CONSTANT, .dst = 0, .blocks = 3},
      {.kind = STEP_CONSTANT, .dst = 1, .blocks = n, .parameters = t},
      {.kind = STEP_ELEMENT, .op = KOP_MUL, .dst = 2, .blocks = n, .operand = {operand(1, 0, 1), operand(0, 2, 0)}},
      {.kind = STEP_ELEMENT, .op = KOP_SQRT, .dst = 3, .blocks = n, .operand = {operand(2, 0, 1)}},
      {.kind = STEP_ELEMENT, .op = KOP_MUL, .dst = 2, .blocks = n, .operand = {operand(3, 0, 1), operand(0, 1, 0)}},
      {.kind = STEP_ELEMENT, .op = KOP_ADD, .dst = 4, .blocks = n, .operand = {operand(2, 0, 1), operand(0, 0, 0)}},
      {.kind = STEP_STORE, .operand = {operand(4, 0, 1)}},
  };
  void *own = arena_alloc(plans, sizeof steps);
  assert_non_null(own);
  memcpy(own, steps, sizeof steps);
  for (size_t r = 0; r < 5; r++)
    offsets[r] = r == 0 ? 0 : 3 + (r - 1) * n;
  *curve = (struct kernel_curve){.model = {.lane_type = LANE_F64,
                                           .steps = own,
                                           .step_count = 7,
                                           .register_offset = offsets,
                                           .register_count = 5,
                                           .scratch_blocks = 3 + 4 * (size_t)n,
                                           .lane_block = LANES},
                                 .parameters = operand(0, 0, 1),
                                 .values = operand(4, 0, 1)};
  return curve;
}

static void add_fits(void)
{
  static const uint32_t lengths[] = {1, 12, 64, 70};
  static const double guesses[][4] = {{1, 0, 1, 1}, {0, 2, -1, 0.5}};
  for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++)
    for (size_t p = 0; p < 4; p++) {
      const uint32_t n = lengths[l];
      struct kernel_step steps[] = {as_it_is(IN, LANE_F64, 0, 2 * n),
                                    {.kind = STEP_FIT,
                                     .dst = 1,
                                     .outer = 2,
                                     .n = n,
                                     .operand = {operand(0, 0, 1)},
                                     .parameters = guesses[p % 2],
                                     .parameter_count = 4,
                                     .curve = make_curve(n)},
                                    as_it_is(OUT, LANE_F64, 1, 6)};
      if (p > 1) /* numbers, of the function's own size */
        steps[0].type = ELEMENT_I8, steps[0].nodata = 100;
      add_steps(LANE_F64, steps, 3, (const size_t[8]){2 * n, 6}, "fit");
    }
}

static void add_conversions(void)
{
  static const double nodata[] = {0, 255, -1, -32768, 65535, 9, 0x1p64, 1e300, 1.5};
  for (int from = 0; from < ELEMENT_TYPE_COUNT; from++)
    for (int to = 0; to < ELEMENT_TYPE_COUNT; to++)
      for (size_t k = 0; k < 4; k++) {
        if (element_info((enum element_type)from)->is_complex || element_info((enum element_type)to)->is_complex)
          continue;
        const enum lane_type type = lane_types[k % 2];
        struct kernel_step in = as_it_is(IN, type, 0, 5), out = as_it_is(OUT, type, 0, 5);
        in.type = (enum element_type)from, out.type = (enum element_type)to;
        in.has_nodata = k > 0, out.has_nodata = k < 3;
        in.nodata = nodata[random_bits(&random_state) % 9];
        out.nodata = nodata[random_bits(&random_state) % 9];
        struct kernel_step steps[] = {in, out};
        add_steps(type, steps, 2, (const size_t[8]){5}, element_info((enum element_type)from)->name);
      }
}

static void add_plans(void)
{
  const char *text = getenv("TWINCUBE_PROPERTY_SEED");
  const uint64_t seed = text ? strtoull(text, NULL, 10) : 1;
  size_t found = 0;
  for (uint64_t i = 0; found < PLANS; i++) {
    struct maker m = {.arena = plans, .state = (seed + i) * UINT64_C(0x9E3779B97F4A7C15) + 1};
    struct error error = {0};
    const struct plan *plan;
    const struct node *node = random_expression(&m);
    start_chains(&m, false);
    if (plan_make(plans, node, &(struct plan_options){.threads = 1}, &plan, &error) != 0)
      continue;
    for (size_t s = 0; s < plan->stage_count && found < PLANS; s++) {
      const struct kernel_stage *stage = kernel_stage_of(&plan->stages[s]);
      char what[64];
      snprintf(what, sizeof what, "plan %llu stage %zu", (unsigned long long)(seed + i), s);
      found += stage && stage->variant_count > 0 && add_case(&stage->variants[0].kernel, LANES, what);
    }
  }
}

struct device_call { /* as in device_names.hpp */
  void *kernel;
  const void *const *bases;
  void *out;
  const long long *offsets, *strides;
  unsigned long long shape[3];
  void *scratch;
  unsigned blocks, threads, parts;
  bool waits; /* threads of a block wait for each other */
};

static void (*run_grid)(const struct device_call *);

/* ---- building ---------------------------------------------------------------------------------------------------- */

enum built { BUILT, REFUSED, NO_COMPILER };

static enum built run_compiler(const char *compiler, const char *source, const char *output)
{
  char *const arguments[] = {(char *)(uintptr_t)compiler, "-std=c++17", "-w",    "-O0", "-pthread",
                             "-ffp-contract=off",         "-shared",    "-fPIC", "-o",  (char *)(uintptr_t)output,
                             (char *)(uintptr_t)source,   NULL};
  pid_t pid;
  int status = -1;
  if (posix_spawnp(&pid, compiler, NULL, NULL, arguments, environ) != 0)
    return NO_COMPILER;
  if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
    return REFUSED;
  return WEXITSTATUS(status) == 0 ? BUILT : WEXITSTATUS(status) == 127 ? NO_COMPILER : REFUSED;
}

static void write_file(const char *path, const char *before)
{
  FILE *file = fopen(path, "we");
  assert_non_null(file);
  fputs(before, file);
  fwrite(module.data, 1, module.length, file);
  assert_int_equal(fclose(file), 0);
}

static int write_module(void)
{
  plans = arena_new(0);
  module.limit = (size_t)256 << 20;
  device_text_begin(&module);
  add_ops();
  add_reducers();
  add_series();
  add_conversions();
  add_long_axes();
  add_fits();
  add_window_cases();
  add_plans();
  if (getenv("TWINCUBE_DEVICE_TEXT"))
    write_file(getenv("TWINCUBE_DEVICE_TEXT"), "");
  return module.failed ? -1 : 0;
}

static int build(void **state)
{
  static const char *const compilers[] = {"c++", "g++", "clang++"};
  char folder[] = "/tmp/twincube-device-XXXXXX", source[64], output[64], include[4200];
  (void)state;
  if (write_module() != 0 || !mkdtemp(folder))
    return -1;
  snprintf(source, sizeof source, "%s/kernels.cpp", folder);
  snprintf(output, sizeof output, "%s/kernels.so", folder);
  snprintf(include, sizeof include, "#include \"%s/device_names.hpp\"\n", TWINCUBE_UNIT_FOLDER);
  write_file(source, include);
  enum built built = NO_COMPILER;
  for (size_t i = 0; built == NO_COMPILER && i < 3; i++)
    built = run_compiler(compilers[i], source, output);
  if (built == BUILT)
    library = dlopen(output, RTLD_NOW | RTLD_LOCAL);
  if (library) {
    void *symbol = dlsym(library, "run_grid");
    memcpy(&run_grid, &symbol, sizeof run_grid);
  }
  if (built == NO_COMPILER)
    print_message("SKIPPED: there is no C++ compiler to build the device's text\n");
  else if (!library)
    print_message("%s: not built\n", source);
  unlink(output);
  if (library)
    unlink(source);
  rmdir(folder);
  return library || built == NO_COMPILER ? 0 : -1;
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

static double element_number(enum element_type type, const unsigned char *at)
{
  float narrow;
  double wide;
  if (type == ELEMENT_F32) {
    memcpy(&narrow, at, sizeof narrow);
    return (double)narrow;
  }
  memcpy(&wide, at, sizeof wide);
  return wide;
}

static bool same_element(const struct device_case *c, const unsigned char *have, const unsigned char *want)
{
  if (c->out_type != ELEMENT_F32 && c->out_type != ELEMENT_F64)
    return c->tolerance > 0 || memcmp(have, want, c->out_size) == 0;
  const double a = element_number(c->out_type, have), b = element_number(c->out_type, want);
  if (isnan(a) || isnan(b))
    return class_of(a) == class_of(b);
  const double ulp = c->ulp * ldexp(1, c->out_type == ELEMENT_F32 ? -23 : -52) * fmax(fabs(a), fabs(b));
  return a == b || fabs(a - b) <= ulp ||
         fabs(a - b) <= c->tolerance * fmax(fabs(a), fabs(b)) + (c->tolerance > 0 ? 1e-12 : 0);
}

/* The grid has fewer threads than there are lanes, a block as many along y as the kernel takes, or fewer. */
static void run_device(const struct device_case *c, struct device_call *call)
{
  call->kernel = dlsym(library, c->name);
  assert_non_null(call->kernel);
  call->blocks = 2, call->threads = 1 + random_bits(&random_state) % 8;
  call->parts = 1 + (unsigned)(random_bits(&random_state) % (c->launch.parts < 5 ? c->launch.parts : 5));
  call->waits = call->parts > 1 || c->launch.tile_bytes > 0;
  assert_true(call->threads * c->launch.tile_bytes + c->launch.tile_edge <= 6144 * 8);
  const size_t bytes = c->launch.scratch_bytes * call->blocks * call->threads * call->parts;
  assert_true(c->launch.parts == 1 || c->launch.shared_bytes * call->threads * call->parts <= 4096 * 8);
  call->scratch = malloc(bytes + 1);
  assert_non_null(call->scratch);
  memset(call->scratch, 0xA5, bytes + 1);
  run_grid(call);
  assert_int_equal(((unsigned char *)call->scratch)[bytes], 0xA5);
  free(call->scratch);
}

static void run_case(const struct device_case *c)
{
  static const size_t shapes[][3] = {{LANES, 1, 1}, {LANES / 8, 4, 2}, {1, 2, LANES / 2}, {LANES / 2, 1, 2}};
  const size_t *shape = shapes[random_bits(&random_state) % 4];
  long long offsets[MOST_BLOCKS], strides[3 * MOST_STEPS];
  size_t at = 0, steps = 0;
  for (size_t i = 0; i < c->kernel.step_count; i++) {
    const struct kernel_step *step = &c->steps[i];
    if (step->kind != STEP_LOAD && step->kind != STEP_STORE)
      continue;
    strides[steps++] = step->lane_stride;
    strides[steps++] = step->lane_stride * (long long)shape[0];
    strides[steps++] = step->lane_stride * (long long)(shape[0] * shape[1]);
    for (size_t b = 0; b < step->blocks; b++)
      offsets[at++] = step->offsets[b];
  }
  const size_t bytes = c->out_blocks * c->lanes * c->out_size;
  unsigned char *got = memory(bytes);
  void *scratch = aligned_alloc(64, kernel_scratch_bytes(&c->kernel) + 64);
  kernel_run(&c->kernel, scratch, (const void *const *)c->inputs, c->out, c->lanes);
  run_device(c, &(struct device_call){.bases = (const void *const *)c->inputs,
                                      .out = got,
                                      .offsets = offsets,
                                      .strides = strides,
                                      .shape = {shape[0], shape[1], shape[2]}});
  unsigned char *again = memory(bytes);
  run_device(c, &(struct device_call){.bases = (const void *const *)c->inputs,
                                      .out = again,
                                      .offsets = offsets,
                                      .strides = strides,
                                      .shape = {c->lanes, 1, 1}});
  if (memcmp(got, again, bytes) != 0)
    fail_msg("%s (%s): other bits in another grid", c->what, c->name);
  free(again);
  for (size_t i = 0; i < bytes / c->out_size; i++)
    if (!same_element(c, got + i * c->out_size, c->out + i * c->out_size)) {
      struct buffer text = {0};
      kernel_print(&c->kernel, &text);
      fail_msg("%s (%s), element %zu of type %s: %.17g, not %.17g\n%s", c->what, c->name, i,
               element_info(c->out_type)->name,
               element_number(c->out_size == 4 ? ELEMENT_F32 : ELEMENT_F64, got + i * c->out_size),
               element_number(c->out_size == 4 ? ELEMENT_F32 : ELEMENT_F64, c->out + i * c->out_size), text.data);
    }
  free(scratch);
  free(got);
}

static void kernels_do_what_the_engine_does(void **state)
{
  (void)state;
  if (!library)
    skip();
  assert_true(case_count > PLANS + 700);
  for (size_t i = 0; i < case_count; i++)
    run_case(cases[i]);
}

/* Rows of lanes, one after the other. */
static void run_rows(const struct window_case *w, const void *const bases[2], size_t size, unsigned char *out)
{
  const struct kernel *kernel = &w->kernel->kernel;
  void *scratch = aligned_alloc(64, kernel_scratch_bytes(kernel) + 64);
  const size_t pitch = w->nx + w->columns - 1, plane = pitch * (w->ny + w->rows - 1), own = w->kernel->out_size;
  for (size_t z = 0; z < w->nz; z++)
    for (size_t y = 0; y < w->ny; y++) {
      const size_t row = (z * w->ny + y) * w->nx;
      const void *const moved[2] = {(const char *)bases[0] + (z * plane + y * pitch) * size,
                                    (const char *)bases[1] + row * own};
      kernel_run(kernel, scratch, moved, out + row * own, w->nx);
    }
  free(scratch);
}

static void run_window(const struct window_case *w)
{
  struct device_case *c = w->kernel;
  const size_t pitch = w->nx + w->columns - 1, plane = pitch * (w->ny + w->rows - 1), lanes = w->nx * w->ny * w->nz;
  const size_t size = element_info(c->steps[0].type)->size, n = w->rows * w->columns;
  ptrdiff_t places[128];
  long long offsets[128] = {0};
  const long long nx = (long long)w->nx, area = nx * (long long)w->ny;
  const long long strides[] = {1, (long long)pitch, (long long)plane, 1, nx, area, 1, nx, area};
  unsigned char *image = memory(w->nz * plane * size), *band = memory(lanes * c->out_size),
                *want = memory(lanes * c->out_size), *got = memory(lanes * c->out_size);
  fill(c->steps[0].type, image, w->nz * plane, c->steps[0].nodata);
  fill(c->out_type, band, lanes, na_f64());
  for (size_t k = 0; k < n; k++)
    offsets[k] = places[k] = (ptrdiff_t)(k / w->columns * pitch + k % w->columns);
  const ptrdiff_t none = 0;
  c->steps[0].offsets = places, c->steps[1].offsets = c->steps[4].offsets = &none;
  for (size_t i = 0; i < 5; i++)
    c->steps[i].lane_stride = 1;
  const void *const bases[2] = {image, band};
  run_rows(w, bases, size, want);
  run_device(c,
             &(struct device_call){
                 .bases = bases, .out = got, .offsets = offsets, .strides = strides, .shape = {w->nx, w->ny, w->nz}});
  for (size_t i = 0; i < lanes; i++)
    if (!same_element(c, got + i * c->out_size, want + i * c->out_size))
      fail_msg("window of %zu x %zu (%s), lane %zu", w->rows, w->columns, c->name, i);
  free(image), free(band), free(want), free(got);
}

static void windows_are_read_once_a_block(void **state)
{
  (void)state;
  if (!library)
    skip();
  for (size_t i = 0; i < window_count; i++) {
    assert_true(windows[i].rows * windows[i].columns == 1 || windows[i].kernel->launch.tile_bytes > 0);
    run_window(&windows[i]);
  }
}

static int end(void **state)
{
  (void)state;
  for (size_t i = 0; i < case_count; i++) {
    for (size_t k = 0; k < MOST_STEPS; k++)
      free(cases[i]->inputs[k]);
    free(cases[i]->out);
    free(cases[i]);
  }
  buffer_free(&module);
  arena_free(plans);
  if (library)
    dlclose(library);
  return 0;
}

int main(int count, char **arguments)
{
  if (count > 1 && strcmp(arguments[1], "--text") == 0)
    return write_module();
  const struct CMUnitTest tests[] = {cmocka_unit_test(kernels_do_what_the_engine_does),
                                     cmocka_unit_test(windows_are_read_once_a_block)};
  return cmocka_run_group_tests(tests, build, end);
}
