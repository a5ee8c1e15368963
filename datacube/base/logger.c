/* One write per line, so lines of several threads do not mix; lines are shorter than what a pipe takes at once. */
#include "datacube/base/logger.h"

#include "datacube/base/buffer.h"
#include "datacube/base/instant.h"

#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE_MOST = 640, FIELD_MOST = 300 };

static const char *const level_names[] = {"error", "warning", "info", "debug"};
static _Atomic int threshold = LOG_WARNING, form = LOG_TEXT;

void log_set_level(enum log_level level)
{
  threshold = (int)level;
}

void log_set_format(enum log_format format)
{
  form = (int)format;
}

enum log_format log_format(void)
{
  return (enum log_format)form;
}

static void write_line(const struct buffer *line)
{
  struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
  if (line->failed || line->length == 0 || poll(&out, 1, 0) == 0)
    return; /* a pipe that nobody reads is full: no line is worth waiting for */
  if (write(STDERR_FILENO, line->data, line->length) < 0)
    return; /* nowhere left to say it */
}

static bool is_told(const struct log_field *field)
{
  return field->number != NULL || (field->text != NULL && field->text[0] != '\0');
}

static void add_escaped(struct buffer *out, const char *text, size_t most)
{
  for (size_t i = 0; i < most && text[i] != '\0'; i++) {
    const unsigned char c = (unsigned char)text[i];
    if (c < 0x20 || c == 0x7f)
      buffer_printf(out, "\\x%02x", c);
    else
      buffer_add(out, &text[i], 1);
  }
}

static void write_text(enum log_level level, const char *message, const struct log_field *fields, size_t count)
{
  struct buffer line = {0};
  char number[32];
  buffer_printf(&line, "%s: ", level_names[level]);
  add_escaped(&line, message, MESSAGE_MOST);
  for (size_t i = 0; i < count; i++) {
    if (!is_told(&fields[i]))
      continue;
    if (fields[i].number != NULL)
      number_format(*fields[i].number, number);
    buffer_printf(&line, " %s=", fields[i].name);
    add_escaped(&line, fields[i].number != NULL ? number : fields[i].text, FIELD_MOST);
  }
  buffer_text(&line, "\n");
  write_line(&line);
  buffer_free(&line);
}

/* Cut where no character is in two. */
static void write_cut(struct json_writer *w, const char *text, size_t most)
{
  size_t length = strnlen(text, most);
  while (length > 0 && text[length] != '\0' && ((unsigned char)text[length] & 0xC0) == 0x80)
    length--;
  json_write_string_n(w, text, length);
}

static void write_json(enum log_level level, const char *message, const struct log_field *fields, size_t count)
{
  struct buffer line = {0};
  struct json_writer w = {.out = &line};
  struct timespec now;
  char date[40];
  clock_gettime(CLOCK_REALTIME, &now);
  instant_format((int64_t)now.tv_sec * MS_PER_SECOND + now.tv_nsec / 1000000, CALENDAR_GREGORIAN, date);
  json_write_object(&w);
  json_kv_string(&w, "time", date);
  json_kv_string(&w, "level", level_names[level]);
  json_key(&w, "message");
  write_cut(&w, message, MESSAGE_MOST);
  for (size_t i = 0; i < count; i++) {
    if (!is_told(&fields[i]))
      continue;
    json_key(&w, fields[i].name);
    if (fields[i].number != NULL)
      json_write_number(&w, *fields[i].number);
    else
      write_cut(&w, fields[i].text, FIELD_MOST);
  }
  json_end_object(&w);
  buffer_text(&line, "\n");
  write_line(&line);
  buffer_free(&line);
}

void log_fields(enum log_level level, const char *message, const struct log_field *fields, size_t count)
{
  if ((int)level <= threshold)
    (form == LOG_JSON ? write_json : write_text)(level, message, fields, count);
}

void log_message(enum log_level level, const char *format, ...)
{
  char message[1024];
  if ((int)level > threshold)
    return;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  log_fields(level, message, NULL, 0);
}
