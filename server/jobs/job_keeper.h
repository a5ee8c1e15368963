/* What keeps store and folders of jobs in step. Private to job_queue.c and job_keeper.c. */
#ifndef TWINCUBE_SERVER_JOBS_JOB_KEEPER_H
#define TWINCUBE_SERVER_JOBS_JOB_KEEPER_H

#include "server/jobs/job_runner.h"

/* Before any job runs: queues again what ran when the server died, and looks through the folders. Those of jobs that
 * the store does not know are moved to jobs/lost, or removed where the options say so; a warning tells. Error
 * StorageFailure where the store has never had a job and there are folders of jobs: it is not theirs. */
int job_keeper_recover(struct job_queue *queue, struct store *store, struct error *error);

/* The thread; `data` is the queue. */
void *job_keeper_work(void *data);

#endif
