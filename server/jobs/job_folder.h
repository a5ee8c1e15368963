/* The folders of jobs: DIR/jobs/<id>/run-<n>.part while run n works, renamed to run-<n> before the job turns
 * finished; beside them kept-<version>, kept results for the next try, until the job ends. */
#ifndef TWINCUBE_SERVER_JOBS_JOB_FOLDER_H
#define TWINCUBE_SERVER_JOBS_JOB_FOLDER_H

#include "server/store/store_jobs.h"

enum { JOB_FOLDER_SIZE = 2048 };

/* Folder of a job, of the results of one of its runs, and of what is kept for its next try; all end with '/'. */
void job_folder(const char *data, const char *id, char out[JOB_FOLDER_SIZE]);
void job_result_folder(const char *data, const struct job *job, char out[JOB_FOLDER_SIZE]);
void job_kept_folder(const char *data, const struct job *job, char out[JOB_FOLDER_SIZE]);

/* Removes what is in the job's folder beside the results that its row names; all of it where there is no row. A job
 * that is queued or running keeps everything. */
void job_folder_sweep(const char *data, struct store *store, const char *id);

#endif
