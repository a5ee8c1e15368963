/* Growing buffer and the JSON writer. */
#include "datacube/base/buffer.h"

#include "datacube/base/utf8.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t default_limit = (size_t)1 << 30;

void buffer_free(struct buffer *buffer)
{
  free(buffer->data);
  *buffer = (struct buffer){.limit = buffer->limit};
}

static int reserve(struct buffer *buffer, size_t more)
{
  size_t limit = buffer->limit ? buffer->limit : default_limit;
  if (buffer->failed || more > limit - buffer->length) {
    buffer->failed = true;
    return -1;
  }
  size_t need = buffer->length + more + 1;
  if (need <= buffer->capacity)
    return 0;
  size_t capacity = buffer->capacity ? buffer->capacity : 256;
  while (capacity < need)
    capacity *= 2;
  char *data = realloc(buffer->data, capacity);
  if (!data) {
    buffer->failed = true;
    return -1;
  }
  buffer->data = data;
  buffer->capacity = capacity;
  return 0;
}

void buffer_add(struct buffer *buffer, const void *bytes, size_t length)
{
  if (reserve(buffer, length) != 0)
    return;
  if (length)
    memcpy(buffer->data + buffer->length, bytes, length);
  buffer->length += length;
  buffer->data[buffer->length] = '\0';
}

void buffer_text(struct buffer *buffer, const char *text)
{
  buffer_add(buffer, text, strlen(text));
}

/* Most texts are short, and there is room for them already: the first attempt is the last one. */
void buffer_printf(struct buffer *buffer, const char *format, ...)
{
  va_list arguments, again;
  if (reserve(buffer, 0) != 0)
    return;
  const size_t room = buffer->capacity - buffer->length;
  va_start(arguments, format);
  va_copy(again, arguments);
  const int length = vsnprintf(buffer->data + buffer->length, room, format, arguments);
  va_end(arguments);
  if (length < 0 || reserve(buffer, (size_t)length) != 0) {
    buffer->data[buffer->length] = '\0';
    buffer->failed = true;
  } else {
    if ((size_t)length >= room)
      vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, again);
    buffer->length += (size_t)length;
  }
  va_end(again);
}

/* Whole numbers are most of those that are written, and take a tenth of the time this way. */
static void integer_format(int64_t number, char out[32])
{
  char digits[24];
  size_t count = 0;
  uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
  do
    digits[count++] = (char)('0' + rest % 10);
  while ((rest /= 10) > 0);
  if (number < 0)
    *out++ = '-';
  while (count > 0)
    *out++ = digits[--count];
  *out = '\0';
}

void number_format(double number, char out[32])
{
  if (fabs(number) < 1e15 && (double)(int64_t)number == number && !(number == 0 && signbit(number))) {
    integer_format((int64_t)number, out);
    return;
  }
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(out, 32, "%.*g", digits, number);
    if (digits == 17 || strtod(out, NULL) == number)
      return;
  }
}

void float_format(float number, char out[32])
{
  for (int digits = 6; digits <= 9; digits++) {
    snprintf(out, 32, "%.*g", digits, (double)number);
    if (digits == 9 || strtof(out, NULL) == number)
      return;
  }
}

static void newline(struct json_writer *w)
{
  if (!w->pretty)
    return;
  buffer_add(w->out, "\n", 1);
  for (unsigned i = 0; i < w->depth; i++)
    buffer_add(w->out, "  ", 2);
}

static void before_value(struct json_writer *w)
{
  if (w->after_key) {
    w->after_key = false;
    return;
  }
  if (w->need_comma)
    buffer_add(w->out, ",", 1);
  if (w->depth > 0)
    newline(w);
}

static void open_with(struct json_writer *w, const char *bracket)
{
  before_value(w);
  buffer_add(w->out, bracket, 1);
  w->depth++;
  w->need_comma = false;
}

static void close_with(struct json_writer *w, const char *bracket)
{
  w->depth--;
  if (w->need_comma)
    newline(w);
  buffer_add(w->out, bracket, 1);
  w->need_comma = true;
}

void json_write_object(struct json_writer *w)
{
  open_with(w, "{");
}

void json_write_array(struct json_writer *w)
{
  open_with(w, "[");
}

void json_end_object(struct json_writer *w)
{
  close_with(w, "}");
}

void json_end_array(struct json_writer *w)
{
  close_with(w, "]");
}

/* Bytes that are no UTF-8 (names in files may hold them) become U+FFFD. */
static void quoted(struct buffer *out, const char *text, size_t length)
{
  buffer_add(out, "\"", 1);
  size_t from = 0;
  for (size_t i = 0; i < length;) {
    unsigned char c = (unsigned char)text[i];
    size_t n = utf8_length(text + i, length - i);
    if (n > 0 && c >= 0x20 && c != '"' && c != '\\') {
      i += n;
      continue;
    }
    buffer_add(out, text + from, i - from);
    if (n == 0)
      buffer_add(out, "\xEF\xBF\xBD", 3);
    else if (c == '"' || c == '\\')
      buffer_printf(out, "\\%c", c);
    else if (c == '\n')
      buffer_add(out, "\\n", 2);
    else
      buffer_printf(out, "\\u%04x", c);
    from = ++i;
  }
  buffer_add(out, text + from, length - from);
  buffer_add(out, "\"", 1);
}

void json_key(struct json_writer *w, const char *key)
{
  before_value(w);
  quoted(w->out, key, strlen(key));
  buffer_add(w->out, w->pretty ? ": " : ":", w->pretty ? 2 : 1);
  w->after_key = true;
}

static void plain(struct json_writer *w, const char *text)
{
  before_value(w);
  buffer_text(w->out, text);
  w->need_comma = true;
}

void json_write_string_n(struct json_writer *w, const char *text, size_t length)
{
  before_value(w);
  quoted(w->out, text, length);
  w->need_comma = true;
}

void json_write_string(struct json_writer *w, const char *text)
{
  if (text)
    json_write_string_n(w, text, strlen(text));
  else
    json_write_null(w);
}

void json_write_number(struct json_writer *w, double number)
{
  char text[32];
  if (isfinite(number))
    number_format(number, text);
  else
    snprintf(text, sizeof text, "%s",
             !w->nonfinite_tokens ? "null"
             : isnan(number)      ? "NaN"
             : number > 0         ? "Infinity"
                                  : "-Infinity");
  plain(w, text);
}

void json_write_integer(struct json_writer *w, int64_t number)
{
  char text[32];
  integer_format(number, text);
  plain(w, text);
}

void json_write_bool(struct json_writer *w, bool value)
{
  plain(w, value ? "true" : "false");
}

void json_write_null(struct json_writer *w)
{
  plain(w, "null");
}

void json_write_raw(struct json_writer *w, const char *json, size_t length)
{
  before_value(w);
  buffer_add(w->out, json, length);
  w->need_comma = true;
}

void json_write_members(struct json_writer *w, const char *json, size_t length)
{
  if (w->need_comma)
    buffer_text(w->out, ",");
  buffer_add(w->out, json, length);
  w->need_comma = true;
}

void json_kv_string(struct json_writer *w, const char *key, const char *text)
{
  json_key(w, key);
  json_write_string(w, text);
}

void json_kv_number(struct json_writer *w, const char *key, double number)
{
  json_key(w, key);
  json_write_number(w, number);
}

void json_kv_integer(struct json_writer *w, const char *key, int64_t number)
{
  json_key(w, key);
  json_write_integer(w, number);
}

void json_kv_bool(struct json_writer *w, const char *key, bool value)
{
  json_key(w, key);
  json_write_bool(w, value);
}
