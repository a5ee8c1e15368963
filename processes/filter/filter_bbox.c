/* filter_bbox: pixels whose centres lie in a box. */
#include "processes/cube/shape.h"
#include "processes/filter/extent.h"

#include <math.h>

/* Indexes with low <= label <= high: one run, for the labels of an axis are monotonic. */
static int crop(struct call *call, size_t d, double low, double high, const struct node **node)
{
  const struct dimension *dimension = &(*node)->cube->dimension[d];
  size_t *indexes = ARENA_ARRAY(call->arena, size_t, dimension->size), count = 0;
  double slack = dimension->labels == LABEL_STEP ? 1e-9 * fabs(dimension->step) : 0;
  struct value value;
  if (!indexes)
    return error_memory(call->error);
  for (size_t i = 0; i < dimension->size; i++) {
    double label = dimension_label_number(dimension, i);
    if (label >= low - slack && label <= high + slack)
      indexes[count++] = i;
  }
  if (view_pick(call, *node, d, indexes, count, &value) != 0)
    return -1;
  *node = value.cube;
  return 0;
}

static int crop_height(struct call *call, const struct value *box, const struct node **node)
{
  const struct value *base = value_member(box, "base"), *height = value_member(box, "height");
  size_t z = cube_find_axis((*node)->cube, 'z');
  bool low = base && base->kind == VALUE_NUMBER, high = height && height->kind == VALUE_NUMBER;
  if (z == SIZE_MAX || (!low && !high))
    return 0;
  return crop(call, z, low ? base->number : -INFINITY, high ? height->number : INFINITY, node);
}

static int filter_bbox_call(struct call *call, struct value *result)
{
  const struct node *node;
  struct extent extent, inside;
  const struct value *box = call_argument(call, "extent");
  if (call_cube(call, "data", &node) != 0 || extent_read(call, "extent", box, &extent) != 0)
    return -1;
  size_t x = cube_find_axis(node->cube, 'x'), y = cube_find_axis(node->cube, 'y');
  if (x == SIZE_MAX || y == SIZE_MAX)
    return error_parameter(call->error, "DimensionMissing", "data",
                           "the cube has no spatial dimensions x and y (its dimensions: %s)",
                           cube_dimension_names(call->arena, node->cube));
  inside = extent;
  if (node->cube->crs && extent_transform(&extent, node->cube->crs, &inside, call->error) != 0)
    return error_at_parameter(call->error, "extent");
  if (crop(call, x, inside.west, inside.east, &node) != 0 || crop(call, y, inside.south, inside.north, &node) != 0 ||
      crop_height(call, box, &node) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_filter_bbox = {.id = "filter_bbox", .shape = PROCESS_CUBE, .call = filter_bbox_call};
