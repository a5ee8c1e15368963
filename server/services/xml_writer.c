/* Five characters are escaped; control characters, which XML has no room for, become blanks. */
#include "server/services/xml_writer.h"

#include <stdarg.h>
#include <stdio.h>

void xml_open(struct buffer *out, const char *name, const char *attributes)
{
  buffer_printf(out, "<%s%s%s>", name, attributes != NULL ? " " : "", attributes != NULL ? attributes : "");
}

void xml_close(struct buffer *out, const char *name)
{
  buffer_printf(out, "</%s>", name);
}

void xml_empty(struct buffer *out, const char *name, const char *attributes)
{
  buffer_printf(out, "<%s%s%s/>", name, attributes != NULL ? " " : "", attributes != NULL ? attributes : "");
}

static const char *escape_of(unsigned char c)
{
  switch (c) {
  case '&':
    return "&amp;";
  case '<':
    return "&lt;";
  case '>':
    return "&gt;";
  case '"':
    return "&quot;";
  case '\'':
    return "&#39;";
  default:
    return c < 0x20 ? " " : NULL;
  }
}

void xml_text(struct buffer *out, const char *text)
{
  for (; text != NULL && *text != '\0'; text++) {
    const char *escape = escape_of((unsigned char)*text);
    if (escape != NULL)
      buffer_text(out, escape);
    else
      buffer_add(out, text, 1);
  }
}

void xml_element(struct buffer *out, const char *name, const char *format, ...)
{
  char text[4096];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  xml_open(out, name, NULL);
  xml_text(out, text);
  xml_close(out, name);
}

void xml_attribute(struct buffer *out, const char *name, const char *value)
{
  buffer_printf(out, " %s=\"", name);
  xml_text(out, value);
  buffer_text(out, "\"");
}
