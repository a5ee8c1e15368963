/* One error per request: the first one stays.
 *
 * Every fallible function of twincube returns 0 or -1 and takes `struct error *` last. The code is one of
 * error_codes.def: openEO's errors and exceptions (DimensionNotAvailable, CollectionNotFound, …) and a few of ours,
 * each with its HTTP status. Messages are for people: they say what was wrong and what was expected. */
#ifndef TWINCUBE_DATACUBE_BASE_ERROR_H
#define TWINCUBE_DATACUBE_BASE_ERROR_H

#include <stdbool.h>

enum error_code {
  ERROR_NONE,
#define ERROR_CODE(name, status, meaning) ERROR_##name,
#include "datacube/base/error_codes.def"
#undef ERROR_CODE
  ERROR_CODE_COUNT
};

const char *error_code_name(enum error_code code); /* "DimensionNotAvailable"; "" for ERROR_NONE */
unsigned error_code_status(enum error_code code);  /* of HTTP */
enum error_code error_code_find(const char *name); /* ERROR_NONE where there is no such code */

struct error {
  char code[64];      /* openEO code; "" while there is no error */
  char message[640];  /* one line of UTF-8 text, truncated to fit */
  char node[256];     /* path to the process graph node: "a/reducer/x"; "" when none */
  char parameter[96]; /* name of the parameter, "" when none */
};

/* Sets code and message unless an error is set already. Always returns -1, for `return error_set(…)`. */
int error_set(struct error *error, enum error_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Like error_set, naming the parameter too. */
int error_parameter(struct error *error, enum error_code code, const char *parameter, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Adds the node to an error that has none yet. Returns -1. */
int error_at_node(struct error *error, const char *node);
/* Adds the parameter to an error that has neither parameter nor node yet: a parameter belongs to the innermost node.
 * Returns -1. */
int error_at_parameter(struct error *error, const char *parameter);
/* Called while the error travels outward: puts what lies around before the node's path. Where the path is too long, its
 * middle becomes "…". Returns -1. */
int error_within(struct error *error, const char *outer);

/* Sets code "Internal" with "out of memory". Returns -1. */
int error_memory(struct error *error);

bool error_is(const struct error *error, enum error_code code);

static inline bool error_is_set(const struct error *error)
{
  return error->code[0] != '\0';
}

#endif
