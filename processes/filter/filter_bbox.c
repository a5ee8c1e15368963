/* filter_bbox: pixels whose centres lie in a box, or in polygons given as GeoJSON. */
#include "processes/vector/vector_within.h"
#include "processes/cube/axis_span.h"
#include "processes/filter/extent.h"
#include "processes/mask/polygons.h"
#include "processes/vector/geojson.h"

#include "datacube/turn.h"

#include <math.h>

static int crop_height(struct call *call, const struct value *box, const struct node **node)
{
  const struct value *base = value_member(box, "base"), *height = value_member(box, "height");
  size_t z = cube_find_axis((*node)->cube, 'z');
  bool low = base && base->kind == VALUE_NUMBER, high = height && height->kind == VALUE_NUMBER;
  if (z == SIZE_MAX || (!low && !high))
    return 0;
  const struct axis_span span = {low ? base->number : -INFINITY, high ? height->number : INFINITY, 0};
  return axis_span_crop(call, z, &span, node);
}

static int keep_polygons(struct call *call, const struct node **node)
{
  struct coverage coverage;
  if (geometries_lay(call, "extent", (*node)->cube, true, &coverage) != 0)
    return -1;
  return cover_filter(call, *node, &coverage, node);
}

static int crop_box(struct call *call, const struct value *box, const struct node **node)
{
  struct extent extent, inside;
  const char *crs = (*node)->cube->crs;
  if (extent_read(call, "extent", box, &extent) != 0)
    return -1;
  inside = extent;
  if (crs && extent_transform(&extent, crs, &inside, call->error) != 0)
    return error_at_parameter(call->error, "extent");
  const struct axis_span across = {inside.west, inside.east, crs_turn(crs)}, down = {inside.south, inside.north, 0};
  if (axis_span_crop(call, cube_find_axis((*node)->cube, 'x'), &across, node) != 0 ||
      axis_span_crop(call, cube_find_axis((*node)->cube, 'y'), &down, node) != 0)
    return -1;
  return crop_height(call, box, node);
}

static int filter_bbox_call(struct call *call, struct value *result)
{
  const struct node *node;
  const struct value *box = call_argument(call, "extent");
  struct vector_cube features;
  if (call_cube(call, "data", &node) != 0)
    return -1;
  if (cube_find_geometries(node->cube) != SIZE_MAX)
    return vector_cube_of(call, node, &features) != 0 ? -1 : vector_within(call, "extent", &features, result);
  if (cube_find_axis(node->cube, 'x') == SIZE_MAX || cube_find_axis(node->cube, 'y') == SIZE_MAX)
    return error_parameter(call->error, ERROR_DimensionMissing, "data",
                           "the cube has no spatial dimensions x and y (its dimensions: %s)",
                           cube_dimension_names(call->arena, node->cube));
  if ((geojson_is(box) ? keep_polygons(call, &node) : crop_box(call, box, &node)) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_filter_bbox = {.id = "filter_bbox", .shape = PROCESS_CUBE, .call = filter_bbox_call};
