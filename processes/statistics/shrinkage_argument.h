/* The argument "shrinkage" of processes that estimate covariances. */
#ifndef TWINCUBE_PROCESSES_STATISTICS_SHRINKAGE_ARGUMENT_H
#define TWINCUBE_PROCESSES_STATISTICS_SHRINKAGE_ARGUMENT_H

#include "physics/statistics/covariance_matrix.h"
#include "processes/process.h"

/* One of the names that the specs list. */
int call_shrinkage(struct call *call, const char *name, enum shrinkage *out);

#endif
