/* Dirac operators on random gauge fields, for the tests of physics/lattice. */
#ifndef TWINCUBE_TESTS_UNIT_PHYSICS_DIRAC_FIXTURE_H
#define TWINCUBE_TESTS_UNIT_PHYSICS_DIRAC_FIXTURE_H

#include "physics/lattice/dirac_solve.h"
#include "physics/lattice/gamma.h"
#include "physics/random/philox.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_SPINS = 4 };

/* An operator with all that it borrows. */
struct bench {
  struct lattice lattice;
  struct gauge_field gauge;
  struct dirac dirac;
  double complex *links; /* [site][mu][row][column] */
};

static inline void *take(size_t bytes)
{
  void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
  assert_non_null(memory);
  memset(memory, 0, (bytes + 63) / 64 * 64);
  return memory;
}

/* U = a unitary matrix by Gram-Schmidt of normal numbers, with determinant of any phase. */
static inline void random_unitary(struct philox_stream stream, uint64_t number, size_t n, double complex *u)
{
  double normals[2 * FERMION_MAX_COLOURS * FERMION_MAX_COLOURS];
  philox_normals(stream, number * 2 * n * n, 2 * n * n, normals);
  for (size_t i = 0; i < n; i++) {
    double complex *row = u + i * n;
    for (size_t k = 0; k < n; k++) {
      row[k] = complex_of(normals[2 * (i * n + k)], normals[2 * (i * n + k) + 1]);
    }
    double norm = 0;
    for (size_t j = 0; j < i; j++) {
      double complex overlap = 0;
      for (size_t k = 0; k < n; k++) {
        overlap += conj(u[j * n + k]) * row[k];
      }
      for (size_t k = 0; k < n; k++) {
        row[k] -= overlap * u[j * n + k];
      }
    }
    for (size_t k = 0; k < n; k++) {
      norm += creal(row[k] * conj(row[k]));
    }
    for (size_t k = 0; k < n; k++) {
      row[k] /= sqrt(norm);
    }
  }
}

static inline void bench_set(struct bench *bench, const struct dirac_rule *rule, bool floats)
{
  gauge_field_set(&bench->gauge, 1, (const double *)bench->links);
  void *memory = take(dirac_bytes(&bench->gauge, rule, floats));
  assert_int_equal(dirac_init(&bench->dirac, &bench->gauge, rule, floats, 2, memory), 0);
}

static inline void bench_open(struct bench *bench, size_t dimensions, const size_t *extent, size_t colours)
{
  lattice_init(&bench->lattice, dimensions, extent, take(lattice_bytes(dimensions, extent)));
  bench->gauge = gauge_field_over(&bench->lattice, colours, take(gauge_field_bytes(&bench->lattice, colours)));
  size_t matrices = bench->lattice.sites * dimensions;
  bench->links = take(matrices * colours * colours * sizeof *bench->links);
  for (size_t i = 0; i < matrices; i++) {
    random_unitary((struct philox_stream){7, 1}, i, colours, bench->links + i * colours * colours);
  }
}

/* What bench_open took lives to the end of the process; here only the operator's memory goes. */
static inline void bench_clear(struct bench *bench)
{
  free((void *)bench->dirac.links[FERMION_F64]);
}

static inline void bench_close(struct bench *bench)
{
  bench_clear(bench);
  free(bench->links);
  free(bench->gauge.links);
  free(bench->lattice.link);
}

static inline size_t field_count(const struct bench *bench)
{
  return bench->lattice.sites * bench->dirac.shape.spins * bench->dirac.shape.colours;
}

static inline double complex *random_field(const struct bench *bench, uint64_t stream)
{
  double complex *field = take(field_count(bench) * sizeof *field);
  philox_normals((struct philox_stream){11, stream}, 0, 2 * field_count(bench), (double *)field);
  return field;
}

/* M in, sites row-major. */
static inline double complex *applied(const struct bench *bench, const double complex *in)
{
  size_t bytes = fermion_bytes(&bench->dirac.shape, FERMION_F64, bench->lattice.blocks);
  double *from = take(bytes), *to = take(bytes);
  double complex *out = take(field_count(bench) * sizeof *out);
  fermion_set(&bench->dirac.shape, (const double *)in, from);
  dirac_apply(&bench->dirac, from, to);
  fermion_get(&bench->dirac.shape, to, (double *)out);
  free(from);
  free(to);
  return out;
}

#endif
