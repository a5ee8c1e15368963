/* The tile grid: tiles follow the source's blocks, so each block is decoded once; they shrink until everything that the
 * workers hold at a time fits the memory. */
#include "hpc/plan/plan_internal.h"

#include "datacube/base/checked.h"

#include <string.h>

static const size_t tile_positions = 512 * 512; /* wanted elements of an output tile */
static const size_t library_bytes = (size_t)96 << 20; /* GDAL's block cache, libraries, the program itself */
enum { LARGEST_SIDE = 512, SMALLEST_SIDE = 64 };

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

static void find_hints(const struct plan *plan, size_t index, struct hint *hints)
{
  const struct stage *stage = &plan->stages[index];
  struct stage_input self = {.stage = index};
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    self.need[d].out = (int)d;
  if (stage->kind == STAGE_SOURCE)
    hint_from(plan, &self, hints);
  if (stage->kind == STAGE_PASS)
    hint_from(plan, &stage->pass, hints);
  for (size_t v = 0; v < stage->variant_count; v++)
    for (size_t i = 0; i < stage->variants[v].input_count; i++)
      hint_from(plan, &stage->variants[v].inputs[i], hints);
}

static bool is_sequential(const struct plan *plan)
{
  for (size_t s = 0; s < plan->stage_count; s++)
    if (plan->stages[s].kind == STAGE_SOURCE && plan->stages[s].node->source->sequential)
      return true;
  return false;
}

/* Shape of about tile_positions elements along the blocks of the stage's sources; phase: first block boundary. */
static void block_shape(const struct plan *plan, size_t index, const size_t *prefer, size_t *shape, size_t *phase)
{
  const struct stage *stage = &plan->stages[index];
  struct hint hints[CUBE_MAX_DIMENSIONS] = {{0, 0}};
  size_t room = tile_positions;
  find_hints(plan, index, hints);
  for (size_t d = stage->cube->dimensions; d-- > 0;) {
    size_t size = stage->cube->dimension[d].size;
    phase[d] = 0;
    shape[d] = (stage->kind == STAGE_KERNEL && stage->mode[d] == MODE_FIXED) || size == 0 ? 1 : size;
    if (stage->kind == STAGE_KERNEL && stage->mode[d] != MODE_OUT)
      continue;
    size_t block = hints[d].block ? hints[d].block : prefer[d];
    size_t side = block ? block : room;
    while (block && side < size && side * 2 <= room && side * 2 <= LARGEST_SIDE)
      side *= 2;
    side = side < 1 ? 1 : side > size ? size : side;
    shape[d] = side ? side : 1;
    phase[d] = hints[d].block && side < size ? hints[d].phase % side : 0;
    room = room / shape[d] ? room / shape[d] : 1;
  }
}

/* Kernels inside the plan are computed in slabs of that shape, whatever region they are asked for. */
static void start_slabs(struct plan *plan)
{
  const size_t any[CUBE_MAX_DIMENSIONS] = {0};
  size_t phase[CUBE_MAX_DIMENSIONS];
  for (size_t s = 0; s < plan->stage_count; s++) {
    block_shape(plan, s, any, plan->stages[s].slab, phase);
    for (size_t d = 0; s + 1 == plan->stage_count && d < CUBE_MAX_DIMENSIONS; d++)
      plan->stages[s].slab[d] = SIZE_MAX; /* the output: its tiles are the slabs */
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
  double ratio_y = stage->ratio[0], ratio_x = stage->ratio[1];
  double across = (double)count[x] * ratio_x * 1.5 + (double)count[y] * ratio_y * 0.5 + 16;
  double down = (double)count[y] * ratio_y * 1.5 + (double)count[x] * ratio_x * 0.5 + 16;
  for (size_t d = 0; d < y; d++)
    in[d] = stage->mode[d] == MODE_AXIS ? from->dimension[d].size : 1;
  bool all_rows = stage->mode[y] == MODE_AXIS || down >= (double)from->dimension[y].size;
  bool all_columns = stage->mode[x] == MODE_AXIS || across >= (double)from->dimension[x].size;
  in[y] = all_rows ? from->dimension[y].size : (size_t)down;
  in[x] = all_columns ? from->dimension[x].size : (size_t)across;
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
    for (size_t d = 0; d < stage->cube->dimensions; d++)
      in[d] = count[d] < stage->slab[d] ? count[d] : stage->slab[d];
    for (size_t v = 0; v < stage->variant_count; v++) {
      size_t b = variant_bytes(plan, &stage->variants[v], in);
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
static bool halve_slab(struct plan *plan, size_t smallest)
{
  size_t stage = SIZE_MAX, best = 0;
  for (size_t s = 0; s + 1 < plan->stage_count; s++)
    for (size_t d = 0; plan->stages[s].kind == STAGE_KERNEL && d < plan->stages[s].cube->dimensions; d++)
      if (plan->stages[s].mode[d] == MODE_OUT && plan->stages[s].slab[d] > 1 && plan->stages[s].slab[d] / 2 >= smallest &&
          (stage == SIZE_MAX || plan->stages[s].slab[d] > plan->stages[stage].slab[best])) {
        stage = s;
        best = d;
      }
  if (stage == SIZE_MAX)
    return false;
  plan->stages[stage].slab[best] = (plan->stages[stage].slab[best] + 1) / 2;
  return true;
}

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
    if (halve(plan, SMALLEST_SIDE) || halve_slab(plan, SMALLEST_SIDE))
      continue;
    if (plan->threads > 1) {
      plan->threads--;
      continue;
    }
    if (halve(plan, 1) || halve_slab(plan, 1))
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

static double stage_read_bytes(const struct plan *plan, size_t index, const double *tiles);

/* Each input is read once per tile along the dimensions of the stage that it does not depend on. */
static double input_read_bytes(const struct plan *plan, const struct stage *stage, const struct stage_input *input, const double *tiles)
{
  const struct stage *from = &plan->stages[input->stage];
  bool used[CUBE_MAX_DIMENSIONS] = {false};
  double ones[CUBE_MAX_DIMENSIONS], share = 1;
  for (size_t d = 0; d < from->cube->dimensions; d++) {
    const struct need *need = &input->need[d];
    double size = (double)from->cube->dimension[d].size;
    ones[d] = 1;
    share *= size == 0 ? 0 : (need->is_static ? (double)need->count : (double)stage->cube->dimension[need->out].size) / size;
    if (!need->is_static)
      used[need->out] = true;
  }
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    if (!used[d] && !(stage->kind == STAGE_KERNEL && stage->mode[d] == MODE_FIXED))
      share *= tiles[d];
  return share * stage_read_bytes(plan, input->stage, ones);
}

static double stage_read_bytes(const struct plan *plan, size_t index, const double *tiles)
{
  const struct stage *stage = &plan->stages[index];
  double bytes = 0, ones[CUBE_MAX_DIMENSIONS];
  for (size_t d = 0; d < CUBE_MAX_DIMENSIONS; d++)
    ones[d] = 1;
  switch (stage->kind) {
  case STAGE_SOURCE:
    bytes = stage->node->source->bytes_per_element > 0 ? stage->node->source->bytes_per_element : (double)element_info(stage->cube->type)->size;
    return bytes * (double)cube_elements(stage->cube);
  case STAGE_WARP:
    return stage_read_bytes(plan, stage->upstream, ones);
  case STAGE_PASS:
    return input_read_bytes(plan, stage, &stage->pass, tiles);
  case STAGE_KERNEL:
    for (size_t v = 0; v < stage->variant_count; v++)
      for (size_t i = 0; i < stage->variants[v].input_count; i++)
        bytes += input_read_bytes(plan, stage, &stage->variants[v].inputs[i], tiles);
    return bytes;
  }
  return 0;
}

static double read_bytes(const struct plan *plan)
{
  double tiles[CUBE_MAX_DIMENSIONS];
  for (size_t d = 0; d < CUBE_MAX_DIMENSIONS; d++)
    tiles[d] = d < plan->cube->dimensions ? (double)plan->tiles[d] : 1;
  return stage_read_bytes(plan, plan->stage_count - 1, tiles);
}

int plan_choose_tiles(struct plan *plan, const struct plan_options *options, struct error *error)
{
  plan->shared_bytes = library_bytes;
  plan->reader_threads = is_sequential(plan) ? plan->threads : 1;
  if (is_sequential(plan))
    plan->threads = 1; /* a chain has one order; its sweeps are parallel inside */
  block_shape(plan, plan->stage_count - 1, options->prefer, plan->tile, plan->phase);
  start_slabs(plan);
  if (fit_memory(plan, error) != 0 || count_tiles(plan, error) != 0)
    return -1;
  if (plan->tile_count < plan->threads && !is_sequential(plan)) /* small cubes: a tile for each worker */
    while (plan->tile_count < plan->threads && halve(plan, SMALLEST_SIDE) && count_tiles(plan, error) == 0)
      continue;
  plan->read_bytes = read_bytes(plan);
  return 0;
}
