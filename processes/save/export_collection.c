/* export_collection: what save_result made becomes a collection of the server's, when the job is finished. */
#include "processes/graph/saves.h"
#include "processes/save/workspace.h"

static int export_collection_call(struct call *call, struct value *result)
{
  const struct value *data = call_argument(call, "data");
  const struct workspace_room *room = call->workspaces;
  struct outcome_export wanted = {.name = call->node, .is_named = true, .is_collection = true};
  if (call_text(call, "collection", &wanted.workspace) != 0)
    return -1;
  if (!room || !room->check_collection)
    return error_set(call->error, ERROR_FeatureUnsupported, "collections are made by a server, for its users");
  if (room->check_collection(room->context, wanted.workspace, call->error) != 0)
    return error_at_parameter(call->error, "collection");
  if (lowering_export(call, data, &wanted) != 0)
    return -1;
  *result = value_text(wanted.workspace);
  return 0;
}

const struct process process_export_collection = {
    .id = "export_collection", .shape = PROCESS_CUBE, .call = export_collection_call, .takes_values = "data"};
