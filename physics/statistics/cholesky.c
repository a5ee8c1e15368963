/* Cholesky's factor. See cholesky.h. */
#include "physics/statistics/cholesky.h"

#include <float.h>
#include <math.h>

int cholesky_factor(double *a, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    double whole = a[i * n + i];
    for (size_t j = 0; j <= i; j++) {
      double sum = a[i * n + j];
      for (size_t k = 0; k < j; k++) {
        sum -= a[i * n + k] * a[j * n + k];
      }
      if (i != j) {
        a[i * n + j] = sum / a[j * n + j];
      } else if (sum > (double)n * DBL_EPSILON * whole) {
        a[i * n + i] = sqrt(sum);
      } else {
        return -1;
      }
    }
  }
  return 0;
}

void cholesky_forward(const double *l, size_t n, double *b)
{
  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < i; k++) {
      b[i] -= l[i * n + k] * b[k];
    }
    b[i] /= l[i * n + i];
  }
}

void cholesky_back(const double *l, size_t n, double *b)
{
  for (size_t i = n; i-- > 0;) {
    for (size_t k = i + 1; k < n; k++) {
      b[i] -= l[k * n + i] * b[k];
    }
    b[i] /= l[i * n + i];
  }
}

void cholesky_inverse(const double *l, size_t n, double *out)
{
  for (size_t i = 0; i < n; i++) {
    double *column = out + i * n; /* the inverse is symmetric: a row is a column */
    for (size_t k = 0; k < n; k++) {
      column[k] = k == i;
    }
    cholesky_forward(l, n, column);
    cholesky_back(l, n, column);
  }
}
