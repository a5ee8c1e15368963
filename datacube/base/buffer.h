/* Growing byte buffer with a sticky failure, and a JSON writer on top of it.
 *
 * Write as much as you like, check `failed` once at the end. `limit` bounds the growth (0: 1 GiB). */
#ifndef TWINCUBE_DATACUBE_BASE_BUFFER_H
#define TWINCUBE_DATACUBE_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
  char *data;    /* owned; NUL-terminated when length > 0 */
  size_t length; /* bytes without the NUL */
  size_t capacity;
  size_t limit;
  bool failed; /* out of memory or past the limit */
};

void buffer_free(struct buffer *buffer);
void buffer_add(struct buffer *buffer, const void *bytes, size_t length);
void buffer_text(struct buffer *buffer, const char *text);
void buffer_printf(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* JSON: commas are placed by the writer. Between json_write_object and json_end_object, every value is preceded by
 * json_key. Numbers are written with the fewest digits that read back to the same double. */
struct json_writer {
  struct buffer *out;
  bool pretty;           /* two-space indentation */
  bool nonfinite_tokens; /* NaN and infinities as bare tokens, which is not JSON; else as null */
  unsigned depth;
  bool need_comma, after_key;
};

void json_write_object(struct json_writer *w);
void json_write_array(struct json_writer *w);
void json_end_object(struct json_writer *w);
void json_end_array(struct json_writer *w);
void json_key(struct json_writer *w, const char *key);
void json_write_string(struct json_writer *w, const char *text); /* NULL writes null */
void json_write_string_n(struct json_writer *w, const char *text, size_t length);
void json_write_number(struct json_writer *w, double number);
void json_write_integer(struct json_writer *w, int64_t number);
void json_write_bool(struct json_writer *w, bool value);
void json_write_null(struct json_writer *w);
void json_write_raw(struct json_writer *w, const char *json, size_t length); /* a whole JSON value, copied as it is */
/* Members of the open object, copied as they are: "a":1,"b":2. */
void json_write_members(struct json_writer *w, const char *json, size_t length);
/* Shorthands: key and value. */
void json_kv_string(struct json_writer *w, const char *key, const char *text);
void json_kv_number(struct json_writer *w, const char *key, double number);
void json_kv_integer(struct json_writer *w, const char *key, int64_t number);
void json_kv_bool(struct json_writer *w, const char *key, bool value);

/* Shortest text that reads back to the same double; at least 32 bytes of room. */
void number_format(double number, char out[32]);
/* The same for a float: the fewest digits that read back to it. */
void float_format(float number, char out[32]);

#endif
