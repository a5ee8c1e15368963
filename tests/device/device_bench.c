/* device_bench [SIDE]: NDVI and its median over 24 dates of 2 bands of SIDE x SIDE cells of int16, fused, on the first
 * device: with its inputs on the device already, and with copies both ways. Prints a line `what value unit` for each;
 * the side shrinks until the cells fit the device's memory. */
#include "hpc/device/device_kernels.h"
#include "hpc/device/device_speeds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DATES = 24, STEPS = 8, ROUNDS = 5 };

struct workload {
  struct kernel kernel;
  struct kernel_step steps[STEPS];
  size_t registers[6], lanes;
  size_t in_bytes, out_bytes;
  int64_t blob[2 + 2 * DATES + 1 + 9];
};

static double now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static struct kernel_step element(enum kernel_op op, uint32_t to, uint32_t a, uint32_t b)
{
  return (struct kernel_step){.kind = STEP_ELEMENT,
                              .op = (uint16_t)op,
                              .dst = to,
                              .blocks = DATES,
                              .operand = {{.reg = a, .step = 1}, {.reg = b, .step = 1}}};
}

/* Red lies before near infrared, a date after the other, each dense. */
static void make_workload(size_t lanes, struct workload *w)
{
  *w = (struct workload){.lanes = lanes, .in_bytes = 2 * DATES * lanes * sizeof(int16_t), .out_bytes = 4 * lanes};
  for (uint32_t band = 0; band < 2; band++)
    w->steps[band] = (struct kernel_step){.kind = STEP_LOAD,
                                          .dst = band,
                                          .blocks = DATES,
                                          .type = ELEMENT_I16,
                                          .has_nodata = true,
                                          .nodata = -1,
                                          .load = band};
  w->steps[2] = element(KOP_SUB, 2, 1, 0);
  w->steps[3] = element(KOP_ADD, 3, 1, 0);
  w->steps[4] = element(KOP_DIV, 4, 2, 3);
  w->steps[5] = (struct kernel_step){
      .kind = STEP_REDUCE, .op = KRED_MEDIAN, .dst = 5, .outer = 1, .n = DATES, .operand = {{.reg = 4, .step = 1}}};
  w->steps[6] = (struct kernel_step){.kind = STEP_STORE, .blocks = 1, .operand = {{.reg = 5}}, .type = ELEMENT_F32};
  for (size_t r = 0; r < 6; r++)
    w->registers[r] = r * DATES;
  w->kernel = (struct kernel){
      .steps = w->steps, .step_count = 7, .register_offset = w->registers, .register_count = 6, .load_count = 2};
}

struct bench {
  struct device *device;
  struct device_queue *queue;
  struct device_kernel kernel;
  struct workload work;
  uint64_t in, out, arguments;
  unsigned char *host;
};

static int order_kernel(struct bench *b, struct error *error)
{
  const size_t lanes = b->work.lanes;
  const struct device_run run = {.function = b->kernel.function,
                                 .shape = device_shape(b->device, &b->kernel.needs, lanes),
                                 .bases = b->arguments,
                                 .out = b->out,
                                 .offsets = b->arguments + 16,
                                 .strides = b->arguments + 16 + 8 * (2 * DATES + 1),
                                 .lanes = {lanes, 1, 1}};
  return device_run(b->queue, &run, error);
}

/* The best of some rounds, in seconds. */
static int time_kernel(struct bench *b, bool with_copies, double *best, struct error *error)
{
  const struct device_ops *ops = b->device->ops;
  *best = 1e9;
  for (int i = 0; i <= ROUNDS; i++) {
    const double begin = now();
    if (with_copies && ops->to_device(b->queue, b->in, b->host, b->work.in_bytes, error) != 0)
      return -1;
    if (order_kernel(b, error) != 0)
      return -1;
    if (with_copies && ops->to_host(b->queue, b->host, b->out, b->work.out_bytes, error) != 0)
      return -1;
    if (ops->sync(b->queue, error) != 0)
      return -1;
    const double took = now() - begin;
    *best = i > 0 && took < *best ? took : *best;
  }
  return 0;
}

static void fill(struct bench *b)
{
  int16_t *numbers = (int16_t *)(void *)b->host;
  for (size_t i = 0; i < b->work.in_bytes / sizeof *numbers; i++)
    numbers[i] = (int16_t)(i * 2654435761u % 3001);
  int64_t *blob = b->work.blob;
  blob[0] = (int64_t)b->in;
  blob[1] = (int64_t)(b->in + b->work.in_bytes / 2);
  for (int k = 0; k < 2 * DATES; k++)
    blob[2 + k] = (int64_t)((size_t)(k % DATES) * b->work.lanes);
  for (int step = 0; step < 3; step++)
    blob[2 + 2 * DATES + 1 + 3 * step] = 1;
}

static int prepare(struct bench *b, size_t side, struct error *error)
{
  if (device_open(b->device, error) != 0 || b->device->ops->queue_new(b->device, &b->queue, error) != 0)
    return -1;
  make_workload(side * side, &b->work);
  while (b->work.in_bytes + b->work.out_bytes + (1 << 20) > b->device->limit && side > 64)
    make_workload((side / 2) * (side / 2), &b->work), side /= 2;
  const struct kernel *kernels[] = {&b->work.kernel};
  b->host = aligned_alloc(4096, (b->work.in_bytes + 4095) / 4096 * 4096);
  if (!b->host)
    return error_memory(error);
  b->device->ops->pin(b->queue, b->host, b->work.in_bytes);
  if (device_kernels(b->device, kernels, 1, &b->kernel, error) != 0 ||
      device_alloc(b->device, b->work.in_bytes, &b->in, error) != 0 ||
      device_alloc(b->device, b->work.out_bytes, &b->out, error) != 0 ||
      device_alloc(b->device, sizeof b->work.blob, &b->arguments, error) != 0)
    return -1;
  fill(b);
  printf("side %zu cells\n", side);
  return b->device->ops->to_device(b->queue, b->in, b->host, b->work.in_bytes, error) == 0
             ? b->device->ops->to_device(b->queue, b->arguments, b->work.blob, sizeof b->work.blob, error)
             : -1;
}

static int measure(struct bench *b, size_t side, struct error *error)
{
  struct device_speeds speeds;
  double resident, copied;
  if (device_open(b->device, error) != 0 || device_speeds(b->device, &speeds, error) != 0 ||
      prepare(b, side, error) != 0 || time_kernel(b, false, &resident, error) != 0 ||
      time_kernel(b, true, &copied, error) != 0)
    return -1;
  const double bytes = (double)(b->work.in_bytes + b->work.out_bytes), own = 4e-9 / speeds.device[WORK_MEMORY];
  printf("copy_to_device %.2f GB/s\ncopy_to_host %.2f GB/s\nlaunch %.2f us\n", 1e-9 * speeds.to_device,
         1e-9 * speeds.to_host, 1e6 * speeds.launch);
  printf("device_memory %.1f GB/s\n", own);
  printf("ndvi_median_device %.3f ms\nndvi_median_device %.1f GB/s\nndvi_median_share %.2f of device_memory\n",
         1e3 * resident, 1e-9 * bytes / resident, 1e-9 * bytes / resident / own);
  printf("ndvi_median_host %.3f ms\nndvi_median_host %.2f GB/s\n", 1e3 * copied, 1e-9 * bytes / copied);
  return 0;
}

static void finish(struct bench *b)
{
  struct error ignored = {0};
  if (b->queue) {
    b->device->ops->sync(b->queue, &ignored);
    if (b->host)
      b->device->ops->unpin(b->queue, b->host);
    const uint64_t rooms[] = {b->in, b->out, b->arguments};
    const size_t bytes[] = {b->work.in_bytes, b->work.out_bytes, sizeof b->work.blob};
    for (size_t i = 0; i < 3; i++)
      if (rooms[i])
        device_release(b->device, rooms[i], bytes[i]);
    b->device->ops->queue_free(b->queue);
  }
  free(b->host);
}

int main(int count, char **arguments)
{
  const struct device_options options = {.kind = DEVICE_CUDA, .number = -1};
  const size_t side = count > 1 ? strtoul(arguments[1], NULL, 10) : 8192;
  struct devices *devices;
  struct error error = {0};
  struct bench bench = {0};
  if (devices_new(&options, &devices, &error) != 0)
    return 1;
  int status = devices_count(devices, &error) > 0 && side > 0 ? 0 : -1;
  bench.device = devices_at(devices, 0);
  if (status == 0)
    status = measure(&bench, side, &error);
  finish(&bench);
  devices_free(devices);
  if (status != 0)
    fprintf(stderr, "device_bench: %s\n", error.message);
  return status == 0 ? 0 : 1;
}
