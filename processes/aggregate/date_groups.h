/* Groups of the dates of a temporal dimension, and a reducer over each of them. */
#ifndef TWINCUBE_PROCESSES_AGGREGATE_DATE_GROUPS_H
#define TWINCUBE_PROCESSES_AGGREGATE_DATE_GROUPS_H

#include "processes/cube/shape.h"

struct date_groups {
  size_t dimension;        /* of the data, with dates as labels */
  const size_t *dates;     /* indexes of dates: those of group i are dates[start[i]] … dates[start[i + 1] - 1] */
  const size_t *start;     /* labels.size + 1 entries */
  struct dimension labels; /* of the groups */
};

/* The temporal dimension that the argument `dimension` names, or the only one: TooManyDimensions,
 * DimensionNotAvailable. */
int date_dimension_find(struct call *call, const struct node *data, size_t *out);

/* The data's cube with a label for each group: the callback `reducer` of the group's dates. A group without dates has
 * the reducer of nothing, or no-data where that asks for an element. */
int date_groups_reduce(struct call *call, const struct node *data, const struct callback *reducer,
                       const struct date_groups *groups, struct value *result);

#endif
