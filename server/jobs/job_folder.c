/* Names of folders, and the sweep after a run. */
#include "server/jobs/job_folder.h"

#include "server/store/folder.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void job_folder(const char *data, const char *id, char out[JOB_FOLDER_SIZE])
{
  snprintf(out, JOB_FOLDER_SIZE, "%.1900s/jobs/%s/", data, id);
}

void job_result_folder(const char *data, const struct job *job, char out[JOB_FOLDER_SIZE])
{
  snprintf(out, JOB_FOLDER_SIZE, "%.1900s/jobs/%s/run-%" PRId64 "/", data, job->id, job->run);
}

void job_kept_folder(const char *data, const struct job *job, char out[JOB_FOLDER_SIZE])
{
  snprintf(out, JOB_FOLDER_SIZE, "%.1900s/jobs/%s/kept-" TWINCUBE_VERSION "/", data, job->id);
}

struct sweep {
  const char *folder;
  char keep[40];
};

static void sweep_entry(void *data, const char *name)
{
  const struct sweep *sweep = data;
  char path[JOB_FOLDER_SIZE + 300];
  if (strcmp(name, sweep->keep) == 0)
    return;
  snprintf(path, sizeof path, "%s%s", sweep->folder, name);
  folder_remove(path);
}

void job_folder_sweep(const char *data, struct store *store, const char *id)
{
  char folder[JOB_FOLDER_SIZE];
  struct error error = {0};
  struct job job = {0};
  job_folder(data, id, folder);
  if (store_job_get(store, NULL, id, &job, &error) != 0) {
    if (error_is(&error, ERROR_JobNotFound))
      folder_remove(folder);
    return;
  }
  struct sweep sweep = {.folder = folder, .keep = ""};
  if (job.result != NULL)
    snprintf(sweep.keep, sizeof sweep.keep, "run-%" PRId64, job.run);
  /* A new run may have begun in another runner already: its folder must stay. */
  bool is_idle = strcmp(job.status, "running") != 0 && strcmp(job.status, "queued") != 0;
  if (is_idle)
    folder_each(folder, sweep_entry, &sweep);
  job_free(&job);
}
