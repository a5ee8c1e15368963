/* One pass over the text by recursive descent; before it one that looks at the bytes alone. Each value goes straight
 * into the JSON tree, its line into a map beside it. What is written out in one place (an array, an inline table) is
 * closed: no header adds to it. */
#include "server/config/toml.h"

#include "datacube/base/buffer.h"

#include "server/commands/command.h"
#include "server/config/toml_number.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_MOST = 128, PLACE_MOST = 2048 };

struct toml_reader {
  const char *name, *at, *end;
  int line;
  unsigned depth; /* of arrays and inline tables */
  struct toml out;
  json_t *closed;      /* places that no header adds to */
  struct buffer place; /* of what is read now; without a NUL where it is empty */
  struct error *error;
};

static int fail(struct toml_reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int fail(struct toml_reader *r, const char *format, ...)
{
  char text[400];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return error_set(r->error, ERROR_ServerConfigInvalid, "%s:%d: %s", r->name, r->line, text);
}

/* ---- bytes ---- */

static char peek(const struct toml_reader *r)
{
  return r->at < r->end ? *r->at : '\0'; /* no text has a NUL */
}

static bool take(struct toml_reader *r, char wanted)
{
  if (peek(r) != wanted || wanted == '\0')
    return false;
  r->at++;
  return true;
}

static void skip_blanks(struct toml_reader *r)
{
  while (peek(r) == ' ' || peek(r) == '\t')
    r->at++;
}

/* Blanks, a comment, and the end of the line, or of the text. */
static bool take_line_end(struct toml_reader *r)
{
  skip_blanks(r);
  if (peek(r) == '#')
    while (r->at < r->end && *r->at != '\n')
      r->at++;
  if (peek(r) == '\r')
    r->at++;
  if (r->at == r->end)
    return true;
  if (!take(r, '\n'))
    return false;
  r->line++;
  return true;
}

static void skip_lines(struct toml_reader *r)
{
  while (r->at < r->end && take_line_end(r))
    ;
}

/* Every line is UTF-8 without control characters; a carriage return stands before a line feed. */
static int check_bytes(struct toml_reader *r)
{
  r->line = 1;
  for (const char *start = r->at; start < r->end; r->line++) {
    const char *stop = memchr(start, '\n', (size_t)(r->end - start));
    const char *next = stop != NULL ? stop + 1 : r->end;
    stop = stop != NULL ? stop : r->end;
    if (next > stop && stop > start && stop[-1] == '\r')
      stop--;
    for (const char *c = start; c < stop; c++)
      if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
        return fail(r, "a control character (0x%02x)", (unsigned)(unsigned char)*c);
    json_t *text = json_stringn(start, (size_t)(stop - start));
    json_decref(text);
    if (text == NULL)
      return fail(r, "the line is no UTF-8 text");
    start = next;
  }
  r->line = 1;
  return 0;
}

/* ---- places ---- */

static const char *place_text(const struct toml_reader *r)
{
  return r->place.length > 0 ? r->place.data : "";
}

static void place_cut(struct toml_reader *r, size_t length)
{
  r->place.length = length;
  if (r->place.data != NULL)
    r->place.data[length] = '\0';
}

/* How much of a text could be a key without quotes. */
static size_t bare_length(const char *text)
{
  return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
}

static void place_add(struct toml_reader *r, const char *key)
{
  struct json_writer quoted = {.out = &r->place};
  if (r->place.length > 0)
    buffer_text(&r->place, ".");
  if (key[0] != '\0' && key[bare_length(key)] == '\0')
    buffer_text(&r->place, key);
  else
    json_write_string(&quoted, key);
}

/* Notes where the place that is read now was given. */
static int note_line(struct toml_reader *r)
{
  if (r->place.failed || r->place.length > PLACE_MOST)
    return fail(r, "the names of keys and tables are too long");
  return json_object_set_new(r->out.lines, place_text(r), json_integer(r->line)) == 0 ? 0 : error_memory(r->error);
}

static int line_of(const struct toml_reader *r)
{
  return (int)json_integer_value(json_object_get(r->out.lines, place_text(r)));
}

static bool is_closed(const struct toml_reader *r)
{
  return json_object_get(r->closed, place_text(r)) != NULL;
}

static int close_place(struct toml_reader *r)
{
  return json_object_set_new(r->closed, place_text(r), json_true()) == 0 ? 0 : error_memory(r->error);
}

/* ---- strings and keys ---- */

static void add_character(struct buffer *out, unsigned long code)
{
  const unsigned char bytes[4] = {(unsigned char)(code < 0x80      ? code
                                                  : code < 0x800   ? 0xC0 | code >> 6
                                                  : code < 0x10000 ? 0xE0 | code >> 12
                                                                   : 0xF0 | code >> 18)};
  buffer_add(out, bytes, 1);
  for (int shift = code < 0x80 ? -6 : code < 0x800 ? 0 : code < 0x10000 ? 6 : 12; shift >= 0; shift -= 6) {
    const unsigned char more = (unsigned char)(0x80 | (code >> shift & 0x3F));
    buffer_add(out, &more, 1);
  }
}

/* What follows a backslash. */
static int take_escape(struct toml_reader *r, struct buffer *out)
{
  static const char names[] = "btnfr\"\\", meanings[] = "\b\t\n\f\r\"\\";
  const char name = peek(r);
  const char *known = name != '\0' ? strchr(names, name) : NULL;
  if (known != NULL) {
    r->at++;
    buffer_add(out, &meanings[known - names], 1);
    return 0;
  }
  const size_t digits = name == 'u' ? 4 : name == 'U' ? 8 : 0;
  char hex[9] = "";
  if (digits > 0 && (size_t)(r->end - r->at) > digits)
    memcpy(hex, r->at + 1, digits);
  if (digits == 0 || strspn(hex, "0123456789abcdefABCDEF") != digits)
    return fail(r, "after a backslash stands one of b t n f r \" \\, uXXXX or UXXXXXXXX");
  const unsigned long code = strtoul(hex, NULL, 16);
  if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
    return fail(r, "\\%c%s is no character", name, hex);
  r->at += 1 + digits;
  add_character(out, code);
  return 0;
}

/* A string of one line, its first quote being the next character. */
static int take_string(struct toml_reader *r, struct buffer *out)
{
  const char quote = *r->at++;
  if (r->end - r->at >= 2 && r->at[0] == quote && r->at[1] == quote)
    return fail(r, "strings of several lines are not read here");
  while (r->at < r->end && *r->at != quote && *r->at != '\n') {
    const char c = *r->at++;
    if (c == '\\' && quote == '"') {
      if (take_escape(r, out) != 0)
        return -1;
    } else {
      buffer_add(out, &c, 1);
    }
  }
  if (!take(r, quote))
    return fail(r, "the string does not end on its line");
  return out->failed ? error_memory(r->error) : 0;
}

static int take_key(struct toml_reader *r, char out[KEY_MOST])
{
  struct buffer text = {0};
  int status = 0;
  skip_blanks(r);
  if (peek(r) == '"' || peek(r) == '\'')
    status = take_string(r, &text);
  else
    for (char c[2] = {peek(r)}; bare_length(c) > 0; c[0] = peek(r))
      buffer_add(&text, r->at++, 1);
  if (status == 0 && text.length >= KEY_MOST)
    status = fail(r, "a key of more than %d bytes", KEY_MOST - 1);
  snprintf(out, KEY_MOST, "%s", text.length > 0 ? text.data : "");
  buffer_free(&text);
  skip_blanks(r);
  return status;
}

/* ---- values ---- */

static int take_value(struct toml_reader *r, json_t **out);
static int take_pair(struct toml_reader *r, json_t *table);

/* true, false, or a number. */
static int take_word(struct toml_reader *r, json_t **out)
{
  char word[TOML_WORD_SIZE];
  const char *const start = r->at;
  while (r->at < r->end && strchr(" \t\r\n,]}#", *r->at) == NULL)
    r->at++;
  const size_t length = (size_t)(r->at - start);
  snprintf(word, sizeof word, "%.*s", (int)(length < sizeof word ? length : sizeof word - 1), start);
  *out = strcmp(word, "true") == 0    ? json_true()
         : strcmp(word, "false") == 0 ? json_false()
         : length < sizeof word - 2   ? toml_number(word)
                                      : NULL;
  if (*out != NULL)
    return 0;
  if (length == 0)
    return fail(r, "a value is missing");
  return fail(r, "wants a string in quotes, a number, true, false, an array or a table, not '%s'", word);
}

static int take_array(struct toml_reader *r, json_t **out)
{
  *out = json_array();
  const size_t outer = r->place.length;
  while (*out != NULL) {
    json_t *value = NULL;
    skip_lines(r);
    if (take(r, ']'))
      return close_place(r);
    buffer_printf(&r->place, "[%zu]", json_array_size(*out));
    if (take_value(r, &value) != 0) {
      json_decref(value);
      return -1;
    }
    place_cut(r, outer);
    if (json_array_append_new(*out, value) != 0)
      break;
    skip_lines(r);
    if (!take(r, ',') && peek(r) != ']')
      return fail(r, "an array goes on with ',' or ends with ']'");
  }
  return error_memory(r->error);
}

static int take_inline_table(struct toml_reader *r, json_t **out)
{
  *out = json_object();
  if (*out == NULL)
    return error_memory(r->error);
  skip_blanks(r);
  if (take(r, '}'))
    return close_place(r);
  do
    if (take_pair(r, *out) != 0)
      return -1;
  while (take(r, ','));
  return take(r, '}') ? close_place(r) : fail(r, "an inline table goes on with ',' or ends with '}', on its line");
}

static int take_value(struct toml_reader *r, json_t **out)
{
  struct buffer text = {0};
  int status = note_line(r);
  skip_blanks(r);
  if (status != 0)
    return status;
  if (peek(r) == '"' || peek(r) == '\'') {
    status = take_string(r, &text);
    if (status == 0 && (*out = json_stringn(text.length > 0 ? text.data : "", text.length)) == NULL)
      status = fail(r, "the string is no UTF-8 text");
    buffer_free(&text);
    return status;
  }
  if (peek(r) != '[' && peek(r) != '{')
    return take_word(r, out);
  if (r->depth == TOML_DEPTH_MOST)
    return fail(r, "more than %d arrays or tables in each other", TOML_DEPTH_MOST);
  r->depth++;
  status = take(r, '[') ? take_array(r, out) : (r->at++, take_inline_table(r, out));
  r->depth--;
  return status;
}

/* KEY = VALUE */
static int take_pair(struct toml_reader *r, json_t *table)
{
  char key[KEY_MOST];
  json_t *value = NULL;
  const size_t outer = r->place.length;
  const bool is_quoted = (skip_blanks(r), peek(r) == '"' || peek(r) == '\'');
  if (take_key(r, key) != 0)
    return -1;
  if (key[0] == '\0' && !is_quoted)
    return fail(r, "wants KEY = VALUE, a [table] or a comment");
  if (peek(r) == '.')
    return fail(r, "keys with dots are not read here: write a table");
  if (!take(r, '='))
    return fail(r, "after the key '%s' comes '='", key);
  place_add(r, key);
  if (json_object_get(table, key) != NULL)
    return fail(r, "%s was given in line %d already", place_text(r), line_of(r));
  if (take_value(r, &value) != 0) {
    json_decref(value);
    return -1;
  }
  place_cut(r, outer);
  skip_blanks(r);
  return json_object_set_new(table, key, value) == 0 ? 0 : error_memory(r->error);
}

/* ---- headers ---- */

/* The table that a key of a header leads into, made where there is none: of an array of tables the last. */
static int enter(struct toml_reader *r, const char *key, json_t **table)
{
  json_t *inner = json_object_get(*table, key);
  place_add(r, key);
  if (inner == NULL && json_object_set_new(*table, key, inner = json_object()) != 0)
    return error_memory(r->error);
  if (is_closed(r) || !(json_is_object(inner) || json_is_array(inner)))
    return fail(r, "%s was given in line %d, and is no table that can be added to", place_text(r), line_of(r));
  if (json_is_array(inner)) {
    const size_t last = json_array_size(inner) - 1;
    inner = json_array_get(inner, last);
    buffer_printf(&r->place, "[%zu]", last);
  }
  *table = inner;
  return 0;
}

/* [table] */
static int begin_table(struct toml_reader *r, const char *key, json_t **table)
{
  if (json_is_array(json_object_get(*table, key))) {
    place_add(r, key);
    return fail(r, "%s is an array since line %d", place_text(r), line_of(r));
  }
  if (enter(r, key, table) != 0)
    return -1;
  if (line_of(r) > 0)
    return fail(r, "%s was given in line %d already", place_text(r), line_of(r));
  return note_line(r);
}

/* [[table]] */
static int begin_element(struct toml_reader *r, const char *key, json_t **table)
{
  json_t *array = json_object_get(*table, key);
  place_add(r, key);
  if (array != NULL && (!json_is_array(array) || is_closed(r)))
    return fail(r, "%s is there already, and is no array of tables", place_text(r));
  if (array == NULL && (note_line(r) != 0 || json_object_set_new(*table, key, array = json_array()) != 0))
    return error_memory(r->error);
  buffer_printf(&r->place, "[%zu]", json_array_size(array));
  if (json_array_append_new(array, *table = json_object()) != 0)
    return error_memory(r->error);
  return note_line(r);
}

/* A header, after its first bracket; *table becomes the table that it opens. */
static int take_header(struct toml_reader *r, json_t **table)
{
  char key[KEY_MOST];
  const bool is_element = take(r, '[');
  place_cut(r, 0);
  *table = r->out.values;
  for (unsigned depth = 0;; depth++) {
    const bool is_quoted = (skip_blanks(r), peek(r) == '"' || peek(r) == '\'');
    if (take_key(r, key) != 0)
      return -1;
    if (key[0] == '\0' && !is_quoted)
      return fail(r, "the header of a table wants a name");
    if (depth == TOML_DEPTH_MOST)
      return fail(r, "more than %d tables in each other", TOML_DEPTH_MOST);
    if (!take(r, '.'))
      break;
    if (enter(r, key, table) != 0)
      return -1;
  }
  if (!take(r, ']') || (is_element && !take(r, ']')))
    return fail(r, "the header of a table ends with %s", is_element ? "']]'" : "']'");
  return is_element ? begin_element(r, key, table) : begin_table(r, key, table);
}

static int read_all(struct toml_reader *r)
{
  json_t *table = r->out.values;
  for (skip_lines(r); r->at < r->end; skip_lines(r)) {
    if ((take(r, '[') ? take_header(r, &table) : take_pair(r, table)) != 0)
      return -1;
    if (!take_line_end(r))
      return fail(r, "something stands behind the value or header");
  }
  return 0;
}

int toml_parse(const char *name, const char *text, size_t length, struct toml *out, struct error *error)
{
  struct toml_reader r = {.name = name, .at = text, .end = text + length, .line = 1, .error = error};
  if (length > TOML_SIZE_MOST)
    return fail(&r, "more than %d bytes", TOML_SIZE_MOST);
  r.out = (struct toml){json_object(), json_object()};
  r.closed = json_object();
  int status = r.out.values != NULL && r.out.lines != NULL && r.closed != NULL ? 0 : error_memory(error);
  if (status == 0)
    status = check_bytes(&r);
  if (status == 0)
    status = read_all(&r);
  json_decref(r.closed);
  buffer_free(&r.place);
  if (status == 0)
    *out = r.out;
  else
    toml_free(&r.out);
  return status;
}

int toml_read(const char *path, struct toml *out, struct error *error)
{
  struct buffer text = {0};
  int status = command_read_file(path, TOML_SIZE_MOST, &text, error);
  if (status == 0)
    status = toml_parse(path, text.length > 0 ? text.data : "", text.length, out, error);
  buffer_free(&text);
  return status;
}

void toml_free(struct toml *toml)
{
  json_decref(toml->values);
  json_decref(toml->lines);
  *toml = (struct toml){0};
}

int toml_line(const struct toml *toml, const char *place)
{
  char inner[PLACE_MOST + 1];
  snprintf(inner, sizeof inner, "%s", place);
  for (size_t length = strlen(inner); length > 0; length--) {
    if (inner[length] != '\0' && inner[length] != '.' && inner[length] != '[')
      continue;
    inner[length] = '\0';
    const json_t *line = json_object_get(toml->lines, inner);
    if (line != NULL)
      return (int)json_integer_value(line);
  }
  return 1;
}
