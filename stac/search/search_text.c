/* The statements of a search. Every value is bound; the text says only which kinds of things are asked, so that a
 * prepared statement serves the next search of its kind. */
#include "stac/search/search_plan.h"

#include "stac/search/property_index.h"

#include <stdlib.h>
#include <string.h>

void statement_text_free(struct statement_text *text)
{
  buffer_free(&text->text);
  free(text->values);
}

void statement_bind(struct statement_text *text, struct item_value value)
{
  if (text->count == text->room) {
    const size_t room = text->room ? 2 * text->room : 32;
    struct item_value *values = realloc(text->values, room * sizeof *values);
    if (!values) {
      text->failed = true;
      return;
    }
    text->values = values;
    text->room = room;
  }
  text->values[text->count++] = value;
}

sqlite3_stmt *statement_ready(struct index *index, const struct statement_text *text, struct error *error)
{
  if (text->failed || text->text.failed) {
    error_memory(error);
    return NULL;
  }
  sqlite3_stmt *statement = index_query(index, text->text.data, error);
  for (size_t i = 0; statement && i < text->count; i++) {
    const struct item_value *value = &text->values[i];
    if (value->kind == ITEM_VALUE_INTEGER)
      sqlite3_bind_int64(statement, (int)i + 1, value->integer);
    if (value->kind == ITEM_VALUE_REAL)
      sqlite3_bind_double(statement, (int)i + 1, value->real);
    if (value->kind == ITEM_VALUE_TEXT)
      sqlite3_bind_text(statement, (int)i + 1, value->text, -1, SQLITE_STATIC);
  }
  return statement;
}

static void add(struct statement_text *out, const char *text)
{
  buffer_text(&out->text, text);
}

static void add_integer(struct statement_text *out, const char *text, int64_t value)
{
  add(out, text);
  statement_bind(out, value_of_integer(value));
}

static void add_real(struct statement_text *out, const char *text, double value)
{
  add(out, text);
  statement_bind(out, value_of_real(value));
}

static void add_value(struct statement_text *out, const char *text, struct item_value value)
{
  add(out, text);
  statement_bind(out, value);
}

/* ---- conditions on a row ----------------------------------------------------------------------------------------- */

/* In the sense of lonlat.h: the same place has longitudes a circle apart. */
static void add_box(struct statement_text *out, const struct extent *box)
{
  add_real(out, " AND item.south <= ?", box->north);
  add_real(out, " AND item.north >= ?", box->south);
  for (int turn = -1; turn <= 1; turn++) {
    add_real(out, turn < 0 ? " AND ((item.west <= ?" : " OR (item.west <= ?", box->east + 360 * turn);
    add_real(out, " AND item.east >= ?)", box->west + 360 * turn);
  }
  add(out, ")");
}

static void add_heights(struct statement_text *out, const struct item_search *search)
{
  add(out, " AND (json_array_length(document.json, '$.bbox') IS NOT 6");
  add_real(out, " OR (json_extract(document.json, '$.bbox[2]') <= ?", search->highest);
  add_real(out, " AND json_extract(document.json, '$.bbox[5]') >= ?))", search->lowest);
}

static void add_conditions(struct statement_text *out, const struct search_plan *plan)
{
  const struct item_search *search = plan->search;
  const struct item_condition *condition = search->condition;
  if (search->has_end)
    add_integer(out, " AND item.first <= ?", plan->last);
  if (search->has_start)
    add_integer(out, " AND item.last >= ?", plan->first);
  if (plan->has_box)
    add_box(out, &plan->box);
  if (condition && condition->has_box && search->has_box)
    add_box(out, &condition->box);
  if (search->has_heights)
    add_heights(out, search);
  if (condition && condition->sql) {
    add(out, " AND ");
    add(out, condition->sql);
    for (size_t i = 0; i < condition->value_count; i++)
      statement_bind(out, condition->values[i]);
  }
  if (plan->probe || (condition && condition->accept))
    add(out, " AND item_accepted(document.json)");
}

/* ---- order ------------------------------------------------------------------------------------------------------- */

/* What the term is in SQL. Its path is bound each time. */
static void add_term(struct statement_text *out, const struct sort_term *term)
{
  static const char *const columns[] = {
      [SORT_INSTANT] = "item.instant", [SORT_ID] = "item.id", [SORT_COLLECTION] = "item.collection"};
  if (term->kind == SORT_PROPERTY)
    add_value(out, "json_extract(item_properties(document.json), ?)", value_of_text(term->path));
  else
    add(out, columns[term->kind]);
}

/* The same of a row that comes from the index of the property, in its words. */
static void add_indexed_term(struct statement_text *out, const struct sort_term *term)
{
  if (term->kind == SORT_PROPERTY)
    buffer_printf(&out->text, PROPERTY_INDEX_VALUE, term->name);
  else
    add(out, term->kind == SORT_ID ? PROPERTY_INDEX_ID : "item.collection");
}

/* Whether the term lies behind the value; null goes before everything where it ascends. */
static void add_behind(struct statement_text *out, const struct sort_term *term, const struct item_value *value)
{
  const bool is_null = value->kind == ITEM_VALUE_NULL;
  if (is_null && term->is_descending) {
    add(out, "0");
    return;
  }
  add(out, "(");
  add_term(out, term);
  if (is_null)
    add(out, " IS NOT NULL");
  else
    add_value(out, term->is_descending ? " < ?" : " > ?", *value);
  if (!is_null && term->is_descending && term->kind == SORT_PROPERTY) {
    add(out, " OR ");
    add_term(out, term);
    add(out, " IS NULL");
  }
  add(out, ")");
}

/* One of the terms lies behind its value, and those before it are equal. */
static void add_place(struct statement_text *out, const struct search_plan *plan)
{
  add(out, " AND (");
  for (size_t i = 0; i < plan->term_count; i++) {
    add(out, i ? " OR (" : "(");
    for (size_t k = 0; k < i; k++) {
      add_term(out, &plan->terms[k]);
      add_value(out, " IS ? AND ", plan->place[k]);
    }
    add_behind(out, &plan->terms[i], &plan->place[i]);
    add(out, ")");
  }
  add(out, ")");
}

/* What is the same of all rows is left out where an index has the order of the others. */
static void add_order(struct statement_text *out, const struct search_plan *plan, enum search_way way, size_t most)
{
  const size_t first = way == WAY_SORTED_TIED || way == WAY_SORTED_NULL;
  const size_t count = way_is_sorted(way) ? 2 : plan->term_count;
  add(out, " ORDER BY ");
  for (size_t i = first; i < count; i++) {
    static const char *const columns[MOST_TERMS] = {"2", "3", "4", "5", "6", "7", "8", "9", "10", "11"};
    add(out, i > first ? ", " : "");
    add(out, columns[i]);
    add(out, plan->terms[i].is_descending ? " DESC" : " ASC");
  }
  add_integer(out, " LIMIT ?", (int64_t)most);
}

/* ---- sources of rows --------------------------------------------------------------------------------------------- */

static void add_source(struct statement_text *out, const struct search_plan *plan, enum search_way way,
                       bool with_documents)
{
  add(out, " FROM ");
  if (way == WAY_RANGE || way_is_sorted(way)) {
    buffer_printf(&out->text, PROPERTY_INDEX_TABLE, way == WAY_RANGE ? plan->range->property : plan->sorted_by);
    add(out, " CROSS JOIN items AS item ON item.key = document.key");
    return;
  }
  if (way == WAY_TREE) {
    add_value(out, "json_each(?) AS met CROSS JOIN items AS item ON item.key = met.value",
              value_of_text(plan->met_list));
  } else {
    static const char *const tables[] = {[WAY_DATES] = "items AS item INDEXED BY items_date",
                                         [WAY_TIED] = "items AS item INDEXED BY items_date",
                                         [WAY_IDS] = "items AS item INDEXED BY items_id",
                                         [WAY_ALL] = "items AS item"};
    add(out, tables[way]);
  }
  if (with_documents)
    add(out, " CROSS JOIN documents AS document ON document.key = item.key");
}

static void add_collections(struct statement_text *out, const struct search_plan *plan)
{
  if (plan->collection_list && plan->collection_count == 1)
    add_integer(out, " AND item.collection = ?", plan->collections[0].key);
  else if (plan->collection_list)
    add_value(out, " AND item.collection IN (SELECT value FROM json_each(?))", value_of_text(plan->collection_list));
}

/* A value without a type of its own: that of a column would be a text, which the index does not have. */
static void add_named(struct statement_text *out, const struct searched_collection *of)
{
  add_integer(out, " AND " PROPERTY_INDEX_COLLECTION " = (SELECT +id FROM collections WHERE key = ?)", of->key);
}

static void add_names(struct statement_text *out, const struct search_plan *plan)
{
  add(out, " AND " PROPERTY_INDEX_COLLECTION
           " IN (SELECT value FROM json_each((SELECT json_group_array(id) FROM collections");
  if (plan->collection_list)
    add_value(out, " WHERE key IN (SELECT value FROM json_each(?))", value_of_text(plan->collection_list));
  add(out, ")))");
}

static void add_range(struct statement_text *out, const struct item_range *range)
{
  const struct item_value *ends[] = {&range->low, &range->high};
  for (int i = 0; i < 2; i++) {
    if (ends[i]->kind == ITEM_VALUE_NULL)
      continue;
    buffer_printf(&out->text, " AND " PROPERTY_INDEX_VALUE, range->property);
    add_value(out, i ? " <= ?" : " >= ?", *ends[i]);
  }
}

/* The range of the condition over the property that is sorted by; NULL: it has none. */
static const struct item_range *sorted_range(const struct search_plan *plan)
{
  const struct item_condition *condition = plan->search->condition;
  for (size_t i = 0; condition && i < condition->range_count; i++)
    if (strcmp(condition->ranges[i].property, plan->sorted_by) == 0)
      return &condition->ranges[i];
  return NULL;
}

/* Of one collection, by the index of a property, in which null goes before numbers, and these before texts. */
static void add_sorted(struct statement_text *out, const struct search_plan *plan, enum search_way way,
                       const struct searched_collection *of)
{
  const bool descends = plan->terms[0].is_descending;
  const struct item_value *value = &plan->place[0];
  const struct item_range *range = sorted_range(plan);
  add_named(out, of);
  if (way == WAY_SORTED && range)
    add_range(out, range);
  if (way == WAY_SORTED && !plan->has_place)
    return;
  buffer_printf(&out->text, " AND " PROPERTY_INDEX_VALUE, plan->sorted_by);
  if (way == WAY_SORTED) {
    if (value->kind == ITEM_VALUE_NULL)
      add(out, descends ? " < NULL" : " >= -9e999"); /* any number or text */
    else
      add_value(out, descends ? " < ?" : " > ?", *value);
    return;
  }
  if (way == WAY_SORTED_NULL || value->kind == ITEM_VALUE_NULL)
    add(out, " IS NULL");
  else
    add_value(out, " = ?", *value);
  if (way == WAY_SORTED_NULL)
    return;
  const bool takes_equal = descends ? of->key < plan->place[2].integer : of->key > plan->place[2].integer;
  add(out, descends ? " AND " PROPERTY_INDEX_ID " <" : " AND " PROPERTY_INDEX_ID " >");
  add_value(out, takes_equal ? "= ?" : " ?", plan->place[1]);
}

/* Of the instant of the place: what lies behind its id; of equal ids the key of the collection decides. */
static void add_tied(struct statement_text *out, const struct search_plan *plan, const struct searched_collection *of)
{
  const bool descends = plan->terms[0].is_descending;
  const bool takes_equal = descends ? of->key < plan->place[2].integer : of->key > plan->place[2].integer;
  add_integer(out, " AND item.collection = ?", of->key);
  add_value(out, " AND item.instant = ?", plan->place[0]);
  add(out, descends ? " AND item.id <" : " AND item.id >");
  add_value(out, takes_equal ? "= ?" : " ?", plan->place[1]);
}

/* Of one collection, by its index: the instants that items of the interval may have, behind that of the place. */
static void add_dates(struct statement_text *out, const struct search_plan *plan, const struct searched_collection *of,
                      const int64_t *bound)
{
  const bool descends = plan->terms[0].is_descending;
  int64_t low = plan->first > -INDEX_FAR + of->span ? plan->first - of->span : -INDEX_FAR;
  int64_t high = plan->last < INDEX_FAR - of->span ? plan->last + of->span : INDEX_FAR;
  if (bound && descends)
    low = *bound > low ? *bound : low;
  if (bound && !descends)
    high = *bound < high ? *bound : high;
  if (plan->has_place && descends && plan->place[0].integer - 1 < high)
    high = plan->place[0].integer - 1;
  if (plan->has_place && !descends && plan->place[0].integer + 1 > low)
    low = plan->place[0].integer + 1;
  add_integer(out, " AND item.collection = ?", of->key);
  add_integer(out, " AND item.instant >= ?", low);
  add_integer(out, " AND item.instant <= ?", high);
}

/* What is looked for in all collections at once. */
static void add_searched(struct statement_text *out, const struct search_plan *plan, enum search_way way)
{
  if (way == WAY_RANGE) {
    add_names(out, plan);
    add_range(out, plan->range);
  } else {
    add_collections(out, plan);
  }
}

void search_text_places(const struct search_plan *plan, enum search_way way, const struct searched_collection *of,
                        const int64_t *bound, size_t most, struct statement_text *out)
{
  add(out, "SELECT item.key");
  for (size_t i = 0; i < plan->term_count; i++) {
    add(out, ", ");
    (way_is_sorted(way) ? add_indexed_term : add_term)(out, &plan->terms[i]);
  }
  add_source(out, plan, way, plan->needs_document || plan->sorts_document);
  add(out, " WHERE 1");
  if (way == WAY_DATES)
    add_dates(out, plan, of, bound);
  else if (way == WAY_TIED)
    add_tied(out, plan, of);
  else if (way_is_sorted(way))
    add_sorted(out, plan, way, of);
  else
    add_searched(out, plan, way);
  if (plan->id_list)
    add_value(out, " AND item.id IN (SELECT value FROM json_each(?))", value_of_text(plan->id_list));
  add_conditions(out, plan);
  if (plan->has_place && of == NULL)
    add_place(out, plan);
  if (most > 0)
    add_order(out, plan, way, most);
}

void search_text_count(const struct search_plan *plan, enum search_way way, int64_t most, struct statement_text *out)
{
  add(out, "SELECT count(*) FROM (SELECT item.key");
  add_source(out, plan, way, plan->needs_document);
  add(out, " WHERE 1");
  add_searched(out, plan, way);
  if (plan->id_list)
    add_value(out, " AND item.id IN (SELECT value FROM json_each(?))", value_of_text(plan->id_list));
  add_conditions(out, plan);
  add_integer(out, " LIMIT ?)", most);
}

void search_text_date_count(const struct search_plan *plan, const struct searched_collection *of, int64_t most,
                            struct statement_text *out)
{
  add(out, "SELECT count(*) FROM (SELECT 1");
  add_source(out, plan, WAY_DATES, false);
  add(out, " WHERE 1");
  add_dates(out, plan, of, NULL);
  add_integer(out, " LIMIT ?)", most);
}

void search_text_range_count(const struct search_plan *plan, const struct item_range *range, int64_t most,
                             struct statement_text *out)
{
  add(out, "SELECT count(*) FROM (SELECT 1 FROM ");
  buffer_printf(&out->text, PROPERTY_INDEX_TABLE, range->property);
  add(out, " WHERE 1");
  add_names(out, plan);
  add_range(out, range);
  add_integer(out, " LIMIT ?)", most);
}
