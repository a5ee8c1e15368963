/* Times of the kernel engine, one thread, per SIMD level and lane block. Not a test: prints, asserts nothing.
 *
 *   kernel_bench [lanes]
 *
 * NDVI (two uint16 loads, SUB, ADD, DIV) and NDVI + MEDIAN or MEAN over 24 dates; best of five, nanoseconds per value
 * of one band, and the whole in milliseconds. */
#include "hpc/kernel/kernel_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { DATES = 24 };

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static struct kernel_operand whole(uint32_t reg)
{
  return (struct kernel_operand){.reg = reg, .step = 1};
}

struct ndvi {
  struct kernel_step steps[8];
  ptrdiff_t offsets[DATES];
  double parameters[1];
  size_t registers[5];
  struct kernel kernel;
};

static void ndvi_make(struct ndvi *k, size_t lanes, size_t lane_block, enum kernel_reducer reducer)
{
  static const ptrdiff_t zero[1] = {0};
  for (size_t d = 0; d < DATES; d++)
    k->offsets[d] = (ptrdiff_t)(d * lanes);
  k->parameters[0] = 1;
  for (size_t r = 0; r < 5; r++)
    k->registers[r] = r * DATES;
  struct kernel_step load = {.kind = STEP_LOAD,
                             .blocks = DATES,
                             .offsets = k->offsets,
                             .lane_stride = 1,
                             .type = ELEMENT_U16,
                             .has_nodata = true,
                             .nodata = 0};
  struct kernel_step element = {.kind = STEP_ELEMENT, .blocks = DATES, .operand = {whole(0), whole(1)}};
  k->steps[0] = load, k->steps[1] = load, k->steps[1].dst = 1, k->steps[1].load = 1;
  k->steps[2] = element, k->steps[2].op = KOP_SUB, k->steps[2].dst = 2;
  k->steps[3] = element, k->steps[3].op = KOP_ADD, k->steps[3].dst = 3;
  k->steps[4] = element, k->steps[4].op = KOP_DIV, k->steps[4].dst = 0;
  k->steps[4].operand[0] = whole(2), k->steps[4].operand[1] = whole(3);
  k->steps[5] = (struct kernel_step){.kind = STEP_REDUCE,
                                     .op = (uint16_t)reducer,
                                     .dst = 4,
                                     .blocks = 1,
                                     .outer = 1,
                                     .n = DATES,
                                     .operand = {whole(0)},
                                     .parameters = k->parameters,
                                     .parameter_count = 1};
  k->steps[6] = (struct kernel_step){
      .kind = STEP_STORE, .blocks = 1, .operand = {whole(4)}, .offsets = zero, .lane_stride = 1, .type = ELEMENT_F32};
  k->kernel = (struct kernel){.lane_type = LANE_F32,
                              .steps = k->steps,
                              .step_count = 7,
                              .register_offset = k->registers,
                              .register_count = 5,
                              .scratch_blocks = 4 * DATES + 1,
                              .lane_block = lane_block,
                              .work_blocks = kernel_step_work_blocks(&k->steps[5]),
                              .load_count = 2};
}

static double best_of(const struct kernel_engine *engine, const struct kernel *kernel, void *const bands[2], float *out,
                      size_t lanes)
{
  void *scratch = aligned_alloc(64, kernel_scratch_bytes(kernel));
  const void *bases[2] = {bands[0], bands[1]};
  double best = 1e9;
  for (int round = 0; round < 5; round++) {
    double start = now();
    engine->run_f32(kernel, scratch, bases, out, lanes);
    double t = now() - start;
    best = t < best ? t : best;
  }
  free(scratch);
  return best;
}

int main(int argc, char **argv)
{
  size_t lanes = argc > 1 ? strtoul(argv[1], NULL, 10) : 512 * 512;
  static const char *const levels[] = {"baseline", "avx2", "avx512"};
  static const size_t blocks[] = {16, 32, 64, 128, 256};
  uint16_t *bands[2] = {malloc(DATES * lanes * 2), malloc(DATES * lanes * 2)};
  float *out = malloc(lanes * sizeof *out);
  if (!bands[0] || !bands[1] || !out)
    return 1;
  uint32_t state = 1;
  for (size_t i = 0; i < 2 * DATES * lanes; i++) {
    state = state * UINT32_C(1664525) + UINT32_C(1013904223);
    bands[i & 1][i / 2] = (uint16_t)(state >> 18);
  }
  printf("level     block   NDVI ns/value   +MEDIAN ns/value (ms)   +MEAN ns/value (ms)\n");
  for (int l = 0; l < 3; l++)
    for (int b = 0; b < 5; b++) {
      const struct kernel_engine *engine = kernel_engine_named(levels[l]);
      if (!engine)
        continue;
      static struct ndvi k;
      static const enum kernel_reducer reducers[] = {KRED_FIRST, KRED_MEDIAN, KRED_MEAN};
      double t[3];
      for (int r = 0; r < 3; r++) {
        ndvi_make(&k, lanes, blocks[b], reducers[r]);
        t[r] = best_of(engine, &k.kernel, (void *const *)bands, out, lanes);
      }
      double values = 1e-9 * DATES * (double)lanes;
      printf("%-9s %5zu   %13.3f   %9.3f (%7.1f)   %9.3f (%7.1f)\n", levels[l], blocks[b], t[0] / values, t[1] / values,
             1e3 * t[1], t[2] / values, 1e3 * t[2]);
    }
  free(bands[0]);
  free(bands[1]);
  free(out);
  return 0;
}
