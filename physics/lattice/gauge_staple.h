/* Staples: the three links that make a plaquette with a link, as a path from x to x + mu.
 *
 *   upper  F(x) = U(x, nu) U(x + nu, mu) U(x + mu, nu)^dagger
 *   lower  B(x) = U(y, nu)^dagger U(y, mu) U(y + mu, nu),  y = x - nu
 * so that Re Tr U(x, mu) F(x)^dagger is the plaquette's trace. The lower one is made in the lanes of y and then moved.
 * On open axes the links that leave the lattice are zero, and with them the staples that would. */
#ifndef TWINCUBE_PHYSICS_LATTICE_GAUGE_STAPLE_H
#define TWINCUBE_PHYSICS_LATTICE_GAUGE_STAPLE_H

#include "physics/lattice/su_matrix.h"

#ifdef SU_SINGLE
#define SU_PRODUCTS(field) ((field)->narrow_products)
#else
#define SU_PRODUCTS(field) ((field)->products)
#endif

/* Products by the field's functions, where they are worth a call. */
SU_INLINE void gauge_multiply(size_t n, const struct gauge_field *field, su_real *restrict out, const su_real *a,
                              const su_real *b)
{
  if (n == 1) {
    su_multiply(1, out, a, b);
  } else {
    SU_PRODUCTS(field).multiply(n, out, a, b);
  }
}

SU_INLINE void gauge_multiply_adjoint(size_t n, const struct gauge_field *field, su_real *restrict out,
                                      const su_real *a, const su_real *b)
{
  if (n == 1) {
    su_multiply_adjoint(1, out, a, b);
  } else {
    SU_PRODUCTS(field).multiply_adjoint(n, out, a, b);
  }
}

SU_INLINE void gauge_adjoint_multiply(size_t n, const struct gauge_field *field, su_real *restrict out,
                                      const su_real *a, const su_real *b)
{
  if (n == 1) {
    su_adjoint_multiply(1, out, a, b);
  } else {
    SU_PRODUCTS(field).adjoint_multiply(n, out, a, b);
  }
}

SU_INLINE void gauge_permute(size_t n, const struct gauge_field *field, su_real *restrict out, const su_real *a,
                             const uint8_t lane[LATTICE_LANES])
{
  if (n == 1) {
    su_permute(1, out, a, lane);
  } else {
    SU_PRODUCTS(field).permute(n, out, a, lane);
  }
}

/* The link (x + direction, mu) of the sites x of a block, in their lanes: it lies in the field or, where the lanes
 * change places, in `scratch`. */
SU_INLINE const su_real *gauge_link_there(size_t n, const struct gauge_field *field, size_t block, size_t direction,
                                          size_t mu, su_real *scratch)
{
  const struct lattice *lattice = field->lattice;
  uint32_t link = lattice->link[block * 2 * lattice->dimensions + direction];
  const su_real *there = su_link_here(n, field, link & LATTICE_BLOCK, mu);
  if ((link & LATTICE_CROSSES) == 0) {
    return there;
  }
  gauge_permute(n, field, scratch, there, lattice->permutation[direction]);
  return scratch;
}

SU_INLINE void gauge_add_product(size_t n, const struct gauge_field *field, su_real *restrict out, double factor,
                                 const su_real *a, const su_real *b)
{
  if (n == 1) {
    su_add_product(1, out, factor, a, b);
  } else {
    SU_PRODUCTS(field).add_product(n, out, factor, a, b);
  }
}

SU_INLINE void gauge_add_product_adjoint(size_t n, const struct gauge_field *field, su_real *restrict out,
                                         double factor, const su_real *a, const su_real *b)
{
  if (n == 1) {
    su_add_product_adjoint(1, out, factor, a, b);
  } else {
    SU_PRODUCTS(field).add_product_adjoint(n, out, factor, a, b);
  }
}

/* ---- staples ----------------------------------------------------------------------------------------------------- */

/* Of the sites x of a block; mu not nu. Returns the last factor of F, whose adjoint it is, and the others' product in
 * `half`. */
SU_INLINE const su_real *gauge_staple_upper_parts(size_t n, su_real *restrict half, const struct gauge_field *field,
                                                  size_t block, const size_t plane[2], su_real *side)
{
  const size_t mu = plane[0], nu = plane[1];
  SU_MATRIX(top);
  gauge_multiply(n, field, half, su_link_here(n, field, block, nu), gauge_link_there(n, field, block, 2 * nu, mu, top));
  return gauge_link_there(n, field, block, 2 * mu, nu, side);
}

/* The same of B(x + nu), for the sites x of a block. */
SU_INLINE const su_real *gauge_staple_lower_parts(size_t n, su_real *restrict half, const struct gauge_field *field,
                                                  size_t block, const size_t plane[2], su_real *side)
{
  const size_t mu = plane[0], nu = plane[1];
  gauge_adjoint_multiply(n, field, half, su_link_here(n, field, block, nu), su_link_here(n, field, block, mu));
  return gauge_link_there(n, field, block, 2 * mu, nu, side);
}

/* out = F(x), mu not nu, of the sites x of a block. */
SU_INLINE void gauge_staple_upper(size_t n, su_real *restrict out, const struct gauge_field *field, size_t block,
                                  size_t mu, size_t nu)
{
  SU_MATRIX(side);
  SU_MATRIX(half);
  const su_real *last = gauge_staple_upper_parts(n, half, field, block, (const size_t[]){mu, nu}, side);
  gauge_multiply_adjoint(n, field, out, half, last);
}

/* out = B(x). */
SU_INLINE void gauge_staple_lower(size_t n, su_real *restrict out, const struct gauge_field *field, size_t block,
                                  size_t mu, size_t nu)
{
  const struct lattice *lattice = field->lattice;
  uint32_t link = lattice->link[block * 2 * lattice->dimensions + 2 * nu + 1];
  bool crosses = (link & LATTICE_CROSSES) != 0;
  SU_MATRIX(side);
  SU_MATRIX(half);
  SU_MATRIX(there);
  const su_real *last = gauge_staple_lower_parts(n, half, field, link & LATTICE_BLOCK, (const size_t[]){mu, nu}, side);
  gauge_multiply(n, field, crosses ? there : out, half, last);
  if (crosses) {
    gauge_permute(n, field, out, there, lattice->permutation[2 * nu + 1]);
  }
}

/* out += weight (F + B), without a pass of its own for the sums where no lanes change. */
SU_INLINE void gauge_add_staples(size_t n, su_real *restrict out, double weight, const struct gauge_field *field,
                                 size_t block, const size_t plane[2])
{
  const struct lattice *lattice = field->lattice;
  uint32_t link = lattice->link[block * 2 * lattice->dimensions + 2 * plane[1] + 1];
  SU_MATRIX(side);
  SU_MATRIX(half);
  const su_real *last = gauge_staple_upper_parts(n, half, field, block, plane, side);
  gauge_add_product_adjoint(n, field, out, weight, half, last);
  if ((link & LATTICE_CROSSES) != 0) {
    gauge_staple_lower(n, half, field, block, plane[0], plane[1]);
    su_add(n, out, weight, half);
    return;
  }
  last = gauge_staple_lower_parts(n, half, field, link & LATTICE_BLOCK, plane, side);
  gauge_add_product(n, field, out, weight, half, last);
}

/* out = sum over nu of weight[nu] (F + B): the paths from x to x + mu. */
SU_INLINE void gauge_staple_sum(size_t n, su_real *restrict out, const struct gauge_field *field, size_t block,
                                size_t mu, const double *weight)
{
  su_zero(n, out);
  for (size_t nu = 0; nu < field->lattice->dimensions; nu++) {
    if (nu != mu) {
      gauge_add_staples(n, out, weight[nu], field, block, (const size_t[]){mu, nu});
    }
  }
}

/* ---- rectangles --------------------------------------------------------------------------------------------------
 * Those that hold the link (x, mu) in the plane of mu and nu are its plaquettes with one of the other sides replaced by
 * that side's own staple on the far side. */

/* out = F of (x + direction, mu) by way of nu, in the lanes of x. */
SU_INLINE void gauge_staple_there(size_t n, su_real *restrict out, const struct gauge_field *field, size_t block,
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
SU_INLINE void gauge_add_path(size_t n, const struct gauge_field *field, su_real *restrict out, double weight,
                              const su_real *left, const su_real *middle, const su_real *right)
{
  SU_MATRIX(half);
  gauge_multiply(n, field, half, left, middle);
  gauge_add_product_adjoint(n, field, out, weight, half, right);
}

/* out += weight left^dagger middle right */
SU_INLINE void gauge_add_path_below(size_t n, const struct gauge_field *field, su_real *restrict out, double weight,
                                    const su_real *left, const su_real *middle, const su_real *right)
{
  SU_MATRIX(half);
  gauge_adjoint_multiply(n, field, half, left, middle);
  gauge_add_product(n, field, out, weight, half, right);
}

/* out += weight times the three rectangles' paths from x to x + mu on the side of + nu. */
SU_INLINE void gauge_rectangles_upper(size_t n, su_real *restrict out, const struct gauge_field *field, size_t block,
                                      size_t mu, size_t nu, double weight)
{
  SU_MATRIX(top);
  SU_MATRIX(side);
  SU_MATRIX(staple);
  const su_real *left = su_link_here(n, field, block, nu);
  const su_real *middle = gauge_link_there(n, field, block, 2 * nu, mu, top);
  const su_real *right = gauge_link_there(n, field, block, 2 * mu, nu, side);
  gauge_staple_lower(n, staple, field, block, nu, mu);
  gauge_add_path(n, field, out, weight, staple, middle, right);
  gauge_staple_there(n, staple, field, block, 2 * nu, mu, nu);
  gauge_add_path(n, field, out, weight, left, staple, right);
  gauge_staple_there(n, staple, field, block, 2 * mu, nu, mu);
  gauge_add_path(n, field, out, weight, left, middle, staple);
}

/* The same on the side of - nu, made in the lanes of y = x - nu. */
SU_INLINE void gauge_rectangles_lower(size_t n, su_real *restrict out, const struct gauge_field *field, size_t block,
                                      size_t mu, size_t nu, double weight)
{
  SU_MATRIX(side);
  SU_MATRIX(staple);
  const su_real *left = su_link_here(n, field, block, nu), *middle = su_link_here(n, field, block, mu);
  const su_real *right = gauge_link_there(n, field, block, 2 * mu, nu, side);
  gauge_staple_lower(n, staple, field, block, nu, mu);
  gauge_add_path_below(n, field, out, weight, staple, middle, right);
  gauge_staple_lower(n, staple, field, block, mu, nu);
  gauge_add_path_below(n, field, out, weight, left, staple, right);
  gauge_staple_there(n, staple, field, block, 2 * mu, nu, mu);
  gauge_add_path_below(n, field, out, weight, left, middle, staple);
}

/* out += weight times the six rectangles' paths from x to x + mu in the plane of mu and nu. */
SU_INLINE void gauge_rectangle_sum(size_t n, su_real *restrict out, const struct gauge_field *field, size_t block,
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
