/* Arithmetic of N x N complex matrices, eight at a time: one a lane.
 *
 * A matrix is what lies on a block (lattice.h): [row][column][re, im][lane], doubles or floats (su_real.h), aligned to
 * 64; N N 2 LATTICE_LANES of them. Every function takes `n` first. It is inlined always: where n is a constant the
 * loops unroll, so a caller switches once over 1, 2, 3 and the rest and puts its own body below the switch (SU_SWITCH).
 * Vectors are 32 bytes, so a number's eight lanes are two of doubles; sums run in the order of the indices, and every
 * SIMD level gives the same bits. `out` lies apart from the inputs except where said. Thread rule: pure functions. */
#ifndef TWINCUBE_PHYSICS_LATTICE_SU_MATRIX_H
#define TWINCUBE_PHYSICS_LATTICE_SU_MATRIX_H

#include "physics/lattice/gauge_field.h"
#include "physics/lattice/su_real.h"

#include <math.h>
#include <string.h>

enum {
  SU_STAGGER = 152, /* numbers behind the largest matrix: those that follow each other begin in other cache sets */
  SU_ROOM = GAUGE_MAX_COLOURS * GAUGE_MAX_COLOURS * 2 * LATTICE_LANES + SU_STAGGER
};

/* Matrices on the stack, and lanes of one number. */
#define SU_MATRIX(name) su_real name[SU_ROOM] __attribute__((aligned(64)))
#define SU_LANES(name) su_real name[LATTICE_LANES] __attribute__((aligned(64)))

/* Calls body(arguments …, n) with n a constant for the groups that matter. */
#define SU_SWITCH(colours, body, ...)                                                                                  \
  do {                                                                                                                 \
    switch (colours) {                                                                                                 \
    case 1:                                                                                                            \
      body(__VA_ARGS__, 1);                                                                                            \
      break;                                                                                                           \
    case 2:                                                                                                            \
      body(__VA_ARGS__, 2);                                                                                            \
      break;                                                                                                           \
    case 3:                                                                                                            \
      body(__VA_ARGS__, 3);                                                                                            \
      break;                                                                                                           \
    default:                                                                                                           \
      body(__VA_ARGS__, colours);                                                                                      \
    }                                                                                                                  \
  } while (0)

/* Numbers of a matrix. */
SU_INLINE size_t su_size(size_t n)
{
  return n * n * 2 * LATTICE_LANES;
}

/* Where an entry's real part begins; the imaginary part follows LATTICE_LANES behind. */
SU_INLINE size_t su_at(size_t n, size_t row, size_t column)
{
  return (row * n + column) * 2 * LATTICE_LANES;
}

SU_INLINE su_vector *su_re(su_real *m, size_t n, size_t row, size_t column, size_t half)
{
  return (su_vector *)(m + su_at(n, row, column)) + half;
}

SU_INLINE su_vector *su_im(su_real *m, size_t n, size_t row, size_t column, size_t half)
{
  return (su_vector *)(m + su_at(n, row, column)) + SU_HALVES + half;
}

SU_INLINE const su_vector *su_re_of(const su_real *m, size_t n, size_t row, size_t column, size_t half)
{
  return (const su_vector *)(m + su_at(n, row, column)) + half;
}

SU_INLINE const su_vector *su_im_of(const su_real *m, size_t n, size_t row, size_t column, size_t half)
{
  return (const su_vector *)(m + su_at(n, row, column)) + SU_HALVES + half;
}

/* ---- sums -------------------------------------------------------------------------------------------------------- */

SU_INLINE void su_zero(size_t n, su_real *out)
{
  memset(out, 0, su_size(n) * sizeof *out);
}

SU_INLINE void su_unit(size_t n, su_real *out)
{
  su_zero(n, out);
  for (size_t k = 0; k < n; k++) {
    for (size_t half = 0; half < SU_HALVES; half++) {
      *su_re(out, n, k, k, half) += 1.0;
    }
  }
}

SU_INLINE void su_copy(size_t n, su_real *out, const su_real *a)
{
  memcpy(out, a, su_size(n) * sizeof *out);
}

/* out += factor a; out may be a. */
SU_INLINE void su_add(size_t n, su_real *out, double factor, const su_real *a)
{
  const su_vector *from = (const su_vector *)a;
  su_vector *to = (su_vector *)out;
  for (size_t i = 0; i < n * n * 2 * SU_HALVES; i++) {
    to[i] += (su_real)factor * from[i];
  }
}

/* out *= factor. */
SU_INLINE void su_scale(size_t n, su_real *out, double factor)
{
  su_vector *to = (su_vector *)out;
  for (size_t i = 0; i < n * n * 2 * SU_HALVES; i++) {
    to[i] *= (su_real)factor;
  }
}

SU_INLINE void su_adjoint(size_t n, su_real *out, const su_real *a)
{
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < n; j++) {
      for (size_t half = 0; half < SU_HALVES; half++) {
        *su_re(out, n, i, j, half) = *su_re_of(a, n, j, i, half);
        *su_im(out, n, i, j, half) = -*su_im_of(a, n, j, i, half);
      }
    }
  }
}

/* ---- products ---------------------------------------------------------------------------------------------------- */

/* out = a b, each factor's adjoint where said; the flags are constants. With `factor`, out += *factor a b. */
SU_INLINE void su_product(size_t n, su_real *restrict out, const su_real *a, bool adjoint_a, const su_real *b,
                          bool adjoint_b, const double *factor)
{
  for (size_t half = 0; half < SU_HALVES; half++) {
    for (size_t i = 0; i < n; i++) {
      for (size_t j = 0; j < n; j++) {
        su_vector re = {0}, im = {0};
        for (size_t k = 0; k < n; k++) {
          size_t row_a = adjoint_a ? k : i, column_a = adjoint_a ? i : k;
          size_t row_b = adjoint_b ? j : k, column_b = adjoint_b ? k : j;
          su_vector ar = *su_re_of(a, n, row_a, column_a, half), ai = *su_im_of(a, n, row_a, column_a, half);
          su_vector br = *su_re_of(b, n, row_b, column_b, half), bi = *su_im_of(b, n, row_b, column_b, half);
          re += ar * br;
          re = adjoint_a == adjoint_b ? re - ai * bi : re + ai * bi;
          im = adjoint_b ? im - ar * bi : im + ar * bi;
          im = adjoint_a ? im - ai * br : im + ai * br;
        }
        if (factor != NULL) {
          re = *su_re_of(out, n, i, j, half) + (su_real)*factor * re;
          im = *su_im_of(out, n, i, j, half) + (su_real)*factor * im;
        }
        *su_re(out, n, i, j, half) = re;
        *su_im(out, n, i, j, half) = im;
      }
    }
  }
}

/* out = a b */
SU_INLINE void su_multiply(size_t n, su_real *restrict out, const su_real *a, const su_real *b)
{
  su_product(n, out, a, false, b, false, NULL);
}

/* out = a b^dagger */
SU_INLINE void su_multiply_adjoint(size_t n, su_real *restrict out, const su_real *a, const su_real *b)
{
  su_product(n, out, a, false, b, true, NULL);
}

/* out = a^dagger b */
SU_INLINE void su_adjoint_multiply(size_t n, su_real *restrict out, const su_real *a, const su_real *b)
{
  su_product(n, out, a, true, b, false, NULL);
}

/* out += factor a b */
SU_INLINE void su_add_product(size_t n, su_real *restrict out, double factor, const su_real *a, const su_real *b)
{
  su_product(n, out, a, false, b, false, &factor);
}

/* out += factor a b^dagger */
SU_INLINE void su_add_product_adjoint(size_t n, su_real *restrict out, double factor, const su_real *a,
                                      const su_real *b)
{
  su_product(n, out, a, false, b, true, &factor);
}

/* ---- traces ------------------------------------------------------------------------------------------------------ */

/* out[lane] = Re Tr a */
SU_INLINE void su_real_trace(size_t n, su_real *out, const su_real *a)
{
  for (size_t half = 0; half < SU_HALVES; half++) {
    su_vector sum = *su_re_of(a, n, 0, 0, half);
    for (size_t k = 1; k < n; k++) {
      sum += *su_re_of(a, n, k, k, half);
    }
    ((su_vector *)out)[half] = sum;
  }
}

/* out[lane] = Im Tr a */
SU_INLINE void su_imaginary_trace(size_t n, su_real *out, const su_real *a)
{
  for (size_t half = 0; half < SU_HALVES; half++) {
    su_vector sum = *su_im_of(a, n, 0, 0, half);
    for (size_t k = 1; k < n; k++) {
      sum += *su_im_of(a, n, k, k, half);
    }
    ((su_vector *)out)[half] = sum;
  }
}

/* out[lane] = Re Tr a b^dagger: with b = a the sum of the squares of all entries. */
SU_INLINE void su_real_trace_adjoint(size_t n, su_real *out, const su_real *a, const su_real *b)
{
  for (size_t half = 0; half < SU_HALVES; half++) {
    su_vector sum = {0};
    for (size_t i = 0; i < n * n; i++) {
      const su_vector *x = (const su_vector *)a + 2 * SU_HALVES * i + half;
      const su_vector *y = (const su_vector *)b + 2 * SU_HALVES * i + half;
      sum += x[0] * y[0] + x[SU_HALVES] * y[SU_HALVES];
    }
    ((su_vector *)out)[half] = sum;
  }
}

/* a = (a - a^dagger) / 2, for n > 1 less its trace: the projection on the algebra. */
SU_INLINE void su_to_algebra(size_t n, su_real *a)
{
  for (size_t half = 0; half < SU_HALVES; half++) {
    su_vector trace = {0};
    for (size_t i = 0; i < n; i++) {
      for (size_t j = 0; j < i; j++) {
        su_vector *re = su_re(a, n, i, j, half), *im = su_im(a, n, i, j, half);
        su_vector *re_other = su_re(a, n, j, i, half), *im_other = su_im(a, n, j, i, half);
        *re = 0.5 * (*re - *re_other);
        *im = 0.5 * (*im + *im_other);
        *re_other = -*re;
        *im_other = *im;
      }
      *su_re(a, n, i, i, half) -= *su_re(a, n, i, i, half);
      trace += *su_im(a, n, i, i, half);
    }
    for (size_t i = 0; i < n && n > 1; i++) {
      *su_im(a, n, i, i, half) -= trace / (su_real)n;
    }
  }
}

/* ---- lanes ------------------------------------------------------------------------------------------------------- */

/* Whether lane[l] = l ^ by for all l, as where an axis is cut in two. */
SU_INLINE bool su_exchanges(const uint8_t lane[LATTICE_LANES], uint8_t by)
{
  uint8_t other = 0;
  for (uint8_t l = 0; l < LATTICE_LANES; l++) {
    other |= (uint8_t)(lane[l] ^ l ^ by);
  }
  return other == 0;
}

/* out's lane l = a's lane lane[l]. */
SU_INLINE void su_permute(size_t n, su_real *restrict out, const su_real *a, const uint8_t lane[LATTICE_LANES])
{
  const su_vector *from = (const su_vector *)a;
  su_vector *to = (su_vector *)out;
  if (su_exchanges(lane, 1)) {
    for (size_t i = 0; i < n * n * 2 * SU_HALVES; i++) {
      su_exchange_1(to, from, i);
    }
  } else if (su_exchanges(lane, 2)) {
    for (size_t i = 0; i < n * n * 2 * SU_HALVES; i++) {
      su_exchange_2(to, from, i);
    }
  } else if (su_exchanges(lane, 4)) {
    for (size_t i = 0; i < n * n * 2 * SU_HALVES; i++) {
      su_exchange_4(to, from, i);
    }
  } else {
    for (size_t i = 0; i < n * n * 2; i++) {
      for (size_t l = 0; l < LATTICE_LANES; l++) {
        out[i * LATTICE_LANES + l] = a[i * LATTICE_LANES + lane[l]];
      }
    }
  }
}

/* The links of a field of this type. */
#ifdef SU_SINGLE
#define SU_LINKS(field) ((field)->narrow)
#else
#define SU_LINKS(field) ((field)->links)
#endif

SU_INLINE const su_real *su_link_here(size_t n, const struct gauge_field *field, size_t block, size_t mu)
{
  return SU_LINKS(field) + (block * field->lattice->dimensions + mu) * su_size(n);
}

/* Sum of the lanes that are sites, not repeats. */
SU_INLINE double su_sum_lanes(const struct lattice *lattice, const su_real *lanes)
{
  double sum = 0;
  for (size_t l = 0; l < lattice->lanes; l++) {
    sum += lanes[l];
  }
  return sum;
}

#endif
