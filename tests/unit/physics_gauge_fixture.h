/* Random gauge fields for tests, and plain arithmetic on them: complex numbers, coordinates, no lanes. */
#ifndef TWINCUBE_TESTS_UNIT_PHYSICS_GAUGE_FIXTURE_H
#define TWINCUBE_TESTS_UNIT_PHYSICS_GAUGE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "physics/lattice/gauge_smear.h"
#include "physics/lattice/su_group.h"
#include "physics/random/philox.h"

#include <complex.h>

#define PLAIN_PI 3.14159265358979323846

static const struct fixture_shape {
  size_t colours, dimensions, extent[LATTICE_MAX_DIMENSIONS];
} fixtures[] = {{1, 2, {8, 4}},       {1, 4, {4, 2, 2, 4}}, {2, 3, {3, 5, 4}},    {2, 4, {4, 4, 2, 3}},
                {3, 4, {4, 4, 4, 4}}, {3, 2, {8, 16}},      {4, 4, {2, 3, 2, 2}}, {5, 2, {4, 8}}};
enum { FIXTURES = sizeof fixtures / sizeof *fixtures };

struct fixture {
  struct lattice lattice;
  struct gauge_field field;
  size_t colours, numbers; /* doubles in the field's links */
};

/* ---- matrices ---------------------------------------------------------------------------------------------------- */

static inline void random_numbers(double *out, size_t count, uint64_t seed)
{
  philox_normals((struct philox_stream){seed, 9}, 0, count, out);
}

static inline void take_lane(size_t n, const double *m, size_t lane, complex double *out)
{
  for (size_t i = 0; i < n * n; i++)
    out[i] = m[i * 2 * LATTICE_LANES + lane] + I * m[(i * 2 + 1) * LATTICE_LANES + lane];
}

static inline void plain_product(size_t n, const complex double *a, const complex double *b, complex double *out)
{
  complex double product[64];
  for (size_t i = 0; i < n * n; i++) {
    product[i] = 0;
    for (size_t k = 0; k < n; k++)
      product[i] += a[i / n * n + k] * b[k * n + i % n];
  }
  memcpy(out, product, n * n * sizeof *out);
}

static inline void plain_adjoint(size_t n, const complex double *a, complex double *out)
{
  complex double adjoint[64];
  for (size_t i = 0; i < n * n; i++)
    adjoint[i] = conj(a[i % n * n + i / n]);
  memcpy(out, adjoint, n * n * sizeof *out);
}

static inline double plain_distance(size_t n, const complex double *a, const complex double *b)
{
  double largest = 0;
  for (size_t i = 0; i < n * n; i++)
    largest = fmax(largest, cabs(a[i] - b[i]));
  return largest;
}

static inline complex double plain_trace(size_t n, const complex double *a)
{
  complex double trace = 0;
  for (size_t i = 0; i < n; i++)
    trace += a[i * n + i];
  return trace;
}

static inline void plain_unit(size_t n, complex double *out)
{
  for (size_t i = 0; i < n * n; i++)
    out[i] = i % (n + 1) == 0;
}

static inline double plain_unitarity(size_t n, const complex double *a)
{
  complex double adjoint[64], unit[64];
  plain_adjoint(n, a, adjoint);
  plain_product(n, adjoint, a, adjoint);
  plain_unit(n, unit);
  return plain_distance(n, adjoint, unit);
}

/* exp by 30 terms of a / 64, squared six times. */
static inline void plain_exponential(size_t n, const complex double *a, complex double *out)
{
  complex double term[64], part[64];
  for (size_t i = 0; i < n * n; i++)
    part[i] = a[i] / 64;
  plain_unit(n, out);
  plain_unit(n, term);
  for (int k = 1; k <= 30; k++) {
    plain_product(n, term, part, term);
    for (size_t i = 0; i < n * n; i++) {
      term[i] /= k;
      out[i] += term[i];
    }
  }
  for (int k = 0; k < 6; k++)
    plain_product(n, out, out, out);
}

/* (a - a^dagger) / 2 without its trace, but for U(1). */
static inline void plain_algebra(size_t n, complex double *a)
{
  complex double adjoint[64], trace = 0;
  plain_adjoint(n, a, adjoint);
  for (size_t i = 0; i < n * n; i++)
    a[i] = (a[i] - adjoint[i]) / 2;
  if (n > 1)
    trace = plain_trace(n, a);
  for (size_t i = 0; i < n; i++)
    a[i * n + i] -= trace / (double)n;
}

static inline void random_group_element(size_t n, uint64_t seed, uint64_t number, complex double *out)
{
  double numbers[128];
  complex double a[64];
  philox_normals((struct philox_stream){seed, number + 1}, 0, 2 * n * n, numbers);
  for (size_t i = 0; i < n * n; i++)
    a[i] = numbers[2 * i] + I * numbers[2 * i + 1];
  plain_algebra(n, a);
  plain_exponential(n, a, out);
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */

static inline void fixture_put(struct fixture *f, const complex double *links)
{
  gauge_field_set(&f->field, 1, (const double *)links);
}

static inline complex double *fixture_links(const struct fixture *f)
{
  size_t count = f->lattice.sites * f->lattice.dimensions * f->colours * f->colours;
  complex double *links = malloc(count * sizeof *links);
  assert_non_null(links);
  gauge_field_get(&f->field, 1, (double *)links);
  return links;
}

static inline void fixture_open(struct fixture *f, const struct fixture_shape *shape, uint64_t seed)
{
  void *tables = aligned_alloc(64, lattice_bytes(shape->dimensions, shape->extent));
  lattice_init(&f->lattice, shape->dimensions, shape->extent, tables);
  size_t bytes = gauge_field_bytes(&f->lattice, shape->colours), n = shape->colours;
  f->field = gauge_field_over(&f->lattice, n, aligned_alloc(64, bytes));
  f->colours = n;
  f->numbers = bytes / sizeof(double);
  complex double *links = fixture_links(f);
  for (size_t i = 0; i < f->lattice.sites * f->lattice.dimensions; i++)
    random_group_element(n, seed, i, links + i * n * n);
  fixture_put(f, links);
  free(links);
}

static inline void fixture_close(struct fixture *f)
{
  free(f->field.links);
  free(f->lattice.link);
}

static inline double fixture_distance(const struct fixture *f, const complex double *links)
{
  complex double *own = fixture_links(f);
  double largest = 0;
  for (size_t i = 0; i < f->lattice.sites * f->lattice.dimensions * f->colours * f->colours; i++)
    largest = fmax(largest, cabs(own[i] - links[i]));
  free(own);
  return largest;
}

/* Row-major number of the neighbour. */
static inline size_t plain_step(const struct lattice *lattice, size_t site, size_t direction)
{
  size_t stride = 1, k = direction / 2, extent = lattice->extent[k];
  for (size_t d = k + 1; d < lattice->dimensions; d++)
    stride *= lattice->extent[d];
  size_t at = site / stride % extent, to = direction % 2 ? (at + extent - 1) % extent : (at + 1) % extent;
  return site + to * stride - at * stride;
}

static inline void plain_path(const struct fixture *f, const complex double *links, size_t site, const size_t *path,
                              size_t length, complex double *out)
{
  size_t n = f->colours;
  plain_unit(n, out);
  for (size_t i = 0; i < length; i++) {
    complex double link[64];
    size_t next = plain_step(&f->lattice, site, path[i]), at = path[i] % 2 ? next : site;
    memcpy(link, links + (at * f->lattice.dimensions + path[i] / 2) * n * n, n * n * sizeof *link);
    if (path[i] % 2)
      plain_adjoint(n, link, link);
    plain_product(n, out, link, out);
    site = next;
  }
}

/* G(x) U(x, mu) G(x + mu)^dagger with random G. */
static inline void fixture_transform(struct fixture *f, uint64_t seed)
{
  complex double *links = fixture_links(f), here[64], there[64];
  size_t n = f->colours, d = f->lattice.dimensions;
  for (size_t i = 0; i < f->lattice.sites * d; i++) {
    random_group_element(n, seed, i / d, here);
    random_group_element(n, seed, plain_step(&f->lattice, i / d, i % d * 2), there);
    plain_adjoint(n, there, there);
    plain_product(n, here, links + i * n * n, here);
    plain_product(n, here, there, links + i * n * n);
  }
  fixture_put(f, links);
  free(links);
}

static inline void assert_near(double a, double b)
{
  if (!(fabs(a - b) <= 1e-10 * (1 + fabs(b))) && !(isnan(a) && isnan(b)))
    fail_msg("%.17g is not %.17g", a, b);
}

#endif
