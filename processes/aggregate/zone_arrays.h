/* A reducer over the pixels of each zone, lowered for one zone after the other. */
#ifndef TWINCUBE_PROCESSES_AGGREGATE_ZONE_ARRAYS_H
#define TWINCUBE_PROCESSES_AGGREGATE_ZONE_ARRAYS_H

#include "processes/cube/along.h"

#include "hpc/stage/zones_stage.h"

struct zone_arrays {       /* all borrowed, and living in the call's arena */
  const struct node *data; /* y and x last */
  const struct zones *zones;
  const struct dimension *labels; /* of the zones: geometries */
  const struct callback *reducer;
};

/* The node with the zones' labels in place of y and x. A zone without a pixel has no value. Errors: those of the
 * reducer; ProcessGraphComplexity where there are too many zones. */
int zone_arrays_reduce(struct call *call, const struct zone_arrays *arrays, const struct node **out);

#endif
