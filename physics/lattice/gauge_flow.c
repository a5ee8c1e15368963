/* The flow's stages on the CPU. See gauge_flow.h; gauge_flow_steps.h has the integrator. */
#include "physics/lattice/gauge_flow.h"

#include "physics/lattice/gauge_flow_steps.h"
#include "physics/lattice/gauge_slab.h"
#include "physics/lattice/gauge_staple.h"
#include "physics/lattice/su_group.h"
#include "physics/simd.h"

#include <string.h>

struct flowing {
  struct gauge_field *field;
  unsigned threads;
  double *k;              /* the algebra's field, as the links */
  double *start, *second; /* adaptive: W0, and what makes V' of it; else NULL */
  double *distance;       /* adaptive: [block] */
  struct flow_stage stage;
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
    su_scale(n, k, f->stage.of_k);
    su_add(n, k, -f->stage.of_z, force);
    if (f->second != NULL && f->stage.add_k != 0) {
      su_add(n, f->second + (k - f->k), f->stage.add_k, k);
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

/* Greatest distance of the links of the block's own sites to those of second order. */
SU_INLINE void compare_block(const struct flowing *f, size_t block, size_t n)
{
  SU_MATRIX(turn);
  SU_MATRIX(second);
  SU_LANES(squares);
  const unsigned own = lattice_own_lanes(f->field->lattice, block);
  double largest = 0;
  for (size_t mu = 0; mu < f->field->lattice->dimensions; mu++) {
    size_t at = (block * f->field->lattice->dimensions + mu) * su_size(n);
    su_exponential(n, turn, f->second + at);
    su_multiply(n, second, turn, f->start + at);
    su_add(n, second, -1, f->field->links + at);
    su_real_trace_adjoint(n, squares, second, second);
    for (unsigned lane = 0; own >> lane != 0; lane++) {
      largest = (own >> lane & 1) != 0 && squares[lane] > largest ? squares[lane] : largest;
    }
  }
  f->distance[block] = sqrt(largest) / (double)(n * n);
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

static int keep(void *context, struct error *error)
{
  const struct flowing *f = context;
  (void)error;
  memcpy(f->start, f->field->links, links_bytes(f->field->lattice, f->field->colours));
  return 0;
}

static int again(void *context, struct error *error)
{
  const struct flowing *f = context;
  const size_t bytes = links_bytes(f->field->lattice, f->field->colours);
  (void)error;
  memcpy(f->field->links, f->start, bytes);
  memset(f->second, 0, bytes);
  return 0;
}

static int take_stage(void *context, const struct flow_stage *stage, struct error *error)
{
  struct flowing *f = context;
  const size_t blocks = f->field->lattice->blocks;
  (void)error;
  f->stage = *stage;
  lattice_run(f->threads, 0, blocks, SIMD_PICK(force_blocks), f);
  lattice_run(f->threads, 0, blocks, SIMD_PICK(turn_blocks), f);
  gauge_slab_exchange_all(f->field);
  return 0;
}

static int find_distance(void *context, double *out, struct error *error)
{
  struct flowing *f = context;
  const size_t blocks = f->field->lattice->blocks;
  (void)error;
  lattice_run(f->threads, 0, blocks, SIMD_PICK(compare_blocks), f);
  *out = 0;
  for (size_t block = 0; block < blocks; block++) {
    *out = f->distance[block] > *out ? f->distance[block] : *out;
  }
  gauge_slab_largest(f->field->slab, out);
  return 0;
}

bool gauge_flow_on(struct gauge_field *field, struct gauge_flow *flow, double time, unsigned threads,
                   const volatile int *cancel, void *scratch)
{
  size_t numbers = links_bytes(field->lattice, field->colours) / sizeof(double);
  struct flowing f = {.field = field, .threads = threads, .k = scratch};
  const struct flow_steps steps = {&f, keep, again, take_stage, find_distance, cancel};
  struct error none = {0};
  bool done;
  memset(f.k, 0, numbers * sizeof(double));
  if (flow->tolerance > 0) {
    f.start = f.k + numbers;
    f.second = f.start + numbers;
    f.distance = f.second + numbers;
  }
  flow_steps_on(&steps, flow, time, &done, &none);
  return done;
}
