/* A small reader of TOML: an operator's settings become JSON, and every key of them remembers its line.
 *
 * Read are tables, arrays of tables, bare and quoted keys, strings of one line, integers, floats, booleans, arrays and
 * inline tables, comments. What a settings file has no need of is refused by name: keys with dots before "=", strings
 * of several lines, dates, integers of other bases than ten.
 *
 * Places are written as `oidc[0].rules[1].roles`; keys that are not bare in quotes. */
#ifndef TWINCUBE_SERVER_CONFIG_TOML_H
#define TWINCUBE_SERVER_CONFIG_TOML_H

#include "datacube/base/error.h"

#include <jansson.h>

enum { TOML_SIZE_MOST = 1 << 20, TOML_DEPTH_MOST = 16 };

struct toml {
  json_t *values; /* an object, owned */
  json_t *lines;  /* place → line, owned */
};

/* Reads a text, whose `name` its errors begin with. Error ServerConfigInvalid: "NAME:LINE: what is wrong". */
int toml_parse(const char *name, const char *text, size_t length, struct toml *out, struct error *error);
/* Reads a file. Errors as above, and FileNotFound. */
int toml_read(const char *path, struct toml *out, struct error *error);
void toml_free(struct toml *toml);

/* The line of a place, or of the innermost around it that has one; 1 where there is none. */
int toml_line(const struct toml *toml, const char *place);

#endif
