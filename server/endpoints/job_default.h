/* What a job's process says of an option of jobs (default_job_options) where the request says nothing. */
#ifndef TWINCUBE_SERVER_ENDPOINTS_JOB_DEFAULT_H
#define TWINCUBE_SERVER_ENDPOINTS_JOB_DEFAULT_H

#include "server/server.h"

#include <jansson.h>

/* The process of the request comes first, then the user's own process that its result node calls, then the one that
 * this one's result node calls, and so on. *out is a new value, or NULL where none says anything. */
int job_default_option(const struct exchange *exchange, const struct job *job, const char *name, json_t **out,
                       struct error *error);

#endif
