/* Sweeps over the links of one direction and colour. See gauge_heatbath.h. */
#include "physics/lattice/gauge_heatbath.h"

#include "physics/lattice/gauge_slab.h"
#include "physics/lattice/gauge_staple.h"
#include "physics/lattice/su2_random.h"
#include "physics/lattice/su_orthonormal.h"
#include "physics/simd.h"

enum { CACHE_BYTES = 8 << 20 }; /* of a core's share, about */

typedef void su2_random_function(const struct su2_counter *counter, const double *alpha, double a[4][LATTICE_LANES]);

struct link_sweep {
  struct gauge_field *field;
  const struct gauge_action *action; /* NULL: reunitarise */
  struct philox_stream stream;
  bool reflect; /* over-relaxation */
  size_t mu;
  su2_random_function *random;
  bool far; /* the field is larger than caches: neighbours are asked for ahead */
};

SIMD_BODY random_lanes_body(const struct su2_counter *counter, const double *alpha, double a[4][LATTICE_LANES])
{
  su2_random(counter, alpha, a);
}

SIMD_LEVELS(random_lanes, (const struct su2_counter *counter, const double *alpha, double a[4][LATTICE_LANES]),
            (counter, alpha, a))

/* ---- one SU(2) subgroup ------------------------------------------------------------------------------------------ */

struct su2_lanes { /* a0 + i a . sigma = [[a0 + i a3, a2 + i a1], [-a2 + i a1, a0 - i a3]], one a lane */
  double a[4][LATTICE_LANES] __attribute__((aligned(64)));
};

/* g = x y^dagger */
SU_INLINE void su2_multiply_adjoint(struct su2_lanes *g, const struct su2_lanes *x, const struct su2_lanes *y)
{
#pragma omp simd
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    double x0 = x->a[0][l], x1 = x->a[1][l], x2 = x->a[2][l], x3 = x->a[3][l];
    double y0 = y->a[0][l], y1 = -y->a[1][l], y2 = -y->a[2][l], y3 = -y->a[3][l];
    g->a[0][l] = x0 * y0 - x1 * y1 - x2 * y2 - x3 * y3;
    g->a[1][l] = x0 * y1 + x1 * y0 - x2 * y3 + x3 * y2;
    g->a[2][l] = x0 * y2 + x2 * y0 - x3 * y1 + x1 * y3;
    g->a[3][l] = x0 * y3 + x3 * y0 - x1 * y2 + x2 * y1;
  }
}

/* g = (v^dagger)^2 for |v| = 1 */
SU_INLINE void su2_reflect(struct su2_lanes *g, const struct su2_lanes *v)
{
#pragma omp simd
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    double twice = 2.0 * v->a[0][l];
    g->a[0][l] = twice * v->a[0][l] - 1.0;
    g->a[1][l] = -twice * v->a[1][l];
    g->a[2][l] = -twice * v->a[2][l];
    g->a[3][l] = -twice * v->a[3][l];
  }
}

/* The part of rows and columns i, j of w that is proportional to SU(2): w = norm v. Where it is zero, v is the unit. */
SU_INLINE void su2_part(size_t n, struct su2_lanes *v, double *norm, const double *w, size_t i, size_t j)
{
  const double *ii = w + su_at(n, i, i), *ij = w + su_at(n, i, j), *ji = w + su_at(n, j, i), *jj = w + su_at(n, j, j);
#pragma omp simd
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    double v0 = 0.5 * (ii[l] + jj[l]), v3 = 0.5 * (ii[LATTICE_LANES + l] - jj[LATTICE_LANES + l]);
    double v2 = 0.5 * (ij[l] - ji[l]), v1 = 0.5 * (ij[LATTICE_LANES + l] + ji[LATTICE_LANES + l]);
    double square = v0 * v0 + v1 * v1 + v2 * v2 + v3 * v3;
    bool some = square > 1e-280;
    double length = sqrt(square), inverse = 1.0 / (some ? length : 1.0);
    norm[l] = some ? length : 0.0;
    v->a[0][l] = some ? v0 * inverse : 1.0;
    v->a[1][l] = some ? v1 * inverse : 0.0;
    v->a[2][l] = some ? v2 * inverse : 0.0;
    v->a[3][l] = some ? v3 * inverse : 0.0;
  }
}

/* Rows i and j of m = g times them, from column `first` on. */
SU_INLINE void su2_rotate_rows(size_t n, double *m, const struct su2_lanes *g, size_t i, size_t j, size_t first)
{
  for (size_t k = first; k < n; k++) {
    for (size_t half = 0; half < SU_HALVES; half++) {
      su_vector g0 = ((const su_vector *)g->a[0])[half], g1 = ((const su_vector *)g->a[1])[half];
      su_vector g2 = ((const su_vector *)g->a[2])[half], g3 = ((const su_vector *)g->a[3])[half];
      su_vector xr = *su_re(m, n, i, k, half), xi = *su_im(m, n, i, k, half);
      su_vector yr = *su_re(m, n, j, k, half), yi = *su_im(m, n, j, k, half);
      *su_re(m, n, i, k, half) = (g0 * xr - g3 * xi) + (g2 * yr - g1 * yi);
      *su_im(m, n, i, k, half) = (g0 * xi + g3 * xr) + (g2 * yi + g1 * yr);
      *su_re(m, n, j, k, half) = (g0 * yr + g3 * yi) - (g2 * xr + g1 * xi);
      *su_im(m, n, j, k, half) = (g0 * yi - g3 * yr) - (g2 * xi - g1 * xr);
    }
  }
}

/* All subgroups of N > 1; w = U W^dagger follows the link as far as later subgroups see it: no column before i, nor,
 * behind the last j, column i. */
SU_INLINE void update_subgroups(size_t n, double *link, double *w, const struct link_sweep *sweep,
                                struct su2_counter *counter)
{
  struct su2_lanes v, g, a;
  SU_LANES(alpha);
  uint32_t subgroup = 0;
  for (size_t i = 0; i < n; i++) {
    for (size_t j = i + 1; j < n; j++, subgroup++) {
      su2_part(n, &v, alpha, w, i, j);
      if (sweep->reflect) {
        su2_reflect(&g, &v);
      } else {
        for (size_t l = 0; l < LATTICE_LANES; l++) {
          alpha[l] *= 2.0 / (double)n;
        }
        counter->use = (uint32_t)sweep->mu | subgroup << 3;
        sweep->random(counter, alpha, a.a);
        su2_multiply_adjoint(&g, &a, &v);
      }
      su2_rotate_rows(n, link, &g, i, j, 0);
      if (j + 1 < n) {
        su2_rotate_rows(n, w, &g, i, j, i);
      } else if (i + 2 < n) {
        su2_rotate_rows(n, w, &g, i, j, i + 1);
      }
    }
  }
}

/* U(1): link *= e^(i theta) v^*, v the phase of w; or v^*^2. */
SU_INLINE void update_phase(double *link, const double *w, const struct link_sweep *sweep, struct su2_counter *counter)
{
  double a[2][LATTICE_LANES] __attribute__((aligned(64)));
  SU_LANES(kappa);
  const double *wr = w, *wi = w + LATTICE_LANES;
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    kappa[l] = sqrt(wr[l] * wr[l] + wi[l] * wi[l]);
  }
  if (!sweep->reflect) {
    counter->use = (uint32_t)sweep->mu;
    u1_random(counter, kappa, a);
  }
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    bool some = kappa[l] > 1e-140;
    double vr = some ? wr[l] / kappa[l] : 1.0, vi = some ? -wi[l] / kappa[l] : 0.0;
    double ar = sweep->reflect ? vr : a[0][l], ai = sweep->reflect ? vi : a[1][l];
    double gr = ar * vr - ai * vi, gi = ar * vi + ai * vr, re = link[l], im = link[LATTICE_LANES + l];
    link[l] = gr * re - gi * im;
    link[LATTICE_LANES + l] = gr * im + gi * re;
  }
}

/* ---- loops ------------------------------------------------------------------------------------------------------- */

/* Asks the caches for a matrix. */
SU_INLINE void expect_link(size_t n, const struct gauge_field *field, size_t block, size_t mu)
{
  const char *at = (const char *)su_link_here(n, field, block, mu);
  for (size_t i = 0; i < su_size(n) * sizeof(double); i += 64) {
    __builtin_prefetch(at + i);
  }
}

/* Asks for all that the staples of a block's links want: neighbours lie so far apart that the machine does not foresee
 * them, and on a large lattice outside its caches. */
SU_INLINE void expect_staples(size_t n, const struct gauge_field *field, size_t block, size_t mu)
{
  const struct lattice *lattice = field->lattice;
  const size_t directions = 2 * lattice->dimensions;
  const uint32_t *link = lattice->link + block * directions;
  expect_link(n, field, block, mu);
  for (size_t nu = 0; nu < lattice->dimensions; nu++) {
    if (nu != mu) {
      const size_t below = link[2 * nu + 1] & LATTICE_BLOCK;
      expect_link(n, field, block, nu);
      expect_link(n, field, link[2 * nu] & LATTICE_BLOCK, mu);
      expect_link(n, field, link[2 * mu] & LATTICE_BLOCK, nu);
      expect_link(n, field, below, nu);
      expect_link(n, field, below, mu);
      expect_link(n, field, lattice->link[below * directions + 2 * mu] & LATTICE_BLOCK, nu);
    }
  }
}

SU_INLINE void sweep_blocks(const struct link_sweep *sweep, size_t first, size_t last, size_t n)
{
  const struct gauge_field *field = sweep->field;
  double weight[LATTICE_MAX_DIMENSIONS];
  for (size_t nu = 0; nu < field->lattice->dimensions; nu++) {
    weight[nu] = gauge_action_weight(sweep->action, sweep->mu, nu);
  }
  struct su2_counter counter = {.seed = sweep->stream.seed, .stream = sweep->stream.stream};
  for (size_t block = first; block < last; block++) {
    SU_MATRIX(paths);
    SU_MATRIX(w);
    double *link = field->links + (block * field->lattice->dimensions + sweep->mu) * su_size(n);
    if (sweep->far && block + 1 < last) {
      expect_staples(n, field, block + 1, sweep->mu);
    }
    gauge_staple_sum(n, paths, field, block, sweep->mu, weight);
    gauge_multiply_adjoint(n, field, w, link, paths);
    if (!sweep->reflect) {
      lattice_sites(field->lattice, block, counter.site);
    }
    if (n == 1) {
      update_phase(link, w, sweep, &counter);
    } else {
      update_subgroups(n, link, w, sweep, &counter);
    }
  }
}

SU_INLINE void unitarise_blocks(const struct link_sweep *sweep, size_t first, size_t last, size_t n)
{
  size_t dimensions = sweep->field->lattice->dimensions;
  for (size_t i = first * dimensions; i < last * dimensions; i++) {
    su_orthonormal(n, sweep->field->links + i * su_size(n));
  }
}

SIMD_BODY sweeps_body(const struct link_sweep *sweep, size_t first, size_t last)
{
  SU_SWITCH(sweep->field->colours, sweep_blocks, sweep, first, last);
}

SIMD_BODY unitarise_body(const struct link_sweep *sweep, size_t first, size_t last)
{
  SU_SWITCH(sweep->field->colours, unitarise_blocks, sweep, first, last);
}

SIMD_LEVELS(sweeps, (const struct link_sweep *sweep, size_t first, size_t last), (sweep, first, last))
SIMD_LEVELS(unitarise, (const struct link_sweep *sweep, size_t first, size_t last), (sweep, first, last))

static void run_sweeps(void *context, size_t first, size_t last)
{
  SIMD_PICK(sweeps)(context, first, last);
}

static void run_unitarise(void *context, size_t first, size_t last)
{
  SIMD_PICK(unitarise)(context, first, last);
}

/* ---- sweeps ------------------------------------------------------------------------------------------------------ */

static void sweep_field(struct link_sweep *sweep, unsigned threads)
{
  size_t blocks = sweep->field->lattice->blocks;
  sweep->far = gauge_field_bytes(sweep->field->lattice, sweep->field->colours) > CACHE_BYTES;
  sweep->random = SIMD_PICK(random_lanes);
  for (sweep->mu = 0; sweep->mu < sweep->field->lattice->dimensions; sweep->mu++) {
    lattice_run(threads, 0, blocks / 2, run_sweeps, sweep);
    gauge_slab_exchange(sweep->field, sweep->mu, false);
    lattice_run(threads, blocks / 2, blocks, run_sweeps, sweep);
    gauge_slab_exchange(sweep->field, sweep->mu, true);
  }
}

void gauge_heatbath(struct gauge_field *field, const struct gauge_action *action, struct philox_stream stream,
                    unsigned threads)
{
  sweep_field(&(struct link_sweep){.field = field, .action = action, .stream = stream}, threads);
}

void gauge_overrelax(struct gauge_field *field, const struct gauge_action *action, unsigned threads)
{
  sweep_field(&(struct link_sweep){.field = field, .action = action, .reflect = true}, threads);
}

void gauge_reunitarise(struct gauge_field *field, unsigned threads)
{
  lattice_run(threads, 0, field->lattice->blocks, run_unitarise, &(struct link_sweep){.field = field});
}
