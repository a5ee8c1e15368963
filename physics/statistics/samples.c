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

size_t bins_room(size_t bins, size_t observables)
{
  return observables + bins * (observables + 1);
}

size_t bins_work(const struct samples *samples, size_t size)
{
  return bins_room(bins_count(samples->count, size), samples->observables);
}

/* Bin b: samples start … end - 1. */
static void fill_bin(const struct samples *samples, size_t start, size_t end, size_t b, struct binned *bins)
{
  size_t observables = samples->observables;
  bins->sizes[b] = (double)(end - start);
  for (size_t k = 0; k < observables; k++) {
    double sum = 0;
    for (size_t i = start; i < end; i++) {
      sum += samples->values[i * observables + k] - bins->mean[k];
    }
    bins->deviations[b * observables + k] = sum;
  }
}

struct binned bins_of_chains(const struct samples *samples, const size_t *lengths, size_t chains, size_t size,
                             double *work)
{
  size_t observables = samples->observables, count = 0, first = 0, b = 0;
  for (size_t c = 0; c < chains; c++) {
    count += bins_count(lengths[c], size);
  }
  struct binned bins = {count, observables,        (double)samples->count,
                        work,  work + observables, work + observables * (count + 1)};
  for (size_t k = 0; k < observables; k++) {
    bins.mean[k] = mean_of_observable(samples, k);
  }
  for (size_t c = 0; c < chains; c++) {
    for (size_t i = 0; i < lengths[c]; i += size) {
      size_t left = lengths[c] - i;
      fill_bin(samples, first + i, first + i + (left < size ? left : size), b++, &bins);
    }
    first += lengths[c];
  }
  return bins;
}

struct binned bins_of(const struct samples *samples, size_t size, double *work)
{
  return bins_of_chains(samples, &samples->count, 1, size, work);
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
