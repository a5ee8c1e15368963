/* Labels are compared with a slack of a billionth of a step: edges come from arithmetic. */
#include "processes/cube/axis_span.h"

#include <math.h>

static bool in_span(const struct axis_span *span, double label, double slack)
{
  if (span->turn > 0)
    label += span->turn * ceil((span->low - slack - label) / span->turn);
  return label >= span->low - slack && label <= span->high + slack;
}

int axis_span_crop(struct call *call, size_t d, const struct axis_span *span, const struct node **node)
{
  const struct dimension *dimension = &(*node)->cube->dimension[d];
  size_t *indexes = ARENA_ARRAY(call->arena, size_t, dimension->size), count = 0;
  double slack = dimension->labels == LABEL_STEP ? 1e-9 * fabs(dimension->step) : 0;
  struct value value;
  if (!indexes)
    return error_memory(call->error);
  for (size_t i = 0; i < dimension->size; i++)
    if (in_span(span, dimension_label_number(dimension, i), slack))
      indexes[count++] = i;
  if (view_pick(call, *node, d, indexes, count, &value) != 0)
    return -1;
  *node = value.cube;
  return 0;
}
