#include "server/endpoints/job_default.h"

#include "server/store/store_processes.h"

#include <stdlib.h>
#include <string.h>

enum { CALLS_MOST = 32 }; /* processes, each called by the one before */

/* The id of the process that the result node calls, where it may be the user's own; or NULL. */
static const char *called_by_result(const json_t *process)
{
  const char *key;
  json_t *node;
  json_object_foreach(json_object_get(process, "process_graph"), key, node)
  {
    const char *space = json_string_value(json_object_get(node, "namespace"));
    if (json_is_true(json_object_get(node, "result")))
      return space == NULL || strcmp(space, "user") == 0 ? json_string_value(json_object_get(node, "process_id"))
                                                         : NULL;
  }
  return NULL;
}

/* The own process of that id instead of *process, which is dropped; NULL where there is none. */
static int go_to(const struct exchange *exchange, const char *id, json_t **process, struct error *error)
{
  char *document = NULL;
  const int status = id == NULL ? 0 : store_process_get(exchange->store, exchange->user, id, &document, error);
  json_decref(*process);
  *process = document != NULL ? json_loads(document, 0, NULL) : NULL;
  free(document);
  return status;
}

int job_default_option(const struct exchange *exchange, const struct job *job, const char *name, json_t **out,
                       struct error *error)
{
  json_t *process = job->process != NULL ? json_loads(job->process, 0, NULL) : NULL;
  int status = 0;
  *out = NULL;
  for (int i = 0; i < CALLS_MOST && process != NULL && *out == NULL && status == 0; i++) {
    *out = json_incref(json_object_get(json_object_get(process, "default_job_options"), name));
    if (*out == NULL)
      status = go_to(exchange, called_by_result(process), &process, error);
  }
  json_decref(process);
  return status;
}
