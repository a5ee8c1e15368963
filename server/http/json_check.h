/* Whether a text is JSON (RFC 8259) in UTF-8, found without making anything of it. */
#ifndef TWINCUBE_SERVER_HTTP_JSON_CHECK_H
#define TWINCUBE_SERVER_HTTP_JSON_CHECK_H

#include <stddef.h>

enum { JSON_CHECK_DEPTH = 1000 };

/* NULL, or where and what is wrong: *line counts from 1. At most JSON_CHECK_DEPTH levels. */
const char *json_check(const char *text, size_t length, size_t *line);

#endif
