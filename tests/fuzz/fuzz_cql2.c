/* Fuzzing filters: bytes as text, or behind a 'j' as JSON. What reads must print, read again as the same, and say
 * something of an item. */
#include "datacube/gdal_init.h"
#include "stac/cql2/cql2.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static json_t *item;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  static const char text[] =
      "{\"id\": \"a\", \"collection\": \"c\", \"geometry\": {\"type\": \"Polygon\", \"coordinates\": "
      "[[[0, 0], [2, 0], [2, 2], [0, 0]]]}, \"properties\": {\"datetime\": \"2020-01-01T00:00:00Z\", \"n\": 1, "
      "\"t\": \"text\", \"l\": [1, \"b\", null], \"b\": true}}";
  (void)argc;
  (void)argv;
  gdal_init();
  item = json_loads(text, 0, NULL);
  if (!item)
    abort();
  return 0;
}

static enum cql2_truth ask(const struct cql2_filter *filter)
{
  enum cql2_truth truth = CQL2_UNKNOWN;
  struct error error = {0};
  struct cql2_tester *tester = cql2_tester_new(filter, &error);
  if (!tester || cql2_test(tester, item, &truth, &error) != 0)
    abort();
  cql2_tester_free(tester);
  return truth;
}

static const struct cql2_filter *read_printed(struct arena *arena, const struct cql2_filter *filter,
                                              struct buffer *json)
{
  const struct cql2_filter *again = NULL;
  struct error error = {0};
  cql2_write_json(filter, &(struct json_writer){.out = json});
  if (json->failed || cql2_of_json_text(arena, json->data, json->length, &again, &error) != 0)
    abort();
  return again;
}

/* From the second time on it is printed the same: before, there may be numbers like -0.0, which become 0. */
static void read_again(struct arena *arena, const struct cql2_filter *filter)
{
  struct buffer first = {0}, second = {0}, third = {0}, text = {0};
  const struct cql2_filter *again = read_printed(arena, filter, &first);
  const struct cql2_filter *once_more = read_printed(arena, again, &second);
  cql2_write_json(once_more, &(struct json_writer){.out = &third});
  cql2_write_text(filter, &text);
  if (text.failed || strcmp(second.data, third.data) != 0 || ask(filter) != ask(again))
    abort();
  buffer_free(&first);
  buffer_free(&second);
  buffer_free(&third);
  buffer_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct arena *arena = arena_new(ARENA_BYTES);
  const struct cql2_filter *filter = NULL;
  struct error error = {0};
  const bool is_json = size > 0 && data[0] == 'j';
  const char *text = (const char *)data + is_json;
  const int status = is_json ? cql2_of_json_text(arena, text, size - 1, &filter, &error)
                             : cql2_of_text(arena, text, size, &filter, &error);
  if (status == 0)
    read_again(arena, filter);
  else if (error.code[0] == '\0' || error.message[0] == '\0')
    abort();
  arena_free(arena);
  return 0;
}
