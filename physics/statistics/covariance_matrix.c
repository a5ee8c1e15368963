/* Covariance matrices. See covariance_matrix.h. */
#include "physics/statistics/covariance_matrix.h"

#include "physics/statistics/cancel.h"

#include <math.h>

/* Observables i and j over all samples, about their means. */
struct pair_moments {
  double products; /* sum of d_i d_j */
  double squares;  /* sum of (d_i d_j)^2 */
};

static struct pair_moments pair_moments(const struct samples *samples, const double *mean, size_t i, size_t j)
{
  struct pair_moments out = {0, 0};
  for (size_t k = 0; k < samples->count; k++) {
    const double *row = samples->values + k * samples->observables;
    double product = (row[i] - mean[i]) * (row[j] - mean[j]);
    out.products += product;
    out.squares += product * product;
  }
  return out;
}

static double share(double noise, double distance)
{
  return noise > 0 && distance > 0 ? fmin(noise / distance, 1.0) : 0.0;
}

/* Lemmas 3.2 to 3.4 with sums in place of means over the diagonal: their common factors cancel. */
static double ledoit_wolf_share(const struct samples *samples, const double *mean, const volatile int *cancel)
{
  size_t p = samples->observables;
  double n = (double)samples->count, trace = 0, norm = 0, fourth = 0;
  for (size_t i = 0; i < p && !cancel_is_set(cancel); i++) {
    for (size_t j = 0; j <= i; j++) {
      struct pair_moments m = pair_moments(samples, mean, i, j);
      double s = m.products / n, times = i == j ? 1.0 : 2.0;
      trace += i == j ? s : 0.0;
      norm += times * s * s;
      fourth += times * m.squares / n;
    }
  }
  return share((fourth - norm) / n, norm - trace * trace / (double)p);
}

static double schaefer_strimmer_share(const struct samples *samples, const double *mean, const double *covariance,
                                      const volatile int *cancel)
{
  size_t p = samples->observables;
  double n = (double)samples->count, noise = 0, distance = 0;
  for (size_t i = 0; i < p && !cancel_is_set(cancel); i++) {
    for (size_t j = 0; j < i; j++) {
      double scale = covariance[i * p + i] * covariance[j * p + j];
      struct pair_moments m = pair_moments(samples, mean, i, j);
      if (scale > 0) {
        noise += n / pow(n - 1.0, 3) * (m.squares - m.products * m.products / n) / scale;
        distance += covariance[i * p + j] * covariance[i * p + j] / scale;
      }
    }
  }
  return share(noise, distance);
}

/* Towards `diagonal` on the diagonal, or where that is negative towards the variances themselves. */
static void shrink(double *covariance, size_t p, double weight, double diagonal)
{
  for (size_t i = 0; i < p; i++) {
    for (size_t j = 0; j < p; j++) {
      double target = i != j ? 0 : diagonal < 0 ? covariance[i * p + i] : diagonal;
      covariance[i * p + j] = (1.0 - weight) * covariance[i * p + j] + weight * target;
    }
  }
}

double covariance_matrix(const struct samples *samples, enum shrinkage shrinkage, double *covariance, double *work,
                         const volatile int *cancel)
{
  size_t p = samples->observables;
  double *mean = work, weight = 0, trace = 0;
  for (size_t i = 0; i < p && !cancel_is_set(cancel); i++) {
    mean[i] = mean_of_observable(samples, i);
  }
  for (size_t i = 0; i < p && !cancel_is_set(cancel); i++) {
    for (size_t j = 0; j <= i; j++) {
      double value = pair_moments(samples, mean, i, j).products / (double)(samples->count - 1);
      covariance[i * p + j] = covariance[j * p + i] = value;
    }
    trace += covariance[i * p + i];
  }
  switch (shrinkage) {
  case SHRINKAGE_NONE:
    return 0;
  case SHRINKAGE_LEDOIT_WOLF:
    weight = ledoit_wolf_share(samples, mean, cancel);
    shrink(covariance, p, weight, trace / (double)p);
    return weight;
  case SHRINKAGE_SCHAEFER_STRIMMER:
    weight = schaefer_strimmer_share(samples, mean, covariance, cancel);
    break;
  case SHRINKAGE_DIAGONAL:
    weight = 1;
    break;
  }
  shrink(covariance, p, weight, -1);
  return weight;
}
