/* The worker's part of coverage services: a task's texts become a part of a graph's cube (processes/map/map_part.h). */
#ifndef TWINCUBE_SERVER_SERVICES_PART_TASK_H
#define TWINCUBE_SERVER_SERVICES_PART_TASK_H

#include "processes/map/map_part.h"

#include <jansson.h>

enum { PART_BANDS = 1000, PART_INTERVALS = 16, PART_PARAMETERS = 64 };

struct part_task {
  struct map_part part;
  struct graph_parameter parameters[PART_PARAMETERS];
  size_t parameter_count;
  const char *graph; /* in the body */
  size_t graph_length;
  json_t *choice; /* what the texts belong to */
  struct map_interval intervals[PART_INTERVALS];
  const char *bands[PART_BANDS];
};

/* Reads a TASK_MAP's body whose operation is MAP_PART: {"parameters": {…}, "coverage": coverage_request_read's}. The
 * body outlives the task. Free it after errors as well. */
int part_task_read(const char *body, size_t length, struct part_task *out, struct error *error);
void part_task_free(struct part_task *task);

#endif
