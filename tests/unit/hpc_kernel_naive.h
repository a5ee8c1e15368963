/* Reducers by the book: what each row of kernel_reducers.def means, written out over one array of numbers, and the
 * mixes of numbers, ties, NA, NaN and infinities that they are tried on. */
#ifndef TWINCUBE_TESTS_UNIT_KERNEL_NAIVE_H
#define TWINCUBE_TESTS_UNIT_KERNEL_NAIVE_H

#include "hpc_kernel_fixture.h"

enum { MAX_N = 1100 }; /* longest array */

/* One lane's array, and the answer: COUNT numbers. */
struct naive {
  double x[MAX_N], known[MAX_N]; /* elements; those that are not NA, in order */
  size_t n, known_count, nans;
  const double *parameters;
  size_t parameter_count;
  double answer[MAX_N];
};

static inline int ascending(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static inline double quantile(const double *sorted, size_t n, double probability)
{
  double at = (double)(n - 1) * probability;
  size_t below = (size_t)at;
  double f = at - (double)below;
  if (f == 0 || sorted[below] == sorted[below + 1])
    return sorted[below];
  return (1 - f) * sorted[below] + f * sorted[below + 1];
}

static inline double spread(const struct naive *a)
{
  double sum = 0, squares = 0;
  for (size_t i = 0; i < a->known_count; i++)
    sum += a->known[i];
  double mean = sum / (double)a->known_count;
  for (size_t i = 0; i < a->known_count; i++)
    squares += (a->known[i] - mean) * (a->known[i] - mean);
  return squares / (double)(a->known_count - 1);
}

/* Numeric reducers on the known elements, NaN and length checks already made. */
static inline double known_answer(enum kernel_reducer reducer, const struct naive *a)
{
  double r = reducer == KRED_PRODUCT ? 1 : reducer == KRED_MIN ? INFINITY : reducer == KRED_MAX ? -INFINITY : 0;
  for (size_t i = 0; reducer == KRED_WEIGHTED_SUM && i < a->n; i++)
    r += is_na_f64(a->x[i]) ? 0 : a->parameters[i + 1] * a->x[i];
  for (size_t i = 0; i < a->known_count; i++) {
    double x = a->known[i];
    if (reducer == KRED_SUM || reducer == KRED_MEAN)
      r += x;
    else if (reducer == KRED_PRODUCT)
      r *= x;
    else if ((reducer == KRED_MIN && x < r) || (reducer == KRED_MAX && x > r))
      r = x;
  }
  if (reducer == KRED_MEAN)
    return r / (double)a->known_count;
  if (reducer == KRED_VARIANCE)
    return spread(a);
  return reducer == KRED_SD ? sqrt(spread(a)) : r;
}

static inline double three_valued(const struct naive *a, bool wanted, bool ignore)
{
  bool unknown = false;
  for (size_t i = 0; i < a->n; i++) {
    if (!isnan(a->x[i]) && (a->x[i] != 0) == wanted)
      return wanted;
    unknown |= isnan(a->x[i]);
  }
  return unknown && !ignore && a->n > 1 ? na_f64() : !wanted;
}

static inline double count_of(const struct naive *a, int which)
{
  double count = 0;
  for (size_t i = 0; i < a->n; i++)
    count += which == 1 || (!isnan(a->x[i]) && (which == 0 || a->x[i] != 0));
  return count;
}

static inline void sorted_answer(struct naive *a, size_t results, enum kernel_reducer reducer)
{
  double sorted[MAX_N];
  memcpy(sorted, a->known, a->known_count * sizeof *sorted);
  qsort(sorted, a->known_count, sizeof *sorted, ascending);
  for (size_t q = 0; q < results; q++)
    a->answer[q] = quantile(sorted, a->known_count, reducer == KRED_MEDIAN ? 0.5 : a->parameters[1 + q]);
}

static inline void reduce_naively(enum kernel_reducer reducer, struct naive *a)
{
  bool ignore = a->parameters[0] != 0;
  size_t results = reducer == KRED_QUANTILES ? a->parameter_count - 1 : 1;
  if (reducer == KRED_COUNT) {
    a->answer[0] = count_of(a, (int)a->parameters[1]);
  } else if (reducer == KRED_ALL || reducer == KRED_ANY) {
    a->answer[0] = three_valued(a, reducer == KRED_ANY, ignore);
  } else if (reducer == KRED_FIRST || reducer == KRED_LAST) {
    const double *from = ignore ? a->known : a->x;
    size_t n = ignore ? a->known_count : a->n;
    a->answer[0] = n == 0 ? na_f64() : from[reducer == KRED_FIRST ? 0 : n - 1];
  } else {
    bool spreads = reducer == KRED_VARIANCE || reducer == KRED_SD;
    bool missing = a->known_count < (spreads ? 2 : 1) || (!ignore && a->known_count < a->n);
    for (size_t q = 0; q < results; q++)
      a->answer[q] = missing ? na_f64() : (double)NAN;
    if (missing || a->nans > 0)
      return;
    if (reducer == KRED_MEDIAN || reducer == KRED_QUANTILES)
      sorted_answer(a, results, reducer);
    else
      a->answer[0] = known_answer(reducer, a);
  }
}

/* The element of a mix: what is in it goes by lane, so that lanes without missing values occur too. */
static inline double mixed_value(uint64_t *seed, size_t lane)
{
  uint64_t bits = random_bits(seed);
  double x = floor(200 * random_unit(seed)) / 8 - 12.5; /* with ties, zero among them */
  switch (lane % 8) {
  case 0:
    return x;
  case 1:
    return bits % 3 == 0 ? na_f64() : x;
  case 2:
    return bits % 10 == 0 ? (double)NAN : x;
  case 3:
    return bits % 5 == 0 ? INFINITY : bits % 5 == 1 ? na_f64() : x;
  case 4:
    return bits % 5 == 0 ? -INFINITY : x;
  case 5:
    return bits % 8 == 0 ? na_f64() : bits % 40 == 1 ? (double)NAN : bits % 2 ? 1 : 0;
  case 6:
    return bits % 10 ? na_f64() : x;
  default:
    return na_f64();
  }
}

#endif
