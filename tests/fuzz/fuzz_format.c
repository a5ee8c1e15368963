/* Fuzzing the small formats: dates, numbers, labels, JSON text and error texts. What is read back must be the same. */
#include "datacube/base/arena.h"
#include "datacube/base/buffer.h"
#include "datacube/base/error.h"
#include "datacube/base/utf8.h"
#include "datacube/dimension.h"

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
  free(text);
  return 0;
}
