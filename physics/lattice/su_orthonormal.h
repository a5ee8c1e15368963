/* Rows made orthonormal one after the other, by Gram and Schmidt: what takes rounding away from links, and makes Haar
 * distributed ones of normal numbers. See su_matrix.h for the layout. Thread rule: pure functions. */
#ifndef TWINCUBE_PHYSICS_LATTICE_SU_ORTHONORMAL_H
#define TWINCUBE_PHYSICS_LATTICE_SU_ORTHONORMAL_H

#include "physics/lattice/su_group.h"

/* row i -= (row j . row i) row j, row j normalised */
SU_INLINE void su_make_orthogonal(size_t n, su_real *a, size_t i, size_t j, size_t half)
{
  su_vector re = {0}, im = {0};
  for (size_t k = 0; k < n; k++) {
    su_vector xr = *su_re(a, n, j, k, half), xi = *su_im(a, n, j, k, half);
    su_vector yr = *su_re(a, n, i, k, half), yi = *su_im(a, n, i, k, half);
    re += xr * yr + xi * yi;
    im += xr * yi - xi * yr;
  }
  for (size_t k = 0; k < n; k++) {
    su_vector xr = *su_re(a, n, j, k, half), xi = *su_im(a, n, j, k, half);
    *su_re(a, n, i, k, half) -= re * xr - im * xi;
    *su_im(a, n, i, k, half) -= re * xi + im * xr;
  }
}

/* Row i to length 1; a zero row stays one. */
SU_INLINE void su_normalise(size_t n, su_real *a, size_t i)
{
  SU_LANES(scale);
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    su_real square = 0;
    for (size_t k = 0; k < 2 * n; k++) {
      su_real x = a[(2 * i * n + k) * LATTICE_LANES + l];
      square += x * x;
    }
    scale[l] = square > 0 ? 1 / su_root(square) : 0;
  }
  for (size_t k = 0; k < 2 * n; k++) {
    for (size_t half = 0; half < SU_HALVES; half++) {
      ((su_vector *)a)[(2 * i * n + k) * SU_HALVES + half] *= ((su_vector *)scale)[half];
    }
  }
}

/* n = 2, 3: the last row from the others, such that the determinant is 1: conj of (b, -a), of their cross product. */
SU_INLINE void su_last_row(size_t n, su_real *a)
{
  for (size_t k = 0; k < n; k++) {
    for (size_t half = 0; half < SU_HALVES; half++) {
      size_t p = (k + 1) % n, q = (k + 2) % n;
      su_vector re, im;
      if (n == 2) {
        su_real sign = k == 0 ? -1 : 1;
        re = sign * *su_re(a, n, 0, p, half);
        im = -sign * *su_im(a, n, 0, p, half);
      } else {
        su_vector pr = *su_re(a, n, 0, p, half), pi = *su_im(a, n, 0, p, half);
        su_vector qr = *su_re(a, n, 0, q, half), qi = *su_im(a, n, 0, q, half);
        su_vector sr = *su_re(a, n, 1, q, half), si = *su_im(a, n, 1, q, half);
        su_vector tr = *su_re(a, n, 1, p, half), ti = *su_im(a, n, 1, p, half);
        re = (pr * sr - pi * si) - (qr * tr - qi * ti);
        im = -((pr * si + pi * sr) - (qr * ti + qi * tr));
      }
      *su_re(a, n, n - 1, k, half) = re;
      *su_im(a, n, n - 1, k, half) = im;
    }
  }
}

/* The nearest rows that are orthonormal, one after the other; then the last one's phase makes the determinant 1. A zero
 * matrix, a link that is not there, stays zero. */
SU_INLINE void su_orthonormal(size_t n, su_real *a)
{
  const size_t rows = n == 2 || n == 3 ? n - 1 : n;
  for (size_t i = 0; i < rows; i++) {
    for (size_t j = 0; j < i; j++) {
      for (size_t half = 0; half < SU_HALVES; half++) {
        su_make_orthogonal(n, a, i, j, half);
      }
    }
    su_normalise(n, a, i);
  }
  if (rows < n) {
    su_last_row(n, a);
  }
  if (n <= 3) {
    return;
  }
  SU_LANES(re);
  SU_LANES(im);
  for (size_t l = 0; l < LATTICE_LANES; l++) {
    double determinant[2];
    su_determinant(n, a, l, &determinant[0], &determinant[1]);
    re[l] = (su_real)determinant[0];
    im[l] = (su_real)determinant[1];
  }
  for (size_t k = 0; k < n; k++) { /* times conj(det) */
    for (size_t half = 0; half < SU_HALVES; half++) {
      su_vector dr = ((su_vector *)re)[half], di = ((su_vector *)im)[half];
      su_vector xr = *su_re(a, n, n - 1, k, half), xi = *su_im(a, n, n - 1, k, half);
      *su_re(a, n, n - 1, k, half) = xr * dr + xi * di;
      *su_im(a, n, n - 1, k, half) = xi * dr - xr * di;
    }
  }
}

#endif
