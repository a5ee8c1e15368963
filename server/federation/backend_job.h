/* A batch job at a back-end, for what is too large to be waited for in one request: created, started, asked for until
 * it has ended, its files fetched, and deleted in any case. */
#ifndef TWINCUBE_SERVER_FEDERATION_BACKEND_JOB_H
#define TWINCUBE_SERVER_FEDERATION_BACKEND_JOB_H

#include "server/federation/answer_files.h"
#include "server/federation/federation_settings.h"

#include <stdatomic.h>

struct backend_job {
  const struct backend_settings *backend;
  const char *token;             /* ours there; "": none */
  const struct buffer *question; /* {"process": …}, whose result is netCDF … */
  bool is_raster;                /* … or one GTiff file */
  struct answer_files *files;    /* get it */
  double seconds;                /* for all of it */
  const atomic_bool *stopping;
  bool (*given_up)(void *data); /* nobody wants it any more */
  void *data;
};

/* `logs` gets what the job said, a line an entry: LEVEL, a tab, MESSAGE; also after an error. Its results may lie at
 * any public host, or at the back-end's own; our token goes to the latter only. Errors: what the back-end says is
 * wrong, by backend_refuse; what the job's log says last, InfrastructureBusy where there is no answer or it was
 * cancelled there, or its files are too large together; FeatureUnsupported where it made no such file, or more than
 * one GTiff, ANSWER_FILES_MOST others; StorageFailure. */
int backend_job_run(const struct backend_job *job, struct buffer *logs, struct error *error);

#endif
