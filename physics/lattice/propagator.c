/* Sources and propagators. See propagator.h. */
#include "physics/lattice/propagator.h"

#include "datacube/base/checked.h"
#include "physics/lattice/gamma.h"
#include "physics/lattice/gauge_slab.h"

#include <math.h>
#include <string.h>

double complex noise_number(enum noise_kind kind, struct philox_stream stream, uint64_t n)
{
  if (kind == NOISE_GAUSS) {
    double normal[2];
    philox_normals(stream, 2 * n, 2, normal);
    return complex_of(normal[0] * sqrt(0.5), normal[1] * sqrt(0.5));
  }
  double uniform = philox_uniform(stream, n);
  return kind == NOISE_Z2 ? (uniform < 0.5 ? 1 : -1) : gamma_turn(1, (int)(4 * uniform));
}

/* The bits of a double, mixed into a word. */
static uint64_t mixed(uint64_t word, double value)
{
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  word = (word ^ bits) * UINT64_C(0x9E3779B97F4A7C15);
  return word ^ word >> 29;
}

/* Words of all sites, in whatever order. */
static uint64_t sum_of_words(const struct gauge_field *gauge, uint64_t purpose)
{
  const struct lattice *lattice = gauge->lattice;
  const size_t numbers = gauge_block_stride(gauge) / LATTICE_LANES;
  uint64_t sum = 0;
  for (size_t block = 0; block < lattice->blocks; block++) {
    const double *links = gauge_link(gauge, block, 0);
    for (unsigned own = lattice_own_lanes(lattice, block), lane = 0; own >> lane != 0; lane++) {
      uint64_t word = (purpose + 1) ^ (uint64_t)lattice_site(lattice, block, lane) << 20;
      for (size_t i = 0; i < numbers && (own >> lane & 1) != 0; i++) {
        word = mixed(word, links[i * LATTICE_LANES + lane]);
      }
      sum += (own >> lane & 1) != 0 ? word : 0;
    }
  }
  return sum;
}

struct philox_stream noise_stream(const struct gauge_field *gauge, uint64_t seed, uint64_t purpose)
{
  const uint64_t word = sum_of_words(gauge, purpose);
  struct exact_sum halves[2] = {0}; /* those of slabs add up modulo 2^64 */
  exact_sum_add(&halves[0], (double)(word & UINT32_MAX));
  exact_sum_add(&halves[1], (double)(word >> 32));
  gauge_slab_total(gauge->slab, halves, 2);
  const uint64_t low = (uint64_t)exact_sum_value(&halves[0]), high = (uint64_t)exact_sum_value(&halves[1]);
  return (struct philox_stream){.seed = seed, .stream = low + (high << 32)};
}

/* ---- sources ----------------------------------------------------------------------------------------------------- */

static double complex source_value(const struct quark_source *source, const struct lattice *lattice, const size_t *at,
                                   uint64_t site)
{
  if (at[0] != source->place[0]) {
    return 0;
  }
  if (source->kind == SOURCE_NOISE) {
    return noise_number(source->noise, source->stream, site);
  }
  for (size_t k = 1; source->kind == SOURCE_POINT && k < lattice->dimensions; k++) {
    if (at[k] != source->place[k]) {
      return 0;
    }
  }
  return 1;
}

void quark_source_fill(const struct fermion_shape *shape, const struct quark_source *source, size_t column, double *eta)
{
  const struct lattice *lattice = shape->lattice;
  const size_t numbers = fermion_numbers(shape);
  memset(eta, 0, fermion_bytes(shape, FERMION_F64, lattice->blocks));
  for (size_t block = 0; block < lattice->blocks; block++) {
    for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
      size_t at[LATTICE_MAX_DIMENSIONS];
      lattice_coordinates(lattice, block, lane, at);
      at[0] = lattice_slice(lattice, at[0]);
      double complex value = source_value(source, lattice, at, lattice_site(lattice, block, lane));
      double *number = eta + (block * numbers + 2 * column) * LATTICE_LANES + lane;
      number[0] = creal(value);
      number[LATTICE_LANES] = cimag(value);
    }
  }
}

/* ---- propagators ------------------------------------------------------------------------------------------------- */

size_t propagator_columns(const struct fermion_shape *shape)
{
  return shape->spins * shape->colours;
}

size_t propagator_bytes(const struct fermion_shape *shape)
{
  size_t field = fermion_bytes(shape, FERMION_F64, shape->lattice->blocks), solve = dirac_solve_bytes(shape);
  size_t fields = saturated_mul(propagator_columns(shape) + 1, field);
  size_t bytes = saturated_add(fields, solve);
  return bytes == SIZE_MAX || solve == 0 ? 0 : bytes;
}

struct propagator_room propagator_room(const struct fermion_shape *shape, void *memory)
{
  size_t field = fermion_bytes(shape, FERMION_F64, shape->lattice->blocks) / sizeof(double);
  double *columns = memory;
  double *eta = columns + propagator_columns(shape) * field;
  return (struct propagator_room){.columns = columns, .eta = eta, .work = eta + field};
}

int propagator_solve(const struct dirac *dirac, const struct solver *solver, const struct quark_source *source,
                     const struct propagator_room *room, struct solver_report *report)
{
  const struct fermion_shape *shape = &dirac->shape;
  size_t field = fermion_bytes(shape, FERMION_F64, shape->lattice->blocks) / sizeof(double);
  for (size_t column = 0; column < propagator_columns(shape); column++) {
    quark_source_fill(shape, source, column, room->eta);
    dirac_solve(dirac, solver, room->eta, room->columns + column * field, room->work, report);
    if (!report->converged) {
      return -1;
    }
  }
  return 0;
}
