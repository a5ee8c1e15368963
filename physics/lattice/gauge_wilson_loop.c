/* Wilson loops from straight lines. See gauge_wilson_loop.h.
 *
 * lines[r](x) is the product of r links from x along the spatial axis, time(x) that of t along axis 0; a loop is
 *   lines[r](x) time(x + r mu) lines[r](x + t)^dagger time(x)^dagger. */
#include "physics/lattice/gauge_wilson_loop.h"

#include "physics/lattice/gauge_transform.h"
#include "physics/lattice/su_path.h"
#include "physics/simd.h"

#include "datacube/base/checked.h"

struct looping {
  const struct gauge_field *field;
  double *sums;  /* [trace, count][block] */
  double *time;  /* t links along axis 0 */
  double *lines; /* [r - 1]: r links along mu */
  size_t stride; /* doubles of a field of one matrix a site */
  size_t mu, r, t;
  size_t axis;  /* extend: of the lines */
  double *line; /* extend: length links of them … */
  size_t length;
  const double *from; /* … of length - 1 */
};

static size_t sums_bytes(const struct lattice *lattice)
{
  return (2 * lattice->blocks * sizeof(double) + 63) / 64 * 64;
}

size_t gauge_wilson_loop_bytes(const struct lattice *lattice, size_t colours, const struct gauge_loop_sizes *sizes)
{
  size_t fields = saturated_mul(gauge_sites_bytes(lattice, colours), sizes->r + 1);
  return saturated_add(fields, sums_bytes(lattice));
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

SU_INLINE void extend_block(const struct looping *l, size_t block, size_t n)
{
  SU_MATRIX(before);
  SU_MATRIX(scratch);
  double *line = l->line + block * su_size(n);
  struct su_walk walk = su_walk_from(block);
  if (l->length == 1) {
    su_copy(n, line, su_link_here(n, l->field, block, l->axis));
    return;
  }
  for (size_t i = 1; i < l->length; i++) {
    su_walk_step(&walk, l->field->lattice, 2 * l->axis);
  }
  su_copy(n, before, l->from + block * su_size(n));
  su_multiply(n, line, before, su_walk_matrix(n, &walk, su_link_here(n, l->field, walk.block, l->axis), scratch));
}

SIMD_BODY extend_blocks_body(void *context, size_t first, size_t last)
{
  const struct looping *l = context;
  for (size_t block = first; block < last; block++) {
    SU_SWITCH(l->field->colours, extend_block, l, block);
  }
}
SIMD_LEVELS(extend_blocks, (void *context, size_t first, size_t last), (context, first, last))

/* `line` becomes lines of that length, one link longer than those of `from`, which may be itself. */
static void extend_lines(struct looping *l, unsigned threads, double *line, const double *from, size_t length)
{
  l->line = line;
  l->from = from;
  l->length = length;
  lattice_run(threads, 0, l->field->lattice->blocks, SIMD_PICK(extend_blocks), l);
}

/* ---- loops ------------------------------------------------------------------------------------------------------- */

SU_INLINE void loop_of_block(const struct looping *l, size_t block, size_t n)
{
  const struct lattice *lattice = l->field->lattice;
  const double *lines = l->lines + (l->r - 1) * l->stride;
  SU_MATRIX(scratch);
  SU_MATRIX(there);
  SU_MATRIX(back);
  SU_LANES(trace);
  SU_LANES(squares);
  struct su_walk right = su_walk_from(block), up = su_walk_from(block);
  for (size_t i = 0; i < l->r; i++) {
    su_walk_step(&right, lattice, 2 * l->mu);
  }
  for (size_t i = 0; i < l->t; i++) {
    su_walk_step(&up, lattice, 0);
  }
  su_multiply(n, there, lines + block * su_size(n),
              su_walk_matrix(n, &right, l->time + right.block * su_size(n), scratch));
  su_multiply(n, back, l->time + block * su_size(n), su_walk_matrix(n, &up, lines + up.block * su_size(n), scratch));
  su_real_trace_adjoint(n, trace, there, back);
  l->sums[block] = su_sum_lanes(lattice, trace);
  su_multiply_adjoint(n, scratch, there, back);
  su_real_trace_adjoint(n, squares, scratch, scratch);
  double count = 0;
  for (size_t lane = 0; lane < lattice->lanes; lane++) {
    count += squares[lane] > 0;
  }
  l->sums[lattice->blocks + block] = count;
}

SIMD_BODY loop_blocks_of_body(void *context, size_t first, size_t last)
{
  const struct looping *l = context;
  for (size_t block = first; block < last; block++) {
    SU_SWITCH(l->field->colours, loop_of_block, l, block);
  }
}
SIMD_LEVELS(loop_blocks_of, (void *context, size_t first, size_t last), (context, first, last))

/* Adds the loops along mu to out, and their numbers to count. */
static void loops_along(struct looping *l, const struct gauge_loop_sizes *sizes, unsigned threads,
                        const volatile int *cancel, double *out[2])
{
  size_t blocks = l->field->lattice->blocks;
  l->axis = l->mu;
  for (size_t r = 1; r <= sizes->r; r++) {
    extend_lines(l, threads, l->lines + (r - 1) * l->stride, r > 1 ? l->lines + (r - 2) * l->stride : NULL, r);
  }
  for (l->t = 1; l->t <= sizes->t; l->t++) {
    l->axis = 0;
    extend_lines(l, threads, l->time, l->time, l->t);
    for (l->r = 1; l->r <= sizes->r; l->r++) {
      if (cancel != NULL && *cancel) {
        return;
      }
      lattice_run(threads, 0, blocks, SIMD_PICK(loop_blocks_of), l);
      size_t at = (l->r - 1) * sizes->t + l->t - 1;
      out[0][at] += lattice_sum(l->sums, blocks) / (double)l->field->colours;
      out[1][at] += lattice_sum(l->sums + blocks, blocks);
    }
  }
}

void gauge_wilson_loops(const struct gauge_field *field, const struct gauge_loop_sizes *sizes, unsigned threads,
                        const volatile int *cancel, void *scratch, double *out)
{
  const struct lattice *lattice = field->lattice;
  struct looping l = {.field = field,
                      .sums = scratch,
                      .time = (double *)scratch + sums_bytes(lattice) / sizeof(double),
                      .stride = gauge_sites_bytes(lattice, field->colours) / sizeof(double)};
  double counts[GAUGE_MOST_LOOPS] = {0}, *both[2] = {out, counts};
  l.lines = l.time + l.stride;
  for (size_t i = 0; i < sizes->r * sizes->t; i++) {
    out[i] = 0;
  }
  for (l.mu = 1; l.mu < lattice->dimensions; l.mu++) {
    loops_along(&l, sizes, threads, cancel, both);
  }
  for (size_t i = 0; i < sizes->r * sizes->t; i++) {
    out[i] /= counts[i];
  }
}
