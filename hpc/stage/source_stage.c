/* The source stage: a driver's reader fills the boxes. A chain gives all dimensions but the first whole. */
#include "hpc/stage/stage.h"

#include <string.h>

static int source_make(struct stage_list *list, struct stage *stage, struct error *error)
{
  const struct source *source = stage->node->data;
  (void)list;
  (void)error;
  stage->data = source;
  for (size_t d = 1; source->sequential && d < stage->cube->dimensions; d++)
    stage->mode[d] = MODE_AXIS;
  return 0;
}

static size_t source_bytes(const struct plan *plan, const struct stage *stage, const size_t *count)
{
  (void)plan;
  (void)count;
  return ((const struct source *)stage->data)->reader_bytes;
}

static int source_start(struct tile_worker *worker, const struct stage *stage, void **state, struct error *error)
{
  const struct source *source = stage->data;
  struct source_reader *reader;
  (void)worker;
  if (source->ops->open(source, worker_threads(worker), &reader, error) != 0)
    return -1;
  if (source->ops->share && worker_blocks(worker))
    source->ops->share(reader, worker_blocks(worker));
  *state = reader;
  return 0;
}

static int source_fill(struct tile_worker *worker, const struct stage *stage, void *state, const struct region *region,
                       void *data, struct error *error)
{
  struct box box = {.dimensions = region->dimensions};
  (void)worker;
  memcpy(box.start, region->start, sizeof box.start);
  memcpy(box.count, region->count, sizeof box.count);
  return ((const struct source *)stage->data)->ops->read(state, &box, data, error);
}

static void source_stop(const struct stage *stage, void *state)
{
  if (state)
    ((const struct source *)stage->data)->ops->close(state);
}

static void source_print(const struct plan *plan, const struct stage *stage, struct buffer *out)
{
  const struct source *source = stage->data;
  (void)plan;
  buffer_printf(out, " %s", source->ops->name);
  if (source->origin)
    buffer_printf(out, ": %s", source->origin);
}

const struct stage_ops source_stage = {.name = "source",
                                       .make = source_make,
                                       .bytes = source_bytes,
                                       .start = source_start,
                                       .fill = source_fill,
                                       .stop = source_stop,
                                       .print = source_print,
                                       .cost = 4};
