/* Which way a search goes: a few rows of indexes are counted, and nothing of documents is read. */
#include "stac/search/search_plan.h"

#include "stac/index_tree.h"
#include "stac/search/property_index.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A condition decides item by item: how many may have to be looked at cannot be told from the index. */
enum { MOST_COUNTED = 20000, MOST_IN_RANGE = 5000, COUNTED_SHARE = 4 };

int search_read_number(struct index *index, const struct statement_text *text, int64_t *out, struct error *error)
{
  sqlite3_stmt *row = statement_ready(index, text, error);
  if (!row)
    return -1;
  int more = index_step(index, row, error);
  if (more == 1)
    *out = sqlite3_column_int64(row, 0);
  index_done(row);
  return more == 1 ? 0 : -1;
}

static int64_t longest_span(const struct search_plan *plan)
{
  int64_t span = 0;
  for (size_t i = 0; i < plan->collection_count; i++)
    span = plan->collections[i].span > span ? plan->collections[i].span : span;
  return span;
}

bool search_is_told_by_dates(const struct search_plan *plan)
{
  const struct item_search *search = plan->search;
  return (!(search->has_start || search->has_end) || longest_span(plan) == 0) && !plan->has_box && !plan->has_place &&
         !search->id_count && !search->condition && !search->has_heights;
}

/* How many items are worth being looked at out of order, so that a page of `most` need not be looked for in it. */
static int64_t worth(const struct search_plan *plan, int64_t most)
{
  return (int64_t)sqrt((double)plan->items * (double)most) + 1;
}

static int64_t at_least(const struct search_plan *plan, int64_t count, int64_t most)
{
  const int64_t share = plan->items / COUNTED_SHARE + 1, least = share < most ? share : most;
  return count > least ? count : least;
}

/* Of the part of the box between these longitudes, which are in [-180, 180]. What has no place lies beyond the pole. */
static int read_part(struct search_plan *plan, double west, double east, size_t most, struct tree_keys *out,
                     struct error *error)
{
  const struct searched_collection *first = plan->collections, *last = first + plan->collection_count - 1;
  struct tree_query query = {.low = {west, -HUGE_VAL, -HUGE_VAL, (double)plan->first / INDEX_TIME_UNIT},
                             .high = {east, HUGE_VAL, HUGE_VAL, (double)plan->last / INDEX_TIME_UNIT}};
  if (plan->has_box) {
    query.low[1] = plan->box.south;
    query.high[1] = plan->box.north;
  }
  if (plan->collection_list) {
    query.low[2] = (double)first->key;
    query.high[2] = (double)last->key;
  }
  return index_tree_find(plan->index, plan->arena, &query, most, out, error);
}

/* Keys of what meets box and interval, up to `most`; some may come twice. */
static int read_met(struct search_plan *plan, size_t most, struct tree_keys *out, struct error *error)
{
  const struct extent box = plan->has_box ? plan->box : (struct extent){-180, -90, 180, 90, NULL};
  if (read_part(plan, box.west, box.east < 180 ? box.east : 180, most, out, error) != 0)
    return -1;
  return box.east > 180 ? read_part(plan, -180, box.east - 360, most, out, error) : 0;
}

static int compare_keys(const void *left, const void *right)
{
  const int64_t *a = left, *b = right;
  return (*a > *b) - (*a < *b);
}

/* In the order in which their rows lie, each once. */
static int list_met(struct search_plan *plan, const struct tree_keys *met, struct error *error)
{
  struct buffer list = {0};
  struct json_writer w = {.out = &list};
  if (met->count)
    qsort(met->all, met->count, sizeof *met->all, compare_keys);
  json_write_array(&w);
  for (size_t i = 0; i < met->count; i++)
    if (i == 0 || met->all[i] != met->all[i - 1])
      json_write_integer(&w, met->all[i]);
  json_end_array(&w);
  plan->met_count = (int64_t)met->count;
  plan->met_list = list.failed ? NULL : arena_strdup(plan->arena, list.data);
  buffer_free(&list);
  return plan->met_list ? 0 : error_memory(error);
}

/* Whether fewer boxes of the search tree are met than is worth it. They are asked for once: what comes is kept. */
static int try_tree(struct search_plan *plan, int64_t most, enum search_way *way, struct error *error)
{
  const struct item_condition *condition = plan->search->condition;
  struct tree_keys met = {0};
  int64_t even = worth(plan, most);
  if (plan->probe || (condition && (condition->sql || condition->accept)) || *way == WAY_ALL)
    even = at_least(plan, even, MOST_COUNTED);
  if (!plan->met_list && (read_met(plan, (size_t)even, &met, error) != 0 ||
                          ((int64_t)met.count < even && list_met(plan, &met, error) != 0)))
    return -1;
  if (plan->met_list)
    *way = WAY_TREE;
  return 0;
}

/* The same of ranges of properties that have an index; the smallest one is the way. Not the one whose property the
 * search is sorted by: it is gone through in order. */
static int try_ranges(struct search_plan *plan, int64_t most, enum search_way *way, struct error *error)
{
  const struct item_condition *condition = plan->search->condition;
  int64_t even = worth(plan, most);
  if (*way == WAY_ALL)
    even = at_least(plan, even, MOST_COUNTED);
  else if (!condition->is_range)
    even = at_least(plan, even, MOST_IN_RANGE);
  for (size_t i = 0; i < condition->range_count; i++) {
    const struct item_range *range = &condition->ranges[i];
    struct statement_text text = {0};
    bool there = false;
    int64_t met = 0;
    if (*way == WAY_SORTED && strcmp(range->property, plan->sorted_by) == 0)
      continue;
    if (property_index_find(plan->index, range->property, &there, error) != 0)
      return -1;
    if (!there)
      continue;
    search_text_range_count(plan, range, even, &text);
    const int result = search_read_number(plan->index, &text, &met, error);
    statement_text_free(&text);
    if (result != 0)
      return -1;
    if (met < even) {
      even = met;
      plan->range = range;
      plan->met_count = met;
    }
  }
  *way = plan->range ? WAY_RANGE : *way;
  return 0;
}

int search_choose_way(struct search_plan *plan, int64_t most, bool in_order, enum search_way *out, struct error *error)
{
  const struct item_search *search = plan->search;
  plan->range = NULL;
  *out = search->id_count   ? WAY_IDS
         : !in_order        ? WAY_ALL
         : plan->is_by_date ? WAY_DATES
         : plan->sorted_by  ? WAY_SORTED
                            : WAY_ALL;
  if (*out == WAY_IDS)
    return 0;
  const bool is_timed =
      (search->has_start || search->has_end) && (!in_order || longest_span(plan) > 0 || !plan->is_by_date);
  if ((plan->has_box || is_timed) && try_tree(plan, most, out, error) != 0)
    return -1;
  return *out != WAY_TREE && search->condition && search->condition->range_count ? try_ranges(plan, most, out, error)
                                                                                 : 0;
}
