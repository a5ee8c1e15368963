/* How fast the Wilson flow of SU(3) fields is: steps of the third-order scheme a second, the fastest of the rounds.
 *
 *   flow_bench [ROUNDS]     lines "flow EXTENT^4 THREADS STEPS/S MICROSECONDS A LINK AND STAGE"
 *
 * Of random fields, so that exponentials are not those of nothing; on 1 and 2 threads by turns. */
#include "physics/lattice/gauge_flow.h"
#include "physics/lattice/gauge_transform.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { STEPS = 5, STAGES = 3, COLOURS = 3 };

static double seconds(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Seconds of STEPS steps. */
static double time_steps(struct gauge_field *field, unsigned threads, void *scratch)
{
  struct gauge_flow flow = {.step = 0.01};
  double begin = seconds();
  gauge_flow_on(field, &flow, STEPS * flow.step, threads, NULL, scratch);
  return seconds() - begin;
}

static void *room(size_t bytes)
{
  void *memory = aligned_alloc(64, bytes);
  if (memory == NULL) {
    perror("flow_bench");
    exit(1);
  }
  return memory;
}

static void bench_extent(size_t extent, int rounds)
{
  const size_t extents[LATTICE_MAX_DIMENSIONS] = {extent, extent, extent, extent};
  struct lattice lattice;
  void *tables = room(lattice_bytes(4, extents));
  lattice_init(&lattice, 4, extents, tables);
  double *sites = room(gauge_sites_bytes(&lattice, COLOURS));
  struct gauge_field field = gauge_field_over(&lattice, COLOURS, room(gauge_field_bytes(&lattice, COLOURS)));
  void *scratch = room(gauge_flow_bytes(&lattice, COLOURS, false));
  double best[2] = {1e9, 1e9};
  for (int round = 0; round < 2 * rounds; round++) {
    gauge_field_cold(&field);
    gauge_random_sites(&lattice, COLOURS, (uint64_t)round, 2, sites);
    for (size_t block = 0; block < lattice.blocks; block++) { /* each link along axis 0 is a random matrix */
      for (size_t i = 0; i < gauge_matrix_stride(&field); i++) {
        gauge_link(&field, block, 0)[i] = sites[block * gauge_matrix_stride(&field) + i];
      }
    }
    double took = time_steps(&field, round % 2 ? 2 : 1, scratch);
    best[round % 2] = took < best[round % 2] ? took : best[round % 2];
  }
  for (int threads = 1; threads <= 2; threads++) {
    double took = best[threads - 1];
    printf("flow %zu^4 %d %.2f %.3f\n", extent, threads, STEPS / took,
           took / (STEPS * STAGES * 4 * (double)lattice.sites) * 1e6);
  }
  free(scratch);
  free(field.links);
  free(sites);
  free(tables);
}

int main(int count, char **arguments)
{
  int rounds = count > 1 ? (int)strtol(arguments[1], NULL, 10) : 3;
  bench_extent(8, rounds > 0 ? rounds : 1);
  bench_extent(16, rounds > 0 ? rounds : 1);
  return 0;
}
