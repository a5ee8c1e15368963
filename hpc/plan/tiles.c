/* The tile grid: tiles follow the source's blocks, so each block is decoded once; they shrink until everything that the
 * workers hold at a time fits the memory. */
#include "hpc/plan/plan_internal.h"

#include "datacube/base/checked.h"

#include <string.h>

static const size_t tile_positions = 512 * 512; /* wanted elements of an output tile */
static const size_t library_bytes = (size_t)96 << 20; /* GDAL's block cache, libraries, the program itself */
enum { LARGEST_SIDE = 512, SMALLEST_SIDE = 64, WARP_SAMPLES = 9 };

struct hint { /* block of the sources along an output dimension */
  size_t block, phase;
};

static const struct stage *output_stage(const struct plan *plan)
{
  return &plan->stages[plan->stage_count - 1];
}

static void hint_from(const struct plan *plan, const struct stage_input *input, struct hint *hints)
{
  const struct stage *stage = &plan->stages[input->stage];
  if (stage->kind != STAGE_SOURCE)
    return;
  const struct source *source = stage->node->source;
  for (size_t d = 0; d < stage->cube->dimensions; d++) {
    const struct need *need = &input->need[d];
    size_t block = source->block[d];
    if (source->sequential && d > 0)
      block = stage->cube->dimension[d].size;
    if (need->is_static || need->map || block == 0 || block <= hints[need->out].block)
      continue;
    size_t shift = need->offset % block;
    hints[need->out] = (struct hint){block, (source->block_phase[d] % block + block - shift) % block};
  }
}

static void find_hints(const struct plan *plan, struct hint *hints)
{
  const struct stage *output = output_stage(plan);
  struct stage_input self = {.stage = plan->stage_count - 1};
  for (size_t d = 0; d < output->cube->dimensions; d++)
    self.need[d].out = (int)d;
  if (output->kind == STAGE_SOURCE)
    hint_from(plan, &self, hints);
  if (output->kind == STAGE_PASS)
    hint_from(plan, &output->pass, hints);
  for (size_t v = 0; v < output->variant_count; v++)
    for (size_t i = 0; i < output->variants[v].input_count; i++)
      hint_from(plan, &output->variants[v].inputs[i], hints);
}

static bool is_sequential(const struct plan *plan)
{
  for (size_t s = 0; s < plan->stage_count; s++)
    if (plan->stages[s].kind == STAGE_SOURCE && plan->stages[s].node->source->sequential)
      return true;
  return false;
}

static void start_shape(struct plan *plan, const struct plan_options *options)
{
  const struct stage *output = output_stage(plan);
  struct hint hints[CUBE_MAX_DIMENSIONS] = {{0, 0}};
  size_t room = tile_positions;
  find_hints(plan, hints);
  for (size_t d = plan->cube->dimensions; d-- > 0;) {
    size_t size = plan->cube->dimension[d].size;
    plan->phase[d] = 0;
    plan->tile[d] = output->kind == STAGE_KERNEL && output->mode[d] == MODE_FIXED ? 1 : size;
    if (output->kind == STAGE_KERNEL && output->mode[d] != MODE_OUT)
      continue;
    size_t block = hints[d].block ? hints[d].block : options->prefer[d];
    size_t tile = block ? block : room;
    while (block && tile < size && tile * 2 <= room && tile * 2 <= LARGEST_SIDE)
      tile *= 2;
    tile = tile < 1 ? 1 : tile > size ? size : tile;
    plan->tile[d] = tile ? tile : 1;
    plan->phase[d] = hints[d].block && tile < size ? hints[d].phase % tile : 0;
    room = room / plan->tile[d] ? room / plan->tile[d] : 1;
  }
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static size_t stage_bytes(const struct plan *plan, size_t stage, const size_t *count);

static void input_counts(const struct plan *plan, const struct stage_input *input, const size_t *count, size_t *in)
{
  for (size_t d = 0; d < plan->stages[input->stage].cube->dimensions; d++)
    in[d] = input->need[d].is_static ? input->need[d].count : count[input->need[d].out];
}

static size_t buffer_bytes(const struct cube *cube, const size_t *count)
{
  size_t bytes = element_info(cube->type)->size;
  for (size_t d = 0; d < cube->dimensions; d++)
    bytes = saturated_mul(bytes, count[d]);
  return bytes;
}

static size_t variant_bytes(const struct plan *plan, const struct variant *variant, const size_t *count)
{
  size_t bytes = kernel_scratch_bytes(&variant->kernel), in[CUBE_MAX_DIMENSIONS];
  for (size_t i = 0; i < variant->input_count; i++) {
    const struct stage_input *input = &variant->inputs[i];
    input_counts(plan, input, count, in);
    bytes = saturated_add(bytes, buffer_bytes(plan->stages[input->stage].cube, in));
    bytes = saturated_add(bytes, stage_bytes(plan, input->stage, in));
  }
  return bytes;
}

/* Pixels of the input that a tile of a warp needs, from resolutions: the workers' buffers grow where a projection
 * stretches more. */
static void warp_counts(const struct plan *plan, const struct stage *stage, const size_t *count, size_t *in)
{
  size_t y = stage->cube->dimensions - 2, x = y + 1;
  const struct cube *from = plan->stages[stage->upstream].cube;
  double metres_from = crs_unit_metres(stage->from.crs), metres_to = crs_unit_metres(stage->node->grid.crs);
  double ratio_x = stage->node->grid.res_x * metres_to / (stage->from.res_x * metres_from);
  double ratio_y = stage->node->grid.res_y * metres_to / (stage->from.res_y * metres_from);
  double across = (double)count[x] * ratio_x * 1.5 + (double)count[y] * ratio_y * 0.5 + 16;
  double down = (double)count[y] * ratio_y * 1.5 + (double)count[x] * ratio_x * 0.5 + 16;
  for (size_t d = 0; d < y; d++)
    in[d] = stage->mode[d] == MODE_AXIS ? from->dimension[d].size : 1;
  in[y] = down < (double)from->dimension[y].size ? (size_t)down : from->dimension[y].size;
  in[x] = across < (double)from->dimension[x].size ? (size_t)across : from->dimension[x].size;
}

static size_t stage_bytes(const struct plan *plan, size_t index, const size_t *count)
{
  const struct stage *stage = &plan->stages[index];
  size_t bytes = 0, in[CUBE_MAX_DIMENSIONS];
  switch (stage->kind) {
  case STAGE_SOURCE:
    return stage->node->source->reader_bytes;
  case STAGE_PASS:
    input_counts(plan, &stage->pass, count, in);
    return stage_bytes(plan, stage->upstream, in);
  case STAGE_WARP:
    warp_counts(plan, stage, count, in);
    return saturated_add(buffer_bytes(plan->stages[stage->upstream].cube, in), stage_bytes(plan, stage->upstream, in));
  case STAGE_KERNEL:
    for (size_t v = 0; v < stage->variant_count; v++) {
      size_t b = variant_bytes(plan, &stage->variants[v], count);
      bytes = b > bytes ? b : bytes;
    }
    return bytes;
  }
  return 0;
}

static size_t worker_bytes(const struct plan *plan)
{
  return saturated_add(buffer_bytes(plan->cube, plan->tile), stage_bytes(plan, plan->stage_count - 1, plan->tile));
}

static size_t total_bytes(const struct plan *plan)
{
  return saturated_add(plan->shared_bytes, saturated_mul(plan->threads, worker_bytes(plan)));
}

/* Halves the tile's longest side that may shrink to no less than `smallest`; false where there is none. */
static bool halve(struct plan *plan, size_t smallest)
{
  const struct stage *output = output_stage(plan);
  size_t best = SIZE_MAX;
  for (size_t d = 0; d < plan->cube->dimensions; d++) {
    bool runs = output->kind != STAGE_KERNEL || output->mode[d] == MODE_OUT;
    if (runs && plan->tile[d] > 1 && plan->tile[d] / 2 >= smallest && (best == SIZE_MAX || plan->tile[d] >= plan->tile[best]))
      best = d;
  }
  if (best == SIZE_MAX)
    return false;
  plan->tile[best] = (plan->tile[best] + 1) / 2;
  plan->phase[best] %= plan->tile[best];
  return true;
}

/* The input that takes most of a worker's memory. */
static const struct node *heaviest(const struct plan *plan, size_t *bytes)
{
  const struct stage *output = output_stage(plan);
  const struct node *node = output->node;
  size_t in[CUBE_MAX_DIMENSIONS];
  *bytes = worker_bytes(plan);
  size_t most = 0;
  for (size_t v = 0; v < output->variant_count; v++)
    for (size_t i = 0; i < output->variants[v].input_count; i++) {
      const struct stage_input *input = &output->variants[v].inputs[i];
      input_counts(plan, input, plan->tile, in);
      size_t b = buffer_bytes(plan->stages[input->stage].cube, in);
      if (b > most) {
        most = b;
        node = plan->stages[input->stage].node;
      }
    }
  return node;
}

static int fit_memory(struct plan *plan, struct error *error)
{
  while (total_bytes(plan) > plan->memory) {
    if (halve(plan, SMALLEST_SIDE))
      continue;
    if (plan->threads > 1) {
      plan->threads--;
      continue;
    }
    if (halve(plan, 1))
      continue;
    size_t bytes;
    const struct node *node = heaviest(plan, &bytes);
    error_set(error, "ProcessGraphComplexity",
              "the smallest tile needs %zu bytes of memory, with %zu bytes for the program itself that is more than the limit of %zu bytes; "
              "select less or raise the memory", bytes, plan->shared_bytes, plan->memory);
    return error_at_node(error, node->id);
  }
  plan->worker_bytes = worker_bytes(plan);
  return 0;
}

/* ---- the grid --------------------------------------------------------------------------------------------------- */

static int count_tiles(struct plan *plan, struct error *error)
{
  plan->tile_count = 1;
  for (size_t d = 0; d < plan->cube->dimensions; d++) {
    size_t size = plan->cube->dimension[d].size, rest = size > plan->phase[d] ? size - plan->phase[d] : 0;
    plan->tiles[d] = (plan->phase[d] ? 1 : 0) + (rest + plan->tile[d] - 1) / plan->tile[d];
    plan->tile_count = saturated_mul(plan->tile_count, plan->tiles[d]);
  }
  if (plan->tile_count > SIZE_MAX / 4)
    return error_set(error, "ProcessGraphComplexity", "the result has too many elements");
  return 0;
}

/* Each input is read once per tile along the output dimensions that it does not depend on. */
static double input_read_bytes(const struct plan *plan, const struct stage_input *input, const bool *fixed)
{
  const struct stage *stage = &plan->stages[input->stage];
  while (stage->kind == STAGE_WARP || stage->kind == STAGE_PASS)
    stage = &plan->stages[stage->upstream];
  if (stage->kind != STAGE_SOURCE)
    return 0;
  const struct source *source = stage->node->source;
  double bytes = source->bytes_per_element > 0 ? source->bytes_per_element : (double)element_info(stage->cube->type)->size;
  bool used[CUBE_MAX_DIMENSIONS] = {false};
  for (size_t d = 0; d < plan->stages[input->stage].cube->dimensions; d++) {
    const struct need *need = &input->need[d];
    bytes *= need->is_static ? (double)need->count : (double)plan->cube->dimension[need->out].size;
    if (!need->is_static)
      used[need->out] = true;
  }
  for (size_t d = 0; d < plan->cube->dimensions; d++)
    if (!used[d] && !fixed[d])
      bytes *= (double)plan->tiles[d];
  return bytes;
}

static double read_bytes(const struct plan *plan)
{
  const struct stage *output = output_stage(plan);
  bool fixed[CUBE_MAX_DIMENSIONS] = {false};
  struct stage_input self = {.stage = plan->stage_count - 1};
  double bytes = 0;
  for (size_t d = 0; d < plan->cube->dimensions; d++) {
    fixed[d] = output->kind == STAGE_KERNEL && output->mode[d] == MODE_FIXED;
    self.need[d].out = (int)d;
  }
  if (output->kind == STAGE_PASS)
    return input_read_bytes(plan, &output->pass, fixed);
  if (output->kind != STAGE_KERNEL)
    return input_read_bytes(plan, &self, fixed);
  for (size_t v = 0; v < output->variant_count; v++)
    for (size_t i = 0; i < output->variants[v].input_count; i++)
      bytes += input_read_bytes(plan, &output->variants[v].inputs[i], fixed);
  return bytes;
}

int plan_choose_tiles(struct plan *plan, const struct plan_options *options, struct error *error)
{
  plan->shared_bytes = library_bytes;
  if (is_sequential(plan))
    plan->threads = 1; /* a chain has one order; its sweeps may be parallel inside */
  start_shape(plan, options);
  if (fit_memory(plan, error) != 0 || count_tiles(plan, error) != 0)
    return -1;
  if (plan->tile_count < plan->threads && !is_sequential(plan)) /* small cubes: a tile for each worker */
    while (plan->tile_count < plan->threads && halve(plan, SMALLEST_SIDE) && count_tiles(plan, error) == 0)
      continue;
  plan->read_bytes = read_bytes(plan);
  return 0;
}
