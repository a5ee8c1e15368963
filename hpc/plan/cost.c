/* Costs of a plan: stored bytes read and elements computed. A stage inside a phase is filled for each region that
 * others ask of it, so costs multiply on the way down; a kept result is made once and read for nothing. */
#include "hpc/plan/cost.h"

#include "hpc/stage/kernel_stage.h"

#include <math.h>

enum { MAX_FILLS = 1000000 };

struct cost {
  double read, computed;
};

static struct cost stage_cost(const struct plan *plan, size_t index, const double *tiles);

/* Along dimension d of the stage, what has margins of its own. */
static double pieces(const struct stage *stage, size_t d, const double *tiles)
{
  double grains = stage->grain[d] ? ceil((double)stage->cube->dimension[d].size / (double)stage->grain[d]) : 0;
  return grains > tiles[d] ? grains : tiles[d];
}

/* Share of an input's stage that is filled, in units of the whole: each input is filled once per tile along the
 * dimensions of the stage that it does not depend on. */
static double input_share(const struct plan *plan, const struct stage *stage, const struct stage_input *input,
                          const double *tiles)
{
  const struct cube *from = plan->stages[input->stage].cube;
  bool used[CUBE_MAX_DIMENSIONS] = {false};
  double share = 1;
  for (size_t d = 0; d < from->dimensions; d++) {
    const struct need *need = &input->need[d];
    double size = (double)from->dimension[d].size;
    if (need->kind == NEED_LIST) {
      share *= size == 0 ? 0 : (double)need->count / size;
      continue;
    }
    double margin = (double)(need->before + need->after) * (pieces(stage, (size_t)need->out, tiles) - 1);
    double run = need->kind == NEED_RUN ? (double)stage->cube->dimension[need->out].size : size;
    run *= need->kind == NEED_RUN && need->share == 0 ? 1 : need->share;
    share *= size == 0 ? 0 : (run + margin) / size;
    used[need->out] = true;
  }
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    if (!used[d] && stage->mode[d] != MODE_FIXED)
      share *= tiles[d];
  return share;
}

static struct cost inputs_cost(const struct plan *plan, const struct stage *stage, const double *tiles)
{
  struct cost sum = {0, 0};
  double ones[CUBE_MAX_DIMENSIONS];
  for (size_t d = 0; d < CUBE_MAX_DIMENSIONS; d++)
    ones[d] = 1;
  for (size_t i = 0; i < stage->input_count; i++) {
    double share = input_share(plan, stage, stage->inputs[i], tiles);
    struct cost cost = stage_cost(plan, stage->inputs[i]->stage, ones);
    sum.read += share * cost.read;
    sum.computed += share * cost.computed;
  }
  return sum;
}

static struct cost stage_cost(const struct plan *plan, size_t index, const double *tiles)
{
  const struct stage *stage = &plan->stages[index];
  const struct source *source = stage->ops == &source_stage ? node_source_of(stage->node) : NULL;
  if (source) {
    double each =
        source->bytes_per_element > 0 ? source->bytes_per_element : (double)element_info(stage->cube->type)->size;
    return (struct cost){each * (double)cube_elements(stage->cube), 0};
  }
  struct cost cost = inputs_cost(plan, stage, tiles);
  if (stage->ops != &pass_stage && stage->ops != &kept_stage)
    cost.computed += (double)cube_elements(stage->cube);
  return cost;
}

void phase_costs(const struct plan *plan, struct phase *phase)
{
  double tiles[CUBE_MAX_DIMENSIONS];
  for (size_t d = 0; d < CUBE_MAX_DIMENSIONS; d++)
    tiles[d] = d < plan->stages[phase->stage].cube->dimensions ? (double)phase->grid.tiles[d] : 1;
  struct cost cost = stage_cost(plan, phase->stage, tiles);
  phase->read_bytes = cost.read;
  phase->computed = cost.computed;
}

/* Stages stand behind those they read. */
int check_nesting(struct arena *arena, const struct stage_list *list, struct error *error)
{
  double *fills = ARENA_ARRAY(arena, double, list->count); /* of stages, for one tile of all variants */
  if (!fills)
    return error_memory(error);
  for (size_t s = 0; s < list->count; s++) {
    const struct stage *stage = &list->stages[s];
    fills[s] = 1;
    for (size_t i = 0; i < stage->input_count; i++)
      fills[s] += fills[stage->inputs[i]->stage];
    if (fills[s] <= MAX_FILLS)
      continue;
    error_set(error, ERROR_ProcessGraphComplexity,
              "resampled cubes are combined and resampled again too often: more than %d parts for one tile",
              (int)MAX_FILLS);
    return error_at_node(error, stage->node->id);
  }
  return 0;
}
