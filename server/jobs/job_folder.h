/* The folders of jobs: DIR/jobs/<id>/run-<n>.part while run n works, renamed to run-<n> before the job turns
 * finished. */
#ifndef TWINCUBE_SERVER_JOBS_JOB_FOLDER_H
#define TWINCUBE_SERVER_JOBS_JOB_FOLDER_H

#include "server/store/store_jobs.h"

enum { JOB_FOLDER_SIZE = 2048 };

/* Folder of a job, and of the results of one of its runs; both end with '/'. */
void job_folder(const char *data, const char *id, char out[JOB_FOLDER_SIZE]);
void job_result_folder(const char *data, const struct job *job, char out[JOB_FOLDER_SIZE]);

/* Removes what is in the job's folder beside the results that its row names; all of it where there is no row. A job
 * that is queued or running keeps everything. */
void job_folder_sweep(const char *data, struct store *store, const char *id);

#endif
