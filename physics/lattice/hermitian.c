/* Jacobi's method. See hermitian.h. */
#include "physics/lattice/hermitian.h"

#include "physics/lattice/gamma.h"

#include <float.h>
#include <math.h>

enum { MOST_SWEEPS = 60 };

/* x' = c x - conj(s) y, y' = s x + c y */
static void turn(double complex *x, double complex *y, double c, double complex s)
{
  double complex old = *x;
  *x = c * old - conj(s) * *y;
  *y = s * old + c * *y;
}

/* Makes entry (p, q) zero: A <- J^dagger A J, vectors <- vectors J. */
static void rotate(size_t n, double complex *a, double complex *vector, size_t p, size_t q)
{
  const double complex off = a[p * n + q];
  const double size = cabs(off), difference = creal(a[q * n + q]) - creal(a[p * n + p]);
  if (size == 0) {
    return;
  }
  const double t = (difference < 0 ? -2 : 2) * size / (fabs(difference) + hypot(difference, 2 * size));
  const double c = 1 / sqrt(1 + t * t);
  const double complex s = off * (t * c / size);
  for (size_t k = 0; k < n; k++) {
    turn(&a[k * n + p], &a[k * n + q], c, s);
    turn(&vector[k * n + p], &vector[k * n + q], c, s);
  }
  for (size_t k = 0; k < n; k++) {
    turn(&a[p * n + k], &a[q * n + k], c, conj(s));
  }
  a[p * n + q] = a[q * n + p] = 0;
  a[p * n + p] = creal(a[p * n + p]);
  a[q * n + q] = creal(a[q * n + q]);
}

static double off_diagonal(size_t n, const double complex *a, double *all)
{
  double sum = *all = 0;
  for (size_t i = 0; i < n * n; i++) {
    double square = creal(a[i]) * creal(a[i]) + cimag(a[i]) * cimag(a[i]);
    *all += square;
    sum += i % n != i / n ? square : 0;
  }
  return sum;
}

/* Ascending values, by selection. */
static void sort(size_t n, double *value, double complex *vector)
{
  for (size_t i = 0; i < n; i++) {
    size_t least = i;
    for (size_t k = i + 1; k < n; k++) {
      least = value[k] < value[least] ? k : least;
    }
    double kept = value[i];
    value[i] = value[least];
    value[least] = kept;
    for (size_t k = 0; least != i && k < n; k++) {
      double complex other = vector[k * n + i];
      vector[k * n + i] = vector[k * n + least];
      vector[k * n + least] = other;
    }
  }
}

void hermitian_eigen(size_t n, double complex *matrix, double *value, double complex *vector)
{
  double all;
  for (size_t i = 0; i < n * n; i++) {
    vector[i] = i % n == i / n;
  }
  for (size_t sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    if (off_diagonal(n, matrix, &all) <= DBL_EPSILON * DBL_EPSILON * all) {
      break;
    }
    for (size_t p = 0; p < n; p++) {
      for (size_t q = p + 1; q < n; q++) {
        rotate(n, matrix, vector, p, q);
      }
    }
  }
  for (size_t i = 0; i < n; i++) {
    value[i] = creal(matrix[i * n + i]);
  }
  sort(n, value, vector);
}
