/* Traces by noise. See condensate.h. */
#include "physics/lattice/condensate.h"

#include "datacube/base/checked.h"
#include "physics/lattice/gauge_slab.h"

#include <math.h>
#include <string.h>

static size_t field_bytes(const struct fermion_shape *shape)
{
  return fermion_bytes(shape, FERMION_F64, shape->lattice->blocks);
}

size_t condensate_bytes(const struct fermion_shape *shape)
{
  size_t solve = dirac_solve_bytes(shape);
  size_t bytes = saturated_add(saturated_mul(2, field_bytes(shape)), solve);
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

/* out += weight times the real part of eta^dagger psi of each site of a block, over one half of the spins. */
static void add_half(const double *eta, const double *psi, size_t numbers, double weight, double *out)
{
  double sum[LATTICE_LANES] = {0};
  for (size_t i = 0; i < numbers; i++) {
    for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
      sum[lane] += eta[i * LATTICE_LANES + lane] * psi[i * LATTICE_LANES + lane];
    }
  }
  for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
    out[lane] += weight * sum[lane];
  }
}

/* Re eta^dagger psi and Re eta^dagger gamma_5 psi (NaN without spin), per site. */
static void overlaps(const struct dirac *dirac, const double *eta, const double *psi, double out[2])
{
  const struct lattice *lattice = dirac->shape.lattice;
  const size_t numbers = fermion_numbers(&dirac->shape), upper = dirac->shape.spins > 1 ? numbers / 2 : numbers;
  struct exact_sum sum[2] = {0};
  for (size_t block = 0; block < lattice->blocks; block++) {
    const size_t offset = block * numbers * LATTICE_LANES, half = offset + upper * LATTICE_LANES;
    for (size_t k = 0; k < 2; k++) {
      double lanes[LATTICE_LANES] = {0};
      add_half(eta + offset, psi + offset, upper, 1, lanes);
      add_half(eta + half, psi + half, numbers - upper, k == 0 ? 1 : -1, lanes);
      gauge_slab_add(lattice, block, lanes, &sum[k]);
    }
  }
  gauge_slab_total(dirac->slab, sum, 2);
  for (size_t k = 0; k < 2; k++) {
    out[k] = exact_sum_value(&sum[k]) / (double)lattice_all_sites(lattice);
  }
  out[1] = dirac->shape.spins > 1 ? out[1] : NAN;
}

int condensate_estimate(const struct dirac *dirac, const struct gauge_field *gauge, const struct solver *solver,
                        const struct condensate_noise *noise, void *work, double *out, struct solver_report *report)
{
  const struct fermion_shape *shape = &dirac->shape;
  const size_t field = field_bytes(shape) / sizeof(double);
  const struct philox_stream base = noise_stream(gauge, noise->seed, 0);
  double *eta = work, *psi = eta + field;
  void *solve = psi + field;
  double mean[2] = {0}, squares[2] = {0};
  for (size_t i = 0; i < noise->sources; i++) {
    struct philox_stream stream = {base.seed, base.stream + i};
    double value[2];
    fill_noise(shape, (enum noise_kind)noise->kind, stream, eta);
    dirac_solve(dirac, solver, eta, psi, solve, report);
    if (!report->converged) {
      return -1;
    }
    overlaps(dirac, eta, psi, value);
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
