/* The error record: bounded texts, first one stays. */
#include "datacube/base/error.h"

#include "datacube/base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
  const char *name;
  unsigned status;
} codes[ERROR_CODE_COUNT] = {
    [ERROR_NONE] = {"", 200},
#define ERROR_CODE(name, status, meaning) [ERROR_##name] = {#name, status},
#include "datacube/base/error_codes.def"
#undef ERROR_CODE
};

const char *error_code_name(enum error_code code)
{
  return codes[code].name;
}

unsigned error_code_status(enum error_code code)
{
  return codes[code].status;
}

enum error_code error_code_find(const char *name)
{
  for (size_t i = 1; i < ERROR_CODE_COUNT; i++)
    if (strcmp(codes[i].name, name) == 0)
      return (enum error_code)i;
  return ERROR_NONE;
}

/* As many whole characters as fit; what is no character (a text cut by %.40s, say) is left out. */
static void set_text(char *out, size_t room, const char *text)
{
  size_t length = strlen(text), at = 0;
  for (size_t i = 0; i < length;) {
    size_t n = utf8_length(text + i, length - i);
    if (at + n >= room)
      break;
    memcpy(out + at, text + i, n);
    at += n;
    i += n ? n : 1;
  }
  out[at] = '\0';
}

static void set_message(struct error *error, const char *code, const char *format, va_list arguments)
{
  char message[2 * sizeof error->message];
  vsnprintf(message, sizeof message, format, arguments);
  set_text(error->code, sizeof error->code, code);
  set_text(error->message, sizeof error->message, message);
}

int error_set(struct error *error, const char *code, const char *format, ...)
{
  if (!error_is_set(error)) {
    va_list arguments;
    va_start(arguments, format);
    set_message(error, code, format, arguments);
    va_end(arguments);
  }
  return -1;
}

int error_parameter(struct error *error, const char *code, const char *parameter, const char *format, ...)
{
  if (!error_is_set(error)) {
    va_list arguments;
    va_start(arguments, format);
    set_message(error, code, format, arguments);
    va_end(arguments);
    set_text(error->parameter, sizeof error->parameter, parameter);
  }
  return -1;
}

int error_at_node(struct error *error, const char *node)
{
  if (error->node[0] == '\0')
    set_text(error->node, sizeof error->node, node);
  return -1;
}

int error_at_parameter(struct error *error, const char *parameter)
{
  if (error->parameter[0] == '\0' && error->node[0] == '\0')
    set_text(error->parameter, sizeof error->parameter, parameter);
  return -1;
}

static void append_text(char *out, size_t room, const char *text)
{
  size_t length = strlen(out);
  set_text(out + length, room - length, text);
}

/* The end of a path, from a slash on, that is shorter than `room`; "" where the last name is longer. */
static const char *path_end(const char *path, size_t room)
{
  for (path = strchr(path, '/'); path != NULL; path = strchr(path + 1, '/'))
    if (strlen(path) < room)
      return path;
  return "";
}

int error_within(struct error *error, const char *outer)
{
  enum { ROOM = sizeof error->node, FIRST = ROOM / 4 };
  char inner[ROOM] = "";
  memcpy(inner, error->node, strlen(error->node));
  bool fits = strlen(outer) + 1 + strlen(inner) < ROOM;
  set_text(error->node, fits || inner[0] == '\0' ? ROOM : FIRST, outer);
  if (inner[0] == '\0')
    return -1;
  append_text(error->node, ROOM, fits ? "/" : "/…");
  append_text(error->node, ROOM, fits ? inner : path_end(inner, ROOM - FIRST - 4));
  return -1;
}

int error_memory(struct error *error)
{
  return error_set(error, "Internal", "out of memory");
}
