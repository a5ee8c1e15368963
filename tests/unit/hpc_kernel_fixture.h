/* What the kernel tests share: engines, one step on prepared registers, special values, random numbers.
 *
 * A single step is run on registers that the test fills itself and reads back bit by bit, so NaN and NA can be told
 * apart, which loads and stores do not allow. All registers have the lanes of one piece. */
#ifndef TWINCUBE_TESTS_UNIT_KERNEL_FIXTURE_H
#define TWINCUBE_TESTS_UNIT_KERNEL_FIXTURE_H

#include "datacube/base/missing.h"
#include "hpc/kernel/kernel_engine.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static const char *const levels[] = {"baseline", "avx2", "avx512"};
enum { LEVELS = 3 };

static const enum lane_type lane_types[] = {LANE_F32, LANE_F64};

static inline size_t lane_size(enum lane_type type)
{
  return type == LANE_F32 ? sizeof(float) : sizeof(double);
}

/* The number in element `index` of an array of lanes, NA kept. */
static inline double lane_get(enum lane_type type, const void *lanes, size_t index)
{
  return type == LANE_F32 ? (double)((const float *)lanes)[index] : ((const double *)lanes)[index];
}

static inline void lane_set(enum lane_type type, void *lanes, size_t index, double value)
{
  if (type == LANE_F32)
    ((float *)lanes)[index] = (float)value;
  else
    ((double *)lanes)[index] = value;
}

/* x as a lane holds it. Volatile: gcc 12 loses a pair of double-float-double conversions when it packs statements. */
static inline double lane_value(enum lane_type type, double x)
{
  volatile float narrow = (float)x;
  return type == LANE_F32 ? (double)narrow : x;
}

enum missing_class { NUMBER, COMPUTED_NAN, MISSING };

static inline enum missing_class class_of(double value)
{
  return is_na_f64(value) ? MISSING : isnan(value) ? COMPUTED_NAN : NUMBER;
}

/* splitmix64 */
static inline uint64_t random_bits(uint64_t *state)
{
  uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return z ^ (z >> 31);
}

static inline double random_unit(uint64_t *state)
{
  return (double)(random_bits(state) >> 11) * 0x1p-53;
}

/* A kernel of one step on the registers 0 (operands), 1, 2 and 3 (result), each of `blocks` blocks. */
struct bench {
  enum lane_type type;
  size_t lanes, blocks; /* of a register; lanes is the lane block */
  size_t offsets[4];
  struct kernel kernel;
  char *scratch; /* owned */
};

static inline void bench_open(struct bench *b, enum lane_type type, size_t lanes, size_t blocks,
                              const struct kernel_step *step)
{
  *b = (struct bench){.type = type, .lanes = lanes, .blocks = blocks};
  for (size_t r = 0; r < 4; r++)
    b->offsets[r] = r * blocks;
  b->kernel = (struct kernel){.lane_type = type,
                              .steps = step,
                              .step_count = 1,
                              .register_offset = b->offsets,
                              .register_count = 4,
                              .scratch_blocks = 4 * blocks,
                              .lane_block = lanes,
                              .work_blocks = kernel_step_work_blocks(step)};
  b->scratch = aligned_alloc(64, kernel_scratch_bytes(&b->kernel) + 64);
  assert_non_null(b->scratch);
  memset(b->scratch, 0xA5, kernel_scratch_bytes(&b->kernel));
}

static inline void bench_close(struct bench *b)
{
  free(b->scratch);
}

static inline void *bench_block(const struct bench *b, size_t reg, size_t block)
{
  return b->scratch + (b->offsets[reg] + block) * b->lanes * lane_size(b->type);
}

static inline void bench_run(struct bench *b, const struct kernel_engine *engine, size_t lanes)
{
  (b->type == LANE_F32 ? engine->run_f32 : engine->run_f64)(&b->kernel, b->scratch, NULL, NULL, lanes);
}

static inline struct kernel_operand operand(uint32_t reg, uint32_t block, uint32_t step)
{
  return (struct kernel_operand){.reg = reg, .block = block, .step = step};
}

#endif
