/* Gauge fixing by over-relaxation. See gauge_fixing.h. */
#include "physics/lattice/gauge_fixing.h"

#include "physics/lattice/su_path.h"
#include "physics/simd.h"

#include <math.h>

enum { SWEEPS_A_CHECK = 10 };

struct fixing {
  struct gauge_field *field;
  const struct gauge_field *seen; /* residual */
  size_t first_axis;
  double overrelaxation;
  double *sums; /* residual: [block] */
};

size_t gauge_fixing_bytes(const struct lattice *lattice)
{
  return (lattice->blocks * sizeof(double) + 63) / 64 * 64;
}

/* ---- a site ------------------------------------------------------------------------------------------------------ */

struct su2_turn { /* the rotation c - i (s . sigma) of a subgroup, a lane */
  double c, s[3];
};

/* The rotation to the greatest Re Tr of the rows i and j of w, its angle times the over-relaxation. */
SU_INLINE struct su2_turn best_turn(const double entry[4][2], double overrelaxation)
{
  double a0 = entry[0][0] + entry[3][0], a3 = entry[0][1] - entry[3][1];
  double a1 = entry[1][1] + entry[2][1], a2 = entry[1][0] - entry[2][0];
  double length = sqrt(a1 * a1 + a2 * a2 + a3 * a3), angle = overrelaxation * atan2(length, a0);
  double part = length > 0 ? sin(angle) / length : 0;
  return (struct su2_turn){cos(angle), {part * a1, part * a2, part * a3}};
}

/* Rows i and j of one lane of m, turned. */
SU_INLINE void turn_rows(size_t n, double *m, size_t lane, const size_t row[2], const struct su2_turn *turn)
{
  for (size_t k = 0; k < n; k++) {
    double *x = m + su_at(n, row[0], k) + lane, *y = m + su_at(n, row[1], k) + lane;
    double xr = x[0], xi = x[LATTICE_LANES], yr = y[0], yi = y[LATTICE_LANES];
    /* g = ((c - i s3, -s2 - i s1), (s2 - i s1, c + i s3)) */
    x[0] = turn->c * xr + turn->s[2] * xi - turn->s[1] * yr + turn->s[0] * yi;
    x[LATTICE_LANES] = turn->c * xi - turn->s[2] * xr - turn->s[1] * yi - turn->s[0] * yr;
    y[0] = turn->s[1] * xr + turn->s[0] * xi + turn->c * yr - turn->s[2] * yi;
    y[LATTICE_LANES] = turn->s[1] * xi - turn->s[0] * xr + turn->c * yi + turn->s[2] * yr;
  }
}

/* g makes Re Tr g w large. */
SU_INLINE void best_rotation(size_t n, double *g, double *w, double overrelaxation)
{
  su_unit(n, g);
  for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
    if (n == 1) {
      double angle = -overrelaxation * atan2(w[LATTICE_LANES + lane], w[lane]);
      g[lane] = cos(angle);
      g[LATTICE_LANES + lane] = sin(angle);
    }
    for (size_t i = 0; i < n; i++) {
      for (size_t j = i + 1; j < n; j++) {
        const size_t row[2] = {i, j};
        double entry[4][2];
        for (size_t k = 0; k < 4; k++) {
          const double *at = w + su_at(n, row[k / 2], row[k % 2]) + lane;
          entry[k][0] = at[0];
          entry[k][1] = at[LATTICE_LANES];
        }
        struct su2_turn turn = best_turn(entry, overrelaxation);
        turn_rows(n, w, lane, row, &turn);
        turn_rows(n, g, lane, row, &turn);
      }
    }
  }
}

/* The link (x - mu, mu): where it lies, and its lanes. */
struct link_below {
  double *link;
  const uint8_t *lane; /* NULL: as those of x */
};

SU_INLINE struct link_below find_below(const struct gauge_field *field, size_t block, size_t mu)
{
  const struct lattice *lattice = field->lattice;
  uint32_t to = lattice->link[block * 2 * lattice->dimensions + 2 * mu + 1];
  bool crosses = (to & LATTICE_CROSSES) != 0;
  return (struct link_below){gauge_link(field, to & LATTICE_BLOCK, mu),
                             crosses ? lattice->permutation[2 * mu + 1] : NULL};
}

SU_INLINE void take_below(size_t n, double *out, const struct link_below *below)
{
  if (below->lane != NULL) {
    su_permute(n, out, below->link, below->lane);
  } else {
    su_copy(n, out, below->link);
  }
}

SU_INLINE void put_below(size_t n, const struct link_below *below, const double *m)
{
  for (size_t i = 0; i < n * n * 2; i++) {
    for (size_t l = 0; l < LATTICE_LANES; l++) {
      below->link[i * LATTICE_LANES + (below->lane != NULL ? below->lane[l] : l)] = m[i * LATTICE_LANES + l];
    }
  }
}

SU_INLINE void fix_block(const struct fixing *f, size_t block, size_t n)
{
  SU_MATRIX(w);
  SU_MATRIX(g);
  SU_MATRIX(link);
  SU_MATRIX(turned);
  su_zero(n, w);
  for (size_t mu = f->first_axis; mu < f->field->lattice->dimensions; mu++) {
    struct link_below below = find_below(f->field, block, mu);
    take_below(n, link, &below);
    su_adjoint(n, turned, link);
    su_add(n, w, 1, turned);
    su_add(n, w, 1, gauge_link(f->field, block, mu));
  }
  best_rotation(n, g, w, f->overrelaxation);
  for (size_t mu = 0; mu < f->field->lattice->dimensions; mu++) {
    double *here = gauge_link(f->field, block, mu);
    struct link_below below = find_below(f->field, block, mu);
    su_multiply(n, turned, g, here);
    su_copy(n, here, turned);
    take_below(n, link, &below);
    su_multiply_adjoint(n, turned, link, g);
    put_below(n, &below, turned);
  }
}

SIMD_BODY fix_blocks_body(void *context, size_t first, size_t last)
{
  const struct fixing *f = context;
  for (size_t block = first; block < last; block++) {
    SU_SWITCH(f->field->colours, fix_block, f, block);
  }
}
SIMD_LEVELS(fix_blocks, (void *context, size_t first, size_t last), (context, first, last))

/* ---- residual ---------------------------------------------------------------------------------------------------- */

SU_INLINE void residual_of_block(const struct fixing *f, size_t block, size_t n)
{
  SU_MATRIX(divergence);
  SU_MATRIX(link);
  SU_LANES(squares);
  su_zero(n, divergence);
  for (size_t mu = f->first_axis; mu < f->seen->lattice->dimensions; mu++) {
    struct link_below below = find_below(f->seen, block, mu);
    take_below(n, link, &below);
    su_add(n, divergence, 2, link);
    su_add(n, divergence, -2, su_link_here(n, f->seen, block, mu));
  }
  su_to_algebra(n, divergence);
  su_real_trace_adjoint(n, squares, divergence, divergence);
  f->sums[block] = su_sum_lanes(f->seen->lattice, squares);
}

SIMD_BODY residual_blocks_body(void *context, size_t first, size_t last)
{
  const struct fixing *f = context;
  for (size_t block = first; block < last; block++) {
    SU_SWITCH(f->seen->colours, residual_of_block, f, block);
  }
}
SIMD_LEVELS(residual_blocks, (void *context, size_t first, size_t last), (context, first, last))

double gauge_residual(const struct gauge_field *field, enum gauge_condition condition, unsigned threads, void *scratch)
{
  struct fixing f = {.seen = field, .first_axis = condition == GAUGE_COULOMB, .sums = scratch};
  lattice_run(threads, 0, field->lattice->blocks, SIMD_PICK(residual_blocks), &f);
  return lattice_sum(f.sums, field->lattice->blocks) / (double)(field->lattice->sites * field->colours);
}

double gauge_fix(struct gauge_field *field, const struct gauge_fixing *fixing, unsigned threads,
                 const volatile int *cancel, void *scratch)
{
  struct fixing f = {
      .field = field, .first_axis = fixing->condition == GAUGE_COULOMB, .overrelaxation = fixing->overrelaxation};
  size_t blocks = field->lattice->blocks;
  double residual = gauge_residual(field, fixing->condition, threads, scratch);
  for (size_t sweep = 1; sweep <= fixing->sweeps && residual > fixing->tolerance; sweep++) {
    lattice_run(threads, 0, blocks / 2, SIMD_PICK(fix_blocks), &f);
    lattice_run(threads, blocks / 2, blocks, SIMD_PICK(fix_blocks), &f);
    if (sweep % SWEEPS_A_CHECK == 0 || sweep == fixing->sweeps) {
      residual = gauge_residual(field, fixing->condition, threads, scratch);
    }
    if (cancel != NULL && *cancel) {
      break;
    }
  }
  return residual;
}
