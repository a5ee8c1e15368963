#include "datacube/dap/dap_attributes.h"

#include "datacube/base/utf8.h"
#include "datacube/dap/dap_words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NUMBER_MOST = 64, DEEP_MOST = 16 };

struct das_reading {
  struct arena *arena;
  const char *text;
  struct dap_words words;
  struct error *error;
};

static int wrong(const struct das_reading *r, const char *what)
{
  return error_set(r->error, ERROR_FileContentInvalid, "its attributes (DAS) are wrong: %s (byte %zu)", what,
                   (size_t)(r->words.start - r->text));
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

/* A byte that stands behind a backslash: itself, or three digits of base 8. How many characters it took. */
static size_t unescape(const char *from, size_t left, char *to)
{
  unsigned code = 0;
  size_t digits = 0;
  while (digits < 3 && digits < left && from[digits] >= '0' && from[digits] < '8')
    code = code * 8 + (unsigned)(from[digits++] - '0');
  *to = digits == 3 && code > 0 && code < 256 ? (char)code : *from;
  return digits == 3 ? 3 : 1;
}

/* Text without escapes; what is no UTF-8, and NUL, become question marks. */
static const char *plain_text(const struct das_reading *r)
{
  const struct dap_words *w = &r->words;
  char *out = arena_alloc(r->arena, w->length + 1);
  size_t used = 0, step;
  for (size_t i = 0; out && i < w->length; used++) {
    out[used] = w->start[i++];
    if (w->kind == DAP_WORD_QUOTED && out[used] == '\\' && i < w->length)
      i += unescape(w->start + i, w->length - i, &out[used]);
  }
  for (size_t i = 0; out && i < used; i += step) {
    step = out[i] == '\0' ? 0 : utf8_length(out + i, used - i);
    out[i] = step == 0 ? '?' : out[i];
    step = step == 0 ? 1 : step;
  }
  if (out)
    out[used] = '\0';
  return out;
}

/* The word at hand as a number that JSON could have, NaN and infinities too. False where it is none. */
static bool read_number(const struct das_reading *r, bool is_float32, struct zarr_json *out)
{
  const char *text = r->words.length > 0 && r->words.length <= NUMBER_MOST ? plain_text(r) : NULL;
  char *end;
  if (!text || strspn(text, "+-0123456789.eEinfatyINFATY") != strlen(text))
    return false;
  const double number = strtod(text, &end);
  if (*end != '\0')
    return false;
  out->kind = ZARR_JSON_NUMBER;
  out->text = text[0] == '+' ? text + 1 : text;
  out->number = is_float32 ? (double)(float)number : number;
  return true;
}

/* The word at hand, which is a value. */
static struct zarr_json *read_value(const struct das_reading *r, bool is_text, bool is_float32)
{
  struct zarr_json *out = ARENA_NEW(r->arena, struct zarr_json);
  if (!out || (!is_text && read_number(r, is_float32, out)))
    return out;
  *out = (struct zarr_json){.kind = ZARR_JSON_TEXT, .text = plain_text(r)};
  return out->text ? out : NULL;
}

static bool is_value(const struct dap_words *w)
{
  return w->kind == DAP_WORD_NAME || w->kind == DAP_WORD_QUOTED;
}

/* Values with commas between, up to a semicolon, into `out`: one as it is, several as a list. */
static int read_values(struct das_reading *r, bool is_text, bool is_float32, struct zarr_json *out)
{
  const struct zarr_json *first = NULL, **link = &first;
  size_t count = 0;
  do {
    struct zarr_json *value = is_value(&r->words) ? read_value(r, is_text, is_float32) : NULL;
    if (!value || ++count > DAP_VALUES_MOST)
      return wrong(r, "an attribute has no value, or too many");
    *link = value;
    link = &value->next;
    dap_words_next(&r->words);
  } while (dap_words_take(&r->words, ","));
  const char *key = out->key;
  *out = count == 1 ? *first : (struct zarr_json){.kind = ZARR_JSON_ARRAY, .first = first};
  out->key = key;
  return dap_words_take(&r->words, ";") ? 0 : wrong(r, "an attribute has no end");
}

/* ---- containers -------------------------------------------------------------------------------------------------- */

/* Up to a semicolon. */
static int pass_over(struct das_reading *r)
{
  while (r->words.kind != DAP_WORD_END && r->words.kind != DAP_WORD_WRONG)
    if (dap_words_take(&r->words, ";"))
      return 0;
    else
      dap_words_next(&r->words);
  return wrong(r, "an alias has no end");
}

static int read_container(struct das_reading *r, struct zarr_json *out, unsigned depth);

/* "name { … }" or "type name value, …;", whose first word is that of `first`. */
static int read_member(struct das_reading *r, const struct dap_words *first, struct zarr_json *out, unsigned depth)
{
  struct das_reading name = *r;
  name.words = r->words;
  const bool is_container = dap_words_are(&r->words, "{");
  if (is_container)
    name.words = *first;
  if (!is_value(&name.words) || !(out->key = plain_text(&name)))
    return wrong(r, "an attribute has no name");
  dap_words_next(&r->words);
  if (is_container)
    return read_container(r, out, depth);
  const bool is_text =
      dap_words_are(first, "String") || dap_words_are(first, "Url") || dap_words_are(first, "OtherXML");
  return read_values(r, is_text, dap_words_are(first, "Float32"), out);
}

/* Members up to the closing brace. */
static int read_container(struct das_reading *r, struct zarr_json *out, unsigned depth)
{
  const struct zarr_json **link = &out->first;
  out->kind = ZARR_JSON_OBJECT;
  if (depth == DEEP_MOST)
    return wrong(r, "its containers nest too deeply");
  while (!dap_words_take(&r->words, "}")) {
    const struct dap_words first = r->words;
    if (!is_value(&first))
      return wrong(r, "a container has no end");
    dap_words_next(&r->words);
    if (dap_words_are(&first, "Alias")) {
      if (pass_over(r) != 0)
        return -1;
      continue;
    }
    struct zarr_json *member = ARENA_NEW(r->arena, struct zarr_json);
    if (!member)
      return error_memory(r->error);
    if (read_member(r, &first, member, depth + 1) != 0)
      return -1;
    *link = member;
    link = &member->next;
    dap_words_take(&r->words, ";"); /* some write one behind a container */
  }
  return 0;
}

const struct zarr_json *dap_attributes_read(struct arena *arena, const char *text, size_t length, struct error *error)
{
  struct das_reading r = {.arena = arena, .text = text, .error = error};
  struct zarr_json *out = ARENA_NEW(arena, struct zarr_json);
  if (!out) {
    error_memory(error);
    return NULL;
  }
  if (dap_refusal(text, length, error) != 0)
    return NULL;
  dap_words_begin(text, length, "{};,", &r.words);
  if (!dap_words_take(&r.words, "Attributes") || !dap_words_take(&r.words, "{")) {
    error_set(error, ERROR_FileContentInvalid, "what its server sends are no attributes of DAP 2");
    return NULL;
  }
  return read_container(&r, out, 0) == 0 ? out : NULL;
}

/* ---- looking up -------------------------------------------------------------------------------------------------- */

/* The container of a name in which dots may part those that lie in each other. */
static const struct zarr_json *find(const struct zarr_json *in, const char *name)
{
  const struct zarr_json *whole = zarr_json_member(in, name);
  if (zarr_json_is(whole, ZARR_JSON_OBJECT))
    return whole;
  for (const struct zarr_json *m = zarr_json_is(in, ZARR_JSON_OBJECT) ? in->first : NULL; m; m = m->next) {
    const size_t length = strlen(m->key);
    if (strncmp(name, m->key, length) == 0 && name[length] == '.' && zarr_json_is(m, ZARR_JSON_OBJECT))
      return find(m, name + length + 1);
  }
  return NULL;
}

const struct zarr_json *dap_attributes_of(const struct zarr_json *all, const struct dap_variable *variable)
{
  const struct zarr_json *own = find(all, variable->name);
  return own || !variable->grid ? own : find(zarr_json_member(all, variable->grid), variable->name);
}

const struct zarr_json *dap_attributes_global(const struct zarr_json *all)
{
  static const char *const names[] = {"NC_GLOBAL", "HDF5_GLOBAL", "HDF_GLOBAL", "GLOBAL"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    for (const struct zarr_json *m = zarr_json_is(all, ZARR_JSON_OBJECT) ? all->first : NULL; m; m = m->next)
      if (strcasecmp(m->key, names[i]) == 0 && zarr_json_is(m, ZARR_JSON_OBJECT))
        return m;
  return all; /* beside the containers, as some write them */
}
