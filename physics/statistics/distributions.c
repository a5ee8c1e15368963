/* The normal and the chi-square distribution. See distributions.h. */
#include "physics/statistics/distributions.h"

#include <math.h>

enum { MOST_TERMS = 100000 };

static const double smallest = 1e-300; /* keeps a continued fraction from 0/0 */

double normal_probability(double x)
{
  return 0.5 * erfc(-x * 0.70710678118654752440);
}

/* |error| < 4.5e-4, for probabilities up to 1/2. */
static double lower_guess(double probability)
{
  double t = sqrt(-2.0 * log(probability));
  double top = (0.010328 * t + 0.802853) * t + 2.515517, below = ((0.001308 * t + 0.189269) * t + 1.432788) * t + 1.0;
  return top / below - t;
}

double normal_quantile(double probability)
{
  if (!(probability > 0 && probability < 1)) {
    return probability == 0 ? -(double)INFINITY : probability == 1 ? (double)INFINITY : (double)NAN;
  }
  if (probability > 0.5) {
    return -normal_quantile(1.0 - probability);
  }
  double x = lower_guess(probability);
  for (int i = 0; i < 3; i++) {
    double density = 0.39894228040143267794 * exp(-0.5 * x * x);
    double step = (normal_probability(x) - probability) / density;
    x -= step / (1.0 + 0.5 * x * step);
  }
  return x;
}

/* exp(-x) x^a / Gamma(a) */
static double gamma_factor(double a, double x)
{
  int sign;
  return exp(a * log(x) - x - lgamma_r(a, &sign));
}

static double lower_series(double a, double x)
{
  double term = 1.0 / a, sum = term;
  for (int n = 1; n < MOST_TERMS && term > 1e-17 * sum; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return sum * gamma_factor(a, x);
}

/* 1/(x + 1 - a - 1 (1 - a)/(x + 3 - a - 2 (2 - a)/(x + 5 - a - …))), from the front. */
static double upper_fraction(double a, double x)
{
  double b = x + 1.0 - a, front = 1.0 / smallest, back = 1.0 / b, out = back;
  for (int n = 1; n < MOST_TERMS; n++) {
    double numerator = -n * (n - a);
    b += 2.0;
    back = numerator * back + b;
    front = b + numerator / front;
    back = 1.0 / (fabs(back) < smallest ? smallest : back);
    front = fabs(front) < smallest ? smallest : front;
    double change = back * front;
    out *= change;
    if (fabs(change - 1.0) < 1e-16) {
      break;
    }
  }
  return out * gamma_factor(a, x);
}

double chi_square_tail(double chi2, double degrees)
{
  double a = 0.5 * degrees, x = 0.5 * chi2;
  if (isnan(x) || !(a > 0)) {
    return (double)NAN;
  }
  if (x <= 0) {
    return 1;
  }
  if (isinf(x)) {
    return 0;
  }
  return x < a + 1.0 ? 1.0 - lower_series(a, x) : upper_fraction(a, x);
}
