/* Rows of jobs, for the store's own files. */
#ifndef TWINCUBE_SERVER_STORE_STORE_JOB_ROW_H
#define TWINCUBE_SERVER_STORE_STORE_JOB_ROW_H

#include "server/store/store_jobs.h"
#include "server/store/store_sql.h"

/* In the order in which store_read_job reads them. */
#define JOB_COLUMNS                                                                                                    \
  "seq, id, owner, status, log_level, created, updated, run, attempts, budget, progress, title, description, plan,"    \
  " process, usage, result, options, queued, started, ended, priority, costs"

void store_read_job(struct statement *row, struct job *out);
int store_no_job(const char *id, struct error *error); /* sets JobNotFound */

#endif
