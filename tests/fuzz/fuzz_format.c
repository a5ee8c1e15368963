/* Fuzzing the small formats: dates, numbers, labels, JSON text and error texts, where what is read back must be the
 * same; LZW, which must be what a plain decoder makes of it. */
#include "datacube/base/arena.h"
#include "datacube/base/buffer.h"
#include "datacube/base/error.h"
#include "datacube/base/utf8.h"
#include "datacube/dimension.h"
#include "datacube/source/tiff_lzw.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
  if (!condition)
    abort();
}

static void check_instant(const char *text)
{
  for (int calendar = CALENDAR_GREGORIAN; calendar <= CALENDAR_360_DAY; calendar++) {
    int64_t instant, again;
    char out[40];
    if (instant_parse(text, (enum calendar)calendar, &instant) != 0)
      continue;
    instant_format(instant, (enum calendar)calendar, out);
    struct civil civil = instant_civil(instant, (enum calendar)calendar);
    must(instant_from_civil(civil, (enum calendar)calendar) == instant);
    must(civil.year < 0 || civil.year > 9999 ||
         (instant_parse(out, (enum calendar)calendar, &again) == 0 && again == instant));
  }
}

static void check_number(const uint8_t *data, size_t size)
{
  double number;
  char text[32];
  if (size < sizeof number)
    return;
  memcpy(&number, data, sizeof number);
  number_format(number, text);
  must(strlen(text) < sizeof text);
  must(isnan(number) || strtod(text, NULL) == number);
  instant_format((int64_t)(isfinite(number) && fabs(number) < 9e18 ? number : 0), CALENDAR_GREGORIAN, (char[40]){0});
}

static bool is_utf8(const char *text)
{
  for (size_t length = strlen(text), n; length > 0; text += n, length -= n)
    if ((n = utf8_length(text, length)) == 0)
      return false;
  return true;
}

static void check_text(const char *text)
{
  struct error error = {0};
  struct buffer out = {.limit = 1 << 20};
  struct json_writer writer = {.out = &out};
  error_parameter(&error, ERROR_Internal, text, "%s%s%.40s", text, text, text);
  error_at_node(&error, text);
  must(is_utf8(error.message) && is_utf8(error.node) && is_utf8(error.parameter) && is_utf8(error.code));
  json_write_object(&writer);
  json_kv_string(&writer, text, text);
  json_end_object(&writer);
  must(out.failed || is_utf8(out.data));
  for (size_t i = 0; !out.failed && i < out.length; i++)
    must((unsigned char)out.data[i] >= 0x20);
  buffer_free(&out);
}

static void check_labels(const char *text)
{
  const char *texts[] = {"a", text, "2"};
  double numbers[] = {0.5, 1, 2};
  struct dimension named = dimension_texts("d", DIMENSION_OTHER, texts, 3),
                   steps = dimension_steps("x", 'x', 1, -0.25, 9);
  struct dimension numbered = {.name = "n", .size = 3, .labels = LABEL_NUMBER, .numbers = numbers};
  must(dimension_find_text(&named, text) <= 1 || strcmp(text, "2") == 0);
  size_t i = dimension_find_text(&steps, text), k = dimension_find_text(&numbered, text);
  must(i == SIZE_MAX || fabs(strtod(text, NULL) - dimension_label_number(&steps, i)) < 1e-9);
  must(k == SIZE_MAX || strtod(text, NULL) == numbers[k]);
}

static unsigned plain_code(const uint8_t *data, size_t size, size_t bit, unsigned width)
{
  unsigned code = 0;
  for (size_t i = bit; i < bit + width; i++)
    code = code << 1 | (i / 8 < size ? data[i / 8] >> (7 - i % 8) & 1u : 0);
  return bit + width <= 8 * size ? code : 257;
}

/* As the standard tells it: strings as chains of codes and last bytes. How many of `want` bytes there are. */
static size_t plain_lzw(const uint8_t *data, size_t size, size_t want, uint8_t *out)
{
  unsigned before[4096] = {0}, next = 258, width = 9, old = 256, code;
  uint8_t last[4096], first;
  size_t bit = 0, done = 0;
  for (; done < want && (code = plain_code(data, size, bit, width)) != 257; old = code) {
    bit += width;
    if (code == 256) {
      next = 258, width = 9;
      continue;
    }
    if (bit == 9 || code > next || (code == next && old == 256) || (code > 257 && old == 256) || next == 4096)
      break;
    unsigned known = code < next ? code : old;
    size_t length = code < next ? 1 : 2, at = done;
    for (; known > 257; known = before[known])
      length++;
    first = (uint8_t)known;
    if (old != 256)
      before[next] = old, last[next] = first, next++;
    width = next >= 2047 ? 12 : next >= 1023 ? 11 : next >= 511 ? 10 : 9;
    done += length;
    for (unsigned c = code; length-- > 0; c = before[c])
      if (at + length < want)
        out[at + length] = c > 257 ? last[c] : (uint8_t)c;
  }
  return done < want ? done : want;
}

static void check_lzw(const uint8_t *data, size_t size)
{
  const size_t want = size < 2 ? 1 : 1 + (data[size - 1] | (size_t)data[size - 2] << 8);
  struct tiff_lzw *lzw = tiff_lzw_new();
  uint8_t *ours = malloc(want), *plain = malloc(want);
  must(lzw && ours && plain);
  if (tiff_lzw_inflate(lzw, data, size, want, ours))
    must(plain_lzw(data, size, want, plain) == want && memcmp(ours, plain, want) == 0);
  else
    must(plain_lzw(data, size, want, plain) < want);
  free(ours);
  free(plain);
  tiff_lzw_free(lzw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char *text = malloc(size + 1);
  if (!text)
    return 0;
  if (size)
    memcpy(text, data, size);
  text[size] = '\0';
  check_instant(text);
  check_number(data, size);
  check_text(text);
  check_labels(text);
  check_lzw(data, size);
  free(text);
  return 0;
}
