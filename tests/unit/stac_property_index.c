/* Indexes of properties: with them a search finds what it finds without, page by page, there and back, in the same
 * order; and the database goes the way that the index is for. */
#include "server/store/folder.h"
#include "stac/cql2/cql2_condition.h"
#include "stac/search/property_index.h"
#include "stac/search/search_plan.h"
#include "stac/search/stored_items.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ITEMS = 900 };
static char folder[] = "property-index-XXXXXX";
static struct catalogue *catalogue;

static const char collection_text[] =
    "{\"type\":\"Collection\",\"stac_version\":\"1.0.0\",\"id\":\"%s\",\"description\":\"d\",\"license\":\"other\","
    "\"links\":[],\"extent\":{\"spatial\":{\"bbox\":[[-180,-90,180,90]]},\"temporal\":{\"interval\":[[null,null]]}}}";

/* Numbers of both kinds, some of them many times, texts, truths, null, and nothing. */
static void write_value(int i, char out[64])
{
  static const char *const odd[] = {"null", "\"cloudy\"", "true", "false", "\"\"", "9007199254740993", "-1e300", "[2]"};
  if (i % 9 == 0)
    snprintf(out, 64, ",\"cover\":%s", odd[i / 9 % 8]);
  else if (i % 9 == 1)
    *out = '\0';
  else
    snprintf(out, 64, i % 2 ? ",\"cover\":%d" : ",\"cover\":%d.5", i * 37 % 101);
}

static void put_items(struct item_writer *writer)
{
  struct error error = {0};
  char text[1024], value[64];
  for (int i = 0; i < ITEMS; i++) {
    write_value(i, value);
    snprintf(text, sizeof text,
             "{\"type\":\"Feature\",\"stac_version\":\"1.0.0\",\"id\":\"i%03d\",\"collection\":\"%s\","
             "\"geometry\":{\"type\":\"Point\",\"coordinates\":[%d,%d]},\"bbox\":[%d,%d,%d,%d],\"links\":[],"
             "\"assets\":{},\"properties\":{\"datetime\":\"2020-01-%02dT00:00:00Z\",\"kind\":\"k%d\"%s}}",
             i * 7 % ITEMS, i % 3 ? "a" : "b", i % 90, i % 60, i % 90, i % 60, i % 90, i % 60, i % 28 + 1, i % 5,
             value);
    if (item_writer_put(writer, NULL, ITEM_INSERT, text, strlen(text), &error) != 0)
      fail_msg("%s", error.message);
  }
}

static int set_up(void **state)
{
  (void)state;
  static const char *const ids[] = {"b", "a"}; /* their keys have another order */
  struct error error = {0};
  struct item_writer *writer = NULL;
  char text[1024];
  if (!mkdtemp(folder) || catalogue_open(folder, true, &catalogue, &error) != 0 ||
      item_writer_new(catalogue, &writer, &error) != 0)
    return -1;
  for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
    snprintf(text, sizeof text, collection_text, ids[i]);
    if (item_writer_put_collection(writer, NULL, ITEM_INSERT, text, strlen(text), &error) != 0)
      return -1;
  }
  put_items(writer);
  return item_writer_commit(writer, &error);
}

static int tear_down(void **state)
{
  (void)state;
  catalogue_close(catalogue);
  folder_remove(folder);
  return 0;
}

/* ---- what is found ----------------------------------------------------------------------------------------------- */

struct question {
  const char *filter, *sort, *collection; /* each may be NULL */
  bool is_descending;
};

struct asked { /* a question as a search */
  struct item_condition condition;
  struct item_sort sort;
  struct item_search search;
};

static void ask(struct arena *arena, const struct question *question, struct asked *out)
{
  const struct cql2_filter *filter = NULL;
  struct error error = {0};
  *out = (struct asked){.sort = {question->sort, question->is_descending}};
  out->search = (struct item_search){.collections = &question->collection,
                                     .collection_count = question->collection != NULL,
                                     .sort = &out->sort,
                                     .sort_count = question->sort != NULL,
                                     .limit = 19};
  if (question->filter && (cql2_of_text(arena, question->filter, strlen(question->filter), &filter, &error) != 0 ||
                           cql2_condition(arena, filter, &out->condition, &error) != 0))
    fail_msg("%s: %s", question->filter, error.message);
  if (filter)
    out->search.condition = &out->condition;
}

static int note_item(void *data, const struct found_item *item, struct error *error)
{
  (void)error;
  buffer_printf(data, "%s/%s ", item->collection, item->id);
  return 0;
}

enum { MOST_PAGES = ITEMS };

/* The page of a token, into buffers that are empty. */
static void find_page(struct asked *asked, const struct buffer *token, struct buffer *ids, struct buffer *next,
                      struct buffer *back)
{
  struct error error = {0};
  struct item_page page = {.data = ids, .take = note_item, .back = back};
  asked->search.token = token->length ? token->data : NULL;
  if (item_search_page(catalogue, &asked->search, &page, &error) != 0)
    fail_msg("%s", error.message);
  *next = page.token;
}

/* From the last page to the first one: the same pages, each of which leads on to the one behind it. */
static void go_back(struct asked *asked, struct buffer *pages, size_t count, struct buffer *token)
{
  for (size_t i = count - 1; i-- > 0;) {
    struct buffer ids = {0}, next = {0}, back = {0}, again = {0}, ignored[2] = {0};
    assert_true(token->length > 0);
    find_page(asked, token, &ids, &next, &back);
    assert_string_equal(ids.data, pages[i].data);
    find_page(asked, &next, &again, &ignored[0], &ignored[1]);
    assert_string_equal(again.data, pages[i + 1].data);
    buffer_free(token);
    *token = back;
    struct buffer *const all[] = {&ids, &next, &again, &ignored[0], &ignored[1]};
    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++)
      buffer_free(all[k]);
  }
  assert_int_equal(token->length, 0);
}

/* Ids of all pages, there and back, and how many they are by another count. */
static void find_all(const struct question *question, struct buffer *out)
{
  struct arena *arena = arena_new(0);
  struct error error = {0};
  struct buffer token = {0}, back = {0}, pages[MOST_PAGES] = {0};
  struct asked asked;
  size_t pages_count = 0;
  int64_t count = 0;
  ask(arena, question, &asked);
  do {
    struct buffer next = {0};
    buffer_free(&back);
    find_page(&asked, &token, &pages[pages_count], &next, &back);
    buffer_free(&token);
    token = next;
    if (pages[pages_count].length)
      buffer_text(out, pages[pages_count].data);
    pages_count++;
  } while (token.length);
  go_back(&asked, pages, pages_count, &back);
  buffer_free(&back);
  for (size_t i = 0; i < pages_count; i++)
    buffer_free(&pages[i]);
  asked.search.token = NULL;
  assert_int_equal(item_search_count(catalogue, &asked.search, ITEMS, &count, &error), 0);
  buffer_printf(out, "%lld", (long long)count);
  arena_free(arena);
}

static const struct question questions[] = {
    {NULL, "cover", NULL, false},
    {NULL, "cover", NULL, true},
    {NULL, "cover", "a", true},
    {NULL, "cover", "none", true},
    {"cover < 4", NULL, NULL, false},
    {"cover < 4", "cover", NULL, false},
    {"cover > 97", "cover", NULL, true},
    {"cover > 97 AND kind = 'k1'", NULL, "b", false},
    {"cover = 50.5 OR cover = 3", "cover", NULL, false},
    {"cover = 'cloudy'", NULL, NULL, false},
    {"cover >= ''", "cover", NULL, true},
    {"cover BETWEEN 0.5 AND 2", "id", NULL, false},
    {"cover IN (2.5, 7, 6)", NULL, NULL, false},
    {"cover IN ('', 'cloudy')", NULL, NULL, false},
    {"cover = 9007199254740993", NULL, NULL, false},
    {"cover = TRUE", NULL, NULL, false},
    {"cover IS NULL", "cover", NULL, false},
    {"NOT cover < 90", "cover", "b", false},
    {"cover < 30 AND kind IN ('k2', 'k3')", "kind", NULL, true},
    {"kind = 'k4' AND cover < 2", "datetime", NULL, false},
};
enum { QUESTIONS = sizeof questions / sizeof questions[0] };

static void make_indexes(void)
{
  struct error error = {0};
  assert_int_equal(catalogue_index_property(catalogue, "cover", &error), 0);
  assert_int_equal(catalogue_index_property(catalogue, "kind", &error), 0);
  assert_int_equal(catalogue_index_property(catalogue, "kind", &error), 0); /* is there */
}

static void remove_indexes(void)
{
  struct error error = {0};
  assert_int_equal(catalogue_unindex_property(catalogue, "cover", &error), 0);
  assert_int_equal(catalogue_unindex_property(catalogue, "kind", &error), 0);
  assert_int_equal(catalogue_unindex_property(catalogue, "kind", &error), -1);
  assert_string_equal(error.code, "NotFound");
}

static void test_same_items(void **state)
{
  (void)state;
  struct buffer without[QUESTIONS] = {0};
  for (size_t i = 0; i < QUESTIONS; i++)
    find_all(&questions[i], &without[i]);
  assert_true(strlen(without[0].data) > 6 * ITEMS);
  make_indexes();
  for (size_t i = 0; i < QUESTIONS; i++) {
    struct buffer with = {0};
    find_all(&questions[i], &with);
    if (strcmp(with.data, without[i].data) != 0)
      fail_msg("question %zu: %s\nnot %s", i, with.data, without[i].data);
    buffer_free(&with);
    buffer_free(&without[i]);
  }
  remove_indexes();
}

/* ---- the way ----------------------------------------------------------------------------------------------------- */

/* The database's plan of a statement, and the statement. */
static void explain(struct index *index, struct statement_text *text, struct buffer *out)
{
  struct error error = {0};
  struct statement_text asked = {.values = text->values, .count = text->count};
  buffer_printf(&asked.text, "EXPLAIN QUERY PLAN %s", text->text.data);
  sqlite3_stmt *row = statement_ready(index, &asked, &error);
  assert_non_null(row);
  while (index_step(index, row, &error) == 1)
    buffer_printf(out, "%s\n", (const char *)sqlite3_column_text(row, 3));
  index_done(row);
  buffer_free(&asked.text);
}

static enum search_way way_of(const struct question *question, struct buffer *plan_text)
{
  struct arena *arena = arena_new(0);
  struct error error = {0};
  struct search_plan plan;
  struct asked asked;
  struct statement_text text = {0};
  enum search_way way;
  ask(arena, question, &asked);
  assert_int_equal(search_plan_make(catalogue->index, &asked.search, &plan, &error), 0);
  assert_int_equal(search_choose_way(&plan, 8, true, &way, &error), 0);
  const bool each = way == WAY_DATES || way_is_sorted(way);
  search_text_places(&plan, way, each ? &plan.collections[0] : NULL, NULL, 8, &text);
  explain(catalogue->index, &text, plan_text);
  statement_text_free(&text);
  search_plan_free(&plan);
  arena_free(arena);
  return way;
}

static void check_way(const struct question *question, enum search_way expected, const char *part)
{
  struct buffer plan = {0};
  const enum search_way way = way_of(question, &plan);
  if (way != expected || !strstr(plan.data, part) ||
      (way == WAY_SORTED && strstr(plan.data, "ORDER BY"))) /* it would sort what is sorted */
    fail_msg("way %d, not %d: %s", (int)way, (int)expected, plan.data);
  buffer_free(&plan);
}

static void test_ways(void **state)
{
  (void)state;
  static const char by_value[] = "SEARCH document USING INDEX documents by cover (<expr>=? AND <expr>>? AND <expr><?)";
  check_way(&(struct question){"cover < 1", NULL, NULL, false}, WAY_DATES, "items_date");
  check_way(&(struct question){NULL, "cover", NULL, false}, WAY_ALL, "SCAN item");
  make_indexes();
  check_way(&(struct question){"cover < 1", NULL, NULL, false}, WAY_RANGE, by_value);
  check_way(&(struct question){"kind >= '' AND cover < 1", NULL, "a", false}, WAY_RANGE, by_value);
  check_way(&(struct question){"cover < 99", NULL, NULL, false}, WAY_DATES, "items_date"); /* most of them */
  check_way(&(struct question){NULL, "cover", NULL, true}, WAY_SORTED, "documents by cover (<expr>=?)");
  check_way(&(struct question){"cover < 1", "cover", NULL, false}, WAY_SORTED, by_value);
  check_way(&(struct question){NULL, "kind", "a", false}, WAY_SORTED, "documents by kind (<expr>=?)");
  remove_indexes();
}

static void test_names(void **state)
{
  (void)state;
  struct error error = {0};
  char name[16];
  assert_int_equal(catalogue_index_property(catalogue, "it's", &error), -1);
  assert_string_equal(error.code, "QueryParameterInvalid");
  for (int i = 0; i <= PROPERTY_INDEX_MOST; i++) {
    struct error other = {0};
    snprintf(name, sizeof name, "p%d", i);
    assert_int_equal(catalogue_index_property(catalogue, name, &other), i < PROPERTY_INDEX_MOST ? 0 : -1);
  }
  struct buffer list = {0};
  assert_int_equal(catalogue_list_property_indexes(catalogue, &list, &error), 0);
  assert_int_equal(catalogue_unindex_property(catalogue, "p7", &error), 0);
  assert_int_equal(catalogue_index_property(catalogue, "P6", &error), -1);
  assert_int_equal(catalogue_index_property(catalogue, "p7", &error), 0);
  assert_string_equal(list.data, "p0\np1\np2\np3\np4\np5\np6\np7\n");
  buffer_free(&list);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_same_items),
      cmocka_unit_test(test_ways),
      cmocka_unit_test(test_names),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
