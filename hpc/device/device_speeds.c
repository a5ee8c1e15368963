/* One kernel for each kind of work, on the device and on one thread of the CPU; what its loads and stores take is taken
 * off. */
#include "hpc/device/device_speeds.h"

#include "hpc/device/device_kernels.h"
#include "hpc/device/speeds_file.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

const double rough_cpu[WORK_KINDS] = {0.5e-9, 0.3e-9, 4e-9, 1e-9, 6e-9};

/* ---- counting ---------------------------------------------------------------------------------------------------- */

static enum work_kind kind_of(const struct kernel_step *step)
{
  switch (step->kind) {
  case STEP_LOAD:
  case STEP_STORE:
    return WORK_MEMORY;
  case STEP_REDUCE:
    return step->op == KRED_MEDIAN || step->op == KRED_QUANTILES ? WORK_ORDER : WORK_REDUCE;
  case STEP_SERIES:
    return step->op == KSER_SORT ? WORK_ORDER : WORK_REDUCE;
  case STEP_FIT:
  case STEP_FUNCTION:
    return WORK_ORDER;
  case STEP_ELEMENT:
    return step->op >= KOP_POW && step->op <= KOP_ARTANH ? WORK_DEAR : WORK_PLAIN;
  default:
    return WORK_PLAIN;
  }
}

void kernel_work(const struct kernel *kernel, double *values)
{
  for (size_t i = 0; i < kernel->step_count; i++) {
    const struct kernel_step *step = &kernel->steps[i];
    const bool is_array =
        step->kind == STEP_REDUCE || step->kind == STEP_SERIES || step->kind == STEP_FIT || step->kind == STEP_FUNCTION;
    values[kind_of(step)] += is_array ? (double)step->outer * step->n : step->blocks;
  }
}

/* ---- kernels to measure ------------------------------------------------------------------------------------------ */

enum { LENGTH = 32, REPEATED = 16, MOST_STEPS = REPEATED + 2 };

struct trial {
  struct kernel kernel;
  struct kernel_step steps[MOST_STEPS];
  size_t registers[2];
  ptrdiff_t in[LENGTH], out[LENGTH];
  size_t loads, stores; /* blocks */
};

static struct kernel_step memory_step(enum kernel_step_kind kind, uint32_t reg, size_t blocks, const ptrdiff_t *offsets)
{
  return (struct kernel_step){.kind = kind,
                              .dst = reg,
                              .blocks = (uint32_t)blocks,
                              .operand = {{.reg = reg, .step = 1}},
                              .offsets = offsets,
                              .lane_stride = 1,
                              .type = ELEMENT_F32};
}

/* From register 0 into register 1; elements again and again, without end in themselves. */
static size_t add_work(struct trial *t, enum work_kind kind)
{
  size_t count = 1;
  if (kind == WORK_MEMORY)
    return count;
  if (kind == WORK_REDUCE || kind == WORK_ORDER) {
    t->steps[count++] = (struct kernel_step){.kind = STEP_REDUCE,
                                             .op = kind == WORK_ORDER ? KRED_MEDIAN : KRED_MEAN,
                                             .dst = 1,
                                             .outer = 1,
                                             .n = LENGTH,
                                             .operand = {{.reg = 0, .step = 1}}};
    return count;
  }
  for (; count <= REPEATED; count++)
    t->steps[count] = (struct kernel_step){.kind = STEP_ELEMENT,
                                           .op = kind == WORK_DEAR ? KOP_SIN : KOP_ADD,
                                           .dst = 1,
                                           .blocks = 1,
                                           .operand = {{.reg = count > 1, .step = 1}, {.reg = 0, .step = 1}}};
  return count;
}

static void make_trial(enum work_kind kind, size_t lanes, struct trial *t)
{
  const bool is_long = kind != WORK_PLAIN && kind != WORK_DEAR;
  *t = (struct trial){.loads = is_long ? LENGTH : 1, .stores = kind == WORK_MEMORY ? LENGTH : 1};
  for (size_t b = 0; b < LENGTH; b++)
    t->in[b] = t->out[b] = (ptrdiff_t)(b * lanes);
  t->steps[0] = memory_step(STEP_LOAD, 0, t->loads, t->in);
  const size_t last = add_work(t, kind);
  t->steps[last] = memory_step(STEP_STORE, kind == WORK_MEMORY ? 0 : 1, t->stores, t->out);
  t->registers[1] = LENGTH;
  t->kernel = (struct kernel){.steps = t->steps,
                              .step_count = last + 1,
                              .register_offset = t->registers,
                              .register_count = 2,
                              .scratch_blocks = LENGTH + 1,
                              .lane_block = 256,
                              .load_count = 1};
  for (size_t i = 0; i <= last; i++) {
    const size_t work = kernel_step_work_blocks(&t->steps[i]);
    t->kernel.work_blocks = work > t->kernel.work_blocks ? work : t->kernel.work_blocks;
  }
}

/* Seconds a value of the kind, of seconds a lane. */
static double per_value(const struct trial *t, enum work_kind kind, double lane, double memory)
{
  double values[WORK_KINDS] = {0};
  kernel_work(&t->kernel, values);
  if (kind == WORK_MEMORY)
    return lane / values[WORK_MEMORY];
  const double rest = lane - values[WORK_MEMORY] * memory;
  return (rest > 0.05 * lane ? rest : 0.05 * lane) / values[kind];
}

static double now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* ---- the CPU ----------------------------------------------------------------------------------------------------- */

enum { CPU_LANES = 1 << 14, TIMES = 3 };

static void fill_numbers(float *data, size_t count)
{
  for (size_t i = 0; i < count; i++)
    data[i] = (float)(i * 2654435761u % 1000003) * 1e-6f;
}

static int measure_cpu(double *out, struct error *error)
{
  float *in = calloc((size_t)LENGTH * CPU_LANES, sizeof *in), *to = calloc((size_t)LENGTH * CPU_LANES, sizeof *to);
  int status = in && to ? 0 : error_memory(error);
  for (int kind = 0; status == 0 && kind < WORK_KINDS; kind++) {
    struct trial t;
    const void *bases[] = {in};
    make_trial((enum work_kind)kind, CPU_LANES, &t);
    fill_numbers(in, (size_t)LENGTH * CPU_LANES);
    void *scratch = aligned_alloc(64, (kernel_scratch_bytes(&t.kernel) + 63) / 64 * 64);
    double best = 1e9;
    for (int i = 0; scratch && i < TIMES; i++) {
      const double begin = now();
      kernel_run(&t.kernel, scratch, bases, to, CPU_LANES);
      const double took = now() - begin;
      best = took < best ? took : best;
    }
    status = scratch ? 0 : error_memory(error);
    free(scratch);
    out[kind] = per_value(&t, (enum work_kind)kind, best / CPU_LANES, out[WORK_MEMORY]);
  }
  free(in);
  free(to);
  return status;
}

/* ---- the device -------------------------------------------------------------------------------------------------- */

struct bench {
  struct device *device;
  const struct device_ops *ops;
  struct device_queue *queue;
  struct device_kernel kernels[WORK_KINDS];
  size_t lanes, bytes; /* of a trial's inputs */
  uint64_t in, out, arguments, scratch;
  size_t scratch_bytes;
  unsigned char *host; /* pinned: `bytes` */
  int64_t blob[1 + 2 * LENGTH + 6];
};

static int order_trial(struct bench *b, const struct trial *t, enum work_kind kind, size_t lanes, struct error *error)
{
  size_t at = 1;
  b->blob[0] = (int64_t)b->in;
  for (size_t k = 0; k < t->loads; k++)
    b->blob[at++] = t->in[k];
  for (size_t k = 0; k < t->stores; k++)
    b->blob[at++] = t->out[k];
  const size_t strides = at;
  const int64_t along[6] = {1, 0, 0, 1, 0, 0};
  memcpy(b->blob + at, along, sizeof along);
  if (b->ops->to_device(b->queue, b->arguments, b->blob, sizeof b->blob, error) != 0)
    return -1;
  struct device_run run = {.function = b->kernels[kind].function,
                           .shape = device_shape(b->device, &b->kernels[kind].needs, lanes),
                           .bases = b->arguments,
                           .out = b->out,
                           .offsets = b->arguments + 8,
                           .strides = b->arguments + strides * 8,
                           .scratch = b->scratch,
                           .lanes = {lanes, 1, 1}};
  if (run.shape.scratch_bytes > b->scratch_bytes)
    return error_set(error, ERROR_Internal, "a measured kernel needs scratch memory");
  return device_run(b->queue, &run, error);
}

/* Seconds of one launch, of `times` in a row, after a first one. */
static int time_trial(struct bench *b, const struct trial *t, enum work_kind kind, size_t lanes, double *out,
                      struct error *error)
{
  enum { LAUNCHES = 4 };
  double begin = 0;
  for (int i = 0; i <= LAUNCHES; i++) {
    if (order_trial(b, t, kind, lanes, error) != 0)
      return -1;
    if (i == 0) {
      if (b->ops->sync(b->queue, error) != 0)
        return -1;
      begin = now();
    }
  }
  const int status = b->ops->sync(b->queue, error);
  *out = (now() - begin) / LAUNCHES;
  return status;
}

static int time_copies(struct bench *b, struct device_speeds *out, struct error *error)
{
  for (int i = 0; i < TIMES; i++) {
    const double begin = now();
    if (b->ops->to_device(b->queue, b->in, b->host, b->bytes, error) != 0 || b->ops->sync(b->queue, error) != 0)
      return -1;
    const double middle = now();
    if (b->ops->to_host(b->queue, b->host, b->in, b->bytes, error) != 0 || b->ops->sync(b->queue, error) != 0)
      return -1;
    const double end = now(), up = (double)b->bytes / (middle - begin), down = (double)b->bytes / (end - middle);
    out->to_device = up > out->to_device ? up : out->to_device;
    out->to_host = down > out->to_host ? down : out->to_host;
  }
  return 0;
}

static int measure_device(struct bench *b, struct device_speeds *out, struct error *error)
{
  struct trial t;
  fill_numbers((float *)(void *)b->host, b->bytes / sizeof(float));
  if (time_copies(b, out, error) != 0)
    return -1;
  make_trial(WORK_MEMORY, b->lanes, &t);
  if (time_trial(b, &t, WORK_MEMORY, 1, &out->launch, error) != 0)
    return -1;
  for (int kind = 0; kind < WORK_KINDS; kind++) {
    double seconds;
    make_trial((enum work_kind)kind, b->lanes, &t);
    if (time_trial(b, &t, (enum work_kind)kind, b->lanes, &seconds, error) != 0)
      return -1;
    seconds = seconds > 1.1 * out->launch ? seconds - out->launch : 0.1 * seconds;
    out->device[kind] = per_value(&t, (enum work_kind)kind, seconds / (double)b->lanes, out->device[WORK_MEMORY]);
  }
  return 0;
}

static int prepare(struct bench *b, struct error *error)
{
  struct trial trials[WORK_KINDS];
  const struct kernel *kernels[WORK_KINDS];
  for (int kind = 0; kind < WORK_KINDS; kind++) {
    make_trial((enum work_kind)kind, b->lanes, &trials[kind]);
    kernels[kind] = &trials[kind].kernel;
  }
  b->host = aligned_alloc(4096, b->bytes);
  if (!b->host)
    return error_memory(error);
  if (device_kernels(b->device, kernels, WORK_KINDS, b->kernels, error) != 0 ||
      b->ops->queue_new(b->device, &b->queue, error) != 0)
    return -1;
  b->ops->pin(b->queue, b->host, b->bytes);
  return device_alloc(b->device, b->bytes, &b->in, error) == 0 &&
                 device_alloc(b->device, b->bytes, &b->out, error) == 0 &&
                 device_alloc(b->device, sizeof b->blob, &b->arguments, error) == 0
             ? 0
             : -1;
}

static void finish(struct bench *b)
{
  struct error ignored = {0};
  if (b->queue) {
    b->ops->sync(b->queue, &ignored);
    b->ops->unpin(b->queue, b->host);
    if (b->in)
      device_release(b->device, b->in, b->bytes);
    if (b->out)
      device_release(b->device, b->out, b->bytes);
    if (b->arguments)
      device_release(b->device, b->arguments, sizeof b->blob);
    b->ops->queue_free(b->queue);
  }
  free(b->host);
}

int device_speeds(struct device *device, struct device_speeds *out, struct error *error)
{
  struct bench b = {.device = device, .ops = device->ops};
  *out = (struct device_speeds){0};
  if (speeds_file_read(device, out))
    return 0;
  *out = (struct device_speeds){0};
  b.lanes = (size_t)device->facts.multiprocessors * 2048;
  b.bytes = LENGTH * b.lanes * sizeof(float);
  int status = prepare(&b, error);
  if (status == 0)
    status = measure_device(&b, out, error);
  finish(&b);
  if (status == 0)
    status = measure_cpu(out->cpu, error);
  if (status == 0)
    speeds_file_write(device, out);
  return status;
}
