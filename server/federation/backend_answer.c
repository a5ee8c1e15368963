#include "server/federation/backend_answer.h"

#include "server/http/json_check.h"

json_t *backend_answer_object(const struct web_answer *answer)
{
  size_t line;
  json_t *document = answer->body.length > 0 && json_check(answer->body.data, answer->body.length, &line) == NULL
                         ? json_loadb(answer->body.data, answer->body.length, 0, NULL)
                         : NULL;
  if (json_is_object(document))
    return document;
  json_decref(document);
  return NULL;
}

int backend_ask(const struct backend_settings *backend, const struct web_fetch *fetch, struct web_answer *answer,
                struct error *error)
{
  struct error reason = {0};
  if (web_fetch(fetch, answer, &reason) == 0)
    return 0;
  return error_set(error, error_code_find(reason.code), "the back-end '%s' did not compute it: %s", backend->id,
                   reason.message);
}

int backend_refuse(const struct backend_settings *backend, const struct web_answer *answer, struct error *error)
{
  json_t *document = backend_answer_object(answer);
  const char *code = json_string_value(json_object_get(document, "code"));
  const char *message = json_string_value(json_object_get(document, "message"));
  enum error_code known = code != NULL ? error_code_find(code) : ERROR_NONE;
  if (answer->status == 401 || answer->status == 402 || answer->status == 403)
    error_set(error, ERROR_InfrastructureBusy, "the back-end '%s' does not let this server in (status %ld)",
              backend->id, answer->status);
  else if (answer->status < 400 || message == NULL || known == ERROR_NONE || known == ERROR_Internal)
    error_set(error, ERROR_InfrastructureBusy, "the back-end '%s' answers with status %ld%s%.300s", backend->id,
              answer->status, message != NULL ? ": " : "", message != NULL ? message : "");
  else
    error_set(error, known, "the back-end '%s' says: %.400s", backend->id, message);
  json_decref(document);
  return -1;
}
