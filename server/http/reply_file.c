/* Ranges and conditions of RFC 9110; several ranges at once are answered by the whole file. */
#include "server/http/reply_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One range "bytes=a-b", "bytes=a-" or "bytes=-n". 1: narrowed; 0: send everything; -1: cannot be satisfied. */
static int read_range(const char *header, uint64_t size, uint64_t *offset, uint64_t *length)
{
  if (header == NULL || strncmp(header, "bytes=", 6) != 0 || strchr(header, ',') != NULL)
    return 0;
  const char *text = header + 6;
  char *end = NULL;
  if (*text == '-') {
    if (text[1] < '0' || text[1] > '9')
      return 0;
    uint64_t last = strtoull(text + 1, &end, 10);
    if (*end != '\0')
      return 0;
    if (last == 0 || size == 0)
      return -1;
    *length = last < size ? last : size;
    *offset = size - *length;
    return 1;
  }
  if (*text < '0' || *text > '9')
    return 0;
  uint64_t first = strtoull(text, &end, 10), last = UINT64_MAX;
  if (*end != '-' || (end[1] != '\0' && (end[1] < '0' || end[1] > '9')))
    return 0;
  if (end[1] != '\0') {
    last = strtoull(end + 1, &end, 10);
    if (*end != '\0' || last < first)
      return 0;
  }
  if (first >= size)
    return -1;
  *offset = first;
  *length = (last < size - 1 ? last : size - 1) - first + 1;
  return 1;
}

/* A weak tag ("W/") is compared by what follows. */
bool tag_is_named(const char *list, const char *tag)
{
  char quoted[80];
  snprintf(quoted, sizeof quoted, "\"%s\"", tag);
  return strcmp(list, "*") == 0 || strstr(list, quoted) != NULL;
}

static void add_headers(struct http_response *response, const struct file_answer *answer)
{
  http_response_header(response, "Accept-Ranges", "bytes");
  if (answer->tag != NULL) {
    http_response_header(response, "ETag", "\"%s\"", answer->tag);
    http_response_header(response, "Cache-Control", "private, no-cache");
  }
  if (answer->is_download)
    http_response_header(response, "Content-Disposition", "attachment");
  if (answer->policy != NULL)
    http_response_header(response, "Content-Security-Policy", "%s", answer->policy);
}

static void reply_unchanged(struct exchange *exchange, const struct file_answer *answer)
{
  struct http_response *response = http_response_new(304);
  close(answer->fd);
  add_headers(response, answer);
  reply(exchange, response);
}

void reply_file(struct exchange *exchange, const struct file_answer *answer)
{
  const struct http_request *http = exchange->http;
  const char *const known = answer->tag != NULL ? http_header(http, "If-None-Match") : NULL;
  const char *const since = http_header(http, "If-Range");
  if (known != NULL && tag_is_named(known, answer->tag)) {
    reply_unchanged(exchange, answer);
    return;
  }
  uint64_t offset = 0, length = answer->size;
  int range = 0;
  if (since == NULL || (answer->tag != NULL && tag_is_named(since, answer->tag)))
    range = read_range(http_header(http, "Range"), answer->size, &offset, &length);
  struct http_response *response = http_response_new(range > 0 ? 206 : 200);
  if (range < 0 || response == NULL) {
    close(answer->fd);
    http_response_free(response);
    reply_code(exchange, ERROR_RangeNotSatisfiable, "the file has %" PRIu64 " bytes", answer->size);
    return;
  }
  response->fd = answer->fd;
  response->fd_offset = offset;
  response->fd_size = length;
  snprintf(response->media_type, sizeof response->media_type, "%s", answer->media_type);
  add_headers(response, answer);
  if (range > 0)
    http_response_header(response, "Content-Range", "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, offset,
                         offset + length - 1, answer->size);
  reply(exchange, response);
}
