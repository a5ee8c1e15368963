/* Making plans, and the questions a plan answers. */
#include "hpc/plan/plan_internal.h"

#include "datacube/base/checked.h"

#include <unistd.h>

enum { MAX_FILLS = 1000000 };

/* Stages keep nothing from tile to tile, so one that several others read is filled for each of them: where such uses
 * nest, the work doubles each time. Stages stand behind those they read. */
static int check_nesting(struct arena *arena, const struct stage_list *list, struct error *error)
{
  double *fills = ARENA_ARRAY(arena, double, list->count); /* of stages, for one tile of all variants */
  if (!fills)
    return error_memory(error);
  for (size_t s = 0; s < list->count; s++) {
    const struct stage *stage = &list->stages[s];
    fills[s] = stage->kind == STAGE_WARP || stage->kind == STAGE_PASS ? 1 + fills[stage->upstream] : 1;
    for (size_t v = 0; v < stage->variant_count; v++)
      for (size_t i = 0; i < stage->variants[v].input_count; i++)
        fills[s] += fills[stage->variants[v].inputs[i].stage];
    if (fills[s] <= MAX_FILLS)
      continue;
    error_set(error, "ProcessGraphComplexity", "resampled cubes are combined and resampled again too often: more than %d parts for one tile", (int)MAX_FILLS);
    return error_at_node(error, stage->node->id);
  }
  return 0;
}

int plan_make(struct arena *arena, const struct node *output, const struct plan_options *options,
              const struct plan **out, struct error *error)
{
  struct stage_list list = {.arena = arena};
  struct plan *plan = ARENA_NEW(arena, struct plan);
  size_t last;
  if (!plan)
    return error_memory(error);
  if (fuse_stage(&list, output, &last, error) != 0 || check_nesting(arena, &list, error) != 0)
    return -1;
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  plan->cube = output->cube;
  plan->stages = list.stages;
  plan->stage_count = list.count;
  plan->threads = options->threads ? options->threads : cores > 0 ? (unsigned)cores : 1;
  plan->memory = options->memory ? options->memory : (size_t)2 << 30;
  if (plan_choose_tiles(plan, options, error) != 0)
    return -1;
  *out = plan;
  return 0;
}

const struct cube *plan_cube(const struct plan *plan)
{
  return plan->cube;
}

size_t plan_tiles(const struct plan *plan)
{
  return plan->tile_count;
}

double plan_read_bytes(const struct plan *plan)
{
  return plan->read_bytes;
}

size_t plan_peak_memory(const struct plan *plan)
{
  return saturated_add(plan->shared_bytes, saturated_mul(plan->threads, plan->worker_bytes));
}

unsigned plan_threads(const struct plan *plan)
{
  return plan->threads;
}

size_t region_elements(const struct region *region)
{
  size_t n = 1;
  for (size_t d = 0; d < region->dimensions; d++)
    n = saturated_mul(n, region->count[d]);
  return n;
}

void input_region(const struct stage_input *input, size_t dimensions, const struct region *out, struct region *in)
{
  in->dimensions = dimensions;
  for (size_t d = 0; d < dimensions; d++) {
    const struct need *need = &input->need[d];
    in->start[d] = 0;
    in->list[d] = NULL;
    if (need->is_static) {
      in->count[d] = need->count;
      in->list[d] = need->list;
      continue;
    }
    in->count[d] = out->count[need->out];
    if (need->map)
      in->list[d] = need->map + out->start[need->out];
    else
      in->start[d] = out->start[need->out] + need->offset;
  }
}

void plan_tile(const struct plan *plan, size_t index, struct region *out)
{
  out->dimensions = plan->cube->dimensions;
  for (size_t d = plan->cube->dimensions; d-- > 0;) {
    size_t i = index % plan->tiles[d], phase = plan->phase[d], size = plan->cube->dimension[d].size;
    index /= plan->tiles[d];
    size_t start = phase ? (i ? phase + (i - 1) * plan->tile[d] : 0) : i * plan->tile[d];
    size_t end = phase && i == 0 ? phase : start + plan->tile[d];
    out->list[d] = NULL;
    out->start[d] = start;
    out->count[d] = (end < size ? end : size) - start;
  }
}

const struct variant *stage_variant(const struct stage *stage, const struct region *out)
{
  size_t index = 0;
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    if (stage->mode[d] == MODE_FIXED)
      index = index * stage->cube->dimension[d].size + out->start[d];
  return &stage->variants[index];
}
