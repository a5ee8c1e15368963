/* Relays give the bits of their steps one after the other: random kernels of loads, operations, reductions and stores
 * at every SIMD level, for runs that end within a chunk, strides, several blocks, arrays that several steps write, and
 * registers of one block or none that share memory as in plans. */
#include "hpc_kernel_fixture.h"

#include "hpc/kernel/kernel_relay.h"
#include "hpc/plan/fuse.h"

enum {
  MOST_STEPS = 40,
  INPUTS = 3,
  MOST_BLOCKS = 3,
  MOST_LANES = 200,
  LANE_BLOCK = 64,
  ROOM = 3 * MOST_LANES * MOST_BLOCKS * 8, /* bytes of an input, or of what a store writes */
  MOST_STORES = 4,
  KERNELS = 300
};

struct subject {
  enum lane_type type;
  struct kernel_step steps[MOST_STEPS];
  size_t count;
  uint32_t blocks[MOST_STEPS]; /* of each register */
  uint32_t registers;
  ptrdiff_t offsets[MOST_STORES + INPUTS][MOST_BLOCKS];
  double parameters[1], numbers[MOST_BLOCKS];
  uint32_t map[MOST_BLOCKS];
  size_t stores;
  char *inputs[INPUTS];
};

static uint32_t below(uint64_t *state, uint32_t n)
{
  return (uint32_t)(random_bits(state) >> 33) % n;
}

static struct kernel_step *add_step(struct subject *s, enum kernel_step_kind kind, uint32_t blocks)
{
  struct kernel_step *step = &s->steps[s->count];
  *step = (struct kernel_step){.kind = kind, .blocks = blocks};
  s->count++;
  if (kind != STEP_STORE) {
    step->dst = s->registers;
    s->blocks[s->registers++] = blocks;
  }
  return step;
}

/* Elements of each block lie behind each other; at most three elements from lane to lane. */
static void reach_memory(struct subject *s, struct kernel_step *step, size_t which, uint64_t *random)
{
  static const enum element_type types[] = {ELEMENT_U8,  ELEMENT_I8,  ELEMENT_U16,    ELEMENT_I16,
                                            ELEMENT_U32, ELEMENT_I32, ELEMENT_U64,    ELEMENT_I64,
                                            ELEMENT_F32, ELEMENT_F64, ELEMENT_BOOLEAN};
  const bool as_lanes = below(random, 3) == 0;
  step->type = as_lanes ? (s->type == LANE_F32 ? ELEMENT_F32 : ELEMENT_F64) : types[below(random, 11)];
  step->has_nodata = as_lanes || below(random, 2);
  step->nodata = as_lanes ? na_f64() : below(random, 2) ? 7 : (double)NAN;
  step->lane_stride = below(random, 3) ? 1 : 1 + (ptrdiff_t)below(random, 3);
  for (uint32_t b = 0; b < step->blocks; b++)
    s->offsets[which][b] = (ptrdiff_t)(b * MOST_LANES) * step->lane_stride;
  step->offsets = s->offsets[which];
}

/* All blocks of a register that was made before, or one of them. */
static struct kernel_operand any_operand(const struct subject *s, uint32_t blocks, uint64_t *random)
{
  const uint32_t recent = below(random, 3), last = s->registers - 1;
  uint32_t reg = recent && last > recent ? last - recent + 1 : below(random, last + 1);
  while (s->blocks[reg] == 0)
    reg = reg ? reg - 1 : last;
  if (s->blocks[reg] == blocks && (blocks == 1 || below(random, 8)))
    return operand(reg, 0, 1);
  return operand(reg, below(random, s->blocks[reg]), blocks == 1 && below(random, 2));
}

static void add_operation(struct subject *s, uint32_t blocks, uint64_t *random)
{
  static const enum kernel_op favourites[] = {KOP_ADD, KOP_SUB,    KOP_MUL, KOP_DIV,
                                              KOP_GT,  KOP_SELECT, KOP_MIN, KOP_MASK};
  const enum kernel_op op = below(random, 2) ? favourites[below(random, 8)] : (enum kernel_op)below(random, KOP_COUNT_);
  struct kernel_operand from[3];
  for (int k = 0; k < 3; k++)
    from[k] = any_operand(s, blocks, random);
  struct kernel_step *step = add_step(s, STEP_ELEMENT, blocks);
  step->op = (uint16_t)op;
  memcpy(step->operand, from, (size_t)kernel_op_arity(op) * sizeof *from);
}

static const double numbers[] = {0, 2.5, -1, (double)NAN, 3};

static void add_constant(struct subject *s, uint32_t blocks, uint64_t *random)
{
  struct kernel_step *step = add_step(s, STEP_CONSTANT, blocks);
  step->value = below(random, 6) ? numbers[below(random, 5)] : na_f64();
  step->parameters = below(random, 2) ? s->numbers : NULL;
  step->once = below(random, 2);
}

/* An array whose blocks are made one by one, and of blocks of others. */
static void add_array(struct subject *s, uint64_t *random)
{
  const uint32_t reg = s->registers++;
  s->blocks[reg] = 0; /* nothing reads what is not written yet */
  for (uint32_t b = 0; b < MOST_BLOCKS; b++) {
    const uint32_t what = below(random, 3), registers = s->registers;
    const struct kernel_operand from = any_operand(s, 1, random);
    if (what == 0) {
      add_constant(s, 1, random);
    } else if (what == 1) {
      add_operation(s, 1, random);
    } else {
      struct kernel_step *gather = add_step(s, STEP_GATHER, 1);
      gather->operand[0] = from;
      gather->map = s->map;
    }
    s->steps[s->count - 1].dst = reg;
    s->steps[s->count - 1].dst_block = b;
    s->steps[s->count - 1].once = false; /* that takes a register of its own */
    s->registers = registers;
  }
  s->blocks[reg] = MOST_BLOCKS;
}

static void add_store(struct subject *s, uint32_t blocks, uint64_t *random)
{
  const struct kernel_operand from = any_operand(s, blocks, random);
  struct kernel_step *step = add_step(s, STEP_STORE, blocks);
  step->operand[0] = from;
  reach_memory(s, step, INPUTS + s->stores, random);
  const ptrdiff_t size = (ptrdiff_t)element_info(step->type)->size;
  for (uint32_t b = 0; b < blocks; b++) /* each store has a stretch of the output for itself */
    s->offsets[INPUTS + s->stores][b] += (ptrdiff_t)s->stores * ROOM / size;
  s->stores++;
}

static void make_subject(struct subject *s, enum lane_type type, uint64_t *random)
{
  const uint32_t blocks = below(random, 2) ? 1 : MOST_BLOCKS;
  s->type = type;
  s->count = s->stores = s->registers = 0;
  s->parameters[0] = 1;
  for (size_t b = 0; b < MOST_BLOCKS; b++)
    s->numbers[b] = numbers[below(random, 5)];
  for (uint32_t i = 0; i < INPUTS; i++) {
    struct kernel_step *load = add_step(s, STEP_LOAD, blocks);
    reach_memory(s, load, i, random);
    load->load = i;
  }
  while (s->count < MOST_STEPS - 1 - MOST_BLOCKS && s->stores < MOST_STORES - 1) {
    const uint32_t what = below(random, 12);
    if (what < 2) {
      add_constant(s, below(random, 2) ? 1 : blocks, random);
    } else if (what < 3 && blocks > 1) {
      struct kernel_operand from = any_operand(s, blocks, random);
      if (!from.step) {
        add_array(s, random);
      } else {
        struct kernel_step *sum = add_step(s, STEP_REDUCE, 1);
        sum->op = KRED_SUM;
        sum->operand[0] = from;
        sum->outer = 1, sum->n = blocks;
        sum->parameters = s->parameters;
        sum->parameter_count = 1;
      }
    } else if (what == 3) {
      add_store(s, blocks, random);
    } else {
      add_operation(s, blocks, random);
    }
  }
  add_store(s, blocks, random);
}

static void run_kernel(const struct subject *s, const struct kernel *kernel, const struct kernel_engine *engine,
                       char *out, size_t lanes)
{
  const void *const bases[INPUTS] = {s->inputs[0], s->inputs[1], s->inputs[2]};
  char *scratch = aligned_alloc(64, kernel_scratch_bytes(kernel) + 64);
  assert_non_null(scratch);
  memset(scratch, 0xA5, kernel_scratch_bytes(kernel) + 64);
  memset(out, 0x5A, MOST_STORES * ROOM);
  (s->type == LANE_F32 ? engine->run_f32 : engine->run_f64)(kernel, scratch, bases, out, lanes);
  free(scratch);
}

/* The steps one by one, on registers behind each other. */
static struct kernel plain_kernel(const struct subject *s, size_t *offsets)
{
  struct kernel kernel = {.lane_type = s->type,
                          .steps = s->steps,
                          .step_count = s->count,
                          .register_offset = offsets,
                          .register_count = s->registers,
                          .lane_block = LANE_BLOCK,
                          .load_count = INPUTS};
  for (size_t r = 0; r < s->registers; r++) {
    offsets[r] = kernel.scratch_blocks;
    kernel.scratch_blocks += s->blocks[r];
  }
  for (size_t i = 0; i < s->count; i++) {
    const size_t work = kernel_step_work_blocks(&s->steps[i]);
    kernel.work_blocks = work > kernel.work_blocks ? work : kernel.work_blocks;
  }
  return kernel;
}

/* The same in relays, on registers that share memory. */
static struct kernel relayed_kernel(const struct subject *s, struct kernel_step *steps, struct arena *arena)
{
  uint32_t blocks[MOST_STEPS];
  struct fuse fuse = {
      .arena = arena, .steps = steps, .step_count = s->count, .reg_blocks = blocks, .reg_count = s->registers};
  struct kernel kernel = {.lane_type = s->type, .steps = steps, .step_count = s->count, .load_count = INPUTS};
  memcpy(steps, s->steps, sizeof s->steps);
  memcpy(blocks, s->blocks, sizeof blocks);
  assert_int_equal(kernel_find_relays(steps, s->count, blocks, s->registers), 0);
  assert_int_equal(allocate_registers(&fuse, &kernel), 0);
  assert_true(kernel.lane_block >= LANE_BLOCK);
  kernel.lane_block = LANE_BLOCK; /* several pieces */
  return kernel;
}

/* Small numbers of any type, with missing ones among the floats. */
static void fill_inputs(struct subject *s, uint64_t *random)
{
  for (size_t i = 0; i < INPUTS; i++) {
    const enum element_type type = s->steps[i].type;
    for (size_t k = 0; k < ROOM / element_info(type)->size; k++) {
      const uint32_t draw = below(random, 20);
      const double x = draw == 0   ? na_f64()
                       : draw == 1 ? (double)NAN
                       : draw == 2 ? INFINITY
                                   : (double)below(random, 9) - 2;
      const uint64_t word = (uint64_t)(int64_t)(draw < 3 ? 7 : x);
      if (type == ELEMENT_F32)
        ((float *)(void *)s->inputs[i])[k] = (float)x;
      else if (type == ELEMENT_F64)
        ((double *)(void *)s->inputs[i])[k] = x;
      else
        memcpy(s->inputs[i] + k * element_info(type)->size, &word, element_info(type)->size);
    }
  }
}

static size_t check_subject(const struct subject *s, char *const out[2])
{
  static const size_t counts[] = {1, 15, 16, 31, 33, 64, 100, MOST_LANES};
  struct arena *arena = arena_new(1 << 20);
  struct kernel_step steps[MOST_STEPS];
  size_t offsets[MOST_STEPS], relays = 0;
  const struct kernel plain = plain_kernel(s, offsets), relayed = relayed_kernel(s, steps, arena);
  for (size_t i = 0; i < s->count; i++)
    relays += steps[i].leg.steps != 0;
  for (int l = 0; l < LEVELS; l++) {
    const struct kernel_engine *engine = kernel_engine_named(levels[l]);
    for (size_t c = 0; engine && c < sizeof counts / sizeof *counts; c++) {
      run_kernel(s, &plain, engine, out[0], counts[c]);
      run_kernel(s, &relayed, engine, out[1], counts[c]);
      assert_memory_equal(out[0], out[1], MOST_STORES * ROOM);
    }
  }
  arena_free(arena);
  return relays;
}

static void relays_give_the_same_bits(void **state)
{
  (void)state;
  static struct subject s;
  uint64_t random = 9;
  size_t relays = 0;
  char *out[2] = {malloc(MOST_STORES * ROOM), malloc(MOST_STORES * ROOM)};
  for (size_t i = 0; i < INPUTS; i++) {
    s.inputs[i] = malloc(ROOM);
    assert_non_null(s.inputs[i]);
  }
  assert_non_null(out[0]);
  assert_non_null(out[1]);
  for (int k = 0; k < KERNELS; k++) {
    make_subject(&s, lane_types[k % 2], &random);
    fill_inputs(&s, &random);
    relays += check_subject(&s, out);
  }
  assert_true(relays > KERNELS);
  for (size_t i = 0; i < INPUTS; i++)
    free(s.inputs[i]);
  free(out[0]);
  free(out[1]);
}

/* (x - y) / (x + y): one relay, in which nothing but what is loaded lies in memory. */
static void a_short_expression_stays_in_registers(void **state)
{
  (void)state;
  struct kernel_step steps[] = {
      {.kind = STEP_LOAD, .dst = 0, .blocks = 24},
      {.kind = STEP_LOAD, .dst = 1, .blocks = 24},
      {.kind = STEP_ELEMENT, .op = KOP_SUB, .dst = 2, .blocks = 24, .operand = {{0, 0, 1}, {1, 0, 1}}},
      {.kind = STEP_ELEMENT, .op = KOP_ADD, .dst = 3, .blocks = 24, .operand = {{0, 0, 1}, {1, 0, 1}}},
      {.kind = STEP_ELEMENT, .op = KOP_DIV, .dst = 4, .blocks = 24, .operand = {{2, 0, 1}, {3, 0, 1}}},
      {.kind = STEP_REDUCE, .op = KRED_MEDIAN, .dst = 5, .blocks = 1, .operand = {{4, 0, 1}}, .outer = 1, .n = 24},
  };
  uint32_t blocks[] = {24, 24, 24, 24, 24, 1};
  const uint32_t wanted[] = {1, 1, 0, 0, 24, 1};
  assert_int_equal(kernel_find_relays(steps, 6, blocks, 6), 0);
  assert_int_equal(steps[0].leg.steps, 5);
  assert_memory_equal(blocks, wanted, sizeof wanted);
  assert_false(steps[2].leg.saved || steps[3].leg.saved);
  assert_true(steps[4].leg.saved);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(relays_give_the_same_bits),
      cmocka_unit_test(a_short_expression_stays_in_registers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
