/* Making plans: what is kept is decided, each kept result and each output becomes a phase, then tiles are chosen. */
#include "hpc/plan/cost.h"
#include "hpc/plan/keep.h"

#include "datacube/base/checked.h"

#include <string.h>
#include <unistd.h>

struct planning {
  struct arena *arena;
  const struct node **nodes; /* of the outputs, rewritten */
  const struct plan_output *outputs;
  size_t count;
  const struct node *given;        /* from outside, or NULL */
  const struct node_table *forced; /* nodes that must be kept, found while planning */
  const volatile int *cancel;      /* or NULL */
  struct stage_list list;
  struct plan *plan;
  struct error *error;
};

/* ---- phases -------------------------------------------------------------------------------------------------------
 */

static int make_keeps(struct planning *p, const struct node_table *table)
{
  size_t count = keep_count(table);
  struct keep *keeps = ARENA_ARRAY(p->arena, struct keep, count);
  if (!keeps)
    return error_memory(p->error);
  for (size_t k = 0; k < count; k++) {
    keeps[k].node = keep_node(table, k, &keeps[k].why);
    keeps[k].cube = keeps[k].node->cube;
    keeps[k].given = keeps[k].node == p->given;
  }
  p->plan->keeps = keeps;
  p->plan->keep_count = count;
  p->list.keeps = keeps;
  return 0;
}

static int make_phases(struct planning *p)
{
  struct plan *plan = p->plan;
  size_t *output_phase = ARENA_ARRAY(p->arena, size_t, p->count);
  plan->phases = ARENA_ARRAY(p->arena, struct phase, plan->keep_count + p->count);
  plan->phase_count = 0;
  if (!output_phase || !plan->phases)
    return error_memory(p->error);
  for (size_t k = 0; k < plan->keep_count; k++) {
    if (plan->keeps[k].given)
      continue;
    struct phase *phase = &plan->phases[plan->phase_count];
    ((struct keep *)(uintptr_t)plan->keeps)[k].phase = plan->phase_count++;
    *phase = (struct phase){.end = PHASE_KEEP, .target = k};
    if (make_stage(&p->list, plan->keeps[k].node, &phase->stage, p->error) != 0)
      return -1;
  }
  for (size_t i = 0; i < p->count; i++) {
    struct phase *phase = &plan->phases[plan->phase_count];
    bool kept = keep_index(p->list.decisions, p->nodes[i]) != SIZE_MAX;
    *phase = (struct phase){.end = PHASE_OUTPUT, .target = i};
    output_phase[i] = plan->phase_count++;
    if ((kept ? stage_of : make_stage)(&p->list, p->nodes[i], &phase->stage, p->error) != 0)
      return -1;
  }
  plan->output_phase = output_phase;
  plan->stages = p->list.stages;
  plan->stage_count = p->list.count;
  return 0;
}

/* ---- chains -------------------------------------------------------------------------------------------------------
 */

struct readers { /* of a sequential source */
  size_t count;
  size_t phase;                    /* the only one's, where it is that phase's own stage; SIZE_MAX */
  const struct stage_input *input; /* NULL where the phase's stage is the source */
  const struct stage *stage;       /* that reads it; NULL likewise */
};

static bool is_read(const struct plan *plan, size_t stage)
{
  for (size_t s = 0; s < plan->stage_count; s++)
    for (size_t i = 0; i < plan->stages[s].input_count; i++)
      if (plan->stages[s].inputs[i]->stage == stage)
        return true;
  return false;
}

/* The phase whose own stage it is and nobody else's; SIZE_MAX: none. */
static size_t only_phase(const struct plan *plan, size_t stage)
{
  size_t found = SIZE_MAX;
  for (size_t p = 0; p < plan->phase_count; p++)
    if (plan->phases[p].stage == stage) {
      if (found != SIZE_MAX || is_read(plan, stage))
        return SIZE_MAX;
      found = p;
    }
  return found;
}

/* The source may be several stages: one as an output, one as what others read. */
static struct readers find_readers(const struct plan *plan, const struct node *source)
{
  struct readers readers = {.phase = SIZE_MAX};
  for (size_t s = 0; s < plan->stage_count; s++)
    for (size_t i = 0; i < plan->stages[s].input_count; i++) {
      const struct stage *from = &plan->stages[plan->stages[s].inputs[i]->stage];
      if (from->node != source || from->ops != &source_stage)
        continue;
      readers.count++;
      readers.input = plan->stages[s].inputs[i];
      readers.stage = &plan->stages[s];
      readers.phase = only_phase(plan, s);
    }
  for (size_t p = 0; p < plan->phase_count; p++)
    if (plan->stages[plan->phases[p].stage].node == source &&
        plan->stages[plan->phases[p].stage].ops == &source_stage) {
      readers.count++;
      readers.phase = only_phase(plan, plan->phases[p].stage);
    }
  return readers;
}

/* A chain can be read as it is made where one phase reads it, its own tiles following dimension 0, all else whole. */
static bool read_in_order(const struct plan *plan, const struct readers *readers)
{
  if (readers->count != 1 || readers->phase == SIZE_MAX)
    return false;
  struct phase *phase = &plan->phases[readers->phase];
  const struct need *first = readers->input ? &readers->input->need[0] : NULL;
  if (first && (first->kind != NEED_RUN || first->map || first->before || first->after))
    return false;
  size_t running = first ? (size_t)first->out : 0;
  const struct stage *stage = &plan->stages[phase->stage];
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    if (stage->mode[d] == MODE_FIXED || (d == running && stage->mode[d] != MODE_OUT))
      return false;
  phase->sequential = true;
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    phase->whole[d] = d != running;
  return true;
}

/* What is kept of a chain that cannot be read as it is made: what its only reader makes of it, where that is far less
 * and not kept already; else all. */
static const struct node *keep_of_chain(const struct planning *p, const struct readers *readers,
                                        const struct node *chain)
{
  const struct stage *reader = readers->count == 1 ? readers->stage : NULL;
  bool less = reader && reader->ops->reduces && keep_decision(p->list.decisions, reader->node) != DECIDE_KEEP;
  return less ? reader->node : chain;
}

/* Finds a chain that would be made more than once, and what to keep; *out is NULL where there is none. */
static void find_chain(const struct planning *p, const struct node **out)
{
  const struct plan *plan = p->plan;
  *out = NULL;
  for (size_t s = 0; s < plan->stage_count; s++) {
    const struct source *source = plan->stages[s].ops == &source_stage ? node_source_of(plan->stages[s].node) : NULL;
    if (!source || !source->sequential)
      continue;
    struct readers readers = find_readers(plan, plan->stages[s].node);
    if (!read_in_order(plan, &readers)) {
      *out = keep_of_chain(p, &readers, plan->stages[s].node);
      return;
    }
  }
}

/* ---- making -------------------------------------------------------------------------------------------------------
 */

/* Stages and phases of the outputs; again with a chain kept, where one would be made more than once. */
static int make_stages(struct planning *p)
{
  const struct node *chain = NULL;
  do {
    struct node_table *table;
    if (chain && !(p->forced = keep_force(p->arena, p->forced, chain)))
      return error_memory(p->error);
    if (keep_decide(p->arena, p->nodes, p->count, p->forced, &table, p->error) != 0)
      return -1;
    p->list = (struct stage_list){.arena = p->arena, .decisions = table, .cancel = p->cancel};
    if (make_keeps(p, table) != 0 || make_phases(p) != 0 || check_nesting(p->arena, &p->list, p->error) != 0)
      return -1;
    find_chain(p, &chain);
  } while (chain);
  return 0;
}

static int plan_everything(struct planning *p, const struct plan_options *options, const struct plan **out)
{
  const struct cube **cubes = ARENA_ARRAY(p->arena, const struct cube *, p->count);
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  p->plan = ARENA_NEW(p->arena, struct plan);
  p->nodes = ARENA_ARRAY(p->arena, const struct node *, p->count);
  if (!p->plan || !cubes || !p->nodes)
    return error_memory(p->error);
  p->cancel = options->cancel;
  p->plan->threads = options->threads ? options->threads : cores > 0 ? (unsigned)cores : 1;
  p->plan->memory = options->memory ? options->memory : PLAN_MEMORY;
  p->plan->devices = options->devices;
  p->plan->cubes = cubes;
  p->plan->output_count = p->count;
  for (size_t i = 0; i < p->count; i++) {
    cubes[i] = p->outputs[i].node->cube;
    hash_add(&p->plan->hash, p->outputs[i].node->hash);
  }
  if (rewrite_nodes(p->arena, p->outputs, p->count, p->nodes, p->error) != 0 || make_stages(p) != 0 ||
      plan_drop_idle(p->arena, p->plan, p->error) != 0 || plan_count_phases(p->arena, p->plan, p->error) != 0 ||
      plan_place_stages(p->arena, p->plan, p->error) != 0 || plan_choose_tiles(p->plan, p->outputs, p->error) != 0)
    return -1;
  *out = p->plan;
  return 0;
}

int plan_make_outputs(struct arena *arena, const struct plan_output *outputs, size_t count,
                      const struct plan_options *options, const struct plan **out, struct error *error)
{
  struct planning p = {.arena = arena, .outputs = outputs, .count = count, .error = error};
  return plan_everything(&p, options, out);
}

int plan_make_given(struct arena *arena, const struct plan_output *output, const struct node *given,
                    const struct plan_options *options, const struct plan **out, struct error *error)
{
  struct planning p = {.arena = arena, .outputs = output, .count = 1, .given = given, .error = error};
  p.forced = keep_force(arena, NULL, given);
  return p.forced ? plan_everything(&p, options, out) : error_memory(error);
}

int plan_make(struct arena *arena, const struct node *output, const struct plan_options *options,
              const struct plan **out, struct error *error)
{
  struct plan_output *one = ARENA_NEW(arena, struct plan_output);
  if (!one)
    return error_memory(error);
  one->node = output;
  memcpy(one->prefer, options->prefer, sizeof one->prefer);
  return plan_make_outputs(arena, one, 1, options, out, error);
}

/* ---- questions ----------------------------------------------------------------------------------------------------
 */

struct devices *plan_devices(const struct plan *plan)
{
  return plan->devices;
}

size_t plan_outputs(const struct plan *plan)
{
  return plan->output_count;
}

const struct cube *plan_output_cube(const struct plan *plan, size_t output)
{
  return plan->cubes[output];
}

const struct cube *plan_cube(const struct plan *plan)
{
  return plan->cubes[0];
}

void plan_output_tile(const struct plan *plan, size_t output, size_t *tile)
{
  const struct tile_grid *grid = &plan->phases[plan->output_phase[output]].grid;
  for (size_t d = 0; d < plan->cubes[output]->dimensions; d++)
    tile[d] = grid->lead[d] ? 0 : grid->tile[d];
}

size_t plan_tiles(const struct plan *plan)
{
  size_t tiles = 0;
  for (size_t p = 0; p < plan->phase_count; p++)
    tiles = saturated_add(tiles, plan->phases[p].grid.count);
  return tiles;
}

double plan_read_bytes(const struct plan *plan)
{
  double bytes = 0;
  for (size_t p = 0; p < plan->phase_count; p++)
    bytes += plan->phases[p].read_bytes;
  return bytes;
}

double plan_computed(const struct plan *plan)
{
  double computed = 0;
  for (size_t p = 0; p < plan->phase_count; p++)
    computed += plan->phases[p].computed;
  return computed;
}

size_t plan_peak_memory(const struct plan *plan)
{
  size_t most = 0;
  for (size_t p = 0; p < plan->phase_count; p++) {
    size_t bytes = saturated_mul(plan->phases[p].threads, plan->phases[p].worker_bytes);
    most = bytes > most ? bytes : most;
  }
  return saturated_add(saturated_add(plan->shared_bytes, plan->kept_bytes), most);
}

const struct source *plan_source(const struct plan *plan, size_t *at)
{
  while (*at < plan->stage_count) {
    const struct stage *stage = &plan->stages[(*at)++];
    if (stage->ops == &source_stage)
      return stage->data;
  }
  return NULL;
}

double plan_spilled_bytes(const struct plan *plan)
{
  double bytes = 0;
  for (size_t k = 0; k < plan->keep_count; k++)
    if (!plan->keeps[k].in_memory && !plan->keeps[k].given)
      bytes += (double)plan->keeps[k].bytes;
  return bytes;
}

unsigned plan_threads(const struct plan *plan)
{
  unsigned most = 1;
  for (size_t p = 0; p < plan->phase_count; p++)
    most = plan->phases[p].threads > most ? plan->phases[p].threads : most;
  return most;
}

struct hash plan_hash(const struct plan *plan)
{
  return plan->hash;
}

void phase_tile(const struct plan *plan, const struct phase *phase, size_t index, struct region *out)
{
  const struct cube *cube = plan->stages[phase->stage].cube;
  const struct tile_grid *grid = &phase->grid;
  out->dimensions = cube->dimensions;
  for (size_t k = cube->dimensions; k-- > 0;) {
    size_t d = grid->order[k], i = index % grid->tiles[d], lead = grid->lead[d], size = cube->dimension[d].size;
    index /= grid->tiles[d];
    size_t start = lead ? (i ? lead + (i - 1) * grid->tile[d] : 0) : i * grid->tile[d];
    size_t end = lead && i == 0 ? lead : start + grid->tile[d];
    out->list[d] = NULL;
    out->start[d] = start;
    out->count[d] = (end < size ? end : size) - start;
  }
}
