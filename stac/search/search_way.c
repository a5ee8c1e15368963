/* Which way a search goes: a few rows of indexes are counted, and nothing of documents is read. */
#include "stac/search/search_plan.h"

#include "stac/search/property_index.h"

#include <math.h>
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

/* Whether fewer boxes of the search tree are met than is worth it. */
static int try_tree(struct search_plan *plan, int64_t most, enum search_way *way, struct error *error)
{
  const struct item_condition *condition = plan->search->condition;
  struct statement_text text = {0};
  int64_t even = worth(plan, most), met = 0;
  if (plan->probe || (condition && (condition->sql || condition->accept)) || *way == WAY_ALL)
    even = at_least(plan, even, MOST_COUNTED);
  search_text_tree_count(plan, even, &text);
  int result = search_read_number(plan->index, &text, &met, error);
  statement_text_free(&text);
  if (met < even)
    *way = WAY_TREE;
  return result;
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
  const bool is_timed = (search->has_start || search->has_end) && (longest_span(plan) > 0 || !plan->is_by_date);
  if ((plan->has_box || is_timed) && try_tree(plan, most, out, error) != 0)
    return -1;
  return *out != WAY_TREE && search->condition && search->condition->range_count ? try_ranges(plan, most, out, error)
                                                                                 : 0;
}
