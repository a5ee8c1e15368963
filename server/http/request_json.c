#include "server/http/request_json.h"

#include "server/http/json_check.h"
#include "server/http/json_text.h"

#include "processes/graph/json.h"

#include <string.h>

enum { MAX_TREE = 64 * 1024 * 1024 }; /* bytes of the tree of a body's members but its process */

int request_check_object(const struct exchange *exchange, struct error *error)
{
  const struct buffer *body = http_body(exchange->http);
  size_t line = 0;
  if (body->length == 0)
    return error_set(error, ERROR_RequestBodyInvalid, "the body is empty");
  const char *wrong = json_check(body->data, body->length, &line);
  if (wrong != NULL)
    return error_set(error, ERROR_RequestBodyInvalid, "the body is not JSON: line %zu: %s", line, wrong);
  if (body->data[strspn(body->data, " \t\r\n")] != '{')
    return error_set(error, ERROR_RequestBodyInvalid, "the body wants to be a JSON object");
  return 0;
}

/* The body with null as its process. */
static void copy_rest(const struct buffer *body, struct buffer *out)
{
  struct text_member member;
  size_t at = 0;
  const char *separator = "{";
  while (json_text_next(body->data, body->length, &at, &member)) {
    buffer_printf(out, "%s\"%.*s\":", separator, (int)member.name_length, member.name);
    if (text_member_is(&member, "process"))
      buffer_text(out, "null");
    else
      buffer_add(out, member.value, member.value_length);
    separator = ",";
  }
  buffer_text(out, separator[0] == '{' ? "{}" : "}");
}

static json_t *read_rest(const struct exchange *exchange, const struct buffer *rest, struct error *error)
{
  const size_t tree = rest->failed ? 0 : json_tree_bytes(rest->data, rest->length);
  json_error_t where;
  if (rest->failed)
    error_memory(error);
  else if (tree > MAX_TREE)
    error_set(error, ERROR_RequestBodyInvalid, "what the body holds beside the process is too large");
  else if (!http_hold(exchange->http, tree))
    error_set(error, ERROR_InfrastructureBusy, "too many bodies are being read; please try again");
  if (error_is_set(error))
    return NULL;
  json_t *root = json_loadb(rest->data, rest->length, JSON_REJECT_DUPLICATES, &where);
  if (root == NULL)
    error_set(error, ERROR_RequestBodyInvalid, "the body cannot be read: %s", where.text);
  return root;
}

json_t *request_read_members(const struct exchange *exchange, struct error *error)
{
  struct buffer rest = {0};
  if (request_check_object(exchange, error) != 0)
    return NULL;
  copy_rest(http_body(exchange->http), &rest);
  json_t *root = read_rest(exchange, &rest, error);
  buffer_free(&rest);
  return root;
}

int request_copy_process(const struct exchange *exchange, char **out, struct error *error)
{
  const struct buffer *body = http_body(exchange->http);
  size_t length = 0, graph_length = 0;
  const char *process = json_text_member(body->data, body->length, "process", &length);
  *out = NULL;
  if (process == NULL)
    return 0;
  const char *graph = json_text_member(process, length, "process_graph", &graph_length);
  if (graph == NULL || graph[0] != '{')
    return error_parameter(error, ERROR_ProcessGraphMissing, "process", "wants an object with a process_graph");
  *out = strndup(process, length);
  return *out != NULL ? 0 : error_memory(error);
}
