/* The kept stage: elements of a result that an earlier phase made and the run holds. data: number of the kept result.
 */
#include "hpc/plan/plan_internal.h"
#include "hpc/run/tile_worker.h"

#include <string.h>

static size_t kept_bytes(const struct plan *plan, const struct stage *stage, const size_t *count)
{
  (void)plan;
  (void)stage;
  (void)count;
  return 0; /* counted once, for all workers */
}

static size_t kept_number(const struct stage *stage)
{
  return *(const size_t *)stage->data;
}

const struct keep *stage_keep(const struct plan *plan, const struct stage *stage)
{
  return stage->ops == &kept_stage ? &plan->keeps[kept_number(stage)] : NULL;
}

static int kept_start(struct tile_worker *worker, const struct stage *stage, void **state, struct error *error)
{
  const void *data = worker_kept(worker, kept_number(stage));
  if (!data)
    return error_set(error, ERROR_Internal, "a kept result is read before it is made");
  *state = (void *)(uintptr_t)data;
  return 0;
}

/* Copies the runs that lie together. */
static int kept_fill(struct tile_worker *worker, const struct stage *stage, void *state, const struct region *region,
                     void *data, struct error *error)
{
  const struct cube *cube = stage->cube;
  size_t size = element_info(cube->type)->size, outer = cube->dimensions, run = size,
         position[CUBE_MAX_DIMENSIONS] = {0};
  unsigned char *to = data;
  (void)worker;
  (void)error;
  while (outer > 0 && (outer == cube->dimensions || region->count[outer] == cube->dimension[outer].size))
    run *= region->count[--outer];
  do {
    size_t at = 0;
    for (size_t d = 0; d < cube->dimensions; d++)
      at = at * cube->dimension[d].size + region->start[d] + position[d];
    memcpy(to, (const unsigned char *)state + at * size, run);
    to += run;
  } while (next_position(region->count, position, outer));
  return 0;
}

static void kept_stop(const struct stage *stage, void *state)
{
  (void)stage;
  (void)state; /* the run's */
}

static void kept_print(const struct plan *plan, const struct stage *stage, struct buffer *out)
{
  const struct keep *keep = &plan->keeps[kept_number(stage)];
  if (keep->given)
    buffer_text(out, " given from outside");
  else
    buffer_printf(out, " result of phase %zu", keep->phase);
}

const struct stage_ops kept_stage = {.name = "kept",
                                     .bytes = kept_bytes,
                                     .start = kept_start,
                                     .fill = kept_fill,
                                     .stop = kept_stop,
                                     .print = kept_print,
                                     .cost = 1};
