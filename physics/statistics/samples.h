/* Samples: a table of measurements [sample][observable] without gaps, and its bins of consecutive samples.
 *
 * Bins carry sums of deviations from the mean of all, so that leaving one out or drawing some costs a sum over bins,
 * and digits are not lost where the values are large and their spread is small:
 *
 *   mean without bin b  = mean - s_b / (N - n_b);   mean of drawn bins = mean + sum s_b / sum n_b
 * Bins longer than the autocorrelation time make errors honest for a Markov chain; the last bin holds what is left
 * over. Thread rule: pure functions. */
#ifndef TWINCUBE_PHYSICS_STATISTICS_SAMPLES_H
#define TWINCUBE_PHYSICS_STATISTICS_SAMPLES_H

#include "physics/random/philox.h"

#include <stddef.h>

struct samples {
  const double *values; /* [count][observables] */
  size_t count, observables;
};

struct binned {
  size_t count, observables;
  double total;       /* samples in all */
  double *mean;       /* [observables] */
  double *deviations; /* [count][observables]: s_b */
  double *sizes;      /* [count]: n_b */
};

/* Compensated mean of n values, n at least 1; NaN where one is. */
double mean_of(const double *values, size_t n);

/* Of one observable. */
double mean_of_observable(const struct samples *samples, size_t observable);

/* Bins of `size` samples (at least 1) among n. */
size_t bins_count(size_t n, size_t size);

/* Doubles of memory of so many bins. */
size_t bins_room(size_t bins, size_t observables);

/* Doubles of memory of the bins of samples. */
size_t bins_work(const struct samples *samples, size_t size);

/* The bins, in `work`. At least one sample. */
struct binned bins_of(const struct samples *samples, size_t size, double *work);

/* The same of chains that lie one behind the other: lengths[c] samples of chain c, all samples together. The last bin
 * of each chain holds what is left over there; a chain without samples has none. */
struct binned bins_of_chains(const struct samples *samples, const size_t *lengths, size_t chains, size_t size,
                             double *work);

/* Means of the observables without bin b; there are two bins at least. */
void bins_without(const struct binned *bins, size_t b, double *means);

/* Pseudo-values [count][observables]: with N bins, N mean - (N - 1) (mean without bin b). Of equal bins they are the
 * bins' own means; their covariance over N is the jackknife's of the means, whatever the bins. */
void bins_pseudo_values(const struct binned *bins, double *values);

/* Means of as many bins as there are, drawn with replacement by the first numbers of the stream. */
void bins_drawn(const struct binned *bins, struct philox_stream stream, double *means);

#endif
