/* Momenta of all links, and the work on those of doubles. See gauge_momentum.h. */
#include "physics/lattice/gauge_momentum.inc"

void gauge_momentum_draw(const struct gauge_field *field, struct philox_stream stream, unsigned threads, void *momentum)
{
  struct momentum_task task = {.field = field, .momentum = momentum, .stream = stream};
  lattice_run(threads, 0, field->lattice->blocks, GAUGE_TASK(field, gauge_draw), &task);
}

double gauge_momentum_kinetic(const struct gauge_field *field, const void *momentum, unsigned threads)
{
  struct momentum_task task = {.field = field, .momentum = (void *)momentum};
  lattice_run(threads, 0, field->lattice->blocks, GAUGE_TASK(field, gauge_kinetic), &task);
  gauge_slab_total(field->slab, &task.sum, 1);
  double sum = exact_sum_value(&task.sum);
  return field->colours == 1 ? 0.5 * sum : sum;
}

void gauge_momentum_drift(struct gauge_field *field, const void *momentum, double time, unsigned threads)
{
  struct momentum_task task = {.field = field, .momentum = (void *)momentum, .time = time};
  lattice_run(threads, 0, field->lattice->blocks, GAUGE_TASK(field, gauge_drift), &task);
  gauge_slab_exchange_all(field);
}
