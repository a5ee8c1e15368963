/* Links of hops, from a gauge field. See hopping.h. */
#include "physics/lattice/hopping.h"

#include "datacube/base/checked.h"

struct hopping_task {
  const struct gauge_field *gauge;
  const struct hopping_rule *rule;
  double *links;
};

size_t hopping_bytes(const struct gauge_field *gauge)
{
  size_t bytes;
  return checked_mul(gauge_field_bytes(gauge->lattice, gauge->colours), 2, &bytes) == 0 ? bytes : 0;
}

/* What the matrix of a hop is multiplied by; `edge`: it goes around axis mu. */
static double hop_factor(const struct hopping_rule *rule, const size_t *at, size_t direction, bool edge)
{
  double factor = 1;
  if (rule->staggered) {
    size_t sum = 0;
    for (size_t k = 0; k < direction / 2; k++) {
      sum += at[k];
    }
    factor = (sum % 2 == 0) == (direction % 2 == 0) ? 0.5 : -0.5;
  }
  if (edge) {
    enum fermion_boundary boundary = rule->boundary[direction / 2];
    factor *= boundary == BOUNDARY_PERIODIC ? 1 : boundary == BOUNDARY_OPEN ? 0 : -1;
  }
  return factor;
}

/* One lane of one hop's matrix: factor times U, or its adjoint. `from` and `to` point to their lanes. */
static void copy_matrix(const double *from, size_t n, bool adjoint, double factor, double *to)
{
  for (size_t row = 0; row < n; row++) {
    for (size_t column = 0; column < n; column++) {
      const double *entry = from + (adjoint ? column * n + row : row * n + column) * 2 * LATTICE_LANES;
      double *out = to + (row * n + column) * 2 * LATTICE_LANES;
      out[0] = factor * entry[0];
      out[LATTICE_LANES] = (adjoint ? -factor : factor) * entry[LATTICE_LANES];
    }
  }
}

static void fill_lane(const struct hopping_task *task, size_t block, size_t lane, double *links)
{
  const struct gauge_field *gauge = task->gauge;
  const struct lattice *lattice = gauge->lattice;
  size_t place[LATTICE_MAX_DIMENSIONS], directions = 2 * lattice->dimensions;
  lattice_coordinates(lattice, block, lane, place);
  place[0] = lattice_slice(lattice, place[0]);
  for (size_t direction = 0; direction < directions; direction++) {
    size_t mu = direction / 2, source = block, source_lane = lane;
    bool backward = direction % 2 != 0;
    bool edge = place[mu] == (backward ? 0 : (mu == 0 ? lattice->whole : lattice->extent[mu]) - 1);
    if (backward) {
      uint32_t link = lattice->link[block * directions + direction];
      source = link & LATTICE_BLOCK;
      source_lane = link & LATTICE_CROSSES ? lattice->permutation[direction][lane] : lane;
    }
    copy_matrix(gauge_link(gauge, source, mu) + source_lane, gauge->colours, backward,
                hop_factor(task->rule, place, direction, edge), links + direction * gauge_matrix_stride(gauge) + lane);
  }
}

static void fill_blocks(void *context, size_t first, size_t last)
{
  const struct hopping_task *task = context;
  for (size_t block = first; block < last; block++) {
    for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
      fill_lane(task, block, lane, task->links + block * 2 * gauge_block_stride(task->gauge));
    }
  }
}

void hopping_fill(const struct gauge_field *gauge, const struct hopping_rule *rule, unsigned threads, double *links)
{
  struct hopping_task task = {.gauge = gauge, .rule = rule, .links = links};
  lattice_run(threads, 0, gauge->lattice->blocks, fill_blocks, &task);
}
