/* Pages of searches: the way is chosen, places are found, and their documents read. See the header. */
#include "stac/search/search_plan.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
  PROGRESS_STEPS = 5000, /* of SQLite's machine between two looks at the clock */
  FEW_PLACES = 4000,
  COUNT_STEPS = 1000000, /* that a count beside a page may take: some 20 000 items … */
  JUDGED_STEPS = 500     /* … of which one that is judged counts for many */
};

/* ---- patience ---------------------------------------------------------------------------------------------------- */

struct search_patience {
  const volatile int *cancel;
  struct timespec end; /* seconds 0: none */
  int64_t steps;       /* left; 0: no end */
};

static int is_over(void *data)
{
  const struct search_patience *patience = data;
  struct timespec now;
  if (patience->cancel && *patience->cancel)
    return 1;
  if (patience->end.tv_sec == 0)
    return 0;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec > patience->end.tv_sec ||
         (now.tv_sec == patience->end.tv_sec && now.tv_nsec > patience->end.tv_nsec);
}

/* Unlike the clock these tell the same each time. */
static bool are_spent(struct search_patience *patience, int64_t steps)
{
  if (patience->steps == 0)
    return false;
  patience->steps = patience->steps > steps ? patience->steps - steps : 1;
  return patience->steps == 1;
}

static int is_long(void *data)
{
  return are_spent(data, PROGRESS_STEPS) || is_over(data);
}

static int is_judged_long(void *data)
{
  return are_spent(data, JUDGED_STEPS) || is_over(data);
}

static void begin_waiting(struct index *index, const struct item_search *search, struct search_patience *patience)
{
  *patience = (struct search_patience){.cancel = search->cancel};
  if (search->milliseconds) {
    clock_gettime(CLOCK_MONOTONIC, &patience->end);
    patience->end.tv_sec += search->milliseconds / 1000;
    patience->end.tv_nsec += (long)(search->milliseconds % 1000) * 1000000;
    if (patience->end.tv_nsec >= 1000000000) {
      patience->end.tv_nsec -= 1000000000;
      patience->end.tv_sec++;
    }
  }
  sqlite3_progress_handler(index->db, PROGRESS_STEPS, is_long, patience);
}

/* ---- places ------------------------------------------------------------------------------------------------------ */

static int compare_numbers(const struct item_value *a, const struct item_value *b)
{
  if (a->kind == ITEM_VALUE_INTEGER && b->kind == ITEM_VALUE_INTEGER)
    return (a->integer > b->integer) - (a->integer < b->integer);
  const long double x = a->kind == ITEM_VALUE_INTEGER ? (long double)a->integer : (long double)a->real;
  const long double y = b->kind == ITEM_VALUE_INTEGER ? (long double)b->integer : (long double)b->real;
  return (x > y) - (x < y);
}

/* As SQLite has it: null, numbers, texts. */
static int compare_values(const struct item_value *a, const struct item_value *b)
{
  static const int ranks[] = {
      [ITEM_VALUE_NULL] = 0, [ITEM_VALUE_INTEGER] = 1, [ITEM_VALUE_REAL] = 1, [ITEM_VALUE_TEXT] = 2};
  if (ranks[a->kind] != ranks[b->kind])
    return ranks[a->kind] - ranks[b->kind];
  return ranks[a->kind] == 1 ? compare_numbers(a, b) : ranks[a->kind] == 2 ? strcmp(a->text, b->text) : 0;
}

static int compare_terms(const void *left, const void *right, void *data)
{
  const struct search_plan *plan = data;
  const struct found_place *a = left, *b = right;
  for (size_t i = 0; i < plan->term_count; i++) {
    const int order = compare_values(&a->values[i], &b->values[i]);
    if (order != 0)
      return plan->terms[i].is_descending ? -order : order;
  }
  return 0;
}

/* A text is the statement's, up to its next row. */
static struct item_value read_value(sqlite3_stmt *row, int column)
{
  switch (sqlite3_column_type(row, column)) {
  case SQLITE_INTEGER:
    return value_of_integer(sqlite3_column_int64(row, column));
  case SQLITE_FLOAT:
    return value_of_real(sqlite3_column_double(row, column));
  case SQLITE_NULL:
    return (struct item_value){.kind = ITEM_VALUE_NULL};
  default:
    return value_of_text((const char *)sqlite3_column_text(row, column));
  }
}

struct place_list {
  struct found_place *all;
  size_t count, room;
  size_t most; /* the first so many of the order are wanted, and no others are kept for long; 0: all */
  bool is_cut; /* they are there, in order: what lies behind the last of them is not wanted */
  int64_t met; /* how many there were */
};

static int add_place(struct search_plan *plan, struct place_list *places, const struct found_place *place,
                     struct error *error)
{
  struct found_place *all = arena_grow(plan->arena, places->all, places->count, &places->room, sizeof *all);
  if (!all)
    return error_memory(error);
  places->all = all;
  all[places->count] = *place;
  for (size_t i = 0; i < plan->term_count; i++) {
    struct item_value *value = &all[places->count].values[i];
    if (value->kind == ITEM_VALUE_TEXT && !(value->text = arena_strdup(plan->arena, value->text)))
      return error_memory(error);
  }
  places->count++;
  return 0;
}

static void cut_places(struct search_plan *plan, struct place_list *places)
{
  if (places->count > 1)
    qsort_r(places->all, places->count, sizeof *places->all, compare_terms, plan);
  places->is_cut = places->is_cut || places->count >= places->most;
  places->count = places->count < places->most ? places->count : places->most;
}

static int take_row(struct search_plan *plan, sqlite3_stmt *row, struct place_list *places, struct error *error)
{
  struct found_place place = {.key = sqlite3_column_int64(row, 0)};
  places->met++;
  for (size_t i = 0; i < plan->term_count; i++) {
    place.values[i] = read_value(row, (int)i + 1);
    if (place.values[i].kind == ITEM_VALUE_TEXT && !place.values[i].text)
      return error_memory(error);
  }
  if (places->is_cut && compare_terms(&place, &places->all[places->most - 1], plan) >= 0)
    return 0;
  if (add_place(plan, places, &place, error) != 0)
    return -1;
  if (places->most && places->count >= 2 * places->most)
    cut_places(plan, places);
  return 0;
}

static int read_places(struct search_plan *plan, const struct statement_text *text, struct place_list *places,
                       struct error *error)
{
  sqlite3_stmt *row = statement_ready(plan->index, text, error);
  int more = row ? 1 : -1;
  while (more == 1 && (more = index_step(plan->index, row, error)) == 1)
    if (take_row(plan, row, places, error) != 0)
      more = -1;
  index_done(row);
  return more;
}

/* Of an order that an index has: an instant or a property, id, collection. */
enum { INDEXED_TERMS = 3 };

static int compare_places(const void *left, const void *right)
{
  const struct found_place *a = left, *b = right;
  int order = 0;
  for (size_t i = 0; i < INDEXED_TERMS && order == 0; i++)
    order = compare_values(&a->values[i], &b->values[i]);
  return order;
}

static int compare_places_backwards(const void *left, const void *right)
{
  return compare_places(right, left);
}

/* Of one collection: what has the first value of the place, then what is behind it, up to `most`. */
static int read_collection(struct search_plan *plan, bool by_date, const struct searched_collection *of, size_t most,
                           struct place_list *places, struct error *error)
{
  static const enum search_way dates[] = {WAY_TIED, WAY_DATES},
                               values[] = {WAY_SORTED_TIED, WAY_SORTED, WAY_SORTED_NULL};
  const int64_t *bound = by_date && places->count >= most ? &places->all[most - 1].values[0].integer : NULL;
  const size_t before = places->count;
  const bool nulls_follow =
      !by_date && plan->has_place && plan->terms[0].is_descending && plan->place[0].kind != ITEM_VALUE_NULL;
  for (size_t i = !plan->has_place; i < (nulls_follow ? 3 : 2) && places->count - before < most; i++) {
    struct statement_text text = {0};
    search_text_places(plan, by_date ? dates[i] : values[i], of, bound, most, &text);
    const int result = read_places(plan, &text, places, error);
    statement_text_free(&text);
    if (result != 0)
      return -1;
  }
  return 0;
}

/* Collection by collection, in the order that the index has. Of dates, what has been found so far bounds what is of
 * interest in the next one. */
static int read_in_order(struct search_plan *plan, bool by_date, size_t most, struct place_list *places,
                         struct error *error)
{
  for (size_t i = 0; i < plan->collection_count; i++) {
    if (read_collection(plan, by_date, &plan->collections[i], most, places, error) != 0)
      return -1;
    if (i > 0 && places->count)
      qsort(places->all, places->count, sizeof *places->all,
            plan->terms[0].is_descending ? compare_places_backwards : compare_places);
    places->count = places->count < most ? places->count : most;
  }
  return 0;
}

/* By one statement. It sorts itself where there may be many places: to begin with that is dear. */
static int read_at_once(struct search_plan *plan, enum search_way way, size_t most, struct place_list *places,
                        struct error *error)
{
  const bool are_few = (way == WAY_TREE || way == WAY_RANGE) && plan->met_count <= FEW_PLACES;
  struct statement_text text = {0};
  places->most = are_few ? most : 0;
  search_text_places(plan, way, NULL, NULL, are_few ? 0 : most, &text);
  const int result = read_places(plan, &text, places, error);
  statement_text_free(&text);
  if (are_few)
    cut_places(plan, places);
  if (are_few && !plan->has_place)
    plan->matched = places->met;
  places->count = places->count < most ? places->count : most;
  return result;
}

int search_places(struct search_plan *plan, size_t most, struct found_place **out, size_t *count, struct error *error)
{
  struct place_list places = {0};
  enum search_way way;
  *out = NULL;
  *count = 0;
  if (plan->collection_count == 0)
    return 0;
  if (search_choose_way(plan, (int64_t)most, true, &way, error) != 0)
    return -1;
  const int result = way == WAY_DATES || way == WAY_SORTED ? read_in_order(plan, way == WAY_DATES, most, &places, error)
                                                           : read_at_once(plan, way, most, &places, error);
  *out = places.all;
  *count = places.count;
  return result;
}

static bool asks_for_all(const struct item_search *search)
{
  return !search->id_count && !search->has_box && !search->has_start && !search->has_end && !search->intersects &&
         !search->condition;
}

/* Collection by collection, in the index of dates. */
static int count_by_date(struct search_plan *plan, int64_t most, int64_t *count, struct error *error)
{
  for (size_t i = 0; i < plan->collection_count && *count < most; i++) {
    struct statement_text text = {0};
    int64_t own = 0;
    search_text_date_count(plan, &plan->collections[i], most - *count, &text);
    const int result = search_read_number(plan->index, &text, &own, error);
    statement_text_free(&text);
    if (result != 0)
      return -1;
    *count += own;
  }
  return 0;
}

int search_count(struct search_plan *plan, int64_t most, int64_t *count, struct error *error)
{
  enum search_way way;
  struct statement_text text = {0};
  *count = asks_for_all(plan->search) ? plan->items : 0;
  if (plan->collection_count == 0 || asks_for_all(plan->search)) {
    *count = *count < most ? *count : most;
    return 0;
  }
  if (search_is_told_by_dates(plan))
    return count_by_date(plan, most, count, error);
  if (search_choose_way(plan, most, false, &way, error) != 0)
    return -1;
  search_text_count(plan, way, most, &text);
  int result = search_read_number(plan->index, &text, count, error);
  statement_text_free(&text);
  return result;
}

/* ---- pages ------------------------------------------------------------------------------------------------------- */

struct page_writing {
  struct index *index;
  struct item_page *page;
  int64_t key; /* of the latest collection; 0: none yet */
  bool is_stored;
  char collection[1024]; /* its id */
};

static int name_collection(struct page_writing *w, int64_t key, struct error *error)
{
  if (key == w->key)
    return 0;
  sqlite3_stmt *row = index_statement(w->index, STATEMENT_NAME, error);
  if (!row)
    return -1;
  sqlite3_bind_int64(row, 1, key);
  int found = index_step(w->index, row, error);
  const char *id = found == 1 ? (const char *)sqlite3_column_text(row, 0) : NULL;
  if (id && strlen(id) < sizeof w->collection) {
    memcpy(w->collection, id, strlen(id) + 1);
    w->is_stored = sqlite3_column_int(row, 1) != 0;
    w->key = key;
  }
  index_done(row);
  return w->key == key ? 0 : error_set(error, ERROR_StorageFailure, "an item of the catalogue lacks its collection");
}

/* 0 where more may come, 1 where the page is full. */
static int take_place(struct page_writing *w, const struct found_place *place, struct found_item *item,
                      struct error *error)
{
  sqlite3_stmt *row = index_statement(w->index, STATEMENT_DOCUMENT, error);
  if (!row)
    return -1;
  sqlite3_bind_int64(row, 1, place->key);
  int found = index_step(w->index, row, error);
  if (found == 1) {
    item->collection = w->collection;
    item->is_stored = w->is_stored;
    item->document = (const char *)sqlite3_column_text(row, 0);
    item->length = (size_t)sqlite3_column_bytes(row, 0);
    found = w->page->take(w->page->data, item, error);
    w->page->count++;
  }
  index_done(row);
  return found;
}

/* Where the terms have the value of that kind. */
static const struct item_value *value_of(const struct search_plan *plan, const struct found_place *place,
                                         enum sort_kind kind)
{
  for (size_t i = 0; i < plan->term_count; i++)
    if (plan->terms[i].kind == kind)
      return &place->values[i];
  return NULL;
}

/* The items of the first `most` places, up to where the page is full; *taken: how many. */
static int take_places(struct search_plan *plan, struct item_page *page, const struct found_place *places, size_t most,
                       size_t *taken, struct error *error)
{
  struct page_writing w = {.index = plan->index, .page = page};
  int full = 0;
  for (*taken = 0; *taken < most && full == 0; ++*taken) {
    const struct found_place *place = &places[*taken];
    const struct item_value *instant = value_of(plan, place, SORT_INSTANT);
    struct found_item item = {.id = value_of(plan, place, SORT_ID)->text, .instant = instant ? instant->integer : 0};
    if (name_collection(&w, value_of(plan, place, SORT_COLLECTION)->integer, error) != 0)
      return -1;
    full = take_place(&w, place, &item, error);
  }
  return full < 0 ? -1 : 0;
}

static void turn_round(struct found_place *places, size_t count)
{
  for (size_t i = 0; i < count / 2; i++) {
    const struct found_place other = places[i];
    places[i] = places[count - 1 - i];
    places[count - 1 - i] = other;
  }
}

/* One more place than the page has tells whether there is another page. */
static int read_page(struct search_plan *plan, struct item_page *page, struct error *error)
{
  const size_t limit = (size_t)plan->search->limit;
  struct found_place *places = NULL;
  size_t count = 0, taken;
  if (search_places(plan, limit + 1, &places, &count, error) != 0)
    return -1;
  const bool is_more = count > limit;
  const size_t most = is_more ? limit : count;
  if (plan->goes_back)
    turn_round(places, most);
  if (take_places(plan, page, places, most, &taken, error) != 0)
    return -1;
  if (taken > 0 && (taken < most || is_more || plan->goes_back))
    search_token_write(plan, &places[taken - 1], false, &page->token);
  if (taken > 0 && page->back && plan->has_place && (is_more || !plan->goes_back))
    search_token_write(plan, &places[0], true, page->back);
  return page->token.failed || (page->back && page->back->failed) ? error_memory(error) : 0;
}

/* How many items there are beside the page's, where that does not take long. */
static int count_all(struct search_plan *plan, struct search_patience *patience, struct item_page *page,
                     struct error *error)
{
  struct error reason = {0};
  page->matched = page->token.length == 0 ? page->count : asks_for_all(plan->search) ? plan->items : plan->matched;
  if (page->matched < 0) {
    plan->judge.error = &reason;
    patience->steps = COUNT_STEPS;
    if (search_count(plan, page->count_most + 1, &page->matched, &reason) != 0 || page->matched > page->count_most)
      page->matched = -1;
  }
  if (error_is_set(&reason) && !error_is(&reason, ERROR_RequestTimeout))
    return error_set(error, ERROR_StorageFailure, "%s", reason.message);
  return 0;
}

int search_run(const struct catalogue *catalogue, const struct item_search *search,
               int (*work)(void *data, struct search_plan *plan, struct error *error), void *data, struct error *error)
{
  struct index *index = catalogue->index;
  struct search_plan plan = {0};
  struct search_patience patience;
  struct error ignored = {0};
  if (index_open(index, error) != 0)
    return -1;
  if (!index->db)
    return 0; /* there is no catalogue yet */
  if (index_execute(index, STATEMENT_BEGIN_READ, error) != 0)
    return -1;
  begin_waiting(index, search, &patience);
  int result = search_plan_make(index, search, &plan, error);
  plan.is_over = is_judged_long;
  plan.patience = &patience;
  index->judge = &plan.judge;
  if (result == 0)
    result = work(data, &plan, error);
  index->judge = NULL;
  search_plan_free(&plan);
  sqlite3_progress_handler(index->db, 0, NULL, NULL);
  index_execute(index, STATEMENT_COMMIT, &ignored);
  return result;
}

static int work_page(void *data, struct search_plan *plan, struct error *error)
{
  struct item_page *page = data;
  if (read_page(plan, page, error) != 0)
    return -1;
  return page->count_most > 0 && !plan->has_place ? count_all(plan, plan->patience, page, error) : 0;
}

int item_search_page(const struct catalogue *catalogue, const struct item_search *search, struct item_page *page,
                     struct error *error)
{
  page->count = 0;
  page->matched = -1;
  if (search->limit < 1 || search->limit > ITEM_SEARCH_MAX_LIMIT)
    return error_parameter(error, ERROR_QueryParameterInvalid, "limit", "wants a number from 1 to %d",
                           ITEM_SEARCH_MAX_LIMIT);
  return search_run(catalogue, search, work_page, page, error);
}

struct counting {
  int64_t most, *count;
};

static int work_count(void *data, struct search_plan *plan, struct error *error)
{
  const struct counting *counting = data;
  return search_count(plan, counting->most, counting->count, error);
}

int item_search_count(const struct catalogue *catalogue, const struct item_search *search, int64_t most, int64_t *count,
                      struct error *error)
{
  struct counting counting = {most, count};
  *count = 0;
  return search_run(catalogue, search, work_count, &counting, error);
}
