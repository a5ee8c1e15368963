/* EXPLAIN: a plan as text. Numbers that depend on the machine (threads, memory) stand on lines of their own, so golden
 * tests can leave them out. */
#include "hpc/plan/plan_internal.h"

#include "hpc/kernel/kernel.h"

#include <stdio.h>

static void print_bytes(struct buffer *out, double bytes)
{
  static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < sizeof units / sizeof *units; unit++)
    bytes /= 1024;
  buffer_printf(out, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}

static void print_cube(struct buffer *out, const struct cube *cube)
{
  buffer_text(out, "(");
  for (size_t d = 0; d < cube->dimensions; d++)
    buffer_printf(out, "%s%s %zu", d ? ", " : "", cube->dimension[d].name, cube->dimension[d].size);
  buffer_printf(out, ") %s", element_info(cube->type)->name);
  if (cube->has_nodata) {
    char number[32];
    number_format(cube->nodata, number);
    buffer_printf(out, ", no-data %s", number);
  }
  if (cube->crs)
    buffer_printf(out, ", %.40s", cube->crs);
}

/* "t: 24 dates 0, 1, … | y: tile" – what of each dimension of an input a tile needs. */
static void print_need(struct buffer *out, const struct cube *cube, const struct cube *output, const struct need *need, size_t d)
{
  buffer_printf(out, "%s%s: ", d ? ", " : "", cube->dimension[d].name);
  if (!need->is_static) {
    buffer_printf(out, "tile of %s", output->dimension[need->out].name);
    if (need->offset)
      buffer_printf(out, " + %zu", need->offset);
    if (need->map)
      buffer_text(out, " by list");
    return;
  }
  if (need->count == cube->dimension[d].size && need->count > 1) {
    buffer_printf(out, "all %zu", need->count);
    return;
  }
  char room[LABEL_TEXT_ROOM];
  buffer_text(out, "[");
  for (size_t i = 0; i < need->count && i < 4; i++)
    buffer_printf(out, "%s%s", i ? " " : "", dimension_label_text(&cube->dimension[d], need->list[i], room));
  buffer_text(out, need->count > 4 ? " …]" : "]");
}

static void print_input(struct buffer *out, const struct plan *plan, const struct cube *output, const struct stage_input *input)
{
  const struct cube *cube = plan->stages[input->stage].cube;
  buffer_printf(out, "    reads stage %zu: ", input->stage);
  for (size_t d = 0; d < cube->dimensions; d++)
    print_need(out, cube, output, &input->need[d], d);
  buffer_text(out, "\n");
}

static void print_kernel(struct buffer *out, const struct plan *plan, const struct stage *stage)
{
  const struct variant *variant = stage->variants;
  static const char *const modes[] = {"tile", "one by one", "whole"};
  buffer_text(out, "    dimensions:");
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    buffer_printf(out, " %s %s%s", stage->cube->dimension[d].name, modes[stage->mode[d]], d + 1 < stage->cube->dimensions ? "," : "");
  buffer_text(out, "\n");
  if (stage->variant_count == 0)
    return;
  if (stage->variant_count > 1)
    buffer_printf(out, "    %zu kernels, one per index; the first:\n", stage->variant_count);
  for (size_t i = 0; i < variant->input_count; i++)
    print_input(out, plan, stage->cube, &variant->inputs[i]);
  buffer_printf(out, "    kernel %s, %zu lanes a piece, %zu blocks of registers\n", variant->kernel.lane_type == LANE_F32 ? "f32" : "f64",
                variant->kernel.lane_block, variant->kernel.scratch_blocks);
  struct buffer steps = {0};
  kernel_print(&variant->kernel, &steps);
  for (size_t from = 0; from < steps.length;) {
    size_t to = from;
    while (to < steps.length && steps.data[to] != '\n')
      to++;
    buffer_text(out, "      ");
    buffer_add(out, steps.data + from, to - from);
    buffer_text(out, "\n");
    from = to + 1;
  }
  buffer_free(&steps);
}

static void print_stage(struct buffer *out, const struct plan *plan, size_t s)
{
  const struct stage *stage = &plan->stages[s];
  buffer_printf(out, "  %zu ", s);
  switch (stage->kind) {
  case STAGE_SOURCE:
    buffer_printf(out, "source \"%s\" %s", stage->node->id, stage->node->source->ops->name);
    if (stage->node->source->origin)
      buffer_printf(out, ": %s", stage->node->source->origin);
    break;
  case STAGE_WARP:
    buffer_printf(out, "warp \"%s\" %s from stage %zu", stage->node->id, resampling_name(stage->node->method), stage->upstream);
    break;
  case STAGE_KERNEL:
    buffer_printf(out, "kernel \"%s\" %s", stage->node->id, stage->node->process);
    break;
  case STAGE_PASS:
    buffer_printf(out, "pass \"%s\" %s: elements of stage %zu as they are", stage->node->id, stage->node->process, stage->upstream);
    break;
  }
  buffer_text(out, "\n    gives ");
  print_cube(out, stage->cube);
  buffer_text(out, "\n");
  if (stage->kind == STAGE_PASS)
    print_input(out, plan, stage->cube, &stage->pass);
  if (stage->kind == STAGE_KERNEL)
    print_kernel(out, plan, stage);
}

void plan_print(const struct plan *plan, struct buffer *out)
{
  buffer_text(out, "stages\n");
  for (size_t s = 0; s < plan->stage_count; s++)
    print_stage(out, plan, s);
  buffer_printf(out, "tiles %zu:", plan->tile_count);
  for (size_t d = 0; d < plan->cube->dimensions; d++)
    buffer_printf(out, " %s %zu x %zu%s", plan->cube->dimension[d].name, plan->tiles[d], plan->tile[d], d + 1 < plan->cube->dimensions ? "," : "");
  buffer_text(out, "\nreads about ");
  print_bytes(out, plan->read_bytes);
  buffer_text(out, ", result ");
  print_bytes(out, (double)cube_bytes(plan->cube));
  buffer_text(out, " in memory\n");
  buffer_printf(out, "threads %u, peak memory at most ", plan->threads);
  print_bytes(out, (double)plan_peak_memory(plan));
  buffer_text(out, " of ");
  print_bytes(out, (double)plan->memory);
  buffer_text(out, "\n");
}
