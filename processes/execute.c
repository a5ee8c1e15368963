/* Execute: parse, bind, lower, choose files, plan, run, write. */
#include "processes/execute.h"

#include "datacube/sink/output.h"
#include "hpc/device/device_text.h"
#include "hpc/udf/interpreters.h"
#include "processes/cube/unpacked.h"
#include "processes/graph/elsewhere.h"
#include "processes/result_file.h"
#include "processes/result_metadata.h"
#include "processes/run_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct step { /* an outcome on its way: an output of the plan, or the value */
  struct result_file file;
  size_t output; /* of the plan, where file.output is a cube's */
};

struct steps {
  struct outcome outcome;
  struct step *list;
  size_t count;
  const struct plan *plan; /* of all cubes: they share what they have in common. NULL: there is none */
  struct hash key;         /* of the plan */
  struct run_report report;
  struct cached_run again; /* a run of the same plan from the cache; all NULL: there is none */
};

/* ---- to plans --------------------------------------------------------------------------------------------------- */

/* The graph's own memory: no more than the plan's. */
static struct arena *make_arena(const struct execution *e, struct error *error)
{
  struct arena *arena = arena_new(e->memory ? e->memory : (size_t)2 << 30);
  if (!arena)
    error_memory(error);
  return arena;
}

static int take_part(struct arena *arena, const struct execution *e, struct outcome *out, struct error *error)
{
  struct outcome_output *part = ARENA_NEW(arena, struct outcome_output);
  const struct outcome_output *result = outcome_result(out);
  if (out->is_value || !result)
    return error_set(error, ERROR_FormatUnsuitable, "a coverage is part of one data cube; the result is %s",
                     out->is_value ? value_kind_name(&out->value) : "several files");
  if (!part)
    return error_memory(error);
  *part = *result;
  out->outputs = part;
  out->output_count = 1;
  return map_part_take(arena, e->part, e->cancel, part, error);
}

static int find_shares(struct arena *arena, const struct execution *e, struct graph_shares *out, struct error *error)
{
  const struct graph_options options = {.parameter_count = e->parameter_count,
                                        .catalogue = e->catalogue,
                                        .local = e->local,
                                        .official_encoding = e->official_encoding};
  return graph_share(arena, e->graph, e->graph_length, &options, out, error);
}

static int lower_text(struct arena *arena, const struct execution *e, struct outcome *out, struct error *error)
{
  const struct graph *graph;
  const struct bound *bound;
  struct graph_shares shares;
  struct local_files local = e->local ? *e->local : (struct local_files){0};
  const struct graph_options options = {.parameters = e->parameters,
                                        .parameter_count = e->parameter_count,
                                        .lookup = e->lookup,
                                        .catalogue = e->catalogue,
                                        .files = e->files,
                                        .workspaces = &e->workspaces,
                                        .local = e->local ? &local : NULL,
                                        .cancel = e->cancel,
                                        .memory = e->memory,
                                        .threads = e->threads,
                                        .devices = e->devices,
                                        .ranks = e->ranks,
                                        .beside = e->output,
                                        .log = e->log,
                                        .official_encoding = e->official_encoding};
  if (find_shares(arena, e, &shares, error) != 0)
    return -1;
  local.parts = shares.parts;
  local.part_count = shares.count;
  if (graph_parse(arena, shares.graph ? shares.graph : e->graph, shares.graph ? shares.length : e->graph_length,
                  e->official_encoding, &graph, error) != 0 ||
      graph_bind(arena, graph, &options, &bound, error) != 0 || graph_lower(arena, bound, &options, out, error) != 0)
    return -1;
  if (e->only_result) {
    out->outputs = outcome_result(out);
    out->output_count = out->outputs ? 1 : 0;
    if (!out->outputs && !out->is_value)
      return error_set(error, ERROR_FeatureUnsupported,
                       "the result is several files; a synchronous request answers one: make it a batch job, or leave "
                       "out separate_dates and separate_bands");
  }
  return e->part ? take_part(arena, e, out, error) : 0;
}

/* One plan for all cubes. */
static int make_plan(struct arena *arena, const struct execution *e, struct steps *steps, struct error *error)
{
  struct plan_output *outputs = ARENA_ARRAY(arena, struct plan_output, steps->count);
  struct plan_options options = {
      .memory = e->memory, .threads = e->threads, .devices = e->devices, .cancel = e->cancel};
  size_t count = 0;
  if (!outputs)
    return error_memory(error);
  for (size_t i = 0; i < steps->count; i++) {
    const struct outcome_output *output = steps->list[i].file.output;
    const struct sink_format *format = steps->list[i].file.format;
    if (!output)
      continue;
    outputs[count].node = format->text ? unpacked(arena, output->node) : output->node;
    if (!outputs[count].node)
      return error_memory(error);
    if (format->prefer)
      format->prefer(output->node->cube, output->options, output->option_count, outputs[count].prefer);
    steps->list[i].output = count++;
  }
  if (count == 0)
    return 0;
  steps->key = plan_key(outputs, count, &options);
  if (!plan_cache_take(e->cache, steps->key, &steps->again))
    return plan_make_outputs(arena, outputs, count, &options, &steps->plan, error);
  steps->plan = steps->again.plan;
  return 0;
}

/* From the graph's text to a plan; nothing has run yet. */
static int make_steps(struct arena *arena, const struct execution *e, struct steps *out, struct error *error)
{
  struct result_file *files;
  *out = (struct steps){0};
  run_report_begin(&out->report, e->log);
  if (lower_text(arena, e, &out->outcome, error) != 0)
    return graph_blame(arena, error);
  if (!e->output && out->outcome.output_count > 0)
    return error_set(error, ERROR_StorageFailure, "the result is a data cube: name a file for it");
  if (result_files_plan(arena, e->output ? e->output : "./", &out->outcome, e->value_file, &files, &out->count,
                        error) != 0)
    return -1;
  out->list = ARENA_ARRAY(arena, struct step, out->count);
  if (!out->list)
    return error_memory(error);
  for (size_t i = 0; i < out->count; i++)
    out->list[i].file = files[i];
  return make_plan(arena, e, out, error) == 0 ? 0 : graph_blame(arena, error);
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

static int write_cube(const struct execution *e, struct steps *steps, const struct step *step, struct run *run,
                      struct execution_file *out, struct error *error)
{
  const struct plan *plan = steps->plan;
  const struct outcome_output *output = step->file.output;
  const struct sink_format *format = step->file.format;
  struct sink_request request = {.format = output->format ? output->format : format->name,
                                 .options = output->options,
                                 .option_count = output->option_count,
                                 .path = step->file.path,
                                 .history = e->history,
                                 .threads = plan_threads(plan)};
  struct sink *sink;
  const struct cube *cube = plan_output_cube(plan, step->output);
  plan_output_tile(plan, step->output, request.tile);
  if (format->open(&request, cube, &sink, error) != 0)
    return -1;
  snprintf(out->media_type, sizeof out->media_type, "%s", sink->media_type ? sink->media_type : format->media_type);
  int status = run_box(run, step->output, NULL, sink, error);
  run_report_filled(&steps->report);
  if (status == 0)
    status = sink->ops->finish(sink, error);
  if (status == 0)
    result_metadata_write(cube, format, sink, &out->metadata);
  sink->ops->close(sink);
  return status;
}

static int value_json(const struct execution *e, const struct value *value, struct buffer *json, struct error *error)
{
  struct json_writer writer = {.out = json, .nonfinite_tokens = e->official_encoding};
  json->limit = e->memory;
  value_write(value, &writer);
  return json->failed ? error_set(error, ERROR_ProcessGraphComplexity, "the result is too large to be written as JSON")
                      : 0;
}

static int write_value(const struct execution *e, const struct value *value, const struct result_file *file,
                       struct execution_file *out, struct error *error)
{
  struct buffer json = {0};
  struct output output = {0};
  int status = value_json(e, value, &json, error);
  if (status == 0)
    status = output_begin(&output, file->path, error);
  FILE *stream = status == 0 ? fopen(output.temporary, "we") : NULL;
  bool written = stream && fwrite(json.data, 1, json.length, stream) == json.length && fputc('\n', stream) != EOF;
  if (stream && fclose(stream) != 0)
    written = false;
  if (status == 0)
    status = written ? output_commit(&output, error) : output_error(error, "cannot write the result");
  output_discard(&output);
  buffer_free(&json);
  snprintf(out->media_type, sizeof out->media_type, "%s", file->format->media_type);
  return status;
}

static int write_step(const struct execution *e, struct steps *steps, const struct step *step, struct run *run,
                      struct execution_file *out, struct error *error)
{
  out->path = strdup(step->file.path);
  out->name = strdup(step->file.name);
  out->is_result = step->file.is_result;
  if (!out->path || !out->name)
    return error_memory(error);
  return step->file.output ? write_cube(e, steps, step, run, out, error)
                           : write_value(e, step->file.value, &step->file, out, error);
}

static struct workspace_result export_of(const struct execution_file *file, const struct outcome_export *to)
{
  return (struct workspace_result){.workspace = to->workspace,
                                   .is_collection = to->is_collection,
                                   .catalogue = to->merge,
                                   .name = to->name,
                                   .path = file->path,
                                   .media_type = file->media_type,
                                   .metadata = &file->metadata,
                                   .changes = to->changes};
}

static const struct outcome_export *exports_of(const struct step *step)
{
  return step->file.output ? step->file.output->exports : NULL;
}

/* Whether a step before has an export by the same node: then this one went with it. */
static bool was_sent(const struct steps *steps, size_t end, const struct outcome_export *to)
{
  for (size_t i = 0; i < end; i++)
    for (const struct outcome_export *one = exports_of(&steps->list[i]); one; one = one->next)
      if (one->is_named && strcmp(one->name, to->name) == 0)
        return true;
  return false;
}

/* All files that a node exports, together. */
static int send_files(const struct execution *e, const struct steps *steps, size_t first,
                      const struct outcome_export *to, const struct execution_result *out, struct error *error)
{
  struct workspace_result *results = calloc(steps->count, sizeof *results);
  size_t count = 0;
  if (!results)
    return error_memory(error);
  for (size_t i = first; i < steps->count; i++)
    for (const struct outcome_export *one = exports_of(&steps->list[i]); one; one = one->next)
      if (one->is_named && strcmp(one->name, to->name) == 0)
        results[count++] = export_of(&out->files[i], one);
  const int status = workspace_send(&e->workspaces, results, count, error);
  free(results);
  return status;
}

/* After all files are there. */
static int export_files(const struct execution *e, const struct steps *steps, const struct execution_result *out,
                        struct error *error)
{
  for (size_t i = 0; i < steps->count; i++) {
    for (const struct outcome_export *to = exports_of(&steps->list[i]); to; to = to->next) {
      const struct workspace_result result = export_of(&out->files[i], to);
      int status = 0;
      if (!to->is_named)
        status = workspace_export(&e->workspaces, &result, e->cancel, error);
      else if (!was_sent(steps, i, to))
        status = send_files(e, steps, i, to, out, error);
      if (status != 0)
        return error_at_node(error, to->name);
    }
  }
  return 0;
}

/* One after the other, in one run: what they share is made once. */
static int write_files(const struct execution *e, struct steps *steps, struct run *run, struct execution_result *out,
                       struct error *error)
{
  out->files = calloc(steps->count + 1, sizeof *out->files);
  if (!out->files)
    return error_memory(error);
  for (size_t i = 0; i < steps->count; i++) {
    const struct step *step = &steps->list[i];
    if (write_step(e, steps, step, run, &out->files[out->file_count++], error) != 0)
      return steps->count > 1 ? error_at_node(error, step->file.name) : -1;
    run_report_file(&steps->report, step->file.name, step->file.path);
  }
  return export_files(e, steps, out, error);
}

/* Runs the plan; a run that ends well goes into the cache, with the arena where the plan is new: *arena is then NULL.
 */
static int write_steps(const struct execution *e, struct steps *steps, struct arena **arena,
                       struct execution_result *out, struct error *error)
{
  struct run_limits limits = {.cancel = e->cancel,
                              .beside = steps->count ? steps->list[0].file.path : NULL,
                              .checkpoint = e->checkpoint,
                              .checkpoint_seconds = 1,
                              .measured = e->log != NULL};
  struct cached_run run = steps->again;
  if (steps->plan && result_room_check(steps->plan, steps->list[0].file.path, &e->room, error) != 0)
    return -1;
  steps->again = (struct cached_run){0};
  if (steps->plan)
    run_report_plan(&steps->report, steps->plan);
  if (run.run)
    run_renew(run.run, &limits, e->progress);
  else if (steps->plan && run_open(steps->plan, &limits, e->progress, &run.run, error) != 0)
    return -1;
  int status = write_files(e, steps, run.run, out, error);
  run_report_run(&steps->report, run.run);
  if (status != 0 || !run.run || !e->cache) {
    cached_run_free(&run);
    return status;
  }
  if (!run.arena) {
    run.arena = *arena;
    run.plan = steps->plan;
    *arena = NULL;
  }
  run_renew(run.run, NULL, NULL);
  plan_cache_put(e->cache, steps->key, &run);
  return 0;
}

/* The last file is the one that failed: its sink has removed it. */
static void remove_files(const struct execution_result *result)
{
  for (size_t i = 0; i + 1 < result->file_count; i++)
    unlink(result->files[i].path);
}

static void tell_line(void *data, enum log_level level, const char *node, const char *text)
{
  run_log_put(data, &(struct log_entry){.level = level, .node = node, .message = text});
}

/* What users' scripts have said while the graph was lowered and run. */
static void tell_scripts(const struct execution *e)
{
  struct interpreters *all = e->local ? e->local->interpreters : NULL;
  interpreters_tell(all, tell_line, (void *)(uintptr_t)e->log);
}

int execute(const struct execution *e, struct execution_result *out, struct error *error)
{
  struct arena *arena = make_arena(e, error);
  struct steps steps = {0};
  *out = (struct execution_result){0};
  int status = arena ? make_steps(arena, e, &steps, error) : -1;
  if (status == 0)
    out->is_value = steps.outcome.is_value;
  if (status == 0 && out->is_value && !e->value_file)
    status = value_json(e, &steps.outcome.value, &out->json, error);
  if (status == 0 && write_steps(e, &steps, &arena, out, error) != 0) {
    remove_files(out);
    status = -1;
  }
  tell_scripts(e);
  run_report_end(&steps.report);
  cached_run_free(&steps.again); /* where it was not run */
  arena_free(arena);
  return status;
}

void execution_result_free(struct execution_result *result)
{
  for (size_t i = 0; i < result->file_count; i++) {
    free(result->files[i].path);
    free(result->files[i].name);
    buffer_free(&result->files[i].metadata);
  }
  free(result->files);
  buffer_free(&result->json);
  *result = (struct execution_result){0};
}

/* ---- looking without running ------------------------------------------------------------------------------------ */

static int explain_steps(const struct execution *e, const struct steps *steps, struct buffer *out, struct error *error)
{
  for (size_t i = 0; steps->count > 1 && e->explain == EXPLAIN_TEXT && i < steps->count; i++)
    if (steps->list[i].file.output)
      buffer_printf(out, "output %zu: outcome \"%s\", %s\n", steps->list[i].output, steps->list[i].file.name,
                    steps->list[i].file.format->name);
  if (steps->plan && e->explain == EXPLAIN_CUDA)
    return device_text_plan(steps->plan, out, error);
  if (steps->plan)
    (e->explain == EXPLAIN_JSON ? plan_print_json : plan_print)(steps->plan, out);
  return 0;
}

static int explain_value(const struct execution *e, const struct value *value, struct buffer *out, struct error *error)
{
  static const char *const before[] = {"value known without running: ", "{\"value\":", "// known without running: "};
  buffer_text(out, before[e->explain]);
  const int status = value_json(e, value, out, error);
  buffer_text(out, e->explain == EXPLAIN_JSON ? "}\n" : "\n");
  return status;
}

int execute_explain(const struct execution *e, struct buffer *out, struct error *error)
{
  struct execution quiet = *e; /* what processes say belongs to the run */
  struct arena *arena = make_arena(e, error);
  struct steps steps;
  struct graph_shares shares = {0};
  quiet.log = NULL;
  int status = arena ? find_shares(arena, e, &shares, error) : -1;
  if (status == 0 && shares.count > 0) {
    graph_shares_explain(&shares, e->explain == EXPLAIN_JSON, out);
    arena_free(arena);
    return 0;
  }
  if (status == 0)
    status = make_steps(arena, &quiet, &steps, error);
  if (status == 0)
    status = explain_steps(e, &steps, out, error);
  if (status == 0 && steps.outcome.is_value && !(e->explain == EXPLAIN_JSON && steps.plan))
    status = explain_value(e, &steps.outcome.value, out, error);
  arena_free(arena);
  return status;
}

int execute_estimate(const struct execution *e, struct execution_estimate *out, struct error *error)
{
  struct arena *arena = make_arena(e, error);
  struct steps steps;
  *out = (struct execution_estimate){0};
  int status = arena ? make_steps(arena, e, &steps, error) : -1;
  if (status == 0)
    out->is_value = steps.outcome.is_value;
  if (status == 0 && steps.plan) {
    out->read_bytes = plan_read_bytes(steps.plan);
    out->peak_memory = plan_peak_memory(steps.plan);
    out->tiles = plan_tiles(steps.plan);
    for (size_t i = 0; i < plan_outputs(steps.plan); i++)
      out->write_bytes += (double)cube_bytes(plan_output_cube(steps.plan, i));
  }
  arena_free(arena);
  return status;
}
