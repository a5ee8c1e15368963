/* Traces by noise. See condensate.h. */
#include "physics/lattice/condensate.h"

#include "datacube/base/checked.h"

#include <math.h>
#include <string.h>

static size_t field_bytes(const struct fermion_shape *shape)
{
  return fermion_bytes(shape, FERMION_F64, shape->lattice->blocks);
}

size_t condensate_bytes(const struct fermion_shape *shape)
{
  size_t sums = (shape->lattice->blocks * sizeof(double) + 63) / 64 * 64, solve = dirac_solve_bytes(shape);
  size_t bytes = saturated_add(saturated_mul(2, field_bytes(shape)), saturated_add(saturated_mul(2, sums), solve));
  return bytes == SIZE_MAX || solve == 0 ? 0 : bytes;
}

static void fill_noise(const struct fermion_shape *shape, enum noise_kind kind, struct philox_stream stream,
                       double *eta)
{
  const size_t size = shape->spins * shape->colours;
  for (size_t block = 0; block < shape->lattice->blocks; block++) {
    for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
      uint64_t first = (uint64_t)lattice_site(shape->lattice, block, lane) * size;
      for (size_t i = 0; i < size; i++) {
        double complex value = noise_number(kind, stream, first + i);
        double *number = eta + (block * size + i) * 2 * LATTICE_LANES + lane;
        number[0] = creal(value);
        number[LATTICE_LANES] = cimag(value);
      }
    }
  }
}

/* Real part of eta^dagger psi over one half of the spins, of one block. */
static double half_overlap(const double *eta, const double *psi, size_t numbers, size_t lanes)
{
  double sum = 0;
  for (size_t i = 0; i < numbers; i++) {
    for (size_t lane = 0; lane < lanes; lane++) {
      sum += eta[i * LATTICE_LANES + lane] * psi[i * LATTICE_LANES + lane];
    }
  }
  return sum;
}

/* Re eta^dagger psi and Re eta^dagger gamma_5 psi, per site. */
static void overlaps(const struct fermion_shape *shape, const double *eta, const double *psi, double *sums,
                     double out[2])
{
  const size_t blocks = shape->lattice->blocks, lanes = shape->lattice->lanes, numbers = fermion_numbers(shape);
  const size_t upper = shape->spins > 1 ? numbers / 2 : numbers;
  double *scalar = sums, *chiral = sums + blocks;
  for (size_t block = 0; block < blocks; block++) {
    const size_t offset = block * numbers * LATTICE_LANES, half = offset + upper * LATTICE_LANES;
    double above = half_overlap(eta + offset, psi + offset, upper, lanes);
    double below = half_overlap(eta + half, psi + half, numbers - upper, lanes);
    scalar[block] = above + below;
    chiral[block] = shape->spins > 1 ? above - below : NAN;
  }
  out[0] = lattice_sum(scalar, blocks) / (double)shape->lattice->sites;
  out[1] = lattice_sum(chiral, blocks) / (double)shape->lattice->sites;
}

int condensate_estimate(const struct dirac *dirac, const struct gauge_field *gauge, const struct solver *solver,
                        const struct condensate_noise *noise, void *work, double *out, struct solver_report *report)
{
  const struct fermion_shape *shape = &dirac->shape;
  const size_t field = field_bytes(shape) / sizeof(double);
  const struct philox_stream base = noise_stream(gauge, noise->seed, 0);
  double *eta = work, *psi = eta + field, *sums = psi + field;
  void *solve = sums + 2 * ((shape->lattice->blocks + 7) / 8 * 8);
  double mean[2] = {0}, squares[2] = {0};
  for (size_t i = 0; i < noise->sources; i++) {
    struct philox_stream stream = {base.seed, base.stream + i};
    double value[2];
    fill_noise(shape, (enum noise_kind)noise->kind, stream, eta);
    dirac_solve(dirac, solver, eta, psi, solve, report);
    if (!report->converged) {
      return -1;
    }
    overlaps(shape, eta, psi, sums, value);
    for (size_t k = 0; k < 2; k++) {
      double delta = value[k] - mean[k];
      mean[k] += delta / (double)(i + 1);
      squares[k] += delta * (value[k] - mean[k]);
    }
  }
  double n = (double)noise->sources;
  for (size_t k = 0; k < 2; k++) {
    out[2 * k] = mean[k];
    out[2 * k + 1] = n > 1 ? sqrt(squares[k] / (n * (n - 1))) : NAN;
  }
  return 0;
}
