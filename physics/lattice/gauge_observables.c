/* Means of loops, Polyakov loop, charge. See gauge_observables.h.
 *
 * Every task has sums of its own, of one number a site and quantity; they are exact (exact_sum.h). */
#include "physics/lattice/gauge_observables.h"

#include "physics/lattice/gauge_slab.h"
#include "physics/lattice/su_path.h"
#include "physics/simd.h"

#include <math.h>

enum { QUANTITIES = 4 };
#define PI 3.14159265358979323846

struct observing {
  const struct gauge_field *field;
  size_t width, height;         /* loops */
  size_t axis;                  /* Polyakov */
  enum gauge_strength strength; /* topology */
  struct exact_sum sum[QUANTITIES];
};

/* What a task sees of a block: a lane a site. */
struct block_view {
  double lane[QUANTITIES][LATTICE_LANES] __attribute__((aligned(64)));
};

struct task_sums {
  struct exact_sum sum[QUANTITIES];
};

static void add_view(const struct observing *o, size_t block, const struct block_view *view, struct task_sums *sums)
{
  for (size_t q = 0; q < QUANTITIES; q++) {
    gauge_slab_add(o->field->lattice, block, view->lane[q], &sums->sum[q]);
  }
}

static void end_task(struct observing *o, const struct task_sums *sums)
{
#pragma omp critical(gauge_observables)
  for (size_t q = 0; q < QUANTITIES; q++) {
    exact_sum_merge(&o->sum[q], &sums->sum[q]);
  }
}

static void observe(struct observing *o, unsigned threads, lattice_task *task)
{
  lattice_run(threads, 0, o->field->lattice->blocks, task, o);
  gauge_slab_total(o->field->slab, o->sum, QUANTITIES);
}

static double sum_of(const struct observing *o, size_t quantity)
{
  return exact_sum_value(&o->sum[quantity]);
}

/* ---- loops ------------------------------------------------------------------------------------------------------- */

/* Adds the loops' traces and how many there are; a loop with a link that is not there is zero. */
SU_INLINE void add_loops(size_t n, const double *loop, double *trace, double *count)
{
  SU_LANES(re);
  SU_LANES(squares);
  su_real_trace(n, re, loop);
  su_real_trace_adjoint(n, squares, loop, loop);
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    trace[l] += re[l];
    count[l] += squares[l] > 0 ? 1.0 : 0.0;
  }
}

SU_INLINE void loops_of_block(const struct observing *o, size_t block, struct block_view *view, size_t n)
{
  const struct lattice *lattice = o->field->lattice;
  SU_MATRIX(loop);
  uint8_t path[SU_LONGEST_LOOP];
  for (size_t mu = 0; mu < lattice->dimensions; mu++) {
    for (size_t nu = mu + 1; nu < lattice->dimensions; nu++) {
      size_t kind = mu == 0 ? 0 : 2;
      const size_t sides[2] = {o->width, o->height};
      for (size_t turned = 0; turned < (sides[0] == sides[1] ? 1 : 2); turned++) {
        size_t length = su_rectangle(path, 2 * mu, sides[turned], 2 * nu, sides[1 - turned]);
        su_path(n, loop, o->field, block, path, length);
        add_loops(n, loop, view->lane[kind], view->lane[kind + 1]);
      }
    }
  }
}

SIMD_BODY loop_blocks_body(void *context, size_t first, size_t last)
{
  struct observing *o = context;
  struct task_sums sums = {0};
  for (size_t block = first; block < last; block++) {
    struct block_view view = {0};
    SU_SWITCH(o->field->colours, loops_of_block, o, block, &view);
    add_view(o, block, &view, &sums);
  }
  end_task(o, &sums);
}
SIMD_LEVELS(loop_blocks, (void *context, size_t first, size_t last), (context, first, last))

static void measure_loops(struct observing *o, unsigned threads, struct gauge_loop_means *out)
{
  observe(o, threads, SIMD_PICK(loop_blocks));
  double colours = (double)o->field->colours;
  double temporal = sum_of(o, 0) / colours, spatial = sum_of(o, 2) / colours;
  out->temporal_count = sum_of(o, 1);
  out->spatial_count = sum_of(o, 3);
  out->temporal = temporal / out->temporal_count;
  out->spatial = spatial / out->spatial_count;
  out->all = (temporal + spatial) / (out->temporal_count + out->spatial_count);
}

void gauge_plaquette(const struct gauge_field *field, unsigned threads, struct gauge_loop_means *out)
{
  measure_loops(&(struct observing){.field = field, .width = 1, .height = 1}, threads, out);
}

void gauge_rectangle(const struct gauge_field *field, unsigned threads, struct gauge_loop_means *out)
{
  measure_loops(&(struct observing){.field = field, .width = 1, .height = 2}, threads, out);
}

/* ---- Polyakov loop ----------------------------------------------------------------------------------------------- */

/* Loops begin on the first slice, whatever lanes that is in. */
SU_INLINE void polyakov_of_block(const struct observing *o, size_t block, struct block_view *view, size_t n)
{
  const struct lattice *lattice = o->field->lattice;
  size_t at[LATTICE_MAX_DIMENSIONS];
  lattice_coordinates(lattice, block, 0, at);
  if (at[o->axis] != 0) {
    return;
  }
  SU_MATRIX(loop);
  SU_MATRIX(before);
  SU_MATRIX(scratch);
  struct su_walk walk = su_walk_from(block);
  su_unit(n, loop);
  for (size_t i = 0; i < lattice->extent[o->axis]; i++) {
    su_copy(n, before, loop);
    su_multiply(n, loop, before, su_walk_matrix(n, &walk, su_link_here(n, o->field, walk.block, o->axis), scratch));
    su_walk_step(&walk, lattice, 2 * o->axis);
  }
  su_real_trace(n, view->lane[0], loop);
  su_imaginary_trace(n, view->lane[1], loop);
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    lattice_coordinates(lattice, block, l, at);
    if (at[o->axis] != 0) {
      view->lane[0][l] = view->lane[1][l] = 0;
    }
  }
}

SIMD_BODY polyakov_blocks_body(void *context, size_t first, size_t last)
{
  struct observing *o = context;
  struct task_sums sums = {0};
  for (size_t block = first; block < last; block++) {
    struct block_view view = {0};
    SU_SWITCH(o->field->colours, polyakov_of_block, o, block, &view);
    add_view(o, block, &view, &sums);
  }
  end_task(o, &sums);
}
SIMD_LEVELS(polyakov_blocks, (void *context, size_t first, size_t last), (context, first, last))

/* Along axis 0 of a slab: each rank goes on from what those below have multiplied, in the order of a walk through the
 * whole lattice. Lines are numbered as the sites of a slice. */
struct slab_lines {
  struct gauge_slab *slab;
  size_t count, slices;
  bool first, last; /* slab of the lattice */
};

/* LATTICE_LANES lines from that one on, those behind the last repeat it; the end of each to slab->out, or its trace to
 * the sums. */
SU_INLINE void lines_of_slab(struct observing *o, const struct slab_lines *lines, size_t from, size_t n)
{
  const struct lattice *lattice = o->field->lattice;
  const size_t numbers = 2 * n * n;
  size_t line[LATTICE_LANES], block[LATTICE_LANES], lane[LATTICE_LANES];
  SU_MATRIX(loop);
  SU_MATRIX(before);
  SU_MATRIX(link);
  su_unit(n, loop);
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    line[l] = from + l < lines->count ? from + l : lines->count - 1;
    const uint32_t site = lines->slab->slice[SLAB_FIRST][line[l]];
    block[l] = site / LATTICE_LANES;
    lane[l] = site % LATTICE_LANES;
    for (size_t k = 0; k < numbers && !lines->first; k++) {
      loop[k * LATTICE_LANES + l] = lines->slab->in[line[l] * numbers + k];
    }
  }
  for (size_t i = 0; i < lines->slices; i++) {
    for (size_t l = 0; l < LATTICE_LANES; l++) {
      const double *here = gauge_link(o->field, block[l], 0) + lane[l];
      const uint32_t next = lattice->link[block[l] * 2 * lattice->dimensions];
      for (size_t k = 0; k < numbers; k++) {
        link[k * LATTICE_LANES + l] = here[k * LATTICE_LANES];
      }
      block[l] = next & LATTICE_BLOCK;
      lane[l] = next & LATTICE_CROSSES ? lattice->permutation[0][lane[l]] : lane[l];
    }
    su_copy(n, before, loop);
    su_multiply(n, loop, before, link);
  }
  SU_LANES(re);
  SU_LANES(im);
  su_real_trace(n, re, loop);
  su_imaginary_trace(n, im, loop);
  for (size_t l = 0; l < LATTICE_LANES && from + l < lines->count; l++) {
    for (size_t k = 0; k < numbers; k++) {
      lines->slab->out[line[l] * numbers + k] = loop[k * LATTICE_LANES + l];
    }
    if (lines->last) {
      exact_sum_add(&o->sum[0], re[l]);
      exact_sum_add(&o->sum[1], im[l]);
    }
  }
}

static void polyakov_across(struct observing *o)
{
  const struct lattice *lattice = o->field->lattice;
  struct gauge_slab *slab = o->field->slab;
  struct ranks *ranks = slab->ranks;
  struct error ignored = {0}; /* ranks->broken stays */
  const struct slab_lines lines = {.slab = slab,
                                   .count = slab->sites / (lattice->halo / 2),
                                   .slices = lattice->extent[0] - lattice->halo,
                                   .first = ranks->rank == 0,
                                   .last = ranks->rank + 1 == slab->parts};
  const size_t bytes = lines.count * 2 * o->field->colours * o->field->colours * sizeof(double);
  if (!lines.first && ranks_receive(ranks, ranks->rank - 1, slab->in, bytes, &ignored) != 0) {
    return;
  }
  for (size_t line = 0; line < lines.count; line += LATTICE_LANES) {
    SU_SWITCH(o->field->colours, lines_of_slab, o, &lines, line);
  }
  if (!lines.last) {
    ranks_send(ranks, ranks->rank + 1, slab->out, bytes, &ignored);
  }
}

void gauge_polyakov(const struct gauge_field *field, size_t axis, unsigned threads, double out[2])
{
  struct observing o = {.field = field, .axis = axis};
  const size_t length = axis == 0 ? field->lattice->whole : field->lattice->extent[axis];
  double count = (double)(lattice_all_sites(field->lattice) / length * field->colours);
  if (axis == 0 && field->slab != NULL) {
    polyakov_across(&o);
    gauge_slab_total(field->slab, o.sum, QUANTITIES);
  } else {
    observe(&o, threads, SIMD_PICK(polyakov_blocks));
  }
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

/* out += weight Tr F G of the strengths, which are i times Hermitian: Tr a b^dagger of the anti-Hermitian. */
SU_INLINE void add_product(size_t n, double weight, const double *a, const double *b, double *out)
{
  SU_LANES(trace);
  su_real_trace_adjoint(n, trace, a, b);
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    out[l] += weight * trace[l];
  }
}

SU_INLINE void topology_of_block(const struct observing *o, size_t block, struct block_view *view, size_t n)
{
  const struct lattice *lattice = o->field->lattice;
  double strengths[GAUGE_MAX_PLANES][SU_ROOM] __attribute__((aligned(64)));
  double *charge = view->lane[0], *energy = view->lane[1];
  size_t planes = 0;
  for (size_t mu = 0; mu < lattice->dimensions; mu++) {
    for (size_t nu = mu + 1; nu < lattice->dimensions; nu++) {
      field_strength(n, strengths[planes], o, block, mu, nu);
      add_product(n, 1, strengths[planes], strengths[planes], energy);
      planes++;
    }
  }
  if (planes == GAUGE_MAX_PLANES) { /* 01, 02, 03, 12, 13, 23 */
    add_product(n, 1, strengths[0], strengths[5], charge);
    add_product(n, -1, strengths[1], strengths[4], charge);
    add_product(n, 1, strengths[2], strengths[3], charge);
  } else if (planes == 1) {
    su_imaginary_trace(n, charge, strengths[0]);
  }
}

SIMD_BODY topology_blocks_body(void *context, size_t first, size_t last)
{
  struct observing *o = context;
  struct task_sums sums = {0};
  for (size_t block = first; block < last; block++) {
    struct block_view view = {0};
    SU_SWITCH(o->field->colours, topology_of_block, o, block, &view);
    add_view(o, block, &view, &sums);
  }
  end_task(o, &sums);
}
SIMD_LEVELS(topology_blocks, (void *context, size_t first, size_t last), (context, first, last))

void gauge_topology(const struct gauge_field *field, enum gauge_strength strength, unsigned threads,
                    struct gauge_topology *out)
{
  struct observing o = {.field = field, .strength = strength};
  size_t dimensions = field->lattice->dimensions;
  observe(&o, threads, SIMD_PICK(topology_blocks));
  out->charge = (double)NAN;
  if (dimensions == 4) {
    out->charge = sum_of(&o, 0) / (4 * PI * PI);
  } else if (dimensions == 2 && field->colours == 1) {
    out->charge = sum_of(&o, 0) / (2 * PI);
  }
  out->energy = sum_of(&o, 1) / (double)lattice_all_sites(field->lattice);
}

/* ---- angles ------------------------------------------------------------------------------------------------------ */

static void angle_blocks(void *context, size_t first, size_t last)
{
  struct observing *o = context;
  struct task_sums sums = {0};
  uint8_t path[SU_LONGEST_LOOP];
  size_t length = su_rectangle(path, 0, 1, 2, 1);
  for (size_t block = first; block < last; block++) {
    SU_MATRIX(loop);
    struct block_view view = {0};
    su_path(1, loop, o->field, block, path, length);
    for (size_t l = 0; l < LATTICE_LANES; l++) {
      double re = loop[l], im = loop[LATTICE_LANES + l];
      view.lane[0][l] = atan2(im, re);
      view.lane[1][l] = re == 0 && im == 0 ? 1.0 : 0.0;
    }
    add_view(o, block, &view, &sums);
  }
  end_task(o, &sums);
}

double gauge_geometric_charge(const struct gauge_field *field, unsigned threads)
{
  struct observing o = {.field = field};
  observe(&o, threads, angle_blocks);
  double charge = sum_of(&o, 0) / (2 * PI);
  return sum_of(&o, 1) > 0 ? charge : nearbyint(charge);
}
