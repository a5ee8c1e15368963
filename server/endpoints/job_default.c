#include "server/endpoints/job_default.h"

#include "server/http/json_text.h"
#include "server/store/store_processes.h"

#include <stdlib.h>
#include <string.h>

enum {
  CALLS_MOST = 32,    /* processes, each called by the one before */
  VALUE_MOST = 100000 /* bytes of an option */
};

static bool is_text(const char *value, size_t length, const char *text)
{
  return value != NULL && length == strlen(text) && memcmp(value, text, length) == 0;
}

/* The id of the process that the result node calls, where it may be the user's own, as a new text; or NULL. The graph
 * stays text: as a tree it would be many times as large. */
static char *called_by_result(const char *process)
{
  size_t length = 0, at = 0, is = 0, id_length = 0;
  struct text_member node;
  const char *graph = json_text_member(process, strlen(process), "process_graph", &length);
  while (graph != NULL && json_text_next(graph, length, &at, &node)) {
    const char *result = json_text_member(node.value, node.value_length, "result", &is);
    if (!is_text(result, is, "true"))
      continue;
    const char *space = json_text_member(node.value, node.value_length, "namespace", &is);
    const char *id = json_text_member(node.value, node.value_length, "process_id", &id_length);
    const bool may_be_own = space == NULL || is_text(space, is, "null") || is_text(space, is, "\"user\"");
    return may_be_own && id != NULL && *id == '"' ? strndup(id + 1, id_length - 2) : NULL;
  }
  return NULL;
}

static json_t *option_of(const char *process, const char *name)
{
  size_t length = 0;
  const char *options = json_text_member(process, strlen(process), "default_job_options", &length);
  const char *value = options == NULL ? NULL : json_text_member(options, length, name, &length);
  return value == NULL || length > VALUE_MOST ? NULL : json_loadb(value, length, JSON_DECODE_ANY, NULL);
}

int job_default_option(const struct exchange *exchange, const struct job *job, const char *name, json_t **out,
                       struct error *error)
{
  const char *process = job->process;
  char *stored = NULL;
  int status = 0;
  *out = NULL;
  for (int i = 0; i < CALLS_MOST && process != NULL && status == 0; i++) {
    if ((*out = option_of(process, name)) != NULL)
      break;
    char *id = called_by_result(process), *next = NULL;
    status = id == NULL ? 0 : store_process_get(exchange->store, exchange->user, id, &next, error);
    free(id);
    free(stored);
    process = stored = next;
  }
  free(stored);
  return status;
}
