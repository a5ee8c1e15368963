/* Links in and out of the lanes. See gauge_field.h. */
#include "physics/lattice/gauge_field.h"

#include "datacube/base/checked.h"

#include <string.h>

size_t gauge_field_bytes(const struct lattice *lattice, size_t colours)
{
  size_t matrix = colours * colours * 2 * LATTICE_LANES * sizeof(double), bytes;
  return checked_mul(lattice->blocks, lattice->dimensions * matrix, &bytes) == 0 ? bytes : 0;
}

struct gauge_field gauge_field_over(const struct lattice *lattice, size_t colours, void *memory)
{
  return (struct gauge_field){
      .lattice = lattice, .colours = colours, .links = memory, .products = su_products_for_f64(colours)};
}

struct gauge_field gauge_field_narrow(const struct lattice *lattice, size_t colours, void *memory)
{
  return (struct gauge_field){
      .lattice = lattice, .colours = colours, .narrow = memory, .narrow_products = su_products_for_f32(colours)};
}

void gauge_field_cold(struct gauge_field *field)
{
  size_t n = field->colours;
  memset(field->links, 0, gauge_field_bytes(field->lattice, n));
  for (size_t i = 0; i < field->lattice->blocks * field->lattice->dimensions; i++) {
    for (size_t k = 0; k < n; k++) {
      for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
        field->links[i * gauge_matrix_stride(field) + (k * n + k) * 2 * LATTICE_LANES + lane] = 1;
      }
    }
  }
}

struct gauge_copy {
  const struct gauge_field *field;
  const double *from; /* set */
  double *to;         /* get */
};

static void set_blocks(void *context, size_t first, size_t last)
{
  const struct gauge_copy *copy = context;
  size_t numbers = gauge_block_stride(copy->field) / LATTICE_LANES;
  for (size_t block = first; block < last; block++) {
    double *links = gauge_link(copy->field, block, 0);
    for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
      const double *values = copy->from + lattice_site(copy->field->lattice, block, lane) * numbers;
      for (size_t i = 0; i < numbers; i++) {
        links[i * LATTICE_LANES + lane] = values[i];
      }
    }
  }
}

static void get_blocks(void *context, size_t first, size_t last)
{
  const struct gauge_copy *copy = context;
  size_t numbers = gauge_block_stride(copy->field) / LATTICE_LANES;
  for (size_t block = first; block < last; block++) {
    const double *links = gauge_link(copy->field, block, 0);
    for (size_t lane = 0; lane < copy->field->lattice->lanes; lane++) {
      size_t site = lattice_own_site(copy->field->lattice, block, lane);
      for (size_t i = 0; i < numbers && site != SIZE_MAX; i++) {
        copy->to[site * numbers + i] = links[i * LATTICE_LANES + lane];
      }
    }
  }
}

static void put_blocks(void *context, size_t first, size_t last)
{
  const struct gauge_copy *copy = context;
  size_t numbers = gauge_block_stride(copy->field) / LATTICE_LANES;
  for (size_t block = first; block < last; block++) {
    double *links = gauge_link(copy->field, block, 0);
    for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
      size_t site = lattice_own_site(copy->field->lattice, block, lane);
      for (size_t i = 0; i < numbers && site != SIZE_MAX; i++) {
        links[i * LATTICE_LANES + lane] = copy->from[site * numbers + i];
      }
    }
  }
}

void gauge_field_put(struct gauge_field *field, unsigned threads, const double *values)
{
  lattice_run(threads, 0, field->lattice->blocks, put_blocks, &(struct gauge_copy){.field = field, .from = values});
}

void gauge_field_set(struct gauge_field *field, unsigned threads, const double *values)
{
  lattice_run(threads, 0, field->lattice->blocks, set_blocks, &(struct gauge_copy){.field = field, .from = values});
}

void gauge_field_get(const struct gauge_field *field, unsigned threads, double *values)
{
  lattice_run(threads, 0, field->lattice->blocks, get_blocks, &(struct gauge_copy){.field = field, .to = values});
}

struct gauge_rounding {
  double *links;
  float *narrow;
  size_t numbers; /* of a block */
};

static void round_blocks(void *context, size_t first, size_t last)
{
  const struct gauge_rounding *task = context;
  for (size_t i = first * task->numbers; i < last * task->numbers; i++) {
    task->narrow[i] = (float)task->links[i];
  }
}

static void widen_blocks(void *context, size_t first, size_t last)
{
  const struct gauge_rounding *task = context;
  for (size_t i = first * task->numbers; i < last * task->numbers; i++) {
    task->links[i] = (double)task->narrow[i];
  }
}

void gauge_field_round(struct gauge_field *narrow, const struct gauge_field *from, unsigned threads)
{
  struct gauge_rounding task = {from->links, narrow->narrow, gauge_block_stride(from)};
  lattice_run(threads, 0, from->lattice->blocks, round_blocks, &task);
}

void gauge_field_widen(struct gauge_field *to, const struct gauge_field *narrow, unsigned threads)
{
  struct gauge_rounding task = {to->links, narrow->narrow, gauge_block_stride(to)};
  lattice_run(threads, 0, to->lattice->blocks, widen_blocks, &task);
}
