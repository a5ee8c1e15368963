#include "stac/cql2/text_fold.h"

#include "datacube/base/utf8.h"

#include <stdlib.h>
#include <string.h>

static const struct fold_run {
  uint32_t first, last, step;
  int32_t delta;
} runs[] = {
#define FOLD_RUN(first, last, step, delta) {first, last, step, delta},
#include "stac/cql2/text_fold.def"
#undef FOLD_RUN
};

static const struct fold_long {
  uint32_t code, to[3]; /* 0: no third */
} longs[] = {
#define FOLD_LONG(code, a, b, c) {code, {a, b, c}},
#include "stac/cql2/text_fold.def"
#undef FOLD_LONG
};

static const struct fold_base {
  uint32_t code, to;
} bases[] = {
#define FOLD_BASE(code, to) {code, to},
#include "stac/cql2/text_fold.def"
#undef FOLD_BASE
};

static int compare_code(const void *left, const void *right)
{
  const uint32_t *a = left, *b = right; /* the first member of a row */
  return *a < *b ? -1 : *a > *b;
}

/* Runs of every second character lie between others, so all are looked at; few texts get here. */
static uint32_t fold_run(uint32_t code)
{
  for (size_t i = 0; i < sizeof runs / sizeof *runs && runs[i].first <= code; i++)
    if (code <= runs[i].last && (code - runs[i].first) % runs[i].step == 0)
      return (uint32_t)((int64_t)code + runs[i].delta);
  return code;
}

static size_t put_case(uint32_t code, char *to)
{
  if (code < 0x80)
    return utf8_put(code >= 'A' && code <= 'Z' ? code + 32 : code, to);
  const struct fold_long *found = bsearch(&code, longs, sizeof longs / sizeof *longs, sizeof *longs, compare_code);
  if (!found)
    return utf8_put(fold_run(code), to);
  size_t length = 0;
  for (int i = 0; i < 3 && found->to[i]; i++)
    length += utf8_put(found->to[i], to + length);
  return length;
}

static bool is_mark(uint32_t code)
{
  return (code >= 0x300 && code <= 0x36F) || (code >= 0x1AB0 && code <= 0x1AFF) || (code >= 0x1DC0 && code <= 0x1DFF) ||
         (code >= 0x20D0 && code <= 0x20FF) || (code >= 0xFE20 && code <= 0xFE2F);
}

static size_t put_base(uint32_t code, char *to)
{
  if (code >= 0x300 && is_mark(code))
    return 0;
  const struct fold_base *found =
      code < 0xC0 ? NULL : bsearch(&code, bases, sizeof bases / sizeof *bases, sizeof *bases, compare_code);
  return utf8_put(found ? found->to : code, to);
}

static uint32_t code_of(const char *text, size_t length)
{
  static const unsigned char masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  uint32_t code = (unsigned char)text[0] & masks[length];
  for (size_t i = 1; i < length; i++)
    code = code << 6 | ((unsigned char)text[i] & 0x3F);
  return code;
}

static const char *fold(struct arena *arena, const char *text, size_t (*put)(uint32_t, char *))
{
  const size_t length = strlen(text);
  char *out = arena_array(arena, length + 1, 3); /* no character becomes longer than that */
  size_t count = 0;
  if (!out)
    return NULL;
  for (size_t i = 0; i < length;) {
    const size_t bytes = utf8_length(text + i, length - i);
    if (bytes)
      count += put(code_of(text + i, bytes), out + count);
    else
      out[count++] = text[i];
    i += bytes ? bytes : 1;
  }
  out[count] = '\0';
  return out;
}

const char *text_fold_case(struct arena *arena, const char *text)
{
  return fold(arena, text, put_case);
}

const char *text_fold_accents(struct arena *arena, const char *text)
{
  return fold(arena, text, put_base);
}
