/* export_workspace: what save_result made goes to a workspace as well, when all files of the graph are written. */
#include "processes/graph/saves.h"
#include "processes/save/workspace.h"

#include "datacube/base/rooted_path.h"

static int read_merge(struct call *call, const char **out)
{
  const char *text;
  char path[ROOTED_PATH_SIZE];
  *out = NULL;
  if (!call_has(call, "merge"))
    return 0;
  if (call_text(call, "merge", &text) != 0)
    return -1;
  if (rooted_path_read(text, path, call->error) != 0)
    return error_at_parameter(call->error, "merge");
  *out = arena_strdup(call->arena, path);
  return *out ? 0 : error_memory(call->error);
}

static int export_workspace_call(struct call *call, struct value *result)
{
  const struct value *data = call_argument(call, "data");
  enum workspace_kind kind;
  struct outcome_export wanted = {.name = call->node};
  if (call_text(call, "workspace", &wanted.workspace) != 0 || read_merge(call, &wanted.merge) != 0)
    return -1;
  if (workspace_find(call->workspaces, wanted.workspace, &kind, call->error) != 0)
    return -1;
  if (kind == WORKSPACE_NONE)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "workspace", "there is no workspace '%.100s'",
                           wanted.workspace);
  wanted.is_named = kind == WORKSPACE_NAMED;
  if (lowering_export(call, data, &wanted) != 0)
    return -1;
  *result = *data;
  return 0;
}

const struct process process_export_workspace = {
    .id = "export_workspace", .shape = PROCESS_CUBE, .call = export_workspace_call, .takes_values = "data"};
