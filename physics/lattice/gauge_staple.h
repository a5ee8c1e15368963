/* Staples: the three links that make a plaquette with a link, as a path from x to x + mu.
 *
 *   upper  F(x) = U(x, nu) U(x + nu, mu) U(x + mu, nu)^dagger
 *   lower  B(x) = U(y, nu)^dagger U(y, mu) U(y + mu, nu),  y = x - nu
 * so that Re Tr U(x, mu) F(x)^dagger is the plaquette's trace. The lower one is made in the lanes of y and then moved.
 * On open axes the links that leave the lattice are zero, and with them the staples that would. */
#ifndef TWINCUBE_PHYSICS_LATTICE_GAUGE_STAPLE_H
#define TWINCUBE_PHYSICS_LATTICE_GAUGE_STAPLE_H

#include "physics/lattice/su_matrix.h"

/* Products by the field's functions, where they are worth a call. */
SU_INLINE void gauge_multiply(size_t n, const struct gauge_field *field, double *restrict out, const double *a,
                              const double *b)
{
  if (n == 1) {
    su_multiply(1, out, a, b);
  } else {
    field->products.multiply(n, out, a, b);
  }
}

SU_INLINE void gauge_multiply_adjoint(size_t n, const struct gauge_field *field, double *restrict out, const double *a,
                                      const double *b)
{
  if (n == 1) {
    su_multiply_adjoint(1, out, a, b);
  } else {
    field->products.multiply_adjoint(n, out, a, b);
  }
}

SU_INLINE void gauge_adjoint_multiply(size_t n, const struct gauge_field *field, double *restrict out, const double *a,
                                      const double *b)
{
  if (n == 1) {
    su_adjoint_multiply(1, out, a, b);
  } else {
    field->products.adjoint_multiply(n, out, a, b);
  }
}

SU_INLINE void gauge_permute(size_t n, const struct gauge_field *field, double *restrict out, const double *a,
                             const uint8_t lane[LATTICE_LANES])
{
  if (n == 1) {
    su_permute(1, out, a, lane);
  } else {
    field->products.permute(n, out, a, lane);
  }
}

/* The link (x + direction, mu) of the sites x of a block, in their lanes: it lies in the field or, where the lanes
 * change places, in `scratch`. */
SU_INLINE const double *gauge_link_there(size_t n, const struct gauge_field *field, size_t block, size_t direction,
                                         size_t mu, double *scratch)
{
  const struct lattice *lattice = field->lattice;
  uint32_t link = lattice->link[block * 2 * lattice->dimensions + direction];
  const double *there = su_link_here(n, field, link & LATTICE_BLOCK, mu);
  if ((link & LATTICE_CROSSES) == 0) {
    return there;
  }
  gauge_permute(n, field, scratch, there, lattice->permutation[direction]);
  return scratch;
}

/* out = F(x), mu not nu, of the sites x of a block. */
SU_INLINE void gauge_staple_upper(size_t n, double *restrict out, const struct gauge_field *field, size_t block,
                                  size_t mu, size_t nu)
{
  SU_MATRIX(top);
  SU_MATRIX(side);
  SU_MATRIX(half);
  gauge_multiply(n, field, half, su_link_here(n, field, block, nu), gauge_link_there(n, field, block, 2 * nu, mu, top));
  gauge_multiply_adjoint(n, field, out, half, gauge_link_there(n, field, block, 2 * mu, nu, side));
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
  gauge_adjoint_multiply(n, field, half, su_link_here(n, field, below, nu), su_link_here(n, field, below, mu));
  gauge_multiply(n, field, to, half, gauge_link_there(n, field, below, 2 * mu, nu, side));
  if (crosses) {
    gauge_permute(n, field, out, there, lattice->permutation[2 * nu + 1]);
  }
}

/* out = sum over nu of weight[nu] (F + B): the paths from x to x + mu, in two dimensions or more. */
SU_INLINE void gauge_staple_sum(size_t n, double *restrict out, const struct gauge_field *field, size_t block,
                                size_t mu, const double *weight)
{
  SU_MATRIX(staple);
  const size_t begin = mu == 0 ? 1 : 0;
  gauge_staple_upper(n, out, field, block, mu, begin);
  su_scale(n, out, weight[begin]);
  for (size_t nu = begin; nu < field->lattice->dimensions; nu++) {
    if (nu == mu) {
      continue;
    }
    if (nu != begin) {
      gauge_staple_upper(n, staple, field, block, mu, nu);
      su_add(n, out, weight[nu], staple);
    }
    gauge_staple_lower(n, staple, field, block, mu, nu);
    su_add(n, out, weight[nu], staple);
  }
}

/* ---- rectangles --------------------------------------------------------------------------------------------------
 * Those that hold the link (x, mu) in the plane of mu and nu are its plaquettes with one of the other sides replaced by
 * that side's own staple on the far side. */

/* out = F of (x + direction, mu) by way of nu, in the lanes of x. */
SU_INLINE void gauge_staple_there(size_t n, double *restrict out, const struct gauge_field *field, size_t block,
                                  size_t direction, size_t mu, size_t nu)
{
  const struct lattice *lattice = field->lattice;
  uint32_t link = lattice->link[block * 2 * lattice->dimensions + direction];
  bool crosses = (link & LATTICE_CROSSES) != 0;
  SU_MATRIX(there);
  gauge_staple_upper(n, crosses ? there : out, field, link & LATTICE_BLOCK, mu, nu);
  if (crosses) {
    gauge_permute(n, field, out, there, lattice->permutation[direction]);
  }
}

/* out += weight left middle right^dagger */
SU_INLINE void gauge_add_path(size_t n, const struct gauge_field *field, double *restrict out, double weight,
                              const double *left, const double *middle, const double *right)
{
  SU_MATRIX(half);
  SU_MATRIX(path);
  gauge_multiply(n, field, half, left, middle);
  gauge_multiply_adjoint(n, field, path, half, right);
  su_add(n, out, weight, path);
}

/* out += weight left^dagger middle right */
SU_INLINE void gauge_add_path_below(size_t n, const struct gauge_field *field, double *restrict out, double weight,
                                    const double *left, const double *middle, const double *right)
{
  SU_MATRIX(half);
  SU_MATRIX(path);
  gauge_adjoint_multiply(n, field, half, left, middle);
  gauge_multiply(n, field, path, half, right);
  su_add(n, out, weight, path);
}

/* out += weight times the three rectangles' paths from x to x + mu on the side of + nu. */
SU_INLINE void gauge_rectangles_upper(size_t n, double *restrict out, const struct gauge_field *field, size_t block,
                                      size_t mu, size_t nu, double weight)
{
  SU_MATRIX(top);
  SU_MATRIX(side);
  SU_MATRIX(staple);
  const double *left = su_link_here(n, field, block, nu);
  const double *middle = gauge_link_there(n, field, block, 2 * nu, mu, top);
  const double *right = gauge_link_there(n, field, block, 2 * mu, nu, side);
  gauge_staple_lower(n, staple, field, block, nu, mu);
  gauge_add_path(n, field, out, weight, staple, middle, right);
  gauge_staple_there(n, staple, field, block, 2 * nu, mu, nu);
  gauge_add_path(n, field, out, weight, left, staple, right);
  gauge_staple_there(n, staple, field, block, 2 * mu, nu, mu);
  gauge_add_path(n, field, out, weight, left, middle, staple);
}

/* The same on the side of - nu, made in the lanes of y = x - nu. */
SU_INLINE void gauge_rectangles_lower(size_t n, double *restrict out, const struct gauge_field *field, size_t block,
                                      size_t mu, size_t nu, double weight)
{
  SU_MATRIX(side);
  SU_MATRIX(staple);
  const double *left = su_link_here(n, field, block, nu), *middle = su_link_here(n, field, block, mu);
  const double *right = gauge_link_there(n, field, block, 2 * mu, nu, side);
  gauge_staple_lower(n, staple, field, block, nu, mu);
  gauge_add_path_below(n, field, out, weight, staple, middle, right);
  gauge_staple_lower(n, staple, field, block, mu, nu);
  gauge_add_path_below(n, field, out, weight, left, staple, right);
  gauge_staple_there(n, staple, field, block, 2 * mu, nu, mu);
  gauge_add_path_below(n, field, out, weight, left, middle, staple);
}

/* out += weight times the six rectangles' paths from x to x + mu in the plane of mu and nu. */
SU_INLINE void gauge_rectangle_sum(size_t n, double *restrict out, const struct gauge_field *field, size_t block,
                                   size_t mu, size_t nu, double weight)
{
  const struct lattice *lattice = field->lattice;
  uint32_t link = lattice->link[block * 2 * lattice->dimensions + 2 * nu + 1];
  SU_MATRIX(below);
  SU_MATRIX(moved);
  gauge_rectangles_upper(n, out, field, block, mu, nu, weight);
  su_zero(n, below);
  gauge_rectangles_lower(n, below, field, link & LATTICE_BLOCK, mu, nu, weight);
  bool crosses = (link & LATTICE_CROSSES) != 0;
  if (crosses) {
    gauge_permute(n, field, moved, below, lattice->permutation[2 * nu + 1]);
  }
  su_add(n, out, 1.0, crosses ? moved : below);
}

#endif
