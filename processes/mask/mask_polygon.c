/* mask_polygon: values inside or outside of polygons give way to no-data or another value. */
#include "processes/mask/polygons.h"

static int mask_polygon_call(struct call *call, struct value *result)
{
  const struct node *data, *node;
  struct coverage coverage, united, kept;
  bool inside;
  if (call_cube(call, "data", &data) != 0 || call_boolean(call, "inside", &inside) != 0 ||
      geometries_lay(call, "mask", data->cube, true, &coverage) != 0 ||
      coverage_unite(&coverage, call->arena, &united, NULL, call->error) != 0)
    return -1;
  kept = united;
  if (inside && coverage_invert(&united, call->arena, &kept, call->error) != 0)
    return -1;
  const struct replacement replacement = {call_argument(call, "replacement"), "replacement", .untouched = true};
  if (cover_replace(call, data, &kept, &replacement, &node) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_mask_polygon = {.id = "mask_polygon", .shape = PROCESS_CUBE, .call = mask_polygon_call};
