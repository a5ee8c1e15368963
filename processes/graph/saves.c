/* See the header. */
#include "processes/graph/saves.h"

#include "processes/cube/shape.h"

#include <string.h>

static struct changed *find_changed(const struct lowering *l, const struct value *data)
{
  struct changed *at = data->kind == VALUE_CUBE ? l->changed : NULL;
  while (at && at->node != data->cube)
    at = at->next;
  return at;
}

void saves_unwrap(const struct lowering *l, struct value *value)
{
  const struct changed *changed = find_changed(l, value);
  if (changed)
    value->cube = changed->saved;
}

int saves_check(const struct lowering *l)
{
  for (const struct changed *at = l->changed; at; at = at->next)
    if (!at->is_used) {
      error_set(l->error, ERROR_FeatureUnsupported,
                "changes go to what export_workspace puts into a workspace, and nothing exports these");
      return error_at_node(l->error, at->name);
    }
  return 0;
}

int lowering_save(struct call *call, const struct outcome_output *output)
{
  struct lowering *l = call->lowering;
  struct save *save = ARENA_NEW(call->arena, struct save);
  if (!save)
    return error_memory(call->error);
  if (l->save_count == GRAPH_MAX_OUTPUTS)
    return error_set(call->error, ERROR_ProcessGraphComplexity, "the graph saves more than %d cubes",
                     GRAPH_MAX_OUTPUTS);
  *save = (struct save){.next = l->saves, .output = *output};
  l->saves = save;
  l->save_count++;
  return 0;
}

/* Whether an output is the file, or one of the files, that save_result gave `data` for. */
static bool is_of(const struct outcome_output *output, const struct value *data)
{
  return data->kind == VALUE_CUBE && (output->node == data->cube || output->part_of == data->cube);
}

static int not_saved(struct call *call)
{
  return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data",
                         "what save_result gives for a data cube is wanted");
}

int lowering_export(struct call *call, const struct value *data, const struct outcome_export *wanted)
{
  struct changed *changed = find_changed(call->lowering, data);
  struct value saved = *data;
  size_t found = 0;
  saves_unwrap(call->lowering, &saved);
  for (struct save *save = call->lowering->saves; save; save = save->next) {
    if (!is_of(&save->output, &saved))
      continue;
    struct outcome_export *copy = ARENA_NEW(call->arena, struct outcome_export);
    if (!copy)
      return error_memory(call->error);
    *copy = *wanted;
    copy->changes = changed ? changed->changes : NULL;
    copy->next = save->output.exports;
    save->output.exports = copy;
    found++;
  }
  if (changed)
    changed->is_used = true;
  return found > 0 ? 0 : not_saved(call);
}

static bool is_saved(const struct lowering *l, const struct value *data)
{
  const struct save *save = l->saves;
  while (save && !is_of(&save->output, data))
    save = save->next;
  return save != NULL;
}

/* The array with one more, which is a new one. */
static const char *append(struct arena *arena, const char *patches, const char *patch)
{
  return patches ? arena_printf(arena, "%.*s,%s]", (int)(strlen(patches) - 1), patches, patch)
                 : arena_printf(arena, "[%s]", patch);
}

int lowering_change(struct call *call, const struct value *data, const char *patch, struct value *result)
{
  struct lowering *l = call->lowering;
  struct changed *before = find_changed(l, data), *changed = ARENA_NEW(call->arena, struct changed);
  struct value saved = *data;
  saves_unwrap(l, &saved);
  if (!is_saved(l, &saved))
    return not_saved(call);
  struct view_dimension *view = view_identity(call->arena, saved.cube->cube);
  const char *changes = append(call->arena, before ? before->changes : NULL, patch);
  const struct node *node = view ? node_view(call->arena, call_origin(call), saved.cube, saved.cube->cube, view) : NULL;
  if (!changed || !changes || !node)
    return error_memory(call->error);
  *changed =
      (struct changed){.next = l->changed, .node = node, .saved = saved.cube, .changes = changes, .name = call->node};
  l->changed = changed;
  if (before)
    before->is_used = true;
  *result = value_cube(node);
  return 0;
}
