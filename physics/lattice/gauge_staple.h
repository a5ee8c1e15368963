/* Staples: the three links that make a plaquette with a link, as a path from x to x + mu.
 *
 *   upper  F(x) = U(x, nu) U(x + nu, mu) U(x + mu, nu)^dagger
 *   lower  B(x) = U(y, nu)^dagger U(y, mu) U(y + mu, nu),  y = x - nu
 * so that Re Tr U(x, mu) F(x)^dagger is the plaquette's trace. The lower one is made in the lanes of y and then moved.
 * On open axes the links that leave the lattice are zero, and with them the staples that would. */
#ifndef TWINCUBE_PHYSICS_LATTICE_GAUGE_STAPLE_H
#define TWINCUBE_PHYSICS_LATTICE_GAUGE_STAPLE_H

#include "physics/lattice/su_matrix.h"

/* out = F(x), mu not nu, of the sites x of a block. */
SU_INLINE void gauge_staple_upper(size_t n, double *restrict out, const struct gauge_field *field, size_t block,
                                  size_t mu, size_t nu)
{
  SU_MATRIX(top);
  SU_MATRIX(side);
  SU_MATRIX(half);
  su_multiply(n, half, su_link_here(n, field, block, nu), su_link_there(n, field, block, 2 * nu, mu, top));
  su_multiply_adjoint(n, out, half, su_link_there(n, field, block, 2 * mu, nu, side));
}

/* out = B(x). */
SU_INLINE void gauge_staple_lower(size_t n, double *restrict out, const struct gauge_field *field, size_t block,
                                  size_t mu, size_t nu)
{
  const struct lattice *lattice = field->lattice;
  uint32_t link = lattice->link[block * 2 * lattice->dimensions + 2 * nu + 1];
  size_t below = link & LATTICE_BLOCK;
  bool crosses = (link & LATTICE_CROSSES) != 0;
  SU_MATRIX(side);
  SU_MATRIX(half);
  SU_MATRIX(there);
  double *to = crosses ? there : out;
  su_adjoint_multiply(n, half, su_link_here(n, field, below, nu), su_link_here(n, field, below, mu));
  su_multiply(n, to, half, su_link_there(n, field, below, 2 * mu, nu, side));
  if (crosses) {
    su_permute(n, out, there, lattice->permutation[2 * nu + 1]);
  }
}

/* out = sum over nu of weight[nu] (F + B): the paths from x to x + mu. */
SU_INLINE void gauge_staple_sum(size_t n, double *restrict out, const struct gauge_field *field, size_t block,
                                size_t mu, const double *weight)
{
  SU_MATRIX(staple);
  su_zero(n, out);
  for (size_t nu = 0; nu < field->lattice->dimensions; nu++) {
    if (nu != mu) {
      gauge_staple_upper(n, staple, field, block, mu, nu);
      su_add(n, out, weight[nu], staple);
      gauge_staple_lower(n, staple, field, block, mu, nu);
      su_add(n, out, weight[nu], staple);
    }
  }
}

/* out[lane] = Re Tr of the plaquette at x in the plane of mu and nu. */
SU_INLINE void gauge_plaquette_trace(size_t n, double *out, const struct gauge_field *field, size_t block, size_t mu,
                                     size_t nu)
{
  SU_MATRIX(staple);
  gauge_staple_upper(n, staple, field, block, mu, nu);
  su_real_trace_adjoint(n, out, su_link_here(n, field, block, mu), staple);
}

#endif
