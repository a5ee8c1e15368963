/* Tables of measurements and their bins. See samples.h. */
#include "physics/statistics/samples.h"

#include <math.h>

/* Of values `stride` apart. */
static double strided_mean(const double *values, size_t n, size_t stride)
{
  double sum = 0, lost = 0; /* compensated: long chains, small errors */
  for (size_t i = 0; i < n; i++) {
    double value = values[i * stride], next = sum + value;
    lost += fabs(sum) >= fabs(value) ? (sum - next) + value : (value - next) + sum;
    sum = next;
  }
  return (sum + lost) / (double)n;
}

double mean_of(const double *values, size_t n)
{
  return strided_mean(values, n, 1);
}

double mean_of_observable(const struct samples *samples, size_t observable)
{
  return strided_mean(samples->values + observable, samples->count, samples->observables);
}

size_t bins_count(size_t n, size_t size)
{
  return n / size + (n % size != 0);
}

size_t bins_work(const struct samples *samples, size_t size)
{
  return samples->observables + bins_count(samples->count, size) * (samples->observables + 1);
}

struct binned bins_of(const struct samples *samples, size_t size, double *work)
{
  size_t n = samples->count, observables = samples->observables, count = bins_count(n, size);
  struct binned bins = {count, observables, (double)n, work, work + observables, work + observables * (count + 1)};
  for (size_t k = 0; k < observables; k++) {
    bins.mean[k] = mean_of_observable(samples, k);
  }
  for (size_t b = 0; b < count; b++) {
    size_t start = b * size, end = n - start < size ? n : start + size;
    bins.sizes[b] = (double)(end - start);
    for (size_t k = 0; k < observables; k++) {
      double sum = 0;
      for (size_t i = start; i < end; i++) {
        sum += samples->values[i * observables + k] - bins.mean[k];
      }
      bins.deviations[b * observables + k] = sum;
    }
  }
  return bins;
}

void bins_without(const struct binned *bins, size_t b, double *means)
{
  double left = bins->total - bins->sizes[b];
  for (size_t k = 0; k < bins->observables; k++) {
    means[k] = bins->mean[k] - bins->deviations[b * bins->observables + k] / left;
  }
}

void bins_pseudo_values(const struct binned *bins, double *values)
{
  size_t observables = bins->observables;
  for (size_t b = 0; b < bins->count; b++) {
    double less = (double)(bins->count - 1) / (bins->total - bins->sizes[b]);
    for (size_t k = 0; k < observables; k++) {
      values[b * observables + k] = bins->mean[k] + less * bins->deviations[b * observables + k];
    }
  }
}

void bins_drawn(const struct binned *bins, struct philox_stream stream, double *means)
{
  size_t observables = bins->observables;
  double drawn = 0, pair[2];
  for (size_t k = 0; k < observables; k++) {
    means[k] = 0;
  }
  for (size_t i = 0; i < bins->count; i++) {
    if (i % 2 == 0) {
      philox_pair(stream, i / 2, pair);
    }
    size_t b = (size_t)(pair[i % 2] * (double)bins->count); /* the number is below 1 */
    b = b < bins->count ? b : bins->count - 1;
    drawn += bins->sizes[b];
    for (size_t k = 0; k < observables; k++) {
      means[k] += bins->deviations[b * observables + k];
    }
  }
  for (size_t k = 0; k < observables; k++) {
    means[k] = bins->mean[k] + means[k] / drawn;
  }
}
