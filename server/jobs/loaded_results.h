/* Results of a job that a graph names by their address here (load_stac): they are put where a worker may read them,
 * without a request and without a copy. */
#ifndef TWINCUBE_SERVER_JOBS_LOADED_RESULTS_H
#define TWINCUBE_SERVER_JOBS_LOADED_RESULTS_H

#include "server/store/store_jobs.h"

#include "datacube/base/buffer.h"

/* Folder below a task's own, with a folder for each job; goes with the task. No outcome's file has a tilde in its
 * name. */
#define LOADED_RESULTS_FOLDER "~loaded"

/* That folder of a task, made where it is missing: a descriptor, or -1 and StorageFailure. */
int loaded_results_folder(const char *folder, struct error *error);

struct loaded_results {
  const char *data;   /* folder of the server */
  const char *user;   /* whose jobs may be named */
  const char *folder; /* of the task, ends with '/': what lies in it is a worker's, and not relied on */
};

/* `path` gets that of the STAC document, with its files beside it (hard links); nothing where the address is none of
 * results, whatever its host: ids of jobs are nobody else's. Links that are signed count as their job. Errors:
 * JobNotFound for other users' jobs, too; JobNotFinished; NoDataAvailable after a failure; ResultLinkExpired;
 * StorageFailure. */
int loaded_results_place(const struct loaded_results *wanted, struct store *store, const char *url,
                         struct buffer *path, struct error *error);

#endif
