/* Fuzzing what is loaded as STAC items: the scan of JSON against a reader that makes a tree, and what the index takes
 * from an item against the members of that tree. The texts end where they end: nothing behind them is readable, but for
 * the zero byte that a mapped file has. */
#include "stac/search/item_facts.h"
#include "stac/search/json_scan.h"
#include "stac/search/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
  if (!condition)
    abort();
}

/* Where the scan is stricter than the other reader: bounds of its own. */
static bool is_own_bound(const struct error *error)
{
  return strstr(error->message, "nesting that is too deep") || strstr(error->message, "a number of too many digits");
}

/* That reader passes over a zero byte behind a number, which no JSON has. */
static json_t *read_tree(const char *text, size_t length)
{
  if (memchr(text, '\0', length))
    return NULL;
  json_t *tree = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
  if (json_is_object(tree))
    return tree;
  json_decref(tree);
  return NULL;
}

/* A span is there if and only if the member is, and holds its value; a value that is a text alone is read in brackets.
 */
static void check_span(const json_t *member, const struct buffer *compact, const struct json_span *span)
{
  must((member != NULL) == (span->to > span->from) && span->to <= compact->length);
  if (!member)
    return;
  json_t *value = json_loadb(compact->data + span->from, span->to - span->from, JSON_DECODE_ANY, NULL);
  must(value && json_equal(value, member));
  if (json_is_object(member) || json_is_array(member))
    must(span->members == json_object_size(member) + json_array_size(member));
  json_decref(value);
}

static void check_spans(const json_t *tree, const struct buffer *compact, const struct json_wanted *wanted,
                        const struct json_span *spans, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    const json_t *parent = wanted[i].within ? json_object_get(tree, wanted[i].within) : tree;
    check_span(json_object_get(parent, wanted[i].key), compact, &spans[i]);
  }
}

/* The compact text has the same values, and is its own compact text. */
static void check_compact(const json_t *tree, const struct buffer *compact)
{
  struct json_span none[1];
  struct buffer again = {0};
  struct error error = {0};
  json_t *same = read_tree(compact->data, compact->length);
  must(same && json_equal(same, tree));
  must(json_scan(compact->data, compact->length, compact->length, NULL, 0, none, &again, &error) == 0);
  must(again.length == compact->length && memcmp(again.data, compact->data, again.length) == 0);
  buffer_free(&again);
  json_decref(same);
}

static void try_scan(const char *text, size_t length, const json_t *tree)
{
  static const struct json_wanted wanted[] = {
      {NULL, "id"}, {NULL, "bbox"}, {NULL, "properties"}, {"properties", "datetime"}, {"a", "b"}};
  enum { COUNT = sizeof wanted / sizeof wanted[0] };
  struct json_span spans[COUNT];
  struct buffer compact = {0};
  struct error error = {0};
  const int status = json_scan(text, length, STORED_MAX_BYTES, wanted, COUNT, spans, &compact, &error);
  must(status == 0 ? tree != NULL : error_is_set(&error) && (!tree || is_own_bound(&error)));
  if (status == 0) {
    check_compact(tree, &compact);
    check_spans(tree, &compact, wanted, spans, COUNT);
  }
  buffer_free(&compact);
}

static void check_text(const json_t *member, const char *text)
{
  must(strcmp(json_is_string(member) ? json_string_value(member) : "", text) == 0);
}

static void try_facts(const char *text, size_t length, const json_t *tree)
{
  struct stored_facts facts = {0};
  struct error error = {0};
  if (stored_facts_read(text, length, &facts, &error) == 0) {
    must(tree != NULL && *facts.id);
    check_text(json_object_get(tree, "id"), facts.id);
    check_text(json_object_get(tree, "collection"), facts.collection);
    must(facts.times.first <= facts.times.instant && facts.times.instant <= facts.times.last);
    must(facts.box.west <= facts.box.east && facts.box.south <= facts.box.north && fabs(facts.box.west) <= 180 &&
         fabs(facts.box.east) <= 540 && fabs(facts.box.north) <= 99);
  } else {
    must(error_is_set(&error));
  }
  stored_facts_free(&facts);
}

/* Of a sound text each member is found; of any other the ends lie in the text. */
static void try_members(const char *text, size_t length, const json_t *tree)
{
  static const char *const keys[] = {"features", "links", "id"};
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
    size_t from = 0, to = 0;
    const bool found = item_text_member(text, length, keys[i], &from, &to);
    must(!found || (from < to && to <= length));
    must(!tree || found || !json_object_get(tree, keys[i]) || !strstr(text, keys[i]));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  char *bare = malloc(size), *ended = malloc(size + 1);
  must(bare && ended);
  memcpy(bare, data, size);
  memcpy(ended, data, size);
  ended[size] = '\0';
  json_t *tree = read_tree(bare, size);
  try_scan(bare, size, tree);
  try_facts(bare, size, tree);
  try_members(ended, size, tree);
  json_decref(tree);
  free(bare);
  free(ended);
  return 0;
}
