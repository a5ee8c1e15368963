/* science_check [--speeds SIDE] [NAME]: kernels of simulators on the first device against the CPU: a line each with the
 * largest deviation, what it may be, and the seconds of both. Fails where one is farther off. With a side, kernels'
 * speeds on a lattice of SIDE^4 sites beside a copy's. A kernel gets a function and a row of a table. */
#include "tests/device/science_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- saxpy: that texts, arrays, arguments and barriers work ------------------------------------------------------ */

extern const char saxpy_cu[];

enum { BLOCK = 64, BLOCKS = 300, N = BLOCK * BLOCKS };

static double x_of(size_t i)
{
  return (double)(i * 2654435761u % 1000003) / 1000003;
}

/* The same order of adding as the kernel's. */
static double sum_in_pairs(double *part)
{
  for (size_t half = BLOCK / 2; half > 0; half /= 2)
    for (size_t i = 0; i < half; i++)
      part[i] += part[i + half];
  return part[0];
}

struct saxpy {
  struct science_kernel saxpy, sum;
  struct science_array x, y, sums;
  double *host_x, *host_y, *host_sums;
};

static int prepare_saxpy(struct science *science, struct saxpy *s, struct error *error)
{
  if (science_kernel(science, saxpy_cu, "saxpy", &s->saxpy, error) != 0 ||
      science_kernel(science, saxpy_cu, "sum_blocks", &s->sum, error) != 0 ||
      science_array_new(science, N * sizeof(double), &s->x, error) != 0 ||
      science_array_new(science, N * sizeof(double), &s->y, error) != 0)
    return -1;
  return science_array_new(science, BLOCKS * sizeof(double), &s->sums, error);
}

static int order_saxpy(struct science *science, struct saxpy *s, struct error *error)
{
  double a = 1.7;
  unsigned n = N - 5;
  void *of_saxpy[] = {&a, &s->x.address, &s->y.address, &n}, *of_sum[] = {&s->y.address, &s->sums.address};
  const struct device_grid grid = {.blocks = {BLOCKS, 1, 1}, .threads = {BLOCK, 1, 1}};
  if (science_put(science, &s->x, s->host_x, N * sizeof(double), error) != 0 ||
      science_put(science, &s->y, s->host_x, N * sizeof(double), error) != 0 ||
      science_launch(science, &s->saxpy, &grid, of_saxpy, error) != 0 ||
      science_launch(science, &s->sum, &grid, of_sum, error) != 0)
    return -1;
  return science_take(science, &s->y, s->host_y, N * sizeof(double), error) == 0
             ? science_take(science, &s->sums, s->host_sums, BLOCKS * sizeof(double), error)
             : -1;
}

static void compare_saxpy(const struct saxpy *s, struct outcome *out)
{
  const double begin = now();
  for (size_t b = 0; b < BLOCKS; b++) {
    double part[BLOCK];
    for (size_t i = 0; i < BLOCK; i++) {
      const size_t at = b * BLOCK + i;
      part[i] = at < N - 5 ? 1.7 * s->host_x[at] + s->host_x[at] : s->host_x[at];
      note(out, s->host_y[at], part[i]);
    }
    note(out, s->host_sums[b], sum_in_pairs(part));
  }
  out->on_cpu = now() - begin;
}

static int check_saxpy(struct science *science, const struct check *check, struct outcome *out, struct error *error)
{
  (void)check;
  struct saxpy s = {.host_x = calloc(N, sizeof(double)),
                    .host_y = calloc(N, sizeof(double)),
                    .host_sums = calloc(BLOCKS, sizeof(double))};
  int status = s.host_x && s.host_y && s.host_sums ? 0 : error_memory(error);
  for (size_t i = 0; status == 0 && i < N; i++)
    s.host_x[i] = x_of(i);
  if (status == 0)
    status = prepare_saxpy(science, &s, error);
  const double begin = now();
  if (status == 0)
    status = order_saxpy(science, &s, error);
  out->on_device = now() - begin;
  if (status == 0)
    compare_saxpy(&s, out);
  science_array_free(science, &s.x);
  science_array_free(science, &s.y);
  science_array_free(science, &s.sums);
  free(s.host_x);
  free(s.host_y);
  free(s.host_sums);
  return status;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static const struct check saxpy_checks[] = {{"saxpy", check_saxpy, NULL}};

static int run_check(struct devices *devices, const struct check *check, struct error *error)
{
  struct science *science;
  struct outcome outcome = {0};
  if (science_open(devices, &science, error) != 0)
    return -1;
  const int status = check->run(science, check, &outcome, error);
  science_close(science);
  if (status != 0)
    return -1;
  printf("%-14s %10.3g of %-10.3g %10.3g s %10.3g s\n", check->name, outcome.deviation, outcome.bound,
         outcome.on_device, outcome.on_cpu);
  return outcome.deviation <= outcome.bound ? 0 : error_set(error, ERROR_Internal, "%s is not the CPU's", check->name);
}

/* How many of a table's checks fail; of all of them, or of that name. */
static int run_table(struct devices *devices, struct check_table table, const char *name)
{
  int failed = 0;
  for (size_t i = 0; i < table.count; i++) {
    struct error error = {0};
    if ((name && strcmp(name, table.checks[i].name) != 0) || run_check(devices, &table.checks[i], &error) == 0)
      continue;
    fprintf(stderr, "science_check: %s: %s\n", table.checks[i].name, error.message);
    failed++;
  }
  return failed;
}

static int run_checks(struct devices *devices, const char *name)
{
  const struct check_table tables[] = {
      {saxpy_checks, sizeof saxpy_checks / sizeof saxpy_checks[0]}, gauge_checks, fermion_checks};
  int failed = 0;
  printf("%-14s %10s    %-10s %12s %12s\n", "kernel", "deviation", "allowed", "device", "cpu");
  for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
    failed += run_table(devices, tables[i], name);
  return failed;
}

static int run_speeds(struct devices *devices, size_t side)
{
  struct science *science;
  struct error error = {0};
  int status = science_open(devices, &science, &error);
  if (status == 0) {
    status = science_speeds(science, side, &error);
    science_close(science);
  }
  if (status != 0)
    fprintf(stderr, "science_check: speeds: %s\n", error.message);
  return status != 0;
}

int main(int count, char **arguments)
{
  const struct device_options options = {.kind = DEVICE_CUDA, .number = -1};
  const size_t side = count > 2 && strcmp(arguments[1], "--speeds") == 0 ? strtoul(arguments[2], NULL, 10) : 0;
  const char *const name = side > 0 ? (count > 3 ? arguments[3] : NULL) : count > 1 ? arguments[1] : NULL;
  struct devices *devices;
  struct error error = {0};
  if (devices_new(&options, &devices, &error) != 0)
    return 1;
  int failed = run_checks(devices, name);
  if (side > 0)
    failed += run_speeds(devices, side);
  devices_free(devices);
  return failed > 0;
}
