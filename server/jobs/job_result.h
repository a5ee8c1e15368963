/* What a run leaves in the job's row. */
#ifndef TWINCUBE_SERVER_JOBS_JOB_RESULT_H
#define TWINCUBE_SERVER_JOBS_JOB_RESULT_H

#include "server/workers/worker_client.h"

/* JSON objects as new strings; the caller frees. */

/* {"cpu", "duration", "max_memory", "read", "disk" (read and written)}, each {"value", "unit"}. NULL when out of
 * memory. */
char *job_usage_json(const struct reply_header *header);
/* {"files": [{"file", "type", "node", "size", "metadata": {…}}, …], "definitions": […]}: each file of the reply,
 * which lies in `folder`, is there and is a plain file; `definitions` are those that came from the web (the objects of
 * remote_session.used). NULL with an error: StorageFailure where the machine cannot say (no descriptor left), Internal
 * where the worker did not keep its word. */
char *job_result_json(const struct worker_reply *reply, const char *folder, const struct buffer *definitions,
                      struct error *error);

#endif
