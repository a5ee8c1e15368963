/* From the algebra to the group, and from any matrix to the group; see su_matrix.h for the layout.
 *
 * Exponential: exp(a) = exp(a / 2^s)^(2^s) with |a| / 2^s <= 1, and the Taylor series as far as it changes anything.
 * For SU(2) and SU(3) the powers of `a` are combinations of 1, a, a^2 by Cayley and Hamilton,
 *   a^3 = (Tr a^2 / 2) a + det a,
 * so that the series is one of numbers (as in Morningstar and Peardon, hep-lat/0311018, without their sines).
 * Projection: the unitary factor of the polar decomposition by Newton and Schulz, x <- x (3 - x^dagger x) / 2, then
 * the determinant's phase is taken out. Both commute with gauge transformations.
 * The exponential of a lane does not depend on the others; the number of the projection's steps follows the largest of
 * a block's. Thread rule: pure functions. */
#ifndef TWINCUBE_PHYSICS_LATTICE_SU_GROUP_H
#define TWINCUBE_PHYSICS_LATTICE_SU_GROUP_H

#include "physics/lattice/su_matrix.h"

/* out = 1 + a + a^2 / 2 + … */
SU_INLINE void su_series(size_t n, su_real *restrict out, const su_real *a, int terms)
{
  SU_MATRIX(product);
  su_unit(n, out);
  for (int k = terms; k >= 1; k--) { /* out = 1 + a out / k */
    su_multiply(n, product, a, out);
    su_unit(n, out);
    su_add(n, out, 1.0 / k, product);
  }
}

/* The same for a in su(2): a^2 = (Tr a^2 / 2) 1. */
SU_INLINE void su_series_2(su_real *restrict out, const su_real *a, int terms)
{
  for (size_t half = 0; half < SU_HALVES; half++) {
    su_vector square = {0};
    for (size_t i = 0; i < 4; i++) {
      const su_vector *x = (const su_vector *)a + 2 * SU_HALVES * i + half;
      square -= 0.5 * (x[0] * x[0] + x[SU_HALVES] * x[SU_HALVES]);
    }
    su_vector p = {0}, q = {0};
    p += 1;
    for (int k = terms; k >= 1; k--) { /* p + q a = 1 + a (p + q a) / k */
      su_vector next = 1 + q * square / (su_real)k;
      q = p / (su_real)k;
      p = next;
    }
    for (size_t i = 0; i < 4; i++) {
      const su_vector *x = (const su_vector *)a + 2 * SU_HALVES * i + half;
      su_vector *to = (su_vector *)out + 2 * SU_HALVES * i + half;
      to[0] = q * x[0];
      to[SU_HALVES] = q * x[SU_HALVES];
    }
    *su_re(out, 2, 0, 0, half) += p;
    *su_re(out, 2, 1, 1, half) += p;
  }
}

/* out += (re + i im) a, of one half of the lanes. */
SU_INLINE void su_add_complex(size_t n, su_real *out, const su_vector *re, const su_vector *im, const su_real *a,
                              size_t half)
{
  for (size_t i = 0; i < n * n; i++) {
    const su_vector *x = (const su_vector *)a + 2 * SU_HALVES * i + half;
    su_vector *to = (su_vector *)out + 2 * SU_HALVES * i + half;
    to[0] += *re * x[0] - *im * x[SU_HALVES];
    to[SU_HALVES] += *re * x[SU_HALVES] + *im * x[0];
  }
}

/* The same for a in su(3): Tr a^2 is real, det a = Tr a^3 / 3 imaginary. */
SU_INLINE void su_series_3(su_real *restrict out, const su_real *a, int terms)
{
  SU_MATRIX(square);
  su_multiply(3, square, a, a);
  su_zero(3, out);
  for (size_t half = 0; half < SU_HALVES; half++) {
    su_vector trace = {0}, det = {0};
    for (size_t i = 0; i < 3; i++) {
      trace += 0.5 * *su_re_of(square, 3, i, i, half);
      for (size_t j = 0; j < 3; j++) {
        det += (*su_re_of(square, 3, i, j, half) * *su_im_of(a, 3, j, i, half) +
                *su_im_of(square, 3, i, j, half) * *su_re_of(a, 3, j, i, half)) /
               3.0;
      }
    }
    su_vector p_re = {0}, p_im = {0}, q_re = {0}, q_im = {0}, r_re = {0}, r_im = {0};
    p_re += 1;
    for (int k = terms; k >= 1; k--) { /* p + q a + r a^2 = 1 + a (p + q a + r a^2) / k */
      const su_real part = (su_real)(1.0 / k);
      su_vector next_re = 1 - part * (r_im * det), next_im = part * (r_re * det);
      su_vector r_next_re = part * q_re, r_next_im = part * q_im;
      q_re = part * (p_re + r_re * trace);
      q_im = part * (p_im + r_im * trace);
      r_re = r_next_re;
      r_im = r_next_im;
      p_re = next_re;
      p_im = next_im;
    }
    su_add_complex(3, out, &q_re, &q_im, a, half);
    su_add_complex(3, out, &r_re, &r_im, square, half);
    for (size_t i = 0; i < 3; i++) {
      *su_re(out, 3, i, i, half) += p_re;
      *su_im(out, 3, i, i, half) += p_im;
    }
  }
}

/* How often a norm is halved to be at most 1; infinity never is. */
SU_INLINE int su_halvings(double norm)
{
  int halvings = 0;
  for (; norm > 1 && norm / 2 < norm; norm /= 2) {
    halvings++;
  }
  return halvings;
}

/* a *= 2^-halvings, lane by lane */
SU_INLINE void su_halve_lanes(size_t n, su_real *a, const int *halvings)
{
  for (size_t i = 0; i < n * n * 2; i++) {
    for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
      a[i * LATTICE_LANES + lane] *= (su_real)ldexp(1, -halvings[lane]);
    }
  }
}

/* a = a^2 in lanes with at least so many halvings */
SU_INLINE void su_square_lanes(size_t n, su_real *a, const int *halvings, int least)
{
  SU_MATRIX(square);
  su_multiply(n, square, a, a);
  for (size_t i = 0; i < n * n * 2; i++) {
    for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
      size_t at = i * LATTICE_LANES + lane;
      a[at] = halvings[lane] >= least ? square[at] : a[at];
    }
  }
}

/* out = exp(a), a in the algebra (anti-Hermitian, traceless unless n is 1). */
SU_INLINE void su_exponential(size_t n, su_real *restrict out, const su_real *a)
{
  SU_MATRIX(part);
  SU_LANES(squares);
  int halvings[LATTICE_LANES], most = 0;
  su_real_trace_adjoint(n, squares, a, a);
  for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
    halvings[lane] = su_halvings(sqrt(squares[lane]));
    most = halvings[lane] > most ? halvings[lane] : most;
  }
  su_copy(n, part, a);
  if (most > 0) {
    su_halve_lanes(n, part, halvings);
  }
  if (n == 2) {
    su_series_2(out, part, SU_TERMS);
  } else if (n == 3) {
    su_series_3(out, part, SU_TERMS);
  } else {
    su_series(n, out, part, SU_TERMS);
  }
  for (int least = most; least > 0; least--) {
    su_square_lanes(n, out, halvings, least);
  }
}

/* ---- projection -------------------------------------------------------------------------------------------------- */

enum { SU_POLAR_STEPS = 100 }; /* the most; the usual number is about ten */

/* x = its unitary factor; x is not singular. A lane stays as it is once it is near, so that its bits do not depend on
 * what the other lanes hold. */
SU_INLINE void su_polar(size_t n, su_real *x)
{
  SU_MATRIX(square);
  SU_MATRIX(next);
  SU_LANES(norms);
  bool far[LATTICE_LANES], some = true;
  su_real_trace_adjoint(n, norms, x, x);
  for (size_t i = 0; i < n * n * 2; i++) { /* all singular values to at most 1 … */
    for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
      x[i * LATTICE_LANES + lane] *= norms[lane] > 0 ? 1 / sqrt(norms[lane]) : 0;
    }
  }
  for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
    far[lane] = true;
  }
  for (int step = 0; step < SU_POLAR_STEPS && some; step++) { /* … they grow to 1, quadratically at the end */
    su_adjoint_multiply(n, square, x, x);
    su_scale(n, square, -0.5);
    for (size_t k = 0; k < n; k++) {
      for (size_t half = 0; half < SU_HALVES; half++) {
        *su_re(square, n, k, k, half) += 0.5;
      }
    }
    su_real_trace_adjoint(n, norms, square, square);
    for (size_t k = 0; k < n; k++) {
      for (size_t half = 0; half < SU_HALVES; half++) {
        *su_re(square, n, k, k, half) += 1;
      }
    }
    su_multiply(n, next, x, square);
    some = false;
    for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
      for (size_t i = 0; i < n * n * 2 && far[lane]; i++) {
        x[i * LATTICE_LANES + lane] = next[i * LATTICE_LANES + lane];
      }
      far[lane] = far[lane] && 2 * sqrt(norms[lane]) > 1e-9;
      some = some || far[lane];
    }
  }
}

/* Determinant of one lane's matrix by elimination with pivots. */
SU_INLINE void su_determinant(size_t n, const su_real *a, size_t lane, double *re, double *im)
{
  double m[GAUGE_MAX_COLOURS][GAUGE_MAX_COLOURS][2];
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < n; j++) {
      m[i][j][0] = a[su_at(n, i, j) + lane];
      m[i][j][1] = a[su_at(n, i, j) + LATTICE_LANES + lane];
    }
  }
  *re = 1;
  *im = 0;
  for (size_t k = 0; k < n; k++) {
    size_t pivot = k;
    for (size_t i = k + 1; i < n; i++) {
      pivot = hypot(m[i][k][0], m[i][k][1]) > hypot(m[pivot][k][0], m[pivot][k][1]) ? i : pivot;
    }
    double sign = pivot == k ? 1 : -1, pr = m[pivot][k][0], pi = m[pivot][k][1], size = pr * pr + pi * pi;
    double was = *re;
    *re = sign * (was * pr - *im * pi);
    *im = sign * (was * pi + *im * pr);
    for (size_t j = k; j < n && pivot != k; j++) {
      for (size_t c = 0; c < 2; c++) {
        double other = m[k][j][c];
        m[k][j][c] = m[pivot][j][c];
        m[pivot][j][c] = other;
      }
    }
    for (size_t i = k + 1; i < n && size > 0; i++) {
      double fr = (m[i][k][0] * pr + m[i][k][1] * pi) / size, fi = (m[i][k][1] * pr - m[i][k][0] * pi) / size;
      for (size_t j = k; j < n; j++) {
        m[i][j][0] -= fr * m[k][j][0] - fi * m[k][j][1];
        m[i][j][1] -= fr * m[k][j][1] + fi * m[k][j][0];
      }
    }
  }
}

/* x = the matrix of SU(n), or U(1), nearest to its direction. Singular lanes become zero or stay not unitary: callers
 * sum links so that there are none but on open axes. */
SU_INLINE void su_project(size_t n, su_real *x)
{
  su_polar(n, x);
  for (size_t lane = 0; lane < LATTICE_LANES && n > 1; lane++) {
    double re, im;
    su_determinant(n, x, lane, &re, &im);
    double turn = -atan2(im, re) / (double)n, c = cos(turn), s = sin(turn);
    for (size_t i = 0; i < n * n; i++) {
      su_real *to = x + i * 2 * LATTICE_LANES + lane;
      double was = to[0];
      to[0] = c * was - s * to[LATTICE_LANES];
      to[LATTICE_LANES] = s * was + c * to[LATTICE_LANES];
    }
  }
}

#endif
