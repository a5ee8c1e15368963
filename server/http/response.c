/* A response on its way: status, headers, and a body or a file. */
#include "server/http/http.h"
#include "server/http/http_feed.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct http_response *http_response_new(unsigned status)
{
  struct http_response *response = calloc(1, sizeof *response);
  if (response != NULL) {
    response->status = status;
    response->fd = -1;
  }
  return response;
}

void http_response_free(struct http_response *response)
{
  if (response == NULL)
    return;
  buffer_free(&response->body);
  http_feed_drop(response->feed);
  if (response->fd >= 0)
    close(response->fd);
  free(response);
}

void http_response_header(struct http_response *response, const char *name, const char *format, ...)
{
  if (response == NULL || response->header_count == HTTP_MAX_HEADERS)
    return;
  va_list arguments;
  va_start(arguments, format);
  size_t i = response->header_count++;
  snprintf(response->headers[i].name, HTTP_HEADER_NAME, "%s", name);
  vsnprintf(response->headers[i].value, HTTP_HEADER_VALUE, format, arguments);
  va_end(arguments);
}
