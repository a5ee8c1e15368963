/* Multi-histogram reweighting. See multi_histogram.h. */
#include "physics/statistics/multi_histogram.h"

#include "physics/statistics/cancel.h"
#include "physics/statistics/cholesky.h"

#include <math.h>
#include <string.h>

enum { MOST_STEPS = 200, MOST_HALVINGS = 60 };

static const double precision = 1e-12; /* of f: its change in the last step */

struct newton {
  const struct ensembles *ensembles;
  double *shares;                 /* [count]: of one configuration */
  double *gradient, *step, *next; /* [count] */
  double *hessian;                /* [count][count], of the ensembles that have configurations, but for the first */
};

size_t multi_histogram_work(size_t ensembles)
{
  return ensembles * (4 + ensembles);
}

/* log sum_i n_i exp(f_i - b_i E); shares, unless NULL: of each ensemble in the sum. */
static double log_mixture(const struct ensembles *e, const double *f, double energy, double *shares)
{
  double most = -(double)INFINITY, sum = 0;
  for (size_t i = 0; i < e->count; i++) {
    if (e->sizes[i] > 0) {
      most = fmax(most, f[i] - e->couplings[i] * energy);
    }
  }
  for (size_t i = 0; i < e->count; i++) {
    double term = e->sizes[i] > 0 ? (double)e->sizes[i] * exp(f[i] - e->couplings[i] * energy - most) : 0;
    sum += term;
    if (shares) {
      shares[i] = term;
    }
  }
  for (size_t i = 0; shares && i < e->count; i++) {
    shares[i] /= sum;
  }
  return most + log(sum);
}

/* The convex function at f; with gradient and Hessian where `full`. */
static double objective(const struct newton *n, const double *f, int full)
{
  const struct ensembles *e = n->ensembles;
  size_t count = e->count;
  double value = 0;
  for (size_t i = 0; i < count; i++) {
    value -= e->sizes[i] > 0 ? (double)e->sizes[i] * f[i] : 0;
    n->gradient[i] = full ? -(double)e->sizes[i] : n->gradient[i];
  }
  if (full) {
    memset(n->hessian, 0, count * count * sizeof *n->hessian);
  }
  for (size_t k = 0; k < e->configurations && !cancel_is_set(e->cancel); k++) {
    value += log_mixture(e, f, e->energies[k], full ? n->shares : NULL);
    for (size_t i = 0; full && i < count; i++) {
      n->gradient[i] += n->shares[i];
      n->hessian[i * count + i] += n->shares[i];
      for (size_t j = 0; j <= i; j++) {
        n->hessian[i * count + j] -= n->shares[i] * n->shares[j];
      }
    }
  }
  return value;
}

static size_t first_of(const struct ensembles *e)
{
  size_t first = 0;
  while (first + 1 < e->count && e->sizes[first] == 0) {
    first++;
  }
  return first;
}

/* The step of the unknowns: f of the first ensemble, and of those without configurations, stays. */
static int newton_step(const struct newton *n)
{
  size_t count = n->ensembles->count, first = first_of(n->ensembles);
  for (size_t i = 0; i < count; i++) {
    n->step[i] = -n->gradient[i];
    if (i != first && n->ensembles->sizes[i] > 0) {
      continue;
    }
    n->step[i] = 0;
    for (size_t j = 0; j < count; j++) {
      n->hessian[i * count + j] = n->hessian[j * count + i] = i == j;
    }
  }
  if (cholesky_factor(n->hessian, count) != 0) {
    return -1;
  }
  cholesky_forward(n->hessian, count, n->step);
  cholesky_back(n->hessian, count, n->step);
  return 0;
}

/* Goes along the step as far as the function falls; returns the largest change of f, or -1. */
static double walk(const struct newton *n, double *f, double value)
{
  size_t count = n->ensembles->count;
  double length = 1, slack = 1e-13 * fabs(value);
  for (int k = 0; k < MOST_HALVINGS; k++, length *= 0.5) {
    double change = 0;
    for (size_t i = 0; i < count; i++) {
      n->next[i] = f[i] + length * n->step[i];
      change = fmax(change, fabs(length * n->step[i]));
    }
    if (objective(n, n->next, 0) <= value + slack) {
      memcpy(f, n->next, count * sizeof *f);
      return change;
    }
  }
  return -1;
}

int multi_histogram_solve(const struct ensembles *e, double *f, double *work)
{
  size_t count = e->count;
  struct newton n = {e, work, work + count, work + 2 * count, work + 3 * count, work + 4 * count};
  double change = (double)INFINITY, most = 1;
  for (int k = 0; k < MOST_STEPS && change > precision * most && !cancel_is_set(e->cancel); k++) {
    double value = objective(&n, f, 1);
    if (!isfinite(value) || newton_step(&n) != 0 || (change = walk(&n, f, value)) < 0) {
      return -1;
    }
    most = 1;
    for (size_t i = 0; i < count; i++) {
      most = fmax(most, fabs(f[i]));
    }
  }
  for (size_t i = 0; i < count; i++) {
    f[i] = e->sizes[i] > 0 ? f[i] : (double)NAN;
  }
  return change <= precision * most ? 0 : -1;
}

/* log sum_k exp(-b E_k) / mixture_k; the terms' logarithms into `terms` unless NULL. */
static double log_partition(const struct ensembles *e, const double *f, double coupling, double *terms)
{
  double most = -(double)INFINITY, sum = 0; /* the sum in units of exp(most), which grows on the way */
  for (size_t k = 0; k < e->configurations && !cancel_is_set(e->cancel); k++) {
    double term = -coupling * e->energies[k] - log_mixture(e, f, e->energies[k], NULL);
    if (term > most) {
      sum = sum * exp(most - term) + 1;
      most = term;
    } else {
      sum += exp(term - most);
    }
    if (terms) {
      terms[k] = term;
    }
  }
  return most + log(sum);
}

struct reweighting multi_histogram_weights(const struct ensembles *e, const double *f, double coupling, double *weights)
{
  double total = log_partition(e, f, coupling, weights), sum = 0, squares = 0;
  for (size_t k = 0; k < e->configurations; k++) {
    weights[k] = exp(weights[k] - total);
    sum += weights[k];
    squares += weights[k] * weights[k];
  }
  for (size_t k = 0; k < e->configurations; k++) {
    weights[k] /= sum;
  }
  return (struct reweighting){total - log_partition(e, f, e->couplings[first_of(e)], NULL), sum * sum / squares};
}
