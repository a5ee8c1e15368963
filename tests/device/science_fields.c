/* Gauge fields of checks. See science_check.h. */
#include "physics/lattice/gauge_start.h"
#include "tests/device/science_check.h"

#include <stdlib.h>

void *room_new(size_t bytes)
{
  return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

int field_make(struct check_field *f, const struct check_shape *shape, struct error *error)
{
  bool open[LATTICE_MAX_DIMENSIONS] = {false};
  *f = (struct check_field){.tables = room_new(lattice_bytes(shape->dimensions, shape->extent))};
  if (!f->tables)
    return error_memory(error);
  lattice_init(&f->lattice, shape->dimensions, shape->extent, f->tables);
  f->bytes = gauge_field_bytes(&f->lattice, shape->colours);
  void *const links = room_new(f->bytes);
  if (!links)
    return error_memory(error);
  f->field = gauge_field_over(&f->lattice, shape->colours, links);
  gauge_field_cold(&f->field);
  open[shape->dimensions - 1] = shape->open;
  gauge_start_open(&f->field, open);
  gauge_start_hot(&f->field, (struct philox_stream){7, 1}, 1);
  return 0;
}

void field_free(struct check_field *f)
{
  free(f->tables);
  free(f->field.links);
}
