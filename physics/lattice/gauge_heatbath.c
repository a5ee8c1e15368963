/* Sweeps over all links, and those of fields of doubles. See gauge_heatbath.h. */
#include "physics/lattice/gauge_heatbath.inc"
#include "physics/lattice/gauge_slab.h"

enum { CACHE_BYTES = 8 << 20 }; /* of a core's share, about */

static void sweep_field(struct link_sweep *sweep, unsigned threads)
{
  size_t blocks = sweep->field->lattice->blocks;
  sweep->far = gauge_field_bytes(sweep->field->lattice, sweep->field->colours) > CACHE_BYTES;
  lattice_task *task = GAUGE_TASK(sweep->field, gauge_sweep);
  for (sweep->mu = 0; sweep->mu < sweep->field->lattice->dimensions; sweep->mu++) {
    lattice_run(threads, 0, blocks / 2, task, sweep);
    gauge_slab_exchange(sweep->field, sweep->mu, false);
    lattice_run(threads, blocks / 2, blocks, task, sweep);
    gauge_slab_exchange(sweep->field, sweep->mu, true);
  }
}

void gauge_heatbath(struct gauge_field *field, const struct gauge_action *action, struct philox_stream stream,
                    unsigned threads)
{
  sweep_field(&(struct link_sweep){.field = field, .action = action, .stream = stream}, threads);
}

void gauge_overrelax(struct gauge_field *field, const struct gauge_action *action, unsigned threads)
{
  sweep_field(&(struct link_sweep){.field = field, .action = action, .reflect = true}, threads);
}

void gauge_reunitarise(struct gauge_field *field, unsigned threads)
{
  lattice_run(threads, 0, field->lattice->blocks, GAUGE_TASK(field, gauge_unitarise),
              &(struct link_sweep){.field = field});
}
