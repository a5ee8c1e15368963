/* Processes that another server may compute in our stead: those whose cubes a netCDF file brings back as they were,
 * names and labels of dimensions included. What the file lacks is put back by who reads it (processes/local_files.h,
 * struct elsewhere_part). */
#ifndef TWINCUBE_PROCESSES_GRAPH_FAR_STEPS_H
#define TWINCUBE_PROCESSES_GRAPH_FAR_STEPS_H

#include "processes/graph/far_cube.h"

enum { FAR_INPUTS_MOST = 2 };

struct far_step {
  const char *process;
  const char *inputs[FAR_INPUTS_MOST]; /* names of its arguments that are cubes */
  bool is_filter;                      /* leaves out, whether or not it can be told how much */
  /* Turns the first cube into the result; false where it is not to be computed there. */
  bool (*apply)(struct far_cube *cube, const struct far_cube *other, const json_t *arguments);
};

const struct far_step *far_step_find(const char *process); /* NULL: it is computed here */

#endif
