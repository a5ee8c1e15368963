/* The one logger: lines on standard error, safe from several threads. It never waits: lines that a full pipe does not
 * take are lost.
 *
 *   warning: what happened name=value name=value
 *   {"time":"2024-01-31T12:00:00.123Z","level":"warning","message":"what happened","name":"value"}
 *
 * Control characters are escaped in both, so a line is a line whatever the texts hold. */
#ifndef TWINCUBE_DATACUBE_BASE_LOG_H
#define TWINCUBE_DATACUBE_BASE_LOG_H

#include <stddef.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

/* What a line tells beside its message. */
struct log_field {
  const char *name;
  const char *text; /* NULL, "": the field is left out, unless `number` is pointed to */
  const double *number;
};

void log_set_level(enum log_level level);    /* lines above it are dropped */
void log_set_format(enum log_format format); /* text at first */
enum log_format log_format(void);

void log_message(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A message as it is, and fields; of texts at most 300 bytes are told. */
void log_fields(enum log_level level, const char *message, const struct log_field *fields, size_t count);

#endif
