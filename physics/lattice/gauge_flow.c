/* The flow's integrator. See gauge_flow.h.
 *
 * With Z_i = step Z(W_i), the three stages in two fields of storage (arXiv:1006.4518, C.2):
 *   K0 = Z_0 / 4                          W1 = exp(K0) W0
 *   K1 = 8/9 Z_1 - 17/9 K0                W2 = exp(K1) W1
 *   K2 = 3/4 Z_2 - K1                     W3 = exp(K2) W2
 * and of second order, with the same Z, V' = exp(-Z_0 + 2 Z_1) W0 = exp(9/4 K1 + 1/4 K0) W0. */
#include "physics/lattice/gauge_flow.h"

#include "physics/lattice/gauge_staple.h"
#include "physics/lattice/su_group.h"
#include "physics/simd.h"

#include <string.h>

struct flowing {
  struct gauge_field *field;
  double *k;              /* the algebra's field, as the links */
  double *start, *second; /* adaptive: W0, and what makes V' of it; else NULL */
  double *distance;       /* adaptive: [block] */
  double of_z, of_k;      /* stage: K = of_z Z + of_k K */
  double add_k;           /* second += add_k K */
};

static size_t links_bytes(const struct lattice *lattice, size_t colours)
{
  return lattice->blocks * lattice->dimensions * colours * colours * 2 * LATTICE_LANES * sizeof(double);
}

size_t gauge_flow_bytes(const struct lattice *lattice, size_t colours, bool adaptive)
{
  size_t distances = (lattice->blocks * sizeof(double) + 63) / 64 * 64;
  return links_bytes(lattice, colours) * (adaptive ? 3 : 1) + (adaptive ? distances : 0);
}

/* ---- a stage ----------------------------------------------------------------------------------------------------- */

/* k = of_z Z + of_k k of all links of a block: the field is only read. */
SU_INLINE void force_of_block(const struct flowing *f, size_t block, size_t n)
{
  const double weight[LATTICE_MAX_DIMENSIONS] = {1, 1, 1, 1};
  SU_MATRIX(staples);
  SU_MATRIX(force);
  for (size_t mu = 0; mu < f->field->lattice->dimensions; mu++) {
    double *k = f->k + (block * f->field->lattice->dimensions + mu) * su_size(n);
    gauge_staple_sum(n, staples, f->field, block, mu, weight);
    su_multiply_adjoint(n, force, su_link_here(n, f->field, block, mu), staples);
    su_to_algebra(n, force);
    su_scale(n, k, f->of_k);
    su_add(n, k, -f->of_z, force);
    if (f->second != NULL && f->add_k != 0) {
      su_add(n, f->second + (k - f->k), f->add_k, k);
    }
  }
}

SIMD_BODY force_blocks_body(void *context, size_t first, size_t last)
{
  const struct flowing *f = context;
  for (size_t block = first; block < last; block++) {
    SU_SWITCH(f->field->colours, force_of_block, f, block);
  }
}
SIMD_LEVELS(force_blocks, (void *context, size_t first, size_t last), (context, first, last))

/* U = exp(k) U of a block. */
SU_INLINE void turn_block(const struct flowing *f, size_t block, size_t n)
{
  SU_MATRIX(turn);
  SU_MATRIX(before);
  for (size_t mu = 0; mu < f->field->lattice->dimensions; mu++) {
    size_t at = (block * f->field->lattice->dimensions + mu) * su_size(n);
    su_exponential(n, turn, f->k + at);
    su_copy(n, before, f->field->links + at);
    su_multiply(n, f->field->links + at, turn, before);
  }
}

SIMD_BODY turn_blocks_body(void *context, size_t first, size_t last)
{
  const struct flowing *f = context;
  for (size_t block = first; block < last; block++) {
    SU_SWITCH(f->field->colours, turn_block, f, block);
  }
}
SIMD_LEVELS(turn_blocks, (void *context, size_t first, size_t last), (context, first, last))

/* Greatest distance of the block's links to those of second order. */
SU_INLINE void compare_block(const struct flowing *f, size_t block, size_t n)
{
  SU_MATRIX(turn);
  SU_MATRIX(second);
  double largest = 0;
  for (size_t mu = 0; mu < f->field->lattice->dimensions; mu++) {
    size_t at = (block * f->field->lattice->dimensions + mu) * su_size(n);
    su_exponential(n, turn, f->second + at);
    su_multiply(n, second, turn, f->start + at);
    su_add(n, second, -1, f->field->links + at);
    double norm = su_largest_norm(n, second);
    largest = norm > largest ? norm : largest;
  }
  f->distance[block] = largest / (double)(n * n);
}

SIMD_BODY compare_blocks_body(void *context, size_t first, size_t last)
{
  const struct flowing *f = context;
  for (size_t block = first; block < last; block++) {
    SU_SWITCH(f->field->colours, compare_block, f, block);
  }
}
SIMD_LEVELS(compare_blocks, (void *context, size_t first, size_t last), (context, first, last))

/* ---- steps ------------------------------------------------------------------------------------------------------- */

static void take_step(struct flowing *f, double step, unsigned threads)
{
  const double of_z[3] = {1.0 / 4, 8.0 / 9, 3.0 / 4}, of_k[3] = {0, -17.0 / 9, -1}, add_k[3] = {1.0 / 4, 9.0 / 4, 0};
  size_t blocks = f->field->lattice->blocks;
  for (int stage = 0; stage < 3; stage++) {
    f->of_z = step * of_z[stage];
    f->of_k = of_k[stage];
    f->add_k = add_k[stage];
    lattice_run(threads, 0, blocks, SIMD_PICK(force_blocks), f);
    lattice_run(threads, 0, blocks, SIMD_PICK(turn_blocks), f);
  }
}

static double distance_of(struct flowing *f, unsigned threads)
{
  size_t blocks = f->field->lattice->blocks;
  double largest = 0;
  lattice_run(threads, 0, blocks, SIMD_PICK(compare_blocks), f);
  for (size_t block = 0; block < blocks; block++) {
    largest = f->distance[block] > largest ? f->distance[block] : largest;
  }
  return largest;
}

/* A step of the flow's own length or less, again with a shorter one where it was too long. Returns its length. */
static double adapted_step(struct flowing *f, struct gauge_flow *flow, double most, unsigned threads)
{
  size_t bytes = links_bytes(f->field->lattice, f->field->colours);
  memcpy(f->start, f->field->links, bytes);
  for (;;) {
    double step = flow->step < most ? flow->step : most;
    memset(f->second, 0, bytes);
    take_step(f, step, threads);
    double distance = distance_of(f, threads);
    double factor = distance > 0 ? 0.95 * cbrt(flow->tolerance / distance) : 2;
    double next = step * (factor < 2 ? factor : 2);
    bool good = distance <= flow->tolerance;
    if (!good || step == flow->step || next < flow->step) { /* a step that was cut says nothing of longer ones */
      flow->step = next < FLOW_MAX_STEP ? next : FLOW_MAX_STEP;
    }
    if (good) {
      return step;
    }
    memcpy(f->field->links, f->start, bytes);
  }
}

bool gauge_flow_on(struct gauge_field *field, struct gauge_flow *flow, double time, unsigned threads,
                   const volatile int *cancel, void *scratch)
{
  size_t numbers = links_bytes(field->lattice, field->colours) / sizeof(double);
  struct flowing f = {.field = field, .k = scratch};
  memset(f.k, 0, numbers * sizeof(double));
  if (flow->tolerance > 0) {
    f.start = f.k + numbers;
    f.second = f.start + numbers;
    f.distance = f.second + numbers;
  }
  for (double rest = time; rest > 1e-12 * time && rest > 0;) {
    if (cancel != NULL && *cancel) {
      return false;
    }
    if (flow->tolerance > 0) {
      rest -= adapted_step(&f, flow, rest, threads);
    } else { /* equal steps of at most the flow's own */
      double step = rest / ceil(rest / flow->step * (1 - 1e-12));
      take_step(&f, step, threads);
      rest -= step;
    }
  }
  return true;
}
