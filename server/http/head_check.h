/* Whether bytes begin with the head of an HTTP/1.1 request as RFC 9112 wants it: what is left open there to be refused
 * is refused, so that nobody before or behind this server can read the same bytes as other requests. */
#ifndef TWINCUBE_SERVER_HTTP_HEAD_CHECK_H
#define TWINCUBE_SERVER_HTTP_HEAD_CHECK_H

#include "datacube/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  HEAD_MOST = 32 * 1024, /* bytes of a head: tokens that list many groups are long */
  HEAD_FIELDS_MOST = 200 /* fields, arguments and cookies in all: the library has a record for each */
};

struct head_span {
  size_t at, size;
};

struct request_head {
  size_t size;                /* of the head, the empty line included */
  size_t line_size;           /* of the first line, likewise */
  struct head_span path;      /* of the target: from its path on, or "*" */
  struct head_span authority; /* of a target in absolute form; size 0: it has none */
  struct head_span host;      /* the field Host as a line; size 0: there is none */
  uint64_t body_size;         /* 0 where it is chunked */
  bool is_chunked;
  size_t method_size;
};

struct head_fault {
  enum error_code code; /* ERROR_NONE: there is none */
  const char *reason;   /* constant text */
};

enum head_state {
  HEAD_PARTIAL, /* so far, so good */
  HEAD_WHOLE,   /* `head` is filled */
  HEAD_BAD      /* `fault` is filled */
};
enum head_state head_check(const char *bytes, size_t size, struct request_head *head, struct head_fault *fault);

/* A field line without its end, "name: value": whether name and value have no byte that they may not have. */
bool head_field_is_sound(const char *line, size_t size);

#endif
