/* The tile grids: tiles follow the sources' blocks, so each block is decoded once; they shrink until everything that
 * the workers hold at a time fits the memory beside the kept results. */
#include "hpc/plan/cost.h"
#include "hpc/plan/keep.h"
#include "hpc/stage/kernel_stage.h"

#include "datacube/base/checked.h"
#include "datacube/source/block_cache.h"

#include <string.h>

static const size_t tile_positions = 512 * 512;       /* wanted elements of an output tile */
static const size_t library_bytes = (size_t)96 << 20; /* GDAL's block cache, libraries, the program itself */
enum { LARGEST_SIDE = 512, SMALLEST_SIDE = 64, WHOLE_SIDE = 64, MUCH_WORK = 1 << 20 };

const struct stage *plan_stage(const struct plan *plan, size_t index)
{
  return &plan->stages[index];
}

size_t plan_stage_bytes(const struct plan *plan, size_t index, const size_t *count)
{
  const struct stage *stage = &plan->stages[index];
  size_t whole[CUBE_MAX_DIMENSIONS], more = 0;
  memcpy(whole, count, sizeof whole);
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    if (stage->mode[d] == MODE_AXIS)
      whole[d] = stage->cube->dimension[d].size;
  if (memcmp(whole, count, stage->cube->dimensions * sizeof *whole) != 0) /* the rest is thrown away */
    more = cube_part_bytes(stage->cube, whole);
  return saturated_add(more, stage->ops->bytes(plan, stage, whole));
}

/* ---- shape --------------------------------------------------------------------------------------------------------
 */

struct hint { /* block of the sources along an output dimension */
  size_t block, lead;
};

/* Pieces of a stage count more than blocks: a part of one costs as much as all of it. */
static void grain_from(const struct plan *plan, const struct stage_input *input, struct hint *hints)
{
  const struct stage *stage = &plan->stages[input->stage];
  for (size_t d = 0; d < stage->cube->dimensions; d++) {
    const struct need *need = &input->need[d];
    size_t grain = stage->grain[d];
    if (need->kind == NEED_RUN && !need->map && grain > 0)
      hints[need->out] = (struct hint){grain, (grain - need->offset % grain) % grain};
  }
}

static void hint_from(const struct plan *plan, const struct stage_input *input, struct hint *hints);

/* The blocks below a stage that asks of its input what it is asked for. */
static void hint_through(const struct plan *plan, const struct stage_input *input, struct hint *hints)
{
  const struct stage *stage = &plan->stages[input->stage];
  struct stage_input inner = *stage->inputs[0];
  for (size_t d = 0; d < plan->stages[inner.stage].cube->dimensions; d++) {
    struct need *need = &inner.need[d];
    const struct need *outer = need->kind == NEED_RUN ? &input->need[need->out] : NULL;
    if (!outer || outer->kind != NEED_RUN || need->map || outer->map)
      need->kind = NEED_LIST;
    else
      *need = (struct need){.kind = NEED_RUN, .out = outer->out, .offset = need->offset + outer->offset};
  }
  hint_from(plan, &inner, hints);
}

static void hint_from(const struct plan *plan, const struct stage_input *input, struct hint *hints)
{
  const struct stage *stage = &plan->stages[input->stage];
  if (stage->ops->passes) {
    hint_through(plan, input, hints);
    return;
  }
  const struct source *source = stage->node->kind == NODE_STAGE ? node_source_of(stage->node) : NULL;
  if (!source || stage->ops != &source_stage)
    return;
  for (size_t d = 0; d < stage->cube->dimensions; d++) {
    const struct need *need = &input->need[d];
    size_t block = source->block[d];
    if (source->sequential && d > 0)
      block = stage->cube->dimension[d].size;
    if (need->kind != NEED_RUN || need->map || block == 0 || block <= hints[need->out].block)
      continue;
    size_t shift = need->offset % block;
    hints[need->out] = (struct hint){block, (source->block_phase[d] % block + block - shift) % block};
  }
}

static void find_hints(const struct plan *plan, size_t index, struct hint *hints)
{
  const struct stage *stage = &plan->stages[index];
  struct stage_input self = {.stage = index};
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    self.need[d] = (struct need){.kind = NEED_RUN, .out = (int)d};
  hint_from(plan, &self, hints);
  for (size_t i = 0; i < stage->input_count; i++)
    hint_from(plan, stage->inputs[i], hints);
  grain_from(plan, &self, hints);
  for (size_t i = 0; i < stage->input_count; i++)
    grain_from(plan, stage->inputs[i], hints);
}

/* Short dimensions along which an inner stage's results serve all indexes: whole, so that they are computed once. */
static void find_spans(const struct plan *plan, size_t index, bool *spans)
{
  const struct stage *stage = &plan->stages[index];
  memset(spans, 0, CUBE_MAX_DIMENSIONS * sizeof *spans);
  for (size_t i = 0; i < stage->input_count; i++) {
    const struct stage *from = &plan->stages[stage->inputs[i]->stage];
    bool used[CUBE_MAX_DIMENSIONS] = {false};
    for (size_t d = 0; d < from->cube->dimensions; d++)
      if (stage->inputs[i]->need[d].kind == NEED_RUN)
        used[stage->inputs[i]->need[d].out] = true;
    for (size_t d = 0; d < stage->cube->dimensions; d++)
      if (!used[d] && from->input_count > 0 && stage->mode[d] == MODE_OUT &&
          stage->cube->dimension[d].size <= WHOLE_SIDE)
        spans[d] = true;
  }
}

/* Dimensions that an input gives whole and that run with the tile: a part would be computed whole again for each. */
static void find_whole(const struct plan *plan, size_t index, bool *whole)
{
  const struct stage *stage = &plan->stages[index];
  for (size_t i = 0; i < stage->input_count; i++) {
    const struct stage *from = &plan->stages[stage->inputs[i]->stage];
    for (size_t d = 0; d < from->cube->dimensions; d++)
      if (from->mode[d] == MODE_AXIS && stage->inputs[i]->need[d].kind == NEED_RUN)
        whole[stage->inputs[i]->need[d].out] = true;
  }
}

static size_t side_along(size_t size, const struct hint *hint, size_t prefer, size_t room)
{
  size_t block = hint->block ? hint->block : prefer, side = block ? block : room;
  while (block && side < size && side * 2 <= room && side * 2 <= LARGEST_SIDE)
    side *= 2;
  side = side < 1 ? 1 : side > size ? size : side;
  return side ? side : 1;
}

/* Shape of about tile_positions elements along the blocks of the stage's sources; lead: first block boundary. */
static void block_shape(const struct plan *plan, size_t index, const bool *whole, const size_t *prefer,
                        struct tile_grid *grid)
{
  const struct stage *stage = &plan->stages[index];
  struct hint hints[CUBE_MAX_DIMENSIONS] = {{0, 0}};
  bool spans[CUBE_MAX_DIMENSIONS];
  size_t room = tile_positions;
  find_hints(plan, index, hints);
  find_spans(plan, index, spans);
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    if ((spans[d] || whole[d]) && stage->mode[d] == MODE_OUT)
      room = room / (stage->cube->dimension[d].size ? stage->cube->dimension[d].size : 1);
  for (size_t d = stage->cube->dimensions; d-- > 0;) {
    size_t size = stage->cube->dimension[d].size;
    grid->lead[d] = 0;
    grid->tile[d] = stage->mode[d] == MODE_FIXED || size == 0 ? 1 : size;
    if (stage->mode[d] != MODE_OUT || spans[d] || whole[d])
      continue;
    grid->tile[d] = side_along(size, &hints[d], prefer[d], room ? room : 1);
    grid->lead[d] = hints[d].block && grid->tile[d] < size ? hints[d].lead % grid->tile[d] : 0;
    room = room / grid->tile[d] ? room / grid->tile[d] : 1;
  }
}

static bool is_phase_stage(const struct plan *plan, size_t stage)
{
  for (size_t p = 0; p < plan->phase_count; p++)
    if (plan->phases[p].stage == stage)
      return true;
  return false;
}

/* Kernels inside the plan are computed in slabs of that shape, whatever region they are asked for; a phase's own stage
 * is computed tile by tile. */
static void start_slabs(struct plan *plan)
{
  const size_t any[CUBE_MAX_DIMENSIONS] = {0};
  struct tile_grid grid;
  for (size_t s = 0; s < plan->stage_count; s++) {
    bool whole[CUBE_MAX_DIMENSIONS] = {false};
    find_whole(plan, s, whole);
    block_shape(plan, s, whole, any, &grid);
    for (size_t d = 0; d < CUBE_MAX_DIMENSIONS; d++)
      plan->stages[s].slab[d] = is_phase_stage(plan, s) || !kernel_stage_of(&plan->stages[s]) ? SIZE_MAX : grid.tile[d];
  }
}

/* ---- memory -------------------------------------------------------------------------------------------------------
 */

static const struct stage *phase_stage(const struct plan *plan, const struct phase *phase)
{
  return &plan->stages[phase->stage];
}

static size_t phase_worker_bytes(const struct plan *plan, const struct phase *phase)
{
  const struct cube *cube = phase_stage(plan, phase)->cube;
  return saturated_add(cube_part_bytes(cube, phase->grid.tile), plan_stage_bytes(plan, phase->stage, phase->grid.tile));
}

static size_t phase_bytes(const struct plan *plan, const struct phase *phase)
{
  size_t fixed = saturated_add(plan->shared_bytes, plan->kept_bytes);
  return saturated_add(fixed, saturated_mul(phase->threads, phase_worker_bytes(plan, phase)));
}

/* Halves the longest side of the inner stages' slabs that may shrink to no less than `smallest`; false: none. */
static bool halve_slab(struct plan *plan, size_t smallest)
{
  size_t stage = SIZE_MAX, best = 0;
  for (size_t s = 0; s < plan->stage_count; s++)
    for (size_t d = 0; d < plan->stages[s].cube->dimensions; d++) {
      size_t side = plan->stages[s].slab[d];
      bool shrinks = side != SIZE_MAX && plan->stages[s].mode[d] == MODE_OUT && side > 1 && side / 2 >= smallest;
      if (shrinks && (stage == SIZE_MAX || side > plan->stages[stage].slab[best])) {
        stage = s;
        best = d;
      }
    }
  if (stage == SIZE_MAX)
    return false;
  plan->stages[stage].slab[best] = (plan->stages[stage].slab[best] + 1) / 2;
  return true;
}

/* Half of a tile's side, of whole pieces of the stage; the side itself where it is one piece. */
static size_t half_side(const struct stage *stage, size_t d, size_t side)
{
  size_t grain = stage->grain[d] ? stage->grain[d] : 1, half = (side + 1) / 2;
  half = (half + grain - 1) / grain * grain;
  return half < side ? half : side;
}

static bool halve_tile(const struct plan *plan, struct phase *phase, size_t smallest)
{
  const struct stage *stage = phase_stage(plan, phase);
  size_t best = SIZE_MAX, *tile = phase->grid.tile;
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    if (stage->mode[d] == MODE_OUT && !phase->whole[d] && half_side(stage, d, tile[d]) < tile[d] &&
        tile[d] / 2 >= smallest && (best == SIZE_MAX || tile[d] >= tile[best]))
      best = d;
  if (best == SIZE_MAX)
    return false;
  tile[best] = half_side(stage, best, tile[best]);
  phase->grid.lead[best] %= tile[best];
  return true;
}

/* The node whose elements take most of a worker's memory. */
static const struct node *heaviest(const struct plan *plan, const struct phase *phase)
{
  const struct stage *stage = phase_stage(plan, phase);
  const struct node *node = stage->node;
  size_t in[CUBE_MAX_DIMENSIONS], most = 0;
  for (size_t i = 0; i < stage->input_count; i++) {
    const struct stage *from = &plan->stages[stage->inputs[i]->stage];
    memcpy(in, phase->grid.tile, sizeof in);
    input_counts(stage->inputs[i], from->cube, phase->grid.tile, in);
    size_t bytes = cube_part_bytes(from->cube, in);
    if (bytes <= most)
      continue;
    most = bytes;
    node = from->node;
  }
  return node;
}

/* Smaller tiles, fewer workers, then the smallest tiles. False where even those are too large. */
static bool shrink(struct plan *plan, struct phase *phase)
{
  while (phase_bytes(plan, phase) > plan->memory) {
    if (halve_tile(plan, phase, SMALLEST_SIDE) || halve_slab(plan, SMALLEST_SIDE))
      continue;
    if (phase->threads > 1) {
      phase->threads--;
      continue;
    }
    if (!halve_tile(plan, phase, 1) && !halve_slab(plan, 1))
      return false;
  }
  return true;
}

static int fit_memory(struct plan *plan, struct error *error)
{
  const struct phase *worst = NULL;
  for (size_t p = 0; p < plan->phase_count; p++) {
    struct phase *phase = &plan->phases[p];
    if (!shrink(plan, phase) && (!worst || phase_bytes(plan, phase) > phase_bytes(plan, worst)))
      worst = phase;
  }
  if (worst) {
    error_set(
        error, ERROR_ProcessGraphComplexity,
        "the smallest tile needs %zu bytes of memory, with %zu bytes for the program itself and %zu bytes of kept "
        "results that is more than the limit of %zu bytes; select less or raise the memory",
        phase_worker_bytes(plan, worst), plan->shared_bytes, plan->kept_bytes, plan->memory);
    return error_at_node(error, heaviest(plan, worst)->id);
  }
  return 0;
}

/* Kept results stay in memory while they take no more than a quarter of it. */
static void place_kept(struct plan *plan)
{
  struct keep *keeps = (struct keep *)plan->keeps;
  plan->kept_bytes = 0;
  for (size_t k = 0; k < plan->keep_count; k++) {
    if (keeps[k].given || keeps[k].idle)
      continue;
    keeps[k].bytes = cube_bytes(keeps[k].cube);
    size_t sum = saturated_add(plan->kept_bytes, keeps[k].bytes);
    keeps[k].in_memory = sum <= plan->memory / 4;
    if (keeps[k].in_memory)
      plan->kept_bytes = sum;
  }
}

/* ---- decoded blocks ------------------------------------------------------------------------------------------------
 */

/* The source of a stage whose readers keep blocks, or NULL. */
static const struct source *keeping_source(const struct stage *stage)
{
  const struct source *source = stage->ops == &source_stage ? stage->data : NULL;
  return source && source->ops->share ? source : NULL;
}

/* Whether tiles next to each other want parts of the same blocks, somewhere in the plan: through a window, or where
 * they are warped. */
static bool shares_blocks(const struct plan *plan)
{
  for (size_t s = 0; s < plan->stage_count; s++)
    for (size_t i = 0; i < plan->stages[s].input_count; i++) {
      const struct stage_input *input = plan->stages[s].inputs[i];
      for (size_t d = 0; d < plan->stages[input->stage].cube->dimensions; d++)
        if (input->need[d].kind == NEED_SPREAD || input->need[d].before > 0 || input->need[d].after > 0)
          return true;
    }
  return false;
}

/* Bytes of a source's blocks; what is resampled has others than its own. */
static size_t block_bytes(const struct source *source)
{
  for (size_t d = 0; d < source->cube.dimensions; d++)
    if (source->block[d] == 0)
      return SIZE_MAX;
  return cube_bytes(&source->cube);
}

static void start_blocks(struct plan *plan)
{
  plan->block_bytes = 0;
  for (size_t s = 0; s < plan->stage_count; s++)
    if (keeping_source(&plan->stages[s]))
      plan->block_bytes = BLOCK_CACHE_LEAST;
  plan->shared_bytes = library_bytes + plan->block_bytes;
}

/* Whether a later phase reads the source once more, whose blocks will then be there. */
static bool is_read_again(const struct stage *stage)
{
  const struct source *source = keeping_source(stage);
  return source && stage->phases > 1 && block_bytes(source) != SIZE_MAX;
}

/* Half of the memory that is left, up to an eighth of all, keeps blocks that tiles share; up to a quarter, as kept
 * results may take, where phases do. */
static void finish_blocks(struct plan *plan)
{
  const size_t peak = plan_peak_memory(plan), left = plan->memory > peak ? plan->memory - peak : 0;
  const bool shares = shares_blocks(plan);
  size_t wanted = 0;
  for (size_t s = 0; s < plan->stage_count; s++) {
    const struct source *source = keeping_source(&plan->stages[s]);
    const size_t bytes = source ? block_bytes(source) : 0;
    const bool again = is_read_again(&plan->stages[s]);
    if (shares || again || bytes == SIZE_MAX)
      wanted = saturated_add(wanted, bytes);
    plan->keeps_blocks = plan->keeps_blocks || again;
  }
  const size_t share = plan->memory / (plan->keeps_blocks ? 4 : 8);
  size_t most = left / 2 < share ? left / 2 : share;
  most = wanted < most ? wanted : most;
  plan->block_bytes += most;
  plan->shared_bytes += most;
}

/* ---- the grid -----------------------------------------------------------------------------------------------------
 */

size_t grid_tiles(struct tile_grid *grid, const struct cube *cube)
{
  grid->count = 1;
  for (size_t d = 0; d < cube->dimensions; d++) {
    size_t size = cube->dimension[d].size, rest = size > grid->lead[d] ? size - grid->lead[d] : 0;
    grid->tiles[d] = (grid->lead[d] ? 1 : 0) + (rest + grid->tile[d] - 1) / grid->tile[d];
    grid->count = saturated_mul(grid->count, grid->tiles[d]);
  }
  return grid->count;
}

static int count_tiles(const struct plan *plan, struct phase *phase, struct error *error)
{
  if (grid_tiles(&phase->grid, phase_stage(plan, phase)->cube) > SIZE_MAX / 4)
    return error_set(error, ERROR_ProcessGraphComplexity, "the result has too many elements");
  return 0;
}

/* Tiles in the order of memory, those of a kernel as it likes them. */
static void order_tiles(const struct plan *plan, struct phase *phase)
{
  const struct stage *stage = phase_stage(plan, phase);
  const struct kernel_stage *kernel = kernel_stage_of(stage);
  phase->grid.group = kernel && kernel->group > 0 ? kernel->group : 1;
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    phase->grid.order[d] = d;
  if (kernel)
    kernel_order(stage, phase->grid.order);
}

/* Elements that a stage reads and those that its inputs read, as far as they are not kept; enough counted where that is
 * much work. */
static double reads_below(const struct plan *plan, size_t index)
{
  const struct stage *stage = &plan->stages[index];
  double elements = 0;
  for (size_t i = 0; i < stage->input_count && elements < MUCH_WORK; i++)
    elements +=
        (double)cube_elements(plan->stages[stage->inputs[i]->stage].cube) + reads_below(plan, stage->inputs[i]->stage);
  return elements;
}

static void start_tiles(struct plan *plan, struct phase *phase, const struct plan_output *outputs)
{
  const size_t any[CUBE_MAX_DIMENSIONS] = {0};
  const size_t *prefer = phase->end == PHASE_OUTPUT ? outputs[phase->target].prefer : any;
  phase->threads = phase->sequential ? 1 : plan->threads;
  if (!phase->sequential && phase_stage(plan, phase)->awaits_device)
    phase->threads *= 2; /* one reads the next tile's inputs while the other waits */
  find_whole(plan, phase->stage, phase->whole);
  block_shape(plan, phase->stage, phase->whole, prefer, &phase->grid);
}

static int finish_tiles(struct plan *plan, struct phase *phase, struct error *error)
{
  if (count_tiles(plan, phase, error) != 0)
    return -1;
  for (size_t smallest = SMALLEST_SIDE; phase->grid.count < phase->threads && !phase->sequential;) {
    if (halve_tile(plan, phase, smallest)) { /* small cubes: a tile for each worker */
      if (count_tiles(plan, phase, error) != 0)
        return -1;
    } else if (smallest == 1 || reads_below(plan, phase->stage) < MUCH_WORK)
      break;
    else
      smallest = 1;
  }
  order_tiles(plan, phase);
  return 0;
}

int plan_choose_tiles(struct plan *plan, const struct plan_output *outputs, struct error *error)
{
  start_blocks(plan);
  place_kept(plan);
  start_slabs(plan);
  for (size_t p = 0; p < plan->phase_count; p++)
    start_tiles(plan, &plan->phases[p], outputs);
  if (fit_memory(plan, error) != 0)
    return -1;
  for (size_t p = 0; p < plan->phase_count; p++)
    if (finish_tiles(plan, &plan->phases[p], error) != 0)
      return -1;
  for (size_t p = 0; p < plan->phase_count; p++) {
    plan->phases[p].worker_bytes = phase_worker_bytes(plan, &plan->phases[p]);
    phase_costs(plan, &plan->phases[p]);
  }
  finish_blocks(plan);
  return 0;
}
