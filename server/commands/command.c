/* Helpers of the subcommands: exit statuses, sizes, one-line errors. */
#include "server/commands/command.h"

#include "server/error_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int command_fail(const struct error *error)
{
  char text[ERROR_TEXT_SIZE];
  error_text(error, text);
  fprintf(stderr, "%s: %s\n", error->code[0] ? error->code : "Internal", text);
  return EXIT_FAILED;
}

int command_usage(const char *command, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "twincube %s: ", command);
  vfprintf(stderr, format, arguments);
  fprintf(stderr, "\nTry 'twincube %s --help'.\n", command);
  va_end(arguments);
  return EXIT_USAGE;
}

const char *command_refused_option(char *const *argv)
{
  return argv[optind - 1];
}

int command_option_usage(const char *command, char *const *argv)
{
  return command_usage(command, "'%s' is no option, or wants a value", command_refused_option(argv));
}

int command_size(const char *text, size_t *out)
{
  char *end = NULL;
  errno = 0;
  double number = strtod(text, &end);
  if (end == text || errno != 0 || !(number > 0.0))
    return -1;
  static const char units[] = "kmgt";
  const char *unit = *end ? strchr(units, *end | 0x20) : NULL;
  if (unit != NULL) {
    for (const char *u = units; u <= unit; u++)
      number *= 1024.0;
    end++;
    if (*end == 'i' && (end[1] == 'B' || end[1] == 'b'))
      end += 2;
    else if (*end == 'B' || *end == 'b')
      end++;
  }
  if (*end != '\0' || number < 1048576.0 || number > 1e15)
    return -1;
  *out = (size_t)number;
  return 0;
}

int command_duration(const char *text, double *out)
{
  static const struct {
    char unit;
    double seconds;
  } units[] = {{'\0', 1}, {'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
  char *end = NULL;
  const double number = strtod(text, &end);
  if (end == text || (*end != '\0' && end[1] != '\0'))
    return -1;
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
    if (*end == units[i].unit) {
      *out = number * units[i].seconds;
      return *out >= 1 && *out <= 1e9 ? 0 : -1;
    }
  return -1;
}

int command_integer(const char *text, long minimum, long maximum, long *out)
{
  char *end = NULL;
  errno = 0;
  long number = strtol(text, &end, 10);
  if (end == text || *end != '\0' || errno != 0 || number < minimum || number > maximum)
    return -1;
  *out = number;
  return 0;
}

static int read_all(int fd, size_t limit, struct buffer *out)
{
  char chunk[65536];
  for (;;) {
    ssize_t count = read(fd, chunk, sizeof chunk);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return (int)count;
    buffer_add(out, chunk, (size_t)count);
    if (out->failed || out->length > limit)
      return 1;
  }
}

int command_read_file(const char *path, size_t limit, struct buffer *out, struct error *error)
{
  int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return error_set(error, ERROR_FileNotFound, "%s: %s", path, strerror(errno));
  int outcome = read_all(fd, limit, out);
  int reason = errno;
  if (fd != STDIN_FILENO)
    close(fd);
  if (outcome > 0)
    return error_set(error, ERROR_ProcessGraphComplexity, "%s: longer than %zu bytes", path, limit);
  if (outcome < 0)
    return error_set(error, ERROR_FileNotFound, "%s: %s", path, strerror(reason));
  return 0;
}
