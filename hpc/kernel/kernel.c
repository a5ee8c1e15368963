/* Kernels: names, sizes, and the choice of the SIMD level. The loops are in kernel_level.inc.
 *
 * The level is chosen once a process, from the CPU and from TWINCUBE_SIMD, which can only lower it. */
#include "hpc/kernel/kernel.h"
#include "hpc/kernel/kernel_engine.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char *const op_names[] = {
#define KOP(name, arity, class, expression) [KOP_##name] = #name,
#include "hpc/kernel/kernel_ops.def"
#undef KOP
};

static const int op_arities[] = {
#define KOP(name, arity, class, expression) [KOP_##name] = (arity),
#include "hpc/kernel/kernel_ops.def"
#undef KOP
};

static const char *const reducer_names[] = {
#define KRED(name, ...) [KRED_##name] = #name,
#include "hpc/kernel/kernel_reducers.def"
#undef KRED
};

static const char *const series_names[] = {
#define KSER(name, ...) [KSER_##name] = #name,
#include "hpc/kernel/kernel_series.def"
#undef KSER
};

const char *kernel_op_name(enum kernel_op op)
{
  return op_names[op];
}

int kernel_op_arity(enum kernel_op op)
{
  return op_arities[op];
}

const char *kernel_reducer_name(enum kernel_reducer reducer)
{
  return reducer_names[reducer];
}

const char *kernel_series_name(enum kernel_series series)
{
  return series_names[series];
}

size_t kernel_step_work_blocks(const struct kernel_step *step)
{
  if (step->kind == STEP_REDUCE) {
    bool sorts = step->op == KRED_MEDIAN || step->op == KRED_QUANTILES;
    return sorts ? (size_t)step->n + 4 : MOST_STATES + 1; /* the sorted copy and counters, or states and NA counts */
  }
  if (step->kind == STEP_FIT) {
    const struct kernel *model = &step->curve->model;
    return model->scratch_blocks + model->work_blocks + fit_blocks(step->n, step->parameter_count - 1);
  }
  if (step->kind == STEP_FUNCTION)
    return function_blocks(step->function);
  if (step->kind == STEP_SERIES) {
    const bool sorts = step->op == KSER_SORT || step->op == KSER_ORDER;
    return sorts ? (size_t)step->n + 4 : 2; /* as the sorting reducers; or states */
  }
  return 0;
}

size_t kernel_scratch_bytes(const struct kernel *kernel)
{
  size_t lane_bytes = kernel->lane_type == LANE_F32 ? sizeof(float) : sizeof(double);
  size_t bytes = (kernel->scratch_blocks * lane_bytes + kernel->work_blocks * sizeof(double)) * kernel->lane_block;
  return (bytes + 63) & ~(size_t)63;
}

/* Elements that a layer compares with the one `distance` further on, merging runs of p elements into runs of 2p, both
 * powers of two. */
static uint64_t layer_lower(size_t n, size_t p, size_t distance)
{
  uint64_t lower = 0;
  size_t first = distance & (p - 1);
  for (size_t i = first; i + distance < n; i++) {
    bool takes_part = !((i - first) & distance) && (i ^ (i + distance)) < 2 * p;
    lower |= (uint64_t)takes_part << i;
  }
  return lower;
}

void sorting_network_make(struct sorting_network *network, size_t n, uint64_t wanted)
{
  assert(n <= NETWORK_ELEMENTS);
  *network = (struct sorting_network){.n = n, .wanted = wanted};
  for (size_t p = NETWORK_RUN; p < n; p *= 2)
    for (size_t d = p; d > 0; d /= 2) {
      network->distance[network->layers] = (unsigned)d;
      network->lower[network->layers++] = layer_lower(n, p, d);
    }
  for (unsigned layer = network->layers; layer-- > 0;) {
    unsigned d = network->distance[layer];
    uint64_t live = network->lower[layer] & (wanted | wanted >> d);
    network->lower[layer] = live;
    wanted |= live | live << d;
  }
}

static bool cpu_has(const struct kernel_engine *engine)
{
#if KERNEL_HAS_LEVELS
  if (engine == &kernel_engine_avx512)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (engine == &kernel_engine_avx2)
    return __builtin_cpu_supports("avx2");
#endif
  return engine == &kernel_engine_baseline;
}

static const struct kernel_engine *const engines[] = {
    &kernel_engine_baseline,
#if KERNEL_HAS_LEVELS
    &kernel_engine_avx2,
    &kernel_engine_avx512,
#endif
};
enum { ENGINES = sizeof engines / sizeof engines[0] };

const struct kernel_engine *kernel_engine_named(const char *level)
{
  for (int i = 0; i < ENGINES; i++)
    if (strcmp(level, engines[i]->level) == 0)
      return cpu_has(engines[i]) ? engines[i] : NULL;
  return NULL;
}

static pthread_once_t chosen_once = PTHREAD_ONCE_INIT;
static const struct kernel_engine *chosen; /* written once, by choose_engine */

static void choose_engine(void)
{
  const char *wish = getenv("TWINCUBE_SIMD");
  chosen = engines[0];
  for (int i = 1; i < ENGINES; i++) {
    if (wish && strcmp(wish, chosen->level) == 0)
      break;
    if (cpu_has(engines[i]))
      chosen = engines[i];
  }
}

const struct kernel_engine *kernel_engine_chosen(void)
{
  pthread_once(&chosen_once, choose_engine);
  return chosen;
}

const char *kernel_simd_level(void)
{
  return kernel_engine_chosen()->level;
}

void kernel_run(const struct kernel *kernel, void *scratch, const void *const *bases, void *out, size_t lanes)
{
  assert(kernel->lane_block % 16 == 0 && kernel->lane_block > 0);
  assert((uintptr_t)scratch % 64 == 0);
  const struct kernel_engine *engine = kernel_engine_chosen();
  if (kernel->lane_type == LANE_F32)
    engine->run_f32(kernel, scratch, bases, out, lanes);
  else
    engine->run_f64(kernel, scratch, bases, out, lanes);
}
