/* What a request tells of itself. */
#include "server/http/http_state.h"

#include <string.h>

const char *http_method(const struct http_request *request)
{
  return request->method;
}

const char *http_path(const struct http_request *request)
{
  return request->path;
}

const char *http_header(const struct http_request *request, const char *name)
{
  return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const struct buffer *http_body(const struct http_request *request)
{
  return &request->body;
}

enum http_body_state http_body_state(const struct http_request *request)
{
  return request->body_state;
}

uint64_t http_body_length(const struct http_request *request)
{
  return request->body_length;
}

struct http_sink *http_sink(const struct http_request *request)
{
  return request->sink;
}

bool http_body_is_pending(const struct http_request *request)
{
  return request->stage == STAGE_HEAD;
}

const char *http_peer(const struct http_request *request)
{
  return request->peer;
}

const char *http_id(const struct http_request *request)
{
  return request->id;
}

void http_note(struct http_request *request, const struct http_note *note)
{
  request->note = *note;
}

int http_fd(const struct http_request *request)
{
  return request->client->fd;
}

const struct head_fault *http_fault(const struct http_request *request)
{
  const struct gate *gate = &request->client->gate;
  return gate->fault.code != ERROR_NONE && gate->requests == request->number ? &gate->fault : NULL;
}

int http_query(const struct http_request *request, const char *name, char *out, size_t room)
{
  const char *value = MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
  if (value == NULL || value[0] == '\0')
    return 0;
  return http_decode(value, strlen(value), out, room) == 0 ? 1 : -1;
}

struct query_walk {
  bool (*visit)(void *data, const char *name, const char *value);
  void *data;
};

static enum MHD_Result visit_argument(void *data, enum MHD_ValueKind kind, const char *name, const char *value)
{
  const struct query_walk *walk = data;
  char decoded[HTTP_QUERY_VALUE];
  (void)kind;
  const bool is_sound =
      http_decode(value != NULL ? value : "", value != NULL ? strlen(value) : 0, decoded, sizeof decoded) == 0;
  return walk->visit(walk->data, name, is_sound ? decoded : NULL) ? MHD_YES : MHD_NO;
}

void http_query_each(const struct http_request *request, bool (*visit)(void *data, const char *name, const char *value),
                     void *data)
{
  struct query_walk walk = {visit, data};
  MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, visit_argument, &walk);
}
