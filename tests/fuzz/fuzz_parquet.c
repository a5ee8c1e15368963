/* Fuzzing the reader of Parquet files: whatever the bytes, every row is sound JSON of an object, is refused with a
 * reason, or ends the reading with one. */
#include "stac/search/json_scan.h"
#include "stac/search/parquet_items.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_row(const struct buffer *text, const struct error *refusal)
{
  struct buffer compact = {0};
  struct json_span none[1];
  struct error error = {0};
  if (!error_is_set(refusal) &&
      json_scan(text->data, text->length, text->length, NULL, 0, none, &compact, &error) != 0 &&
      !strstr(error.message, "twice") && !strstr(error.message, "number") && !strstr(error.message, "nesting"))
    abort(); /* a key that is there twice is the file's; all else would be ours */
  buffer_free(&compact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct parquet_items *items;
  struct buffer text = {0};
  struct error error = {0};
  bool is_there = true;
  if (parquet_items_open(data, size, &items, &error) != 0) {
    if (!error_is_set(&error))
      abort();
    return 0;
  }
  while (is_there) {
    struct error refusal = {0};
    if (parquet_items_next(items, &text, &is_there, &refusal, &error) != 0) {
      if (!error_is_set(&error))
        abort();
      break;
    }
    if (is_there)
      check_row(&text, &refusal);
  }
  parquet_items_close(items);
  buffer_free(&text);
  return 0;
}
