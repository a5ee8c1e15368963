/* What the fused run under a node asks of its kernel. See survey.c. */
#ifndef TWINCUBE_HPC_PLAN_SURVEY_H
#define TWINCUBE_HPC_PLAN_SURVEY_H

#include "hpc/plan/keep.h"

struct survey {
  enum dim_mode mode[CUBE_MAX_DIMENSIONS]; /* of the node's dimensions */
};

int survey_run(const struct stage_list *list, const struct node *root, struct survey *out, bool *wants_f64,
               struct error *error);

#endif
