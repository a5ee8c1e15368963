/* Correlated least squares. See chi_square_fit.h. */
#include "physics/statistics/chi_square_fit.h"

#include "physics/statistics/cancel.h"
#include "physics/statistics/cholesky.h"
#include "physics/statistics/distributions.h"

#include <math.h>
#include <string.h>

enum { MOST_STEPS = 500 };

/* Relative change of parameters, and share of chi^2 that a step may still gain, at which a fit has converged. */
static const double least_step = 1e-10, least_gain = 1e-14;

struct fit_state {
  const struct fit_problem *problem;
  double *p, *trial;         /* [parameters] */
  double *residuals, *moved; /* whitened, [points]: at p, at trial */
  double *slopes, *ahead;    /* whitened, [parameters][points] */
  double *gradient, *step;   /* [parameters] */
  double *scale;             /* [parameters]: D */
  double *normal, *factor;   /* [parameters][parameters] */
  double chi_square, lambda, growth;
};

size_t correlated_fit_work(size_t points, size_t parameters)
{
  return 2 * points * (parameters + 1) + parameters * (5 + 2 * parameters);
}

static void place(struct fit_state *f, double *work)
{
  size_t n = f->problem->points, m = f->problem->parameters;
  f->p = work;
  f->trial = f->p + m;
  f->gradient = f->trial + m;
  f->step = f->gradient + m;
  f->scale = f->step + m;
  f->normal = f->scale + m;
  f->factor = f->normal + m * m;
  f->residuals = f->factor + m * m;
  f->moved = f->residuals + n;
  f->slopes = f->moved + n;
  f->ahead = f->slopes + m * n;
}

static bool has_prior(const struct fit_problem *problem, size_t j)
{
  return problem->prior && !isnan(problem->prior[j]);
}

/* Whitened residuals and slopes at p; returns chi^2. */
static double evaluate(const struct fit_state *f, const double *p, double *residuals, double *slopes)
{
  const struct fit_problem *problem = f->problem;
  size_t n = problem->points;
  double sum = 0;
  problem->model->evaluate(problem->model, p, residuals, slopes);
  for (size_t i = 0; i < n; i++) {
    residuals[i] = problem->y[i] - residuals[i];
  }
  cholesky_forward(problem->factor, n, residuals);
  for (size_t j = 0; j < problem->parameters; j++) {
    cholesky_forward(problem->factor, n, slopes + j * n);
  }
  for (size_t i = 0; i < n; i++) {
    sum += residuals[i] * residuals[i];
  }
  for (size_t j = 0; j < problem->parameters; j++) {
    double off = has_prior(problem, j) ? (p[j] - problem->prior[j]) / problem->width[j] : 0;
    sum += off * off;
  }
  return sum;
}

static double product(const double *a, const double *b, size_t n)
{
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    sum += a[i] * b[i];
  }
  return sum;
}

/* J^T J, J^T r and D at p, priors included. */
static void linearise(struct fit_state *f)
{
  const struct fit_problem *problem = f->problem;
  size_t n = problem->points, m = problem->parameters;
  for (size_t a = 0; a < m; a++) {
    f->gradient[a] = product(f->slopes + a * n, f->residuals, n);
    for (size_t b = 0; b <= a; b++) {
      f->normal[a * m + b] = f->normal[b * m + a] = product(f->slopes + a * n, f->slopes + b * n, n);
    }
    if (has_prior(problem, a)) {
      double weight = 1.0 / (problem->width[a] * problem->width[a]);
      f->normal[a * m + a] += weight;
      f->gradient[a] += weight * (problem->prior[a] - f->p[a]);
    }
    f->scale[a] = fmax(f->scale[a], f->normal[a * m + a]);
  }
}

/* The damped step; false where even that has no solution. */
static bool solve(struct fit_state *f)
{
  size_t m = f->problem->parameters;
  memcpy(f->factor, f->normal, m * m * sizeof *f->factor);
  for (size_t a = 0; a < m; a++) {
    f->factor[a * m + a] += f->lambda * (f->scale[a] > 0 ? f->scale[a] : 1.0);
    f->step[a] = f->gradient[a];
  }
  if (cholesky_factor(f->factor, m) != 0) {
    return false;
  }
  cholesky_forward(f->factor, m, f->step);
  cholesky_back(f->factor, m, f->step);
  return true;
}

/* What the step should gain; *small: whether it hardly moves. */
static double foreseen_gain(const struct fit_state *f, bool *small)
{
  double gain = 0;
  *small = true;
  for (size_t a = 0; a < f->problem->parameters; a++) {
    double s = f->step[a], scale = f->scale[a] > 0 ? f->scale[a] : 1.0;
    gain += s * (f->lambda * scale * s + f->gradient[a]);
    *small = *small && fabs(s) <= least_step * (fabs(f->p[a]) + least_step);
  }
  return gain;
}

static void take_step(struct fit_state *f, double chi_square)
{
  double *p = f->p, *residuals = f->residuals, *slopes = f->slopes;
  f->p = f->trial;
  f->residuals = f->moved;
  f->slopes = f->ahead;
  f->trial = p;
  f->moved = residuals;
  f->ahead = slopes;
  f->chi_square = chi_square;
  linearise(f);
}

/* One step, taken where it lowers chi^2. True where the fit has converged. */
static bool iterate(struct fit_state *f)
{
  bool small;
  if (!solve(f)) {
    f->lambda *= f->growth;
    f->growth *= 2;
    return false;
  }
  double foreseen = foreseen_gain(f, &small);
  for (size_t a = 0; a < f->problem->parameters; a++) {
    f->trial[a] = f->p[a] + f->step[a];
  }
  double chi_square = evaluate(f, f->trial, f->moved, f->ahead), gain = f->chi_square - chi_square;
  bool done = small || foreseen <= least_gain * f->chi_square;
  if (gain > 0) { /* not where chi^2 is no number */
    double off = 2 * gain / foreseen - 1;
    f->lambda *= fmax(1.0 / 3, 1 - off * off * off);
    f->growth = 2;
    take_step(f, chi_square);
    return done || f->chi_square == 0;
  }
  f->lambda *= f->growth;
  f->growth *= 2;
  return done;
}

static double count_degrees(const struct fit_problem *problem)
{
  double degrees = (double)problem->points - (double)problem->parameters;
  for (size_t j = 0; j < problem->parameters; j++) {
    degrees += has_prior(problem, j);
  }
  return degrees;
}

/* The covariance, or NaN where the parameters are not determined. */
static bool settle_covariance(const struct fit_state *f, double *covariance)
{
  size_t m = f->problem->parameters;
  memcpy(f->factor, f->normal, m * m * sizeof *f->factor);
  if (cholesky_factor(f->factor, m) != 0) {
    return false;
  }
  if (covariance) {
    cholesky_inverse(f->factor, m, covariance);
  }
  return true;
}

struct fit_result correlated_fit(const struct fit_problem *problem, double *parameters, double *covariance,
                                 double *work)
{
  struct fit_state f = {.problem = problem, .lambda = 1e-3, .growth = 2};
  size_t m = problem->parameters;
  place(&f, work);
  memcpy(f.p, problem->start, m * sizeof *f.p);
  memset(f.scale, 0, m * sizeof *f.scale);
  f.chi_square = evaluate(&f, f.p, f.residuals, f.slopes);
  bool converged = false;
  if (isfinite(f.chi_square)) {
    linearise(&f);
    for (int k = 0; !converged && k < MOST_STEPS && f.lambda < 1e30 && !cancel_is_set(problem->cancel); k++) {
      converged = iterate(&f);
    }
  }
  converged = converged && settle_covariance(&f, covariance);
  for (size_t j = 0; j < m; j++) {
    parameters[j] = converged ? f.p[j] : (double)NAN;
  }
  for (size_t j = 0; covariance && !converged && j < m * m; j++) {
    covariance[j] = (double)NAN;
  }
  double degrees = count_degrees(problem);
  return (struct fit_result){converged, f.chi_square, degrees,
                             degrees > 0 ? chi_square_tail(f.chi_square, degrees) : (double)NAN};
}
