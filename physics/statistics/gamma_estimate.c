/* The Gamma method. See gamma_estimate.h. */
#include "physics/statistics/gamma_estimate.h"

#include "physics/statistics/autocovariance.h"
#include "physics/statistics/cancel.h"
#include "physics/statistics/distributions.h"
#include "physics/statistics/samples.h"

#include <math.h>

size_t chains_length(const struct chains *chains)
{
  size_t n = 0;
  for (size_t r = 0; r < chains->count; r++) {
    n += chains->lengths[r];
  }
  return n;
}

static size_t longest_chain(const struct chains *chains)
{
  size_t longest = 0;
  for (size_t r = 0; r < chains->count; r++) {
    longest = chains->lengths[r] > longest ? chains->lengths[r] : longest;
  }
  return longest;
}

/* Distances that a window may reach: a chain that is shorter has no pairs there, and tells nothing of them. */
static size_t most_lag(const struct chains *chains)
{
  return longest_chain(chains) / 2;
}

size_t gamma_method_work(const struct chains *chains)
{
  size_t longest = longest_chain(chains);
  return 2 * longest + 1 + autocovariance_work(longest, longest);
}

/* gamma[t], t = 0 … most, about `mean`. work: room for the longest chain, then of autocovariance. */
static void fill_gamma(const struct chains *chains, double mean, size_t most, double *gamma, double *work)
{
  size_t longest = longest_chain(chains);
  const double *values = chains->values;
  for (size_t t = 0; t <= most; t++) {
    gamma[t] = 0;
  }
  for (size_t r = 0; r < chains->count; r++) {
    size_t n = chains->lengths[r], last = n > most ? most : n - 1;
    for (size_t i = 0; i < n; i++) {
      work[i] = values[i] - mean;
    }
    if (n > 0) {
      autocovariance_add(work, n, last, gamma, work + longest, chains->cancel);
    }
    values += n;
  }
  for (size_t t = 0; t <= most; t++) {
    size_t pairs = 0;
    for (size_t r = 0; r < chains->count; r++) {
      pairs += chains->lengths[r] > t ? chains->lengths[r] - t : 0;
    }
    gamma[t] /= (double)pairs;
  }
}

/* Decay time of an exponential whose integrated time is tau, times S. */
static double window_time(double tau, double s)
{
  return tau <= 0.5 ? 1e-12 : s / log((2.0 * tau + 1.0) / (2.0 * tau - 1.0));
}

struct summation_window {
  size_t length; /* W */
  double sum;    /* 1/2 + sum rho up to it */
  bool is_met;   /* else no distance met the condition, and it is the largest one */
};

static struct summation_window find_window(const double *gamma, size_t most, size_t n, double s)
{
  struct summation_window out = {0, 0.5, false};
  while (out.length < most && !out.is_met) {
    double t = (double)++out.length;
    out.sum += gamma[out.length] / gamma[0];
    double tau = window_time(out.sum, s);
    out.is_met = exp(-t / tau) < tau / sqrt(t * (double)n);
  }
  return out;
}

/* Chance that the replicas' means lie further from `mean` than these. */
static double replica_p(const struct chains *chains, double mean, double total)
{
  double squares = 0, replicas = 0;
  const double *values = chains->values;
  for (size_t r = 0; r < chains->count; r++) {
    size_t n = chains->lengths[r];
    if (n > 0) {
      double off = mean_of(values, n) - mean;
      squares += off * off * (double)n / total;
      replicas++;
    }
    values += n;
  }
  return replicas > 1 ? chi_square_tail(squares, replicas - 1) : 1;
}

struct gamma_estimate gamma_method(const struct chains *chains, double s, double *work)
{
  const double nan = (double)NAN;
  size_t n = chains_length(chains), most = most_lag(chains);
  struct gamma_estimate out = {nan, nan, nan, nan, nan, nan, (double)n, nan, nan};
  if (n == 0) {
    return out;
  }
  out.value = mean_of(chains->values, n);
  if (n < 2 || isnan(out.value)) {
    return out;
  }
  double *gamma = work;
  fill_gamma(chains, out.value, most, gamma, work + most + 1);
  if (!(gamma[0] > 0)) {
    return (struct gamma_estimate){out.value, 0, 0, 0.5, 0, 0, (double)n, (double)n, 1};
  }
  struct summation_window window = find_window(gamma, most, n, s);
  out.window = (double)window.length;
  double width = 2.0 * out.window + 1.0, total = 2.0 * window.sum * gamma[0]; /* C */
  double variance = gamma[0] + total / (double)n;
  total += width * total / (double)n;
  if (!window.is_met || !(total > 0)) {
    return out;
  }
  out.tau = total / (2.0 * variance);
  out.error = sqrt(total / (double)n);
  out.error_error = out.error * sqrt((out.window + 0.5) / (double)n);
  out.tau_error = 2.0 * out.tau * sqrt(fmax(out.window + 0.5 - out.tau, 0) / (double)n);
  out.effective = (double)n / (2.0 * out.tau);
  out.replica_p = replica_p(chains, out.value, total);
  return out;
}

/* (E.11): sum over k of (rho(k + t) + rho(k - t) - 2 rho(k) rho(t))^2, k = 1 … t + W. */
static double rho_error(const double *rho, size_t most, size_t t, size_t window, double n)
{
  double squares = 0;
  for (size_t k = 1; k <= t + window; k++) {
    size_t near = k > t ? k - t : t - k;
    double ahead = k + t <= most ? rho[k + t] : 0, back = near <= most ? rho[near] : 0, here = k <= most ? rho[k] : 0;
    double term = ahead + back - 2.0 * here * rho[t];
    squares += term * term;
  }
  return sqrt(squares / n);
}

void autocorrelation_function(const struct chains *chains, size_t lags, double *rho, double *error, double *work)
{
  size_t n = chains_length(chains), longest = longest_chain(chains), most = longest > 0 ? longest - 1 : 0;
  double *gamma = work, mean = n > 0 ? mean_of(chains->values, n) : (double)NAN;
  for (size_t t = 0; t <= lags; t++) {
    rho[t] = error[t] = (double)NAN;
  }
  if (n < 2 || isnan(mean)) {
    return;
  }
  fill_gamma(chains, mean, most, gamma, work + most + 1);
  if (!(gamma[0] > 0)) {
    return;
  }
  struct summation_window window = find_window(gamma, most_lag(chains), n, 1.5);
  for (size_t t = most + 1; t-- > 0;) {
    gamma[t] /= gamma[0];
  }
  for (size_t t = 0; t <= lags && t <= most && !cancel_is_set(chains->cancel); t++) {
    rho[t] = gamma[t];
    error[t] = window.is_met ? rho_error(gamma, most, t, window.length, (double)n) : (double)NAN;
  }
}
