/* How long lattice simulations take.
 *
 *   lattice_bench [SECONDS]    lines "f64 GROUP SHAPE THREADS HEATBATH OVERRELAXATION WALL", or f32: microseconds a
 * link of all cores' time, and of the wall clock for both sweeps together, the fastest of the rounds in about so many
 * seconds a line (default 1); "plain SU(3) SHAPE 1 - OVERRELAXATION -": the same reflection by loops over C's complex
 *                              numbers, site after site;
 *                              "peak f64 FUSED APART": GFLOP/s of a core where a multiplication and an addition are one
 *                              instruction, and where they are two, as in sweeps, which so round alike everywhere;
 *                              "memory f64 SHAPE RATE": GB/s at which the field's bytes are read;
 *                              "scalar phi^4 SHAPE THREADS METROPOLIS HMC WALL": microseconds a site of a Metropolis
 *                              sweep, of a step of hybrid Monte Carlo (a tenth of a trajectory of ten), and of the wall
 *                              clock for both
 *
 * Where others use the cores, their time counts what this took, the wall clock what it waited. */
#include "physics/lattice/gauge_heatbath.h"
#include "physics/lattice/gauge_observables.h"
#include "physics/lattice/hmc.h"
#include "physics/lattice/scalar_metropolis.h"

#include <complex.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

enum { COLOURS = 3 };

static double read_clock(clockid_t clock)
{
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double now(void)
{
  return read_clock(CLOCK_MONOTONIC);
}

static double used(void)
{
  return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

struct opened {
  struct lattice lattice;
  struct gauge_field field;
  struct gauge_action action;
  void *memory; /* of the links */
};

static void open_field(struct opened *o, size_t extent, size_t colours)
{
  const size_t extents[LATTICE_MAX_DIMENSIONS] = {extent, extent, extent, extent};
  lattice_init(&o->lattice, 4, extents, aligned_alloc(64, lattice_bytes(4, extents)));
  o->memory = aligned_alloc(64, gauge_field_bytes(&o->lattice, colours));
  o->field = gauge_field_over(&o->lattice, colours, o->memory);
  o->action = (struct gauge_action){.beta = colours == 1 ? 1 : colours == 2 ? 2.4 : 6, .anisotropy = 1};
  gauge_field_cold(&o->field);
  for (uint64_t t = 0; t < 4; t++) {
    gauge_heatbath(&o->field, &o->action, (struct philox_stream){1, t}, 1);
  }
}

/* The same links as floats. */
static void round_field(struct opened *o)
{
  void *memory = aligned_alloc(64, gauge_field_bytes(&o->lattice, o->field.colours) / 2);
  struct gauge_field narrow = gauge_field_narrow(&o->lattice, o->field.colours, memory);
  gauge_field_round(&narrow, &o->field, 1);
  free(o->memory);
  o->field = narrow;
  o->memory = memory;
}

static void close_field(struct opened *o)
{
  free(o->memory);
  free(o->lattice.link);
}

static void time_updates(bool single, size_t extent, size_t colours, unsigned threads, double seconds)
{
  struct opened o;
  double heat = INFINITY, reflection = INFINITY, wall = INFINITY, end = now() + seconds;
  open_field(&o, extent, colours);
  if (single) {
    round_field(&o);
  }
  for (uint64_t t = 4; now() < end || t < 6; t++) {
    double began = now(), start = used();
    gauge_heatbath(&o.field, &o.action, (struct philox_stream){1, t}, threads);
    double middle = used();
    gauge_overrelax(&o.field, &o.action, threads);
    heat = fmin(heat, middle - start);
    reflection = fmin(reflection, used() - middle);
    wall = fmin(wall, now() - began);
  }
  double unit = 1e6 / (double)(o.lattice.sites * 4);
  printf("%s %s(%zu) %zu^4 %u %.4f %.4f %.4f\n", single ? "f32" : "f64", colours == 1 ? "U" : "SU", colours, extent,
         threads, heat * unit, reflection * unit, wall * unit);
  close_field(&o);
}

static void time_scalar(size_t dimensions, size_t extent, unsigned threads, double seconds)
{
  const struct scalar_action action = {dimensions, {extent, extent, extent, extent}, -1, 1};
  const struct gauge_split whole = {0};
  const struct hmc hmc = {.seed = 1, .step_size = 0.02, .steps = 10, .integrator = HMC_LEAPFROG};
  struct scalar_field field;
  double sweep = INFINITY, step = INFINITY, wall = INFINITY, end = now() + seconds;
  void *memory = aligned_alloc(64, scalar_field_bytes(&action, &whole));
  scalar_field_init(&field, &action, &whole, memory);
  field.threads = threads;
  for (uint64_t t = 0; now() < end || t < 6; t++) {
    double began = now(), start = used();
    scalar_metropolis(&field, 1, 0.5, t);
    double middle = used(), turned = now();
    field.current_action = scalar_field_action(&field, field.phi);
    double followed = used(), resumed = now();
    hmc_trajectory(&field, &hmc, t);
    sweep = fmin(sweep, middle - start);
    step = fmin(step, (used() - followed) / (double)hmc.steps);
    wall = fmin(wall, turned - began + (now() - resumed) / (double)hmc.steps);
  }
  double unit = 1e6 / (double)field.sites;
  printf("scalar phi^4 %zu^%zu %u %.5f %.5f %.5f\n", extent, dimensions, threads, sweep * unit, step * unit,
         wall * unit);
  free(memory);
}

/* ---- bounds ------------------------------------------------------------------------------------------------------ */

#ifdef __x86_64__
enum { CHAINS = 10, TURNS = 1 << 16 }; /* that do not wait for each other; and how often, in one call */

/* `step` of all chains, TURNS times; returns something of the numbers, so that they are made. */
#define PEAK(name, vector, step)                                                                                       \
  __attribute__((target("avx2,fma"), noinline)) static double name(void)                                               \
  {                                                                                                                    \
    vector x[CHAINS], factor = {0}, term = {0};                                                                        \
    factor += 0.5F, term += 1;                                                                                         \
    for (size_t i = 0; i < CHAINS; i++) {                                                                              \
      x[i] = term;                                                                                                     \
    }                                                                                                                  \
    for (size_t turn = 0; turn < TURNS; turn++) {                                                                      \
      for (size_t i = 0; i < CHAINS; i++) {                                                                            \
        x[i] = step;                                                                                                   \
      }                                                                                                                \
    }                                                                                                                  \
    for (size_t i = 1; i < CHAINS; i++) {                                                                              \
      x[0] += x[i];                                                                                                    \
    }                                                                                                                  \
    return (double)x[0][0];                                                                                            \
  }

PEAK(fused_f64, __m256d, _mm256_fmadd_pd(x[i], factor, term))
PEAK(apart_f64, __m256d, x[i] * factor + term)
PEAK(fused_f32, __m256, _mm256_fmadd_ps(x[i], factor, term))
PEAK(apart_f32, __m256, x[i] * factor + term)

/* GFLOP/s of vectors of 32 bytes of such numbers. */
static double peak_of(double (*work)(void), size_t bytes, double seconds)
{
  double best = INFINITY, end = now() + seconds;
  volatile double kept = 0;
  do {
    double start = used();
    kept = kept + work();
    best = fmin(best, used() - start);
  } while (now() < end);
  return 2e-9 * CHAINS * TURNS * 32 / (double)bytes / best;
}

static void time_peaks(double seconds)
{
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    printf("peak f64 %.1f %.1f\n", peak_of(fused_f64, 8, seconds), peak_of(apart_f64, 8, seconds));
    printf("peak f32 %.1f %.1f\n", peak_of(fused_f32, 4, seconds), peak_of(apart_f32, 4, seconds));
  }
}
#else
static void time_peaks(double seconds)
{
  (void)seconds;
}
#endif

/* Sum of a field's words, as it lies in memory or caches after a pass. */
static void time_memory(bool single, size_t extent, double seconds)
{
  typedef uint64_t words __attribute__((vector_size(32)));
  struct opened o;
  open_field(&o, extent, COLOURS);
  size_t bytes = gauge_field_bytes(&o.lattice, COLOURS) / (single ? 2 : 1);
  volatile uint64_t kept = 0;
  double best = INFINITY, end = now() + seconds;
  do {
    const words *at = o.memory;
    words sum[4] = {0};
    double start = used();
    for (size_t i = 0; i < bytes / sizeof *at; i += 4) {
      for (size_t k = 0; k < 4; k++) {
        sum[k] ^= at[i + k];
      }
    }
    kept = kept + (sum[0] ^ sum[1] ^ sum[2] ^ sum[3])[0];
    best = fmin(best, used() - start);
  } while (now() < end);
  printf("memory %s %zu^4 %.1f\n", single ? "f32" : "f64", extent, 1e-9 * (double)bytes / best);
  close_field(&o);
}

/* ---- by hand ----------------------------------------------------------------------------------------------------- */

struct plain_field {
  size_t extent;
  double complex (*links)[COLOURS][COLOURS]; /* [site][mu] */
};

static size_t moved(size_t extent, size_t site, size_t mu, bool back)
{
  size_t stride = mu == 0 ? extent * extent * extent : mu == 1 ? extent * extent : mu == 2 ? extent : 1;
  size_t at = site / stride % extent, to = back ? (at + extent - 1) % extent : (at + 1) % extent;
  return site - at * stride + to * stride;
}

/* Without the care for infinities that C's own product takes. */
static double complex times(double complex a, double complex b)
{
  return creal(a) * creal(b) - cimag(a) * cimag(b) + (creal(a) * cimag(b) + cimag(a) * creal(b)) * I;
}

static void plain_product(double complex out[COLOURS][COLOURS], double complex a[COLOURS][COLOURS], bool adjoint_a,
                          double complex b[COLOURS][COLOURS], bool adjoint_b)
{
  for (size_t i = 0; i < COLOURS; i++) {
    for (size_t j = 0; j < COLOURS; j++) {
      double complex sum = 0;
      for (size_t k = 0; k < COLOURS; k++) {
        sum += times(adjoint_a ? conj(a[k][i]) : a[i][k], adjoint_b ? conj(b[j][k]) : b[k][j]);
      }
      out[i][j] = sum;
    }
  }
}

static void plain_staples(const struct plain_field *f, size_t site, size_t mu, double complex out[COLOURS][COLOURS])
{
  double complex half[COLOURS][COLOURS], staple[COLOURS][COLOURS];
  memset(out, 0, COLOURS * COLOURS * sizeof **out);
  for (size_t nu = 0; nu < 4; nu++) {
    for (int back = 0; back < 2 && nu != mu; back++) {
      size_t from = back ? moved(f->extent, site, nu, true) : site;
      size_t side = moved(f->extent, from, mu, false), far = moved(f->extent, site, nu, false);
      if (back) {
        plain_product(half, f->links[4 * from + nu], true, f->links[4 * from + mu], false);
        plain_product(staple, half, false, f->links[4 * side + nu], false);
      } else {
        plain_product(half, f->links[4 * site + nu], false, f->links[4 * far + mu], false);
        plain_product(staple, half, false, f->links[4 * side + nu], true);
      }
      for (size_t i = 0; i < COLOURS * COLOURS; i++) {
        out[i / COLOURS][i % COLOURS] += staple[i / COLOURS][i % COLOURS];
      }
    }
  }
}

/* The link's reflection at its staples in rows i and j. */
static void plain_reflect(double complex u[COLOURS][COLOURS], double complex w[COLOURS][COLOURS], size_t i, size_t j)
{
  double complex a = 0.5 * (w[i][i] + conj(w[j][j])), b = 0.5 * (w[i][j] - conj(w[j][i]));
  double norm = creal(times(a, conj(a))) + creal(times(b, conj(b)));
  double complex c = conj(a) / sqrt(norm), d = -b / sqrt(norm), g = times(c, c) - times(d, conj(d));
  double complex h = times(c, d) + times(d, conj(c));
  for (size_t k = 0; k < COLOURS; k++) {
    double complex x = u[i][k], y = u[j][k], s = w[i][k], t = w[j][k];
    u[i][k] = times(g, x) + times(h, y);
    u[j][k] = times(conj(g), y) - times(conj(h), x);
    w[i][k] = times(g, s) + times(h, t);
    w[j][k] = times(conj(g), t) - times(conj(h), s);
  }
}

static void time_plain(size_t extent, double seconds)
{
  struct opened o;
  open_field(&o, extent, COLOURS);
  size_t sites = o.lattice.sites;
  struct plain_field f = {extent, malloc(sites * 4 * sizeof *f.links)};
  gauge_field_get(&o.field, 1, (double *)f.links);
  double before = gauge_action_value(&o.field, &o.action, 1);
  double best = INFINITY, end = now() + seconds;
  do {
    double start = used();
    for (size_t mu = 0; mu < 4; mu++) {
      for (size_t site = 0; site < sites; site++) {
        double complex staples[COLOURS][COLOURS], w[COLOURS][COLOURS];
        plain_staples(&f, site, mu, staples);
        plain_product(w, f.links[4 * site + mu], false, staples, true);
        plain_reflect(f.links[4 * site + mu], w, 0, 1);
        plain_reflect(f.links[4 * site + mu], w, 0, 2);
        plain_reflect(f.links[4 * site + mu], w, 1, 2);
      }
    }
    best = fmin(best, used() - start);
  } while (now() < end);
  gauge_field_set(&o.field, 1, (const double *)f.links);
  double after = gauge_action_value(&o.field, &o.action, 1);
  printf("plain SU(3) %zu^4 1 - %.4f -\n", extent, best * 1e6 / (double)(sites * 4));
  if (fabs(after - before) > 1e-8 * before) {
    printf("the action changed from %.12g to %.12g\n", before, after);
    exit(1);
  }
  free(f.links);
  close_field(&o);
}

int main(int count, char **arguments)
{
  double seconds = count > 1 ? strtod(arguments[1], NULL) : 1;
  time_peaks(seconds / 4);
  for (int single = 0; single < 2; single++) {
    time_memory(single, 8, seconds / 4);
    time_memory(single, 16, seconds / 4);
    for (size_t colours = 1; colours <= 3; colours++) {
      time_updates(single, 8, colours, 1, seconds);
    }
    for (unsigned threads = 1; threads <= 2; threads++) {
      time_updates(single, 16, COLOURS, threads, seconds);
    }
  }
  time_plain(8, seconds);
  time_scalar(2, 8, 1, seconds);
  time_scalar(2, 128, 1, seconds);
  time_scalar(4, 16, 1, seconds);
  time_scalar(4, 16, 2, seconds);
  return 0;
}
