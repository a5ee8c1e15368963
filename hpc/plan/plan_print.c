/* EXPLAIN: a plan as text, and as JSON. Numbers that depend on the machine (threads, memory) stand on a line of their
 * own, so golden tests can leave them out. */
#include "hpc/plan/plan_internal.h"

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
    element_mark_format(cube->type, cube->nodata, number);
    buffer_printf(out, ", no-data %s", number);
  }
  if (cube->crs)
    buffer_printf(out, ", %.40s", cube->crs);
}

/* ---- stages -------------------------------------------------------------------------------------------------------
 */

static void print_list(struct buffer *out, const struct dimension *dimension, const struct need *need)
{
  char room[LABEL_TEXT_ROOM];
  if (need->count == dimension->size && need->count > 1) {
    buffer_printf(out, "all %zu", need->count);
    return;
  }
  buffer_text(out, "[");
  for (size_t i = 0; i < need->count && i < 4; i++)
    buffer_printf(out, "%s%s", i ? " " : "", dimension_label_text(dimension, need->list[i], room));
  buffer_text(out, need->count > 4 ? " …]" : "]");
}

/* "t: 24 dates 0, 1, … | y: tile" – what of each dimension of an input a tile needs. */
static void print_need(struct buffer *out, const struct dimension *dimension, const struct cube *output,
                       const struct need *need)
{
  buffer_printf(out, "%s: ", dimension->name);
  if (need->kind == NEED_SPREAD)
    buffer_text(out, "around the tile");
  if (need->kind == NEED_LIST)
    print_list(out, dimension, need);
  if (need->kind != NEED_RUN)
    return;
  buffer_printf(out, "tile of %s", output->dimension[need->out].name);
  if (need->offset)
    buffer_printf(out, " + %zu", need->offset);
  if (need->map)
    buffer_text(out, " by list");
  if (need->before || need->after)
    buffer_printf(out, " with %zu before and %zu after", need->before, need->after);
}

void stage_input_print(const struct plan *plan, const struct stage *stage, const struct stage_input *input,
                       struct buffer *out)
{
  const struct cube *cube = plan->stages[input->stage].cube;
  buffer_printf(out, "    reads stage %zu: ", input->stage);
  for (size_t d = 0; d < cube->dimensions; d++) {
    buffer_text(out, d ? ", " : "");
    print_need(out, &cube->dimension[d], stage->cube, &input->need[d]);
  }
  buffer_text(out, "\n");
}

static void print_stage(struct buffer *out, const struct plan *plan, size_t s)
{
  const struct stage *stage = &plan->stages[s];
  buffer_printf(out, "  %zu %s \"%s\"", s, stage->ops->name, stage->node->id);
  stage->ops->print(plan, stage, out);
  buffer_text(out, "\n    gives ");
  print_cube(out, stage->cube);
  buffer_text(out, "\n");
  if (stage->ops->print_more)
    stage->ops->print_more(plan, stage, out);
  if (stage->place)
    buffer_printf(out, "    runs %s\n", stage->place);
}

/* ---- phases -------------------------------------------------------------------------------------------------------
 */

static void print_tiles(struct buffer *out, const struct plan *plan, const struct phase *phase)
{
  const struct cube *cube = plan->stages[phase->stage].cube;
  buffer_printf(out, "tiles %zu:", phase->grid.count);
  for (size_t d = 0; d < cube->dimensions; d++)
    buffer_printf(out, " %s %zu x %zu%s", cube->dimension[d].name, phase->grid.tiles[d], phase->grid.tile[d],
                  d + 1 < cube->dimensions ? "," : "");
  if (phase->grid.group > 1)
    buffer_printf(out, ", %zu together", phase->grid.group);
  if (phase->sequential)
    buffer_text(out, ", in order");
  buffer_text(out, "\n");
}

/* One phase is nothing to speak of. */
static void print_phase(struct buffer *out, const struct plan *plan, size_t p)
{
  const struct phase *phase = &plan->phases[p];
  if (plan->phase_count > 1 && phase->end == PHASE_OUTPUT)
    buffer_printf(out, "phase %zu: output %zu from stage %zu, ", p, phase->target, phase->stage);
  if (phase->end == PHASE_KEEP) {
    const struct keep *keep = &plan->keeps[phase->target];
    buffer_printf(out, "phase %zu: keeps \"%s\" from stage %zu, because %s, ", p, keep->node->id, phase->stage,
                  keep->why);
    print_bytes(out, (double)cube_bytes(keep->cube));
    buffer_printf(out, "%s%s, ", keep->on_device ? ", " : "", keep->on_device ? keep->on_device : "");
  }
  print_tiles(out, plan, phase);
}

void plan_print_stages(const struct plan *plan, struct buffer *out)
{
  buffer_text(out, "stages\n");
  for (size_t s = 0; s < plan->stage_count; s++)
    print_stage(out, plan, s);
  for (size_t p = 0; p < plan->phase_count; p++)
    print_phase(out, plan, p);
}

void plan_print(const struct plan *plan, struct buffer *out)
{
  double result = 0;
  plan_print_stages(plan, out);
  for (size_t i = 0; i < plan->output_count; i++)
    result += (double)cube_bytes(plan->cubes[i]);
  buffer_text(out, "reads about ");
  print_bytes(out, plan_read_bytes(plan));
  buffer_text(out, ", result ");
  print_bytes(out, result);
  buffer_printf(out, " in memory, computes about %.6g elements\n", plan_computed(plan));
  buffer_printf(out, "threads %u, peak memory at most ", plan_threads(plan));
  print_bytes(out, (double)plan_peak_memory(plan));
  buffer_text(out, " of ");
  print_bytes(out, (double)plan->memory);
  buffer_text(out, "\n");
}

/* ---- JSON ---------------------------------------------------------------------------------------------------------
 */

static void write_place(struct json_writer *w, const struct stage *stage)
{
  json_kv_string(w, "device", stage->on_device ? "cuda" : "cpu");
  json_kv_string(w, "why", stage->place);
  if (stage->cpu_seconds > 0) {
    json_kv_number(w, "cpu_seconds", stage->cpu_seconds);
    json_kv_number(w, "device_seconds", stage->device_seconds);
  }
}

static void write_stages(struct json_writer *w, const struct plan *plan)
{
  json_key(w, "stages");
  json_write_array(w);
  for (size_t s = 0; s < plan->stage_count; s++) {
    const struct stage *stage = &plan->stages[s];
    json_write_object(w);
    json_kv_string(w, "kind", stage->ops->name);
    json_kv_string(w, "node", stage->node->id);
    json_kv_number(w, "elements", (double)cube_elements(stage->cube));
    const struct source *source = node_source_of(stage->node);
    if (source && source->origin)
      json_kv_string(w, "origin", source->origin);
    if (stage->place)
      write_place(w, stage);
    json_key(w, "reads");
    json_write_array(w);
    for (size_t i = 0; i < stage->input_count; i++)
      json_write_number(w, (double)stage->inputs[i]->stage);
    json_end_array(w);
    json_end_object(w);
  }
  json_end_array(w);
}

static void write_phases(struct json_writer *w, const struct plan *plan)
{
  json_key(w, "phases");
  json_write_array(w);
  for (size_t p = 0; p < plan->phase_count; p++) {
    const struct phase *phase = &plan->phases[p];
    json_write_object(w);
    json_kv_integer(w, "stage", (int64_t)phase->stage);
    json_kv_string(w, "to", phase->end == PHASE_KEEP ? "kept" : "output");
    json_kv_integer(w, "tiles", (int64_t)phase->grid.count);
    json_kv_integer(w, "threads", (int64_t)phase->threads);
    if (phase->end == PHASE_KEEP && plan->keeps[phase->target].on_device)
      json_kv_string(w, "on_device", plan->keeps[phase->target].on_device);
    json_kv_number(w, "read_bytes", phase->read_bytes);
    json_kv_number(w, "computed_elements", phase->computed);
    json_end_object(w);
  }
  json_end_array(w);
}

void plan_print_json(const struct plan *plan, struct buffer *out)
{
  struct json_writer w = {.out = out};
  double elements = 0;
  char hash[40];
  for (size_t i = 0; i < plan->output_count; i++)
    elements += (double)cube_elements(plan->cubes[i]);
  snprintf(hash, sizeof hash, "%016llx%016llx", (unsigned long long)plan->hash.a, (unsigned long long)plan->hash.b);
  json_write_object(&w);
  json_kv_string(&w, "hash", hash);
  json_kv_number(&w, "read_bytes", plan_read_bytes(plan));
  json_kv_number(&w, "computed_elements", plan_computed(plan));
  json_kv_number(&w, "result_elements", elements);
  json_kv_number(&w, "peak_memory", (double)plan_peak_memory(plan));
  json_kv_integer(&w, "threads", (int64_t)plan_threads(plan));
  write_stages(&w, plan);
  write_phases(&w, plan);
  json_end_object(&w);
}
