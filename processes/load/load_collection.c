/* load_collection: a source from the operator's catalogue, or what another server of the federation computes. */
#include "processes/load/catalogue_cube.h"
#include "processes/load/federated_cube.h"
#include "processes/load/stored_cube.h"

static int load_collection_call(struct call *call, struct value *result)
{
  struct cube_request request;
  const char *collection;
  if (call_text(call, "id", &collection) != 0)
    return -1;
  if (!call->catalogue)
    return error_parameter(call->error, ERROR_CollectionNotFound, "id", "there is no collection '%s'", collection);
  if (cube_request_read(call, &request) != 0)
    return -1;
  bool is_stored;
  if (catalogue_is_stored(call->catalogue, collection, &is_stored, call->error) != 0)
    return -1;
  if (is_stored)
    return stored_cube(call, collection, &request, result);
  if (catalogue_cube(call, call->catalogue, collection, &request, result) == 0)
    return 0;
  return error_is(call->error, ERROR_CollectionNotFound) ? federated_cube(call, collection, result) : -1;
}

const struct process process_load_collection = {
    .id = "load_collection", .shape = PROCESS_CUBE, .call = load_collection_call, .spares_nulls = true};
