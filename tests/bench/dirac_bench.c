/* dirac_bench [SIDE…]: the Wilson hopping term and solvers on one thread, SIDE^4 lattices of SU(3), CPU time, best of
 * rounds.
 *
 * GFLOP/s count 1320 operations a site, as is the custom. The bound is what memory allows: each sweep of one parity
 * reads the links of its sites (8 x 18 numbers) and the other parity's spinors (24) and writes its own (24), at the
 * rate at which the links alone are read by a sum of products. CG solves M psi = eta of a random eta to 1e-10. */
#include "physics/lattice/dirac_solve.h"
#include "physics/random/philox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 7, COLOURS = 3, SPINS = 4, LINK_NUMBERS = 8 * 18, SPINOR_NUMBERS = 2 * 24 };

struct work {
  lattice_task *task;
  void *context;
  size_t blocks;
};

static double cpu_seconds(void)
{
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void *take(size_t bytes)
{
  void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (memory == NULL) {
    fputs("dirac_bench: out of memory\n", stderr);
    exit(1);
  }
  return memory;
}

/* Seconds of one call, the best of the rounds. */
static double seconds_of(const struct work *work)
{
  double best = 1e9;
  for (int round = 0; round < ROUNDS; round++) {
    size_t calls = 0;
    double start = cpu_seconds(), spent = 0;
    for (; spent < 0.05; calls++, spent = cpu_seconds() - start) {
      work->task(work->context, 0, work->blocks);
    }
    best = spent / (double)calls < best ? spent / (double)calls : best;
  }
  return best;
}

static void bench_hop(const struct dirac *dirac, enum fermion_type type, size_t side)
{
  const struct lattice *lattice = dirac->shape.lattice;
  const size_t half = lattice->blocks / 2, bytes = fermion_bytes(&dirac->shape, type, half);
  void *in = take(bytes), *out = take(bytes);
  memset(in, 0, bytes);
  struct hop_task hop = {
      .shape = dirac->shape, .links = dirac->links[type], .in = in, .out = out, .in_first = half, .factor = 1};
  double(*sums)[2][LATTICE_LANES] = take(half * sizeof *sums);
  const size_t numbers = LINK_NUMBERS / 2;
  struct dot_task read = {.numbers = numbers,
                          .x = dirac->links[type],
                          .y = (const char *)dirac->links[type] +
                               half * numbers * LATTICE_LANES * fermion_real_bytes(type),
                          .sum = sums};
  const struct fermion_kernels *kernels = fermion_kernels(type);
  double hop_time = seconds_of(&(struct work){kernels->hop, &hop, half});
  double read_time = seconds_of(&(struct work){kernels->dot, &read, half});
  double bound = read_time * (LINK_NUMBERS + SPINOR_NUMBERS) / LINK_NUMBERS;
  printf("%2zu^4 %s  %6.2f GFLOP/s  %5.1f %% of the bandwidth bound (%.1f GB/s)\n", side,
         type == FERMION_F32 ? "f32" : "f64", 1320 * (double)lattice->sites / 2 / hop_time * 1e-9,
         100 * bound / hop_time,
         (double)(half * LINK_NUMBERS * LATTICE_LANES * fermion_real_bytes(type)) / read_time * 1e-9);
  free(in);
  free(out);
  free(sums);
}

static void bench_solver(const struct dirac *dirac, bool mixed, size_t side)
{
  const size_t bytes = fermion_bytes(&dirac->shape, FERMION_F64, dirac->shape.lattice->blocks);
  double *eta = take(bytes), *psi = take(bytes);
  void *work = take(dirac_solve_bytes(&dirac->shape));
  philox_normals((struct philox_stream){1, 2}, 0, bytes / sizeof *eta, eta);
  const struct solver solver = {.method = SOLVER_CG, .mixed = mixed, .tolerance = 1e-10, .most_iterations = 10000};
  struct solver_report report;
  double start = cpu_seconds();
  dirac_solve(dirac, &solver, eta, psi, work, &report);
  printf("%2zu^4 CG %s  %6.3f s, %zu iterations, residual %.1e\n", side, mixed ? "mixed" : "f64  ",
         cpu_seconds() - start, report.iterations, report.residual);
  free(eta);
  free(psi);
  free(work);
}

static void bench_side(size_t side)
{
  const size_t extent[4] = {side, side, side, side};
  struct lattice lattice;
  void *tables = take(lattice_bytes(4, extent));
  lattice_init(&lattice, 4, extent, tables);
  struct gauge_field gauge = gauge_field_over(&lattice, COLOURS, take(gauge_field_bytes(&lattice, COLOURS)));
  gauge_field_cold(&gauge);
  const struct dirac_rule rule = {.hopping.boundary = {BOUNDARY_ANTIPERIODIC}, .kappa = 0.12};
  void *memory = take(dirac_bytes(&gauge, &rule, true));
  struct dirac dirac;
  if (dirac_init(&dirac, &gauge, &rule, true, 1, memory) == 0) {
    bench_hop(&dirac, FERMION_F32, side);
    bench_hop(&dirac, FERMION_F64, side);
    bench_solver(&dirac, true, side);
    bench_solver(&dirac, false, side);
  }
  free(memory);
  free(gauge.links);
  free(tables);
}

int main(int count, char **arguments)
{
  static const size_t sides[] = {8, 12, 16, 24};
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (int i = 1; i < count; i++) {
    size_t side = strtoul(arguments[i], NULL, 10);
    if (side < 4 || side % 2 != 0 || side > 48) {
      fputs("usage: dirac_bench [SIDE...], even sides from 4 to 48\n", stderr);
      return 2;
    }
    bench_side(side);
  }
  for (size_t i = 0; count < 2 && i < sizeof sides / sizeof *sides; i++) {
    bench_side(sides[i]);
  }
  return 0;
}
