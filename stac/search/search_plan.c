/* Reading a search: its collections, order, interval and boxes. */
#include "stac/search/search_plan.h"

#include "stac/search/property_index.h"

#include "datacube/geometry_probe.h"
#include "datacube/lonlat.h"

#include <stdlib.h>
#include <string.h>

/* ---- order ------------------------------------------------------------------------------------------------------- */

static const char *bare_name(const char *property)
{
  static const char prefix[] = "properties.";
  return strncmp(property, prefix, strlen(prefix)) == 0 ? property + strlen(prefix) : property;
}

/* A name in quotes in a path of JSON; what would end the quotes cannot be said there. */
static int read_term(struct search_plan *plan, const struct item_sort *sort, struct error *error)
{
  const char *name = bare_name(sort->property);
  struct sort_term term = {.kind = SORT_PROPERTY, .is_descending = sort->is_descending};
  if (strcmp(name, "datetime") == 0)
    term.kind = SORT_INSTANT;
  else if (strcmp(name, "id") == 0)
    term.kind = SORT_ID;
  else if (strcmp(name, "collection") == 0)
    term.kind = SORT_COLLECTION;
  else if (*name == '\0' || strlen(name) > 250 || strpbrk(name, "\"\\"))
    return error_parameter(error, ERROR_QueryParameterInvalid, "sortby", "'%.250s' is no property to sort by", name);
  else if (!(term.name = arena_strdup(plan->arena, name)) || !(term.path = arena_printf(plan->arena, "$.\"%s\"", name)))
    return error_memory(error);
  plan->terms[plan->term_count++] = term;
  return 0;
}

static bool has_term(const struct search_plan *plan, enum sort_kind kind)
{
  for (size_t i = 0; i < plan->term_count; i++)
    if (plan->terms[i].kind == kind)
      return true;
  return false;
}

static int read_order(struct search_plan *plan, struct error *error)
{
  static const struct item_sort by_date = {"datetime", true};
  const struct item_search *search = plan->search;
  const struct item_sort *sort = search->sort_count ? search->sort : &by_date;
  const size_t count = search->sort_count ? search->sort_count : 1;
  if (count > ITEM_SEARCH_MAX_SORT)
    return error_parameter(error, ERROR_QueryParameterInvalid, "sortby", "at most %d keys are sorted by",
                           ITEM_SEARCH_MAX_SORT);
  for (size_t i = 0; i < count; i++)
    if (read_term(plan, &sort[i], error) != 0)
      return -1;
  static const enum sort_kind ties[] = {SORT_ID, SORT_COLLECTION};
  for (size_t i = 0; i < 2; i++)
    if (!has_term(plan, ties[i]))
      plan->terms[plan->term_count++] =
          (struct sort_term){.kind = ties[i], .is_descending = plan->terms[0].is_descending};
  static const enum sort_kind by_dates[] = {SORT_INSTANT, SORT_ID, SORT_COLLECTION};
  plan->is_by_date = plan->term_count == 3;
  for (size_t i = 0; i < plan->term_count; i++) {
    const struct sort_term *term = &plan->terms[i];
    plan->is_by_date =
        plan->is_by_date && term->kind == by_dates[i] && term->is_descending == plan->terms[0].is_descending;
    plan->sorts_document = plan->sorts_document || term->kind == SORT_PROPERTY;
  }
  return 0;
}

/* Whether the order is that of an index: one property first, and the ties go the same way. */
static int find_sorted_by(struct search_plan *plan, struct error *error)
{
  static const enum sort_kind kinds[] = {SORT_PROPERTY, SORT_ID, SORT_COLLECTION};
  bool there = plan->term_count == 3;
  for (size_t i = 0; i < plan->term_count && there; i++)
    there = plan->terms[i].kind == kinds[i] && plan->terms[i].is_descending == plan->terms[0].is_descending;
  if (!there || !property_name_is_plain(plan->terms[0].name))
    return 0;
  if (property_index_find(plan->index, plan->terms[0].name, &there, error) != 0)
    return -1;
  plan->sorted_by = there ? plan->terms[0].name : NULL;
  return 0;
}

/* ---- collections ------------------------------------------------------------------------------------------------- */

static int add_collection(struct search_plan *plan, size_t *room, struct searched_collection row, struct error *error)
{
  for (size_t i = 0; plan->search->collection_count && i < plan->collection_count; i++)
    if (plan->collections[i].key == row.key)
      return 0; /* named twice */
  struct searched_collection *grown =
      arena_grow(plan->arena, plan->collections, plan->collection_count, room, sizeof *grown);
  if (!grown)
    return error_memory(error);
  plan->collections = grown;
  plan->collections[plan->collection_count++] = row;
  plan->items += row.items;
  return 0;
}

/* Whether some items belong to collections that are not shown. */
static int find_hidden(struct search_plan *plan, bool *out, struct error *error)
{
  sqlite3_stmt *row = index_statement(plan->index, STATEMENT_ANY_HIDDEN, error);
  const int more = row ? index_step(plan->index, row, error) : -1;
  *out = more == 1 && sqlite3_column_int(row, 0) != 0;
  index_done(row);
  return more < 0 ? -1 : 0;
}

static int read_all_collections(struct search_plan *plan, size_t *room, struct error *error)
{
  sqlite3_stmt *row = index_statement(plan->index, STATEMENT_EXTENTS, error);
  int more = row ? 1 : -1;
  while (more == 1 && (more = index_step(plan->index, row, error)) == 1) {
    const struct searched_collection collection = {sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1),
                                                   sqlite3_column_int64(row, 2)};
    if (add_collection(plan, room, collection, error) != 0)
      more = -1;
  }
  index_done(row);
  return more;
}

static int read_collection(struct search_plan *plan, size_t *room, const char *id, struct error *error)
{
  sqlite3_stmt *row = index_statement(plan->index, STATEMENT_EXTENT, error);
  if (!row)
    return -1;
  sqlite3_bind_text(row, 1, id, -1, SQLITE_STATIC);
  int found = index_step(plan->index, row, error);
  const struct searched_collection collection = {sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1),
                                                 sqlite3_column_int64(row, 2)};
  index_done(row);
  return found == 1 ? add_collection(plan, room, collection, error) : found;
}

static int compare_collections(const void *left, const void *right)
{
  const struct searched_collection *a = left, *b = right;
  return a->key < b->key ? -1 : a->key > b->key;
}

static int list_collections(struct search_plan *plan, struct error *error)
{
  struct buffer list = {0};
  if (plan->collection_count)
    qsort(plan->collections, plan->collection_count, sizeof *plan->collections, compare_collections);
  buffer_text(&list, "[");
  for (size_t i = 0; i < plan->collection_count; i++)
    buffer_printf(&list, "%s%lld", i ? "," : "", (long long)plan->collections[i].key);
  buffer_text(&list, "]");
  plan->collection_list = list.failed ? NULL : arena_strdup(plan->arena, list.data);
  buffer_free(&list);
  return plan->collection_list ? 0 : error_memory(error);
}

static int read_collections(struct search_plan *plan, struct error *error)
{
  const struct item_search *search = plan->search;
  size_t room = 0;
  if (search->collection_count == 0) {
    bool hides;
    if (read_all_collections(plan, &room, error) != 0 || find_hidden(plan, &hides, error) != 0)
      return -1;
    return hides ? list_collections(plan, error) : 0;
  }
  for (size_t i = 0; i < search->collection_count; i++)
    if (read_collection(plan, &room, search->collections[i], error) != 0)
      return -1;
  return list_collections(plan, error);
}

static int list_ids(struct search_plan *plan, struct error *error)
{
  const struct item_search *search = plan->search;
  struct buffer list = {0};
  struct json_writer w = {.out = &list};
  if (search->id_count == 0)
    return 0;
  json_write_array(&w);
  for (size_t i = 0; i < search->id_count; i++)
    json_write_string(&w, search->ids[i]);
  json_end_array(&w);
  plan->id_list = list.failed ? NULL : arena_strdup(plan->arena, list.data);
  buffer_free(&list);
  return plan->id_list ? 0 : error_memory(error);
}

/* ---- time and place ---------------------------------------------------------------------------------------------- */

static int64_t within_reach(int64_t instant)
{
  return instant < -INDEX_FAR ? -INDEX_FAR : instant > INDEX_FAR ? INDEX_FAR : instant;
}

static int judge_item(void *data, const char *document, size_t length, struct error *error)
{
  const struct search_plan *plan = data;
  const struct item_condition *condition = plan->search->condition;
  size_t from, to;
  if (plan->is_over && plan->is_over(plan->patience)) /* one may take so long that the statement's own look is late */
    return error_set(error, ERROR_RequestTimeout, "the search took too long, or was cancelled");
  if (plan->probe) {
    if (!item_text_member(document, length, "geometry", &from, &to))
      return 0;
    from += strlen("\"geometry\"");
    from += strspn(document + from, " \t\r\n:");
    char *geometry = strndup(document + from, to - from);
    if (!geometry)
      return error_memory(error);
    const bool met = geometry_probe_meets(plan->probe, geometry);
    free(geometry);
    if (!met)
      return 0;
  }
  return condition && condition->accept ? condition->accept(condition->data, document, length, error) : 1;
}

static int read_place(struct search_plan *plan, struct error *error)
{
  const struct item_search *search = plan->search;
  const struct item_condition *condition = search->condition;
  plan->first = within_reach(search->has_start ? search->start : -INDEX_FAR);
  plan->last = within_reach(search->has_end ? search->end : INDEX_FAR);
  if (search->intersects) {
    struct error reason = {0};
    if (geometry_probe_new(search->intersects, &plan->probe, &reason) != 0)
      return error_parameter(error, ERROR_QueryParameterInvalid, "intersects", "%s", reason.message);
    const struct extent bounds = geometry_probe_bounds(plan->probe);
    plan->box = lonlat_normal(&bounds);
  } else if (condition && condition->has_box) {
    plan->box = condition->box;
  }
  if (search->has_box)
    plan->box = search->box;
  plan->has_box = search->has_box || search->intersects || (condition && condition->has_box);
  plan->needs_document = plan->probe || search->has_heights || (condition && (condition->sql || condition->accept));
  plan->judge = (struct index_judge){.accept = judge_item, .data = plan, .error = error};
  return 0;
}

int search_plan_make(struct index *index, const struct item_search *search, struct search_plan *out,
                     struct error *error)
{
  *out = (struct search_plan){.search = search, .index = index, .arena = arena_new(0), .matched = -1};
  if (!out->arena)
    return error_memory(error);
  if (read_order(out, error) != 0 || find_sorted_by(out, error) != 0 || read_collections(out, error) != 0 ||
      list_ids(out, error) != 0 || read_place(out, error) != 0)
    return -1;
  return search->token ? search_token_read(out, search->token, error) : 0;
}

void search_plan_free(struct search_plan *plan)
{
  geometry_probe_free(plan->probe);
  if (plan->arena)
    arena_free(plan->arena);
}
