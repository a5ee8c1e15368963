/* Items month by month, as the index of dates tells them: it is asked for the first item of a month, then how many lie
 * up to the month's end. Documents are not read. */
#include "stac/search/search_plan.h"

#include "datacube/base/instant.h"

#include <stdio.h>
#include <string.h>

static const char first_text[] = "SELECT min(instant) FROM items INDEXED BY items_date"
                                 " WHERE collection = ?1 AND instant >= ?2 AND instant <= ?3";
static const char last_text[] = "SELECT max(instant) FROM items INDEXED BY items_date"
                                " WHERE collection = ?1 AND instant >= ?2 AND instant <= ?3";
static const char count_text[] = "SELECT count(*) FROM items INDEXED BY items_date"
                                 " WHERE collection = ?1 AND instant >= ?2 AND instant <= ?3";

struct month_walk {
  struct search_plan *plan;
  struct item_months *months;
  int64_t collection; /* its key */
  char id[1024];      /* and its id */
};

/* Whether all items of the collection have dates. */
static int read_collection(struct month_walk *walk, const struct searched_collection *of, bool *is_dated,
                           struct error *error)
{
  struct index *index = walk->plan->index;
  sqlite3_stmt *row = index_query(index, "SELECT id, dates FROM collections WHERE key = ?1", error);
  if (!row)
    return -1;
  sqlite3_bind_int64(row, 1, of->key);
  const int found = index_step(index, row, error);
  const char *id = found == 1 ? (const char *)sqlite3_column_text(row, 0) : NULL;
  *is_dated = id && strlen(id) < sizeof walk->id && sqlite3_column_int64(row, 1) > 0;
  snprintf(walk->id, sizeof walk->id, "%s", *is_dated ? id : "");
  walk->collection = of->key;
  index_done(row);
  return found < 0 ? -1 : 0;
}

/* What the statement says of the instants from `first` to `last`: 1, 0 where there are none, or -1. */
static int ask(struct month_walk *walk, const char *text, int64_t first, int64_t last, int64_t *out,
               struct error *error)
{
  sqlite3_stmt *row = index_query(walk->plan->index, text, error);
  if (!row)
    return -1;
  sqlite3_bind_int64(row, 1, walk->collection);
  sqlite3_bind_int64(row, 2, first);
  sqlite3_bind_int64(row, 3, last);
  const int found = index_step(walk->plan->index, row, error);
  const bool is_null = found == 1 && sqlite3_column_type(row, 0) == SQLITE_NULL;
  *out = found == 1 ? sqlite3_column_int64(row, 0) : 0;
  index_done(row);
  return found == 1 ? !is_null : found;
}

static int64_t end_of_month(int64_t instant)
{
  const struct civil civil = instant_civil(instant, CALENDAR_GREGORIAN);
  const struct civil next = {.year = civil.year, .month = civil.month + 1, .day = 1};
  return instant_from_civil(next, CALENDAR_GREGORIAN) - 1;
}

static int walk_collection(struct month_walk *walk, struct error *error)
{
  const struct search_plan *plan = walk->plan;
  struct item_month month = {.collection = walk->id, .last = plan->first - 1};
  int more;
  while ((more = ask(walk, first_text, month.last + 1, plan->last, &month.first, error)) == 1) {
    /* each statement is short: none of them looks at the clock */
    if (plan->is_over(plan->patience))
      return error_set(error, ERROR_RequestTimeout, "the search took too long, or was cancelled");
    const int64_t end = end_of_month(month.first), last = end < plan->last ? end : plan->last;
    if (ask(walk, count_text, month.first, last, &month.count, error) < 0 ||
        ask(walk, last_text, month.first, last, &month.last, error) < 0 ||
        walk->months->take(walk->months->data, &month, error) != 0)
      return -1;
  }
  return more;
}

static int work(void *data, struct search_plan *plan, struct error *error)
{
  struct item_months *months = data;
  struct month_walk walk = {.plan = plan, .months = months};
  bool is_dated = search_is_told_by_dates(plan);
  for (size_t i = 0; i < plan->collection_count && is_dated; i++)
    if (plan->collections[i].items > 0 && read_collection(&walk, &plan->collections[i], &is_dated, error) != 0)
      return -1;
  months->are_told = is_dated;
  for (size_t i = 0; i < plan->collection_count && months->are_told; i++)
    if (plan->collections[i].items > 0 &&
        (read_collection(&walk, &plan->collections[i], &is_dated, error) != 0 || walk_collection(&walk, error) != 0))
      return -1;
  return 0;
}

int item_search_months(const struct catalogue *catalogue, const struct item_search *search, struct item_months *months,
                       struct error *error)
{
  months->are_told = false;
  return search_run(catalogue, search, work, months, error);
}
