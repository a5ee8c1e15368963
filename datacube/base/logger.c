/* The logger: one write per line, so lines of several threads do not mix. */
#include "datacube/base/logger.h"

#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static _Atomic int threshold = LOG_WARNING;

void log_set_level(enum log_level level)
{
  threshold = (int)level;
}

void log_message(enum log_level level, const char *format, ...)
{
  static const char *const names[] = {"error", "warning", "info", "debug"};
  if ((int)level > threshold)
    return;
  char line[1024];
  int head = snprintf(line, sizeof line, "%s: ", names[level]);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line + head, sizeof line - (size_t)head - 1, format, arguments);
  va_end(arguments);
  size_t length = strlen(line);
  line[length++] = '\n';
  struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
  if (poll(&out, 1, 0) == 0)
    return; /* a pipe that nobody reads is full: no line is worth waiting for */
  if (write(STDERR_FILENO, line, length) < 0)
    return; /* nowhere left to say it */
}
