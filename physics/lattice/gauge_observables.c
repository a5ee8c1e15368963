/* Means of loops, Polyakov loop, charge. See gauge_observables.h.
 *
 * Every task leaves one number a block and quantity in scratch[quantity][block]; they are summed in block order. */
#include "physics/lattice/gauge_observables.h"

#include "physics/lattice/su_path.h"
#include "physics/simd.h"

#include <math.h>

enum { QUANTITIES = 4 };
#define PI 3.14159265358979323846

size_t gauge_observables_bytes(const struct lattice *lattice)
{
  return (lattice->blocks * QUANTITIES * sizeof(double) + 63) / 64 * 64;
}

struct observing {
  const struct gauge_field *field;
  double *sums;                 /* [quantity][block] */
  size_t width, height;         /* loops */
  size_t axis;                  /* Polyakov */
  enum gauge_strength strength; /* topology */
};

static double sum_of(const struct observing *o, size_t quantity)
{
  size_t blocks = o->field->lattice->blocks;
  return lattice_sum(o->sums + quantity * blocks, blocks);
}

/* ---- loops ------------------------------------------------------------------------------------------------------- */

/* Adds the loops' traces and how many there are; a loop with a link that is not there is zero. */
SU_INLINE void add_loops(size_t n, const struct lattice *lattice, const double *loop, double *trace, double *count)
{
  SU_LANES(re);
  SU_LANES(squares);
  su_real_trace(n, re, loop);
  su_real_trace_adjoint(n, squares, loop, loop);
  for (size_t l = 0; l < lattice->lanes; l++) {
    *trace += re[l];
    *count += squares[l] > 0;
  }
}

SU_INLINE void loops_of_block(const struct observing *o, size_t block, size_t n)
{
  const struct lattice *lattice = o->field->lattice;
  double sums[QUANTITIES] = {0};
  SU_MATRIX(loop);
  uint8_t path[SU_LONGEST_LOOP];
  for (size_t mu = 0; mu < lattice->dimensions; mu++) {
    for (size_t nu = mu + 1; nu < lattice->dimensions; nu++) {
      size_t kind = mu == 0 ? 0 : 2;
      const size_t sides[2] = {o->width, o->height};
      for (size_t turned = 0; turned < (sides[0] == sides[1] ? 1 : 2); turned++) {
        size_t length = su_rectangle(path, 2 * mu, sides[turned], 2 * nu, sides[1 - turned]);
        su_path(n, loop, o->field, block, path, length);
        add_loops(n, lattice, loop, &sums[kind], &sums[kind + 1]);
      }
    }
  }
  for (size_t q = 0; q < QUANTITIES; q++) {
    o->sums[q * lattice->blocks + block] = sums[q];
  }
}

SIMD_BODY loop_blocks_body(void *context, size_t first, size_t last)
{
  const struct observing *o = context;
  for (size_t block = first; block < last; block++) {
    SU_SWITCH(o->field->colours, loops_of_block, o, block);
  }
}
SIMD_LEVELS(loop_blocks, (void *context, size_t first, size_t last), (context, first, last))

static void measure_loops(struct observing *o, unsigned threads, struct gauge_loop_means *out)
{
  lattice_run(threads, 0, o->field->lattice->blocks, SIMD_PICK(loop_blocks), o);
  double colours = (double)o->field->colours;
  double temporal = sum_of(o, 0) / colours, spatial = sum_of(o, 2) / colours;
  out->temporal_count = sum_of(o, 1);
  out->spatial_count = sum_of(o, 3);
  out->temporal = temporal / out->temporal_count;
  out->spatial = spatial / out->spatial_count;
  out->all = (temporal + spatial) / (out->temporal_count + out->spatial_count);
}

void gauge_plaquette(const struct gauge_field *field, unsigned threads, void *scratch, struct gauge_loop_means *out)
{
  measure_loops(&(struct observing){.field = field, .sums = scratch, .width = 1, .height = 1}, threads, out);
}

void gauge_rectangle(const struct gauge_field *field, unsigned threads, void *scratch, struct gauge_loop_means *out)
{
  measure_loops(&(struct observing){.field = field, .sums = scratch, .width = 1, .height = 2}, threads, out);
}

/* ---- Polyakov loop ----------------------------------------------------------------------------------------------- */

/* Loops that begin in different lanes on one line have the same trace: all lanes of the blocks on the first slice of
 * the sublattices make the mean. */
SU_INLINE void polyakov_of_block(const struct observing *o, size_t block, size_t n)
{
  const struct lattice *lattice = o->field->lattice;
  size_t at[LATTICE_MAX_DIMENSIONS];
  double *re = &o->sums[block], *im = &o->sums[lattice->blocks + block];
  *re = *im = 0;
  lattice_coordinates(lattice, block, 0, at);
  if (at[o->axis] != 0) {
    return;
  }
  SU_MATRIX(loop);
  SU_MATRIX(before);
  SU_MATRIX(scratch);
  SU_LANES(trace);
  struct su_walk walk = su_walk_from(block);
  su_unit(n, loop);
  for (size_t i = 0; i < lattice->extent[o->axis]; i++) {
    su_copy(n, before, loop);
    su_multiply(n, loop, before, su_walk_matrix(n, &walk, su_link_here(n, o->field, walk.block, o->axis), scratch));
    su_walk_step(&walk, lattice, 2 * o->axis);
  }
  su_real_trace(n, trace, loop);
  *re = su_sum_lanes(lattice, trace);
  su_imaginary_trace(n, trace, loop);
  *im = su_sum_lanes(lattice, trace);
}

SIMD_BODY polyakov_blocks_body(void *context, size_t first, size_t last)
{
  const struct observing *o = context;
  for (size_t block = first; block < last; block++) {
    SU_SWITCH(o->field->colours, polyakov_of_block, o, block);
  }
}
SIMD_LEVELS(polyakov_blocks, (void *context, size_t first, size_t last), (context, first, last))

void gauge_polyakov(const struct gauge_field *field, size_t axis, unsigned threads, void *scratch, double out[2])
{
  struct observing o = {.field = field, .sums = scratch, .axis = axis};
  double count = (double)(field->lattice->sites / field->lattice->inner[axis] * field->colours);
  lattice_run(threads, 0, field->lattice->blocks, SIMD_PICK(polyakov_blocks), &o);
  out[0] = sum_of(&o, 0) / count;
  out[1] = sum_of(&o, 1) / count;
}

/* ---- field strength ---------------------------------------------------------------------------------------------- */

/* Sizes of leaves and what each of a size weighs. An a x b leaf is a b times the strength: 2/3 of the mean of both
 * halves. */
struct leaves {
  size_t size[2];
  double weight;
};
static const struct leaves clover[] = {{{1, 1}, 1.0 / 4}};
static const struct leaves improved[] = {{{1, 1}, 5.0 / 12}, {{1, 2}, -1.0 / 24}, {{2, 1}, -1.0 / 24}};

/* out = the anti-Hermitian field strength of the plane, of the four leaves of each size around x. */
SU_INLINE void field_strength(size_t n, double *out, const struct observing *o, size_t block, size_t mu, size_t nu)
{
  const bool is_clover = o->strength == GAUGE_CLOVER;
  const struct leaves *leaves = is_clover ? clover : improved;
  const size_t count = is_clover ? sizeof clover / sizeof clover[0] : sizeof improved / sizeof improved[0];
  const size_t turn[4] = {2 * mu, 2 * nu, 2 * mu ^ 1, 2 * nu ^ 1};
  SU_MATRIX(leaf);
  uint8_t path[SU_LONGEST_LOOP];
  su_zero(n, out);
  for (size_t k = 0; k < 4 * count; k++) {
    const size_t *size = leaves[k / 4].size, i = k % 4;
    size_t length = su_rectangle(path, turn[i], size[i % 2], turn[(i + 1) % 4], size[(i + 1) % 2]);
    su_path(n, leaf, o->field, block, path, length);
    su_add(n, out, leaves[k / 4].weight, leaf);
  }
  su_to_algebra(n, out);
}

/* Sum over the lanes of Tr F G of the strengths, which are i times Hermitian: Tr a b^dagger of the anti-Hermitian. */
SU_INLINE double strength_product(size_t n, const struct lattice *lattice, const double *a, const double *b)
{
  SU_LANES(trace);
  su_real_trace_adjoint(n, trace, a, b);
  return su_sum_lanes(lattice, trace);
}

SU_INLINE void topology_of_block(const struct observing *o, size_t block, size_t n)
{
  const struct lattice *lattice = o->field->lattice;
  double strengths[GAUGE_MAX_PLANES][SU_ROOM] __attribute__((aligned(64)));
  SU_LANES(trace);
  double energy = 0, charge = NAN;
  size_t planes = 0;
  for (size_t mu = 0; mu < lattice->dimensions; mu++) {
    for (size_t nu = mu + 1; nu < lattice->dimensions; nu++) {
      field_strength(n, strengths[planes], o, block, mu, nu);
      energy += strength_product(n, lattice, strengths[planes], strengths[planes]);
      planes++;
    }
  }
  if (planes == GAUGE_MAX_PLANES) { /* 01, 02, 03, 12, 13, 23 */
    charge = strength_product(n, lattice, strengths[0], strengths[5]) -
             strength_product(n, lattice, strengths[1], strengths[4]) +
             strength_product(n, lattice, strengths[2], strengths[3]);
    charge /= 4 * PI * PI;
  } else if (planes == 1 && n == 1) {
    su_imaginary_trace(n, trace, strengths[0]);
    charge = su_sum_lanes(lattice, trace) / (2 * PI);
  }
  o->sums[block] = charge;
  o->sums[lattice->blocks + block] = energy;
}

SIMD_BODY topology_blocks_body(void *context, size_t first, size_t last)
{
  const struct observing *o = context;
  for (size_t block = first; block < last; block++) {
    SU_SWITCH(o->field->colours, topology_of_block, o, block);
  }
}
SIMD_LEVELS(topology_blocks, (void *context, size_t first, size_t last), (context, first, last))

void gauge_topology(const struct gauge_field *field, enum gauge_strength strength, unsigned threads, void *scratch,
                    struct gauge_topology *out)
{
  struct observing o = {.field = field, .sums = scratch, .strength = strength};
  lattice_run(threads, 0, field->lattice->blocks, SIMD_PICK(topology_blocks), &o);
  out->charge = sum_of(&o, 0);
  out->energy = sum_of(&o, 1) / (double)field->lattice->sites;
}

/* ---- angles ------------------------------------------------------------------------------------------------------ */

static void angle_blocks(void *context, size_t first, size_t last)
{
  const struct observing *o = context;
  const struct lattice *lattice = o->field->lattice;
  uint8_t path[SU_LONGEST_LOOP];
  size_t length = su_rectangle(path, 0, 1, 2, 1);
  for (size_t block = first; block < last; block++) {
    SU_MATRIX(loop);
    double *angles = &o->sums[block], *missing = &o->sums[lattice->blocks + block];
    *angles = *missing = 0;
    su_path(1, loop, o->field, block, path, length);
    for (size_t l = 0; l < lattice->lanes; l++) {
      double re = loop[l], im = loop[LATTICE_LANES + l];
      *angles += atan2(im, re);
      *missing += re == 0 && im == 0;
    }
  }
}

double gauge_geometric_charge(const struct gauge_field *field, unsigned threads, void *scratch)
{
  struct observing o = {.field = field, .sums = scratch};
  lattice_run(threads, 0, field->lattice->blocks, angle_blocks, &o);
  double charge = sum_of(&o, 0) / (2 * PI);
  return sum_of(&o, 1) > 0 ? charge : nearbyint(charge);
}
