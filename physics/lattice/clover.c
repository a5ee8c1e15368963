/* The clover term and its inverse, site by site. See clover.h. */
#include "physics/lattice/clover.h"

#include "datacube/base/checked.h"
#include "physics/lattice/gamma.h"
#include "physics/lattice/gauge_slab.h"

#include <math.h>
#include <string.h>

enum { N_MAX = FERMION_MAX_COLOURS, ROWS_MAX = FERMION_MAX_SPINS / 2 * FERMION_MAX_COLOURS };

/* A place: a block and a lane. */
struct site_place {
  size_t block, lane;
};

struct clover_task {
  const struct dirac *dirac;
  double strength;
  const double *from;
  double *site;
  int *failed; /* a matrix without an inverse was met */
};

static size_t site_rows(const struct fermion_shape *shape)
{
  return shape->spins / 2 * shape->colours;
}

/* Doubles from one block's matrices to the next's. */
static size_t site_stride(const struct fermion_shape *shape)
{
  size_t rows = site_rows(shape);
  return 2 * rows * rows * 2 * LATTICE_LANES;
}

size_t clover_bytes(const struct lattice *lattice, size_t colours)
{
  struct fermion_shape shape = {.spins = dirac_spins(lattice->dimensions, false), .colours = colours};
  size_t bytes;
  return checked_mul(lattice->blocks, site_stride(&shape) * sizeof(double), &bytes) == 0 ? bytes : 0;
}

/* ---- leaves ------------------------------------------------------------------------------------------------------ */

static struct site_place neighbour(const struct lattice *lattice, struct site_place at, size_t direction)
{
  uint32_t link = lattice->link[at.block * 2 * lattice->dimensions + direction];
  return (struct site_place){link & LATTICE_BLOCK,
                             link & LATTICE_CROSSES ? lattice->permutation[direction][at.lane] : at.lane};
}

/* The matrix of a hop, fermion_field.h. */
static void hop_matrix(const struct dirac *dirac, struct site_place at, size_t direction, double complex *matrix)
{
  const size_t n = dirac->shape.colours, numbers = n * n * 2;
  const double *link = (const double *)dirac->links[FERMION_F64] +
                       (at.block * 2 * dirac->shape.lattice->dimensions + direction) * numbers * LATTICE_LANES +
                       at.lane;
  for (size_t i = 0; i < n * n; i++) {
    matrix[i] = complex_of(link[2 * i * LATTICE_LANES], link[(2 * i + 1) * LATTICE_LANES]);
  }
}

/* c = a b, or a b^dagger. */
static void times(const double complex *a, const double complex *b, bool adjoint, size_t n, double complex *c)
{
  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < n; k++) {
      double complex sum = 0;
      for (size_t j = 0; j < n; j++) {
        sum += a[i * n + j] * (adjoint ? conj(b[k * n + j]) : b[j * n + k]);
      }
      c[i * n + k] = sum;
    }
  }
}

/* sum += the plaquette that leaves along direction a and comes back along b. */
static void add_leaf(const struct dirac *dirac, struct site_place at, size_t a, size_t b, double complex *sum)
{
  const struct lattice *lattice = dirac->shape.lattice;
  const size_t n = dirac->shape.colours;
  double complex side[4][N_MAX * N_MAX], first[N_MAX * N_MAX], second[N_MAX * N_MAX];
  hop_matrix(dirac, at, a, side[0]);
  hop_matrix(dirac, neighbour(lattice, at, a), b, side[1]);
  hop_matrix(dirac, neighbour(lattice, at, b), a, side[2]);
  hop_matrix(dirac, at, b, side[3]);
  times(side[0], side[1], false, n, first);
  times(first, side[2], true, n, second);
  times(second, side[3], true, n, first);
  for (size_t i = 0; i < n * n; i++) {
    sum[i] += first[i];
  }
}

/* field = F of the plane, anti-Hermitian. */
static void field_strength(const struct dirac *dirac, struct site_place at, size_t mu, size_t nu, double complex *field)
{
  const size_t n = dirac->shape.colours;
  double complex sum[N_MAX * N_MAX] = {0};
  add_leaf(dirac, at, 2 * mu, 2 * nu, sum);
  add_leaf(dirac, at, 2 * nu, 2 * mu + 1, sum);
  add_leaf(dirac, at, 2 * mu + 1, 2 * nu + 1, sum);
  add_leaf(dirac, at, 2 * nu + 1, 2 * mu, sum);
  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < n; k++) {
      field[i * n + k] = (sum[i * n + k] - conj(sum[k * n + i])) / 8;
    }
  }
}

/* ---- matrices ---------------------------------------------------------------------------------------------------- */

/* site += strength gamma_mu gamma_nu F; `site` points to its lane. */
static void add_plane(const struct clover_task *task, struct site_place at, size_t mu, size_t nu, double *site)
{
  const size_t n = task->dirac->shape.colours, spins = task->dirac->shape.spins, rows = spins / 2 * n;
  double complex field[N_MAX * N_MAX];
  field_strength(task->dirac, at, mu, nu, field);
  struct gamma_product gamma = gamma_product(spins, 1U << mu | 1U << nu);
  for (size_t spin = 0; spin < spins; spin++) {
    size_t half = spin / (spins / 2), row = spin % (spins / 2) * n, column = gamma.column[spin] % (spins / 2) * n;
    for (size_t i = 0; i < n * n; i++) {
      double complex value = task->strength * gamma_turn(field[i], gamma.power[spin]);
      double *entry = site + ((half * rows + row + i / n) * rows + column + i % n) * 2 * LATTICE_LANES;
      entry[0] += creal(value);
      entry[LATTICE_LANES] += cimag(value);
    }
  }
}

static void fill_blocks(void *context, size_t first, size_t last)
{
  const struct clover_task *task = context;
  const struct fermion_shape *shape = &task->dirac->shape;
  const size_t rows = site_rows(shape), dimensions = shape->lattice->dimensions;
  for (size_t block = first; block < last; block++) {
    double *matrices = task->site + block * site_stride(shape);
    memset(matrices, 0, site_stride(shape) * sizeof *matrices);
    for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
      double *site = matrices + lane;
      for (size_t i = 0; i < 2 * rows; i++) {
        site[(i * rows + i % rows) * 2 * LATTICE_LANES] = 1;
      }
      for (size_t mu = 0; mu < dimensions; mu++) {
        for (size_t nu = mu + 1; nu < dimensions; nu++) {
          add_plane(task, (struct site_place){block, lane}, mu, nu, site);
        }
      }
    }
  }
}

void clover_fill(const struct dirac *dirac, double strength, double *site)
{
  struct clover_task task = {.dirac = dirac, .strength = strength, .site = site};
  lattice_run(dirac->threads, 0, dirac->shape.lattice->blocks, fill_blocks, &task);
}

/* Row operations that make `a` the unit make `b` the inverse. -1 where a pivot vanishes. */
static int eliminate(double complex *a, double complex *b, size_t rows)
{
  for (size_t k = 0; k < rows; k++) {
    size_t pivot = k;
    for (size_t i = k + 1; i < rows; i++) {
      pivot = cabs(a[i * rows + k]) > cabs(a[pivot * rows + k]) ? i : pivot;
    }
    /* written so that NaN fails */
    if (!(cabs(a[pivot * rows + k]) > 1e-12)) {
      return -1;
    }
    double complex inverse = 1 / a[pivot * rows + k];
    for (size_t j = 0; j < rows; j++) {
      double complex left = a[pivot * rows + j], right = b[pivot * rows + j];
      a[pivot * rows + j] = a[k * rows + j], b[pivot * rows + j] = b[k * rows + j];
      a[k * rows + j] = left * inverse, b[k * rows + j] = right * inverse;
    }
    for (size_t i = 0; i < rows; i++) {
      double complex factor = a[i * rows + k];
      for (size_t j = 0; j < rows && i != k; j++) {
        a[i * rows + j] -= factor * a[k * rows + j];
        b[i * rows + j] -= factor * b[k * rows + j];
      }
    }
  }
  return 0;
}

/* One matrix of one lane; `from` and `to` point to it. */
static int invert_lane(const double *from, size_t rows, double *to)
{
  double complex a[ROWS_MAX * ROWS_MAX], b[ROWS_MAX * ROWS_MAX] = {0};
  for (size_t i = 0; i < rows * rows; i++) {
    a[i] = complex_of(from[2 * i * LATTICE_LANES], from[(2 * i + 1) * LATTICE_LANES]);
    b[i] = i / rows == i % rows;
  }
  int status = eliminate(a, b, rows);
  for (size_t i = 0; i < rows * rows; i++) {
    to[2 * i * LATTICE_LANES] = creal(b[i]);
    to[(2 * i + 1) * LATTICE_LANES] = cimag(b[i]);
  }
  return status;
}

static void invert_blocks(void *context, size_t first, size_t last)
{
  const struct clover_task *task = context;
  const size_t rows = site_rows(&task->dirac->shape), matrix = rows * rows * 2 * LATTICE_LANES;
  for (size_t i = first * 2; i < last * 2; i++) {
    const unsigned own = lattice_own_lanes(task->dirac->shape.lattice, i / 2); /* copies lack what lies around them */
    for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
      int status = invert_lane(task->from + i * matrix + lane, rows, task->site + i * matrix + lane);
      if (status != 0 && (own >> lane & 1) != 0) {
#pragma omp atomic write
        *task->failed = 1;
      }
    }
  }
}

int clover_invert(const struct dirac *dirac, const double *site, double *inverse)
{
  int failed = 0;
  struct clover_task task = {.dirac = dirac, .from = site, .site = inverse, .failed = &failed};
  lattice_run(dirac->threads, 0, dirac->shape.lattice->blocks, invert_blocks, &task);
  struct exact_sum all = {0};
  exact_sum_add(&all, failed);
  gauge_slab_total(dirac->slab, &all, 1);
  return exact_sum_value(&all) > 0 ? -1 : 0;
}
