/* Effective masses by bisection. See effective_mass.h. */
#include "physics/lattice/effective_mass.h"

#include <math.h>
#include <stdbool.h>

/* f(m a) / f(m b), f = cosh or sinh, without overflow. */
static double quotient(bool odd, double m, double a, double b)
{
  if (odd && m == 0) {
    return a / b;
  }
  double sign = odd ? -1 : 1, decay = exp(m * (fabs(a) - fabs(b)));
  double value = decay * (1 + sign * exp(-2 * m * fabs(a))) / (1 + sign * exp(-2 * m * fabs(b)));
  return odd && (a < 0) != (b < 0) ? -value : value;
}

/* m with quotient(m) = wanted, |a| > |b|: it grows with m, from 1 or a / b on. */
static double bisected(bool odd, double wanted, double a, double b)
{
  double low = 0, high = 1;
  /* written so that NaN fails */
  if (!(wanted >= quotient(odd, 0, a, b))) {
    return NAN;
  }
  while (quotient(odd, high, a, b) < wanted) {
    high *= 2;
    if (high > 1e4) {
      return NAN;
    }
  }
  for (int i = 0; i < 200 && low < high; i++) {
    double middle = 0.5 * (low + high);
    if (middle <= low || middle >= high) {
      break;
    }
    *(quotient(odd, middle, a, b) < wanted ? &low : &high) = middle;
  }
  return 0.5 * (low + high);
}

double effective_mass(enum effective_mass_kind kind, double now, double next, double t, double period)
{
  if (!(now * next > 0) && kind != EFFECTIVE_SINH) {
    return NAN;
  }
  if (kind == EFFECTIVE_LOG) {
    return log(now / next);
  }
  double a = t - period / 2, b = a + 1;
  bool odd = kind == EFFECTIVE_SINH;
  if (fabs(a) == fabs(b) || (odd && (a == 0 || b == 0))) {
    return NAN; /* the middle of an odd period tells nothing; nor does a zero of sinh */
  }
  return fabs(a) > fabs(b) ? bisected(odd, now / next, a, b) : bisected(odd, next / now, b, a);
}
