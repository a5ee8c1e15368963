/* Momenta, block by block. See gauge_momentum.h. */
#include "physics/lattice/gauge_momentum.h"

#include "physics/lattice/gauge_slab.h"
#include "physics/lattice/su_group.h"
#include "physics/simd.h"

struct momentum_task {
  const struct gauge_field *field;
  double *momentum;
  struct philox_stream stream;
  double time;
  struct exact_sum sum; /* of squares */
};

static size_t generators(size_t n)
{
  return n == 1 ? 1 : n * n - 1;
}

/* K of one lane from its normals: two a pair of colours, then the diagonal generators. */
static void fill_lane(size_t n, const double *p, double *k, size_t lane)
{
  double diagonal[GAUGE_MAX_COLOURS] = {0};
  if (n == 1) {
    diagonal[0] = p[0];
  }
  for (size_t i = 0; i < n; i++) {
    for (size_t j = i + 1; j < n; j++, p += 2) {
      double *upper = k + su_at(n, i, j) + lane, *lower = k + su_at(n, j, i) + lane;
      upper[0] = 0.5 * p[1];
      upper[LATTICE_LANES] = 0.5 * p[0];
      lower[0] = -0.5 * p[1];
      lower[LATTICE_LANES] = 0.5 * p[0];
    }
  }
  for (size_t m = 1; m < n; m++, p++) {
    double scaled = *p / sqrt(2.0 * (double)(m * (m + 1)));
    for (size_t i = 0; i < m; i++) {
      diagonal[i] += scaled;
    }
    diagonal[m] -= (double)m * scaled;
  }
  for (size_t i = 0; i < n; i++) {
    k[su_at(n, i, i) + lane] = 0;
    k[su_at(n, i, i) + LATTICE_LANES + lane] = diagonal[i];
  }
}

static void draw_blocks(void *context, size_t first, size_t last)
{
  const struct momentum_task *task = context;
  const struct lattice *lattice = task->field->lattice;
  size_t n = task->field->colours, each = generators(n);
  double normals[LATTICE_MAX_DIMENSIONS * GAUGE_MAX_COLOURS * GAUGE_MAX_COLOURS];
  for (size_t block = first; block < last; block++) {
    for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
      uint64_t number = (uint64_t)lattice_site(lattice, block, lane) * lattice->dimensions * each;
      philox_normals(task->stream, number, lattice->dimensions * each, normals);
      for (size_t mu = 0; mu < lattice->dimensions; mu++) {
        fill_lane(n, normals + mu * each, task->momentum + (block * lattice->dimensions + mu) * su_size(n), lane);
      }
    }
  }
}

SU_INLINE void kinetic_blocks(struct momentum_task *task, size_t first, size_t last, size_t n)
{
  const struct lattice *lattice = task->field->lattice;
  struct exact_sum sum = {0};
  for (size_t block = first; block < last; block++) {
    for (size_t mu = 0; mu < lattice->dimensions; mu++) {
      SU_LANES(square);
      const double *k = task->momentum + (block * lattice->dimensions + mu) * su_size(n);
      su_real_trace_adjoint(n, square, k, k);
      gauge_slab_add(lattice, block, square, &sum);
    }
  }
#pragma omp critical(gauge_momentum)
  exact_sum_merge(&task->sum, &sum);
}

SU_INLINE void drift_blocks(const struct momentum_task *task, size_t first, size_t last, size_t n)
{
  size_t dimensions = task->field->lattice->dimensions;
  for (size_t i = first * dimensions; i < last * dimensions; i++) {
    SU_MATRIX(way);
    SU_MATRIX(turn);
    SU_MATRIX(before);
    double *link = task->field->links + i * su_size(n);
    su_copy(n, way, task->momentum + i * su_size(n));
    su_scale(n, way, task->time);
    su_exponential(n, turn, way);
    su_copy(n, before, link);
    su_multiply(n, link, turn, before);
  }
}

SIMD_BODY kinetics_body(struct momentum_task *task, size_t first, size_t last)
{
  SU_SWITCH(task->field->colours, kinetic_blocks, task, first, last);
}

SIMD_BODY drifts_body(const struct momentum_task *task, size_t first, size_t last)
{
  SU_SWITCH(task->field->colours, drift_blocks, task, first, last);
}

SIMD_LEVELS(kinetics, (struct momentum_task * task, size_t first, size_t last), (task, first, last))
SIMD_LEVELS(drifts, (const struct momentum_task *task, size_t first, size_t last), (task, first, last))

static void run_kinetics(void *context, size_t first, size_t last)
{
  SIMD_PICK(kinetics)(context, first, last);
}

static void run_drifts(void *context, size_t first, size_t last)
{
  SIMD_PICK(drifts)(context, first, last);
}

void gauge_momentum_draw(const struct gauge_field *field, struct philox_stream stream, unsigned threads,
                         double *momentum)
{
  struct momentum_task task = {.field = field, .momentum = momentum, .stream = stream};
  lattice_run(threads, 0, field->lattice->blocks, draw_blocks, &task);
}

double gauge_momentum_kinetic(const struct gauge_field *field, const double *momentum, unsigned threads)
{
  struct momentum_task task = {.field = field, .momentum = (double *)momentum};
  lattice_run(threads, 0, field->lattice->blocks, run_kinetics, &task);
  gauge_slab_total(field->slab, &task.sum, 1);
  double sum = exact_sum_value(&task.sum);
  return field->colours == 1 ? 0.5 * sum : sum;
}

void gauge_momentum_drift(struct gauge_field *field, const double *momentum, double time, unsigned threads)
{
  struct momentum_task task = {.field = field, .momentum = (double *)momentum, .time = time};
  lattice_run(threads, 0, field->lattice->blocks, run_drifts, &task);
  gauge_slab_exchange_all(field);
}
