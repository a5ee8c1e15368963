/* filter_spatial: the pixels that geometries cover, and no others. */
#include "processes/mask/polygons.h"

static int filter_spatial_call(struct call *call, struct value *result)
{
  const struct node *data, *node;
  struct coverage coverage;
  if (call_cube(call, "data", &data) != 0 || geometries_lay(call, "geometries", data->cube, false, &coverage) != 0 ||
      cover_filter(call, data, &coverage, &node) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_filter_spatial = {
    .id = "filter_spatial", .shape = PROCESS_CUBE, .call = filter_spatial_call};
