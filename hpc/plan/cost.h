/* What a plan costs, estimated before it runs. See cost.c. */
#ifndef TWINCUBE_HPC_PLAN_COST_H
#define TWINCUBE_HPC_PLAN_COST_H

#include "hpc/plan/plan_internal.h"

/* Fills read_bytes and computed of a phase whose tiles stand. */
void phase_costs(const struct plan *plan, struct phase *phase);

/* Error ProcessGraphComplexity where stages that several others read nest so that the work doubles each time. */
int check_nesting(struct arena *arena, const struct stage_list *list, struct error *error);

#endif
