/* Hops, solutions and forces in two dimensions. See schwinger.h. */
#include "physics/lattice/schwinger.h"

#include "datacube/base/checked.h"

#include <math.h>
#include <string.h>

#define TOLERANCE 1e-12 /* of |r| / |phi| */

enum { SPINOR = 4, FIELDS = 7, MOST_ITERATIONS = 20000 };

struct spin_part { /* a complex number */
  double re, im;
};

static struct spin_part times(struct spin_part a, struct spin_part b)
{
  return (struct spin_part){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

static struct spin_part conjugate_times(struct spin_part a, struct spin_part b)
{
  return (struct spin_part){a.re * b.re + a.im * b.im, a.re * b.im - a.im * b.re};
}

static struct spin_part at(const double *values, size_t i)
{
  return (struct spin_part){values[2 * i], values[2 * i + 1]};
}

size_t schwinger_bytes(const size_t *extent)
{
  size_t sites = saturated_mul(extent[0], extent[1]);
  return saturated_mul(sites, SPINOR * (FIELDS + 1) * sizeof(double));
}

/* Conjugate gradients need ln(2 / TOLERANCE) / 2 times the ratio of M's largest to its smallest singular value. For
 * free fermions that is (1 + 4 kappa) / (1 - 4 kappa); near the critical kappa, and behind it, the lattice limits it.
 */
double schwinger_iterations(const size_t *extent, double kappa)
{
  double limit = (double)(extent[0] > extent[1] ? extent[0] : extent[1]), gap = 1.0 - 4.0 * kappa;
  double ratio = gap * limit > 1.0 + 4.0 * kappa ? (1.0 + 4.0 * kappa) / gap : limit;
  double count = 0.5 * log(2.0 / TOLERANCE) * ratio;
  return count < MOST_ITERATIONS ? count : MOST_ITERATIONS;
}

void schwinger_open(struct schwinger *schwinger, const size_t *extent, void *memory)
{
  double *at_field = memory;
  schwinger->extent[0] = extent[0];
  schwinger->extent[1] = extent[1];
  schwinger->sites = extent[0] * extent[1];
  double **fields[] = {&schwinger->links, &schwinger->phi, &schwinger->x, &schwinger->y,
                       &schwinger->r,     &schwinger->p,   &schwinger->q, &schwinger->mp};
  for (size_t k = 0; k < FIELDS + 1; k++) {
    *fields[k] = at_field + k * SPINOR * schwinger->sites;
  }
}

void schwinger_set(struct schwinger *schwinger, const struct gauge_field *field)
{
  gauge_field_get(field, 1, schwinger->links);
  size_t last = (schwinger->extent[0] - 1) * schwinger->extent[1];
  for (size_t site = last; site < schwinger->sites && schwinger->antiperiodic; site++) {
    schwinger->links[4 * site] *= -1;
    schwinger->links[4 * site + 1] *= -1;
  }
}

/* ---- hops -------------------------------------------------------------------------------------------------------- */

static size_t neighbour(const struct schwinger *s, size_t site, size_t mu, bool back)
{
  size_t row = site / s->extent[1], column = site % s->extent[1];
  size_t *where = mu == 0 ? &row : &column, extent = s->extent[mu];
  *where = back ? (*where + extent - 1) % extent : (*where + 1) % extent;
  return row * s->extent[1] + column;
}

/* (1 + sign gamma_mu) psi has the upper component h that is returned, and the lower one lift(h). */
static struct spin_part project(const double *psi, size_t site, size_t mu, double sign)
{
  struct spin_part a = at(psi, 2 * site), b = at(psi, 2 * site + 1);
  return mu == 0 ? (struct spin_part){a.re + sign * b.re, a.im + sign * b.im}
                 : (struct spin_part){a.re + sign * b.im, a.im - sign * b.re};
}

static struct spin_part lift(struct spin_part h, size_t mu, double sign)
{
  return mu == 0 ? (struct spin_part){sign * h.re, sign * h.im} : (struct spin_part){-sign * h.im, sign * h.re};
}

static void add_hop(const struct schwinger *s, double *out, size_t site, struct spin_part h, size_t mu, double sign)
{
  struct spin_part low = lift(h, mu, sign);
  out[SPINOR * site] -= s->kappa * h.re;
  out[SPINOR * site + 1] -= s->kappa * h.im;
  out[SPINOR * site + 2] -= s->kappa * low.re;
  out[SPINOR * site + 3] -= s->kappa * low.im;
}

void schwinger_apply(const struct schwinger *s, double *out, const double *in, bool dagger)
{
  const double forward = dagger ? 1.0 : -1.0;
  memcpy(out, in, SPINOR * s->sites * sizeof *out);
  for (size_t site = 0; site < s->sites; site++) {
    for (size_t mu = 0; mu < 2; mu++) {
      size_t next = neighbour(s, site, mu, false), before = neighbour(s, site, mu, true);
      struct spin_part ahead = times(at(s->links, 2 * site + mu), project(in, next, mu, forward));
      struct spin_part behind = conjugate_times(at(s->links, 2 * before + mu), project(in, before, mu, -forward));
      add_hop(s, out, site, ahead, mu, forward);
      add_hop(s, out, site, behind, mu, -forward);
    }
  }
}

/* ---- solutions --------------------------------------------------------------------------------------------------- */

static double square(const struct schwinger *s, const double *v)
{
  double sum = 0;
  for (size_t i = 0; i < SPINOR * s->sites; i++) {
    sum += v[i] * v[i];
  }
  return sum;
}

static bool is_cut(const struct schwinger *s)
{
  return s->cancel != NULL && *s->cancel != 0;
}

/* x = (M M^dagger)^-1 phi, y = M^dagger x. */
static void solve(struct schwinger *s)
{
  if (s->failed) {
    return;
  }
  size_t count = SPINOR * s->sites;
  memset(s->x, 0, count * sizeof *s->x);
  memcpy(s->r, s->phi, count * sizeof *s->r);
  memcpy(s->p, s->phi, count * sizeof *s->p);
  double rest = square(s, s->r), goal = rest * TOLERANCE * TOLERANCE;
  size_t iteration = 0;
  for (; rest > goal && iteration < MOST_ITERATIONS && !is_cut(s); iteration++) {
    schwinger_apply(s, s->mp, s->p, true);
    schwinger_apply(s, s->q, s->mp, false);
    double alpha = rest / square(s, s->mp), last = rest;
    for (size_t i = 0; i < count; i++) {
      s->x[i] += alpha * s->p[i];
      s->r[i] -= alpha * s->q[i];
    }
    rest = square(s, s->r);
    for (size_t i = 0; i < count; i++) {
      s->p[i] = s->r[i] + rest / last * s->p[i];
    }
  }
  s->failed = !(rest <= goal); /* so that NaN fails */
  s->iterations += iteration;
  schwinger_apply(s, s->y, s->x, true);
}

double schwinger_draw(struct schwinger *s, struct philox_stream stream)
{
  size_t count = SPINOR * s->sites;
  philox_normals(stream, 0, count, s->x);
  for (size_t i = 0; i < count; i++) {
    s->x[i] *= 0.7071067811865476;
  }
  schwinger_apply(s, s->phi, s->x, false);
  return square(s, s->x);
}

double schwinger_action(struct schwinger *s)
{
  solve(s);
  return square(s, s->y); /* phi^dagger x = x^dagger M M^dagger x */
}

/* ---- force ------------------------------------------------------------------------------------------------------- */

/* a^dagger (1 + sign gamma_mu) h's spinor, of two sites. */
static struct spin_part between(const double *a, size_t site, struct spin_part h, size_t mu, double sign)
{
  struct spin_part upper = conjugate_times(at(a, 2 * site), h);
  struct spin_part lower = conjugate_times(at(a, 2 * site + 1), lift(h, mu, sign));
  return (struct spin_part){upper.re + lower.re, upper.im + lower.im};
}

/* -dS/dalpha of the link times e^(i alpha): 2 kappa Im [ x^dagger(x) (1 - gamma) U y(x + mu)
 *                                                       - x^dagger(x + mu) (1 + gamma) U^dagger y(x) ]. */
static double force(const struct schwinger *s, size_t site, size_t mu)
{
  size_t next = neighbour(s, site, mu, false);
  struct spin_part u = at(s->links, 2 * site + mu);
  struct spin_part ahead = between(s->x, site, times(u, project(s->y, next, mu, -1.0)), mu, -1.0);
  struct spin_part behind = between(s->x, next, conjugate_times(u, project(s->y, site, mu, 1.0)), mu, 1.0);
  return 2.0 * s->kappa * (ahead.im - behind.im);
}

void schwinger_kick(struct schwinger *s, const struct lattice *lattice, double time, double *momentum)
{
  solve(s);
  for (size_t block = 0; block < lattice->blocks; block++) {
    for (size_t mu = 0; mu < 2; mu++) {
      double *imaginary = momentum + ((block * 2 + mu) * 2 + 1) * LATTICE_LANES;
      for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
        imaginary[lane] += time * force(s, lattice_site(lattice, block, lane), mu);
      }
    }
  }
}
