/* See the header. One loop over values with a stack of open brackets; the keys of the open objects are kept as hashes,
 * which are compared where an object ends. */
#include "stac/search/json_scan.h"

#include "datacube/base/hash.h"
#include "datacube/base/utf8.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FEW_KEYS = 24, NONE = -1 };

struct open_bracket {
  bool is_object;
  size_t first_key; /* of its keys among all */
  size_t members;
  int wanted;  /* the row of what is wanted that it is, or NONE */
  size_t from; /* where it begins in the output */
};

struct json_scanner {
  const char *begin, *at, *end;
  char *out, *to;
  const struct json_wanted *wanted;
  size_t wanted_count;
  struct json_span *spans;
  struct open_bracket open[JSON_SCAN_DEPTH];
  size_t depth;
  uint64_t *keys; /* hashes of the keys of open objects: `few`, or more, then owned */
  size_t key_count, key_room;
  const char *outer; /* the latest key of the outermost object, … */
  size_t outer_length;
  int next;            /* the row that the value to come is, or NONE */
  const char *problem; /* what is wrong; NULL: nothing so far */
  uint64_t few[256];
};

static bool fail(struct json_scanner *s, const char *problem)
{
  if (!s->problem)
    s->problem = problem;
  return false;
}

static void skip_space(struct json_scanner *s)
{
  while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
    s->at++;
}

static void put(struct json_scanner *s, const char *from, const char *to)
{
  memcpy(s->to, from, (size_t)(to - from));
  s->to += to - from;
}

/* ---- strings ----------------------------------------------------------------------------------------------------- */

static int read_hex(const char *at, const char *end)
{
  int code = 0;
  if (end - at < 4)
    return -1;
  for (int i = 0; i < 4; i++) {
    const char c = at[i];
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0)
      return -1;
    code = code * 16 + digit;
  }
  return code;
}

/* Behind "\u"; what follows a first half of a pair is its second one. */
static bool skip_unicode(struct json_scanner *s)
{
  const int code = read_hex(s->at, s->end);
  s->at += 4;
  if (code <= 0 || (code >= 0xDC00 && code < 0xE000))
    return fail(s, "an escape that is no character");
  if (code < 0xD800 || code >= 0xE000)
    return true;
  if (s->end - s->at < 6 || s->at[0] != '\\' || s->at[1] != 'u')
    return fail(s, "half a character");
  const int half = read_hex(s->at + 2, s->end);
  s->at += 6;
  return (half >= 0xDC00 && half < 0xE000) || fail(s, "half a character");
}

static bool skip_escape(struct json_scanner *s)
{
  s->at++;
  if (s->at >= s->end)
    return fail(s, "a text that does not end");
  const char c = *s->at++;
  if (c == 'u')
    return skip_unicode(s);
  return (c != '\0' && strchr("\"\\/bfnrt", c) != NULL) || fail(s, "an unknown escape");
}

static bool is_plain(unsigned char c)
{
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Whether all of eight bytes are plain, by sums that carry into a byte's highest bit where it is not. */
static bool are_plain(const char *at)
{
  const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
  uint64_t word;
  memcpy(&word, at, 8);
  const uint64_t quote = word ^ (ones * '"'), backslash = word ^ (ones * '\\');
  return (((word - ones * 0x20) | (quote - ones) | (backslash - ones) | word) & tops) == 0;
}

static bool scan_string(struct json_scanner *s)
{
  const char *from = s->at++;
  for (;;) {
    while (s->end - s->at >= 8 && are_plain(s->at))
      s->at += 8;
    while (s->at < s->end && is_plain((unsigned char)*s->at))
      s->at++;
    if (s->at >= s->end)
      return fail(s, "a text that does not end");
    const unsigned char c = (unsigned char)*s->at;
    if (c == '"')
      break;
    if (c == '\\') {
      if (!skip_escape(s))
        return false;
      continue;
    }
    const size_t width = c < 0x20 ? 0 : utf8_length(s->at, (size_t)(s->end - s->at));
    if (width == 0)
      return fail(s, c < 0x20 ? "a control character in a text" : "bytes that are no UTF-8");
    s->at += width;
  }
  s->at++;
  put(s, from, s->at);
  return true;
}

/* ---- numbers and words ------------------------------------------------------------------------------------------- */

static size_t skip_digits(struct json_scanner *s)
{
  const char *from = s->at;
  while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
    s->at++;
  return (size_t)(s->at - from);
}

/* Whether what is long, or has an exponent, is a number that programs hold. */
static bool is_held(const char *from, const char *to, bool is_integer)
{
  char text[JSON_SCAN_NUMBER + 1];
  memcpy(text, from, (size_t)(to - from));
  text[to - from] = '\0';
  errno = 0;
  if (!is_integer)
    return isfinite(strtod(text, NULL));
  (void)strtoll(text, NULL, 10);
  return errno == 0;
}

static bool scan_number(struct json_scanner *s)
{
  const char *from = s->at;
  bool is_integer = true, has_exponent = false;
  s->at += *s->at == '-';
  const bool leads_with_zero = s->at < s->end && *s->at == '0';
  const size_t digits = skip_digits(s);
  bool fits = digits > 0 && !(leads_with_zero && digits > 1);
  if (s->at < s->end && *s->at == '.') {
    s->at++;
    is_integer = false;
    fits = skip_digits(s) > 0 && fits;
  }
  if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
    s->at++;
    s->at += s->at < s->end && (*s->at == '+' || *s->at == '-');
    is_integer = false;
    has_exponent = true;
    fits = skip_digits(s) > 0 && fits;
  }
  if (!fits)
    return fail(s, "neither a value nor a number");
  if (s->at - from > JSON_SCAN_NUMBER)
    return fail(s, "a number of too many digits");
  if ((has_exponent || digits > 18) && !is_held(from, s->at, is_integer))
    return fail(s, "a number too large");
  put(s, from, s->at);
  return true;
}

static bool scan_word(struct json_scanner *s, const char *word)
{
  const size_t length = strlen(word);
  if ((size_t)(s->end - s->at) < length || memcmp(s->at, word, length) != 0)
    return fail(s, "neither a value nor a number");
  put(s, s->at, s->at + length);
  s->at += length;
  return true;
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

static uint64_t hash_key(const char *key, size_t length)
{
  const uint64_t factor = UINT64_C(0x9E3779B97F4A7C15);
  uint64_t hash = length * factor, word;
  for (; length >= 8; key += 8, length -= 8) {
    memcpy(&word, key, 8);
    hash = (hash ^ word) * factor;
    hash ^= hash >> 32;
  }
  word = 0;
  memcpy(&word, key, length);
  return hash_mix(hash ^ word);
}

static bool make_room(struct json_scanner *s)
{
  const size_t room = 2 * s->key_room;
  uint64_t *grown = realloc(s->keys == s->few ? NULL : s->keys, room * sizeof *grown);
  if (!grown)
    return fail(s, "more keys than there is memory for");
  if (s->keys == s->few)
    memcpy(grown, s->few, sizeof s->few);
  s->keys = grown;
  s->key_room = room;
  return true;
}

static bool keep_key(struct json_scanner *s, const char *key, size_t length)
{
  if (s->key_count == s->key_room && !make_room(s))
    return false;
  s->keys[s->key_count++] = hash_key(key, length);
  return true;
}

static bool is_text(const char *text, const char *bytes, size_t length)
{
  return strlen(text) == length && memcmp(text, bytes, length) == 0;
}

static int find_wanted(const struct json_scanner *s, const char *key, size_t length)
{
  for (size_t i = 0; s->depth <= 2 && i < s->wanted_count; i++) {
    const struct json_wanted *row = &s->wanted[i];
    if (s->depth == 1
            ? !row->within && is_text(row->key, key, length)
            : row->within && is_text(row->key, key, length) && is_text(row->within, s->outer, s->outer_length))
      return (int)i;
  }
  return NONE;
}

/* A key and the colon behind it. */
static bool scan_key(struct json_scanner *s)
{
  skip_space(s);
  if (s->at >= s->end || *s->at != '"')
    return fail(s, "no key where one is expected");
  const char *key = s->to + 1;
  if (!scan_string(s))
    return false;
  const size_t length = (size_t)(s->to - key) - 1;
  skip_space(s);
  if (s->at >= s->end || *s->at != ':')
    return fail(s, "no colon behind a key");
  *s->to++ = *s->at++;
  s->next = find_wanted(s, key, length);
  if (s->depth == 1) {
    s->outer = key;
    s->outer_length = length;
  }
  return keep_key(s, key, length);
}

static int compare_keys(const void *left, const void *right)
{
  const uint64_t *a = left, *b = right;
  return *a < *b ? -1 : *a > *b;
}

static bool has_pair(uint64_t *keys, size_t count)
{
  if (count > FEW_KEYS) {
    qsort(keys, count, sizeof *keys, compare_keys);
    for (size_t i = 1; i < count; i++)
      if (keys[i] == keys[i - 1])
        return true;
    return false;
  }
  for (size_t i = 1; i < count; i++)
    for (size_t k = 0; k < i; k++)
      if (keys[i] == keys[k])
        return true;
  return false;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static bool open_value(struct json_scanner *s)
{
  if (s->depth == JSON_SCAN_DEPTH)
    return fail(s, "nesting that is too deep");
  s->open[s->depth++] = (struct open_bracket){
      .is_object = *s->at == '{', .first_key = s->key_count, .wanted = s->next, .from = (size_t)(s->to - s->out)};
  s->next = NONE;
  *s->to++ = *s->at++;
  return true;
}

static bool close_value(struct json_scanner *s)
{
  const struct open_bracket *last = &s->open[--s->depth];
  *s->to++ = *s->at++;
  if (last->is_object && has_pair(s->keys + last->first_key, s->key_count - last->first_key))
    return fail(s, "a key that comes twice in one object");
  s->key_count = last->first_key;
  if (last->wanted != NONE)
    s->spans[last->wanted] = (struct json_span){last->from, (size_t)(s->to - s->out), last->members};
  return true;
}

static bool scan_scalar(struct json_scanner *s)
{
  const size_t from = (size_t)(s->to - s->out);
  const int row = s->next;
  s->next = NONE;
  const char c = *s->at;
  const bool sound = c == '"'   ? scan_string(s)
                     : c == 't' ? scan_word(s, "true")
                     : c == 'f' ? scan_word(s, "false")
                     : c == 'n' ? scan_word(s, "null")
                                : scan_number(s);
  if (sound && row != NONE)
    s->spans[row] = (struct json_span){from, (size_t)(s->to - s->out), 0};
  return sound;
}

/* Behind a value, or behind the bracket that opens one: up to where the next value begins. 1: there is one; 0: the
 * outermost value has ended; -1: the text is not sound. */
static int go_on(struct json_scanner *s, bool is_behind_value)
{
  while (s->depth > 0) {
    struct open_bracket *last = &s->open[s->depth - 1];
    skip_space(s);
    if (s->at >= s->end)
      return fail(s, "an end before the last bracket") - 1;
    if (*s->at == (last->is_object ? '}' : ']')) {
      if (!close_value(s))
        return -1;
      is_behind_value = true;
      continue;
    }
    if (is_behind_value) {
      if (*s->at != ',')
        return fail(s, "neither a comma nor the fitting bracket behind a value") - 1;
      *s->to++ = *s->at++;
      skip_space(s);
      if (s->at < s->end && (*s->at == '}' || *s->at == ']'))
        return fail(s, "a comma before a bracket that ends") - 1;
    }
    last->members++;
    return !last->is_object || scan_key(s) ? 1 : -1;
  }
  return 0;
}

static bool scan_value(struct json_scanner *s)
{
  int more = 1;
  while (more == 1) {
    skip_space(s);
    if (s->at >= s->end)
      return fail(s, "an end where a value is expected");
    const bool opens = *s->at == '{' || *s->at == '[';
    if (!(opens ? open_value(s) : scan_scalar(s)))
      return false;
    more = go_on(s, !opens);
  }
  return more == 0;
}

static bool scan_text(struct json_scanner *s)
{
  skip_space(s);
  if (s->at >= s->end || *s->at != '{')
    return fail(s, "no object");
  if (!scan_value(s))
    return false;
  skip_space(s);
  return s->at == s->end || fail(s, "more text behind the object");
}

int json_scan(const char *text, size_t length, size_t most, const struct json_wanted *wanted, size_t wanted_count,
              struct json_span *spans, struct buffer *out, struct error *error)
{
  if (length > most)
    return error_set(error, ERROR_StacInvalid, "the document has %zu bytes; %zu are the most", length, most);
  if (out->capacity < length + 1) {
    buffer_free(out);
    out->data = malloc(length + length / 4 + 1); /* the next one may be a little longer */
    if (!out->data)
      return error_memory(error);
    out->capacity = length + length / 4 + 1;
  }
  struct json_scanner s; /* not set to zeros as a whole: it is long */
  s.begin = s.at = text;
  s.end = text + length;
  s.out = s.to = out->data;
  s.wanted = wanted;
  s.wanted_count = wanted_count;
  s.spans = spans;
  s.depth = s.key_count = s.outer_length = 0;
  s.keys = s.few;
  s.key_room = sizeof s.few / sizeof s.few[0];
  s.outer = s.problem = NULL;
  s.next = NONE;
  memset(spans, 0, wanted_count * sizeof *spans);
  const bool sound = scan_text(&s);
  if (s.keys != s.few)
    free(s.keys);
  *s.to = '\0';
  out->length = (size_t)(s.to - s.out);
  return sound ? 0
               : error_set(error, ERROR_StacInvalid, "this is no sound JSON: %s (byte %zu)", s.problem,
                           (size_t)(s.at - s.begin) + 1);
}
