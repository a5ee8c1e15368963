#include "stac/cql2/cql2_condition.h"
#include "stac/cql2/cql2_sql.h"

#include "datacube/geometry_operations.h"
#include "datacube/lonlat.h"
#include "stac/search/property_index.h"

#include <math.h>
#include <string.h>

/* ---- on documents ------------------------------------------------------------------------------------------------ */

static int accept_document(void *data, const char *document, size_t length, struct error *error)
{
  struct cql2_tester *tester = data;
  enum cql2_truth truth = CQL2_UNKNOWN;
  json_t *item = json_loadb(document, length, 0, NULL);
  int status = item ? cql2_test(tester, item, &truth, error) : 0; /* what is no document is not wanted */
  json_decref(item);
  return status != 0 ? -1 : truth == CQL2_TRUE;
}

static void free_tester(void *tester)
{
  cql2_tester_free(tester);
}

static int add_tester(struct arena *arena, const struct cql2_filter *filter, struct item_condition *out,
                      struct error *error)
{
  struct cql2_tester *tester = cql2_tester_new(filter, error);
  if (!tester)
    return -1;
  if (arena_on_free(arena, free_tester, tester) != 0)
    return error_memory(error);
  out->accept = accept_document;
  out->data = tester;
  return 0;
}

/* ---- place ------------------------------------------------------------------------------------------------------- */

/* Operands of the outermost "and", or the filter itself, one after the other. */
static const struct cql2_node *part_at(const struct cql2_filter *filter, size_t i)
{
  const struct cql2_node *root = filter->root;
  const bool is_and = root->kind == CQL2_OPERATION && root->op == CQL2_AND;
  if (!is_and)
    return i == 0 ? root : NULL;
  return i < root->count ? root->parts[i] : NULL;
}

static bool is_property(const struct cql2_node *node, const char *name)
{
  return node->kind == CQL2_PROPERTY && strcmp(node->text, name) == 0;
}

/* Relations of the item's geometry and a literal that hold only where their boxes meet. */
static const struct cql2_node *literal_shape(const struct cql2_node *part)
{
  if (part->kind != CQL2_OPERATION || cql2_ops[part->op].family != CQL2_FAMILY_SPATIAL || part->op == CQL2_S_DISJOINT)
    return NULL;
  for (size_t i = 0; i < 2; i++)
    if (part->parts[i]->kind == CQL2_GEOMETRY && is_property(part->parts[!i], "geometry"))
      return part->parts[i];
  return NULL;
}

static void find_box(const struct cql2_filter *filter, struct item_condition *out)
{
  const struct cql2_node *part;
  for (size_t i = 0; (part = part_at(filter, i)) && !out->has_box; i++) {
    const struct cql2_node *shape = literal_shape(part);
    struct extent bounds;
    if (!shape || !geometry_bounds(&shape->shape->items[0], &bounds) || bounds.west < -180 || bounds.east > 180)
      continue; /* shapes are compared in the plane: what lies outside of it is met by none that is turned */
    out->box = lonlat_normal(&bounds);
    out->has_box = true;
  }
}

/* ---- ranges ------------------------------------------------------------------------------------------------------ */

/* Integers beyond are no doubles, and may be on either side of one. */
static const double exact_integers = 9007199254740992.0;

/* False: no literal that an index has its place for. */
static bool literal_value(const struct cql2_node *node, struct item_value *out)
{
  if (node->kind == CQL2_NUMBER && fabs(node->number) < exact_integers)
    *out = (struct item_value){.kind = ITEM_VALUE_REAL, .real = node->number};
  else if (node->kind == CQL2_TEXT)
    *out = (struct item_value){.kind = ITEM_VALUE_TEXT, .text = node->text};
  else
    return false;
  return true;
}

/* The least and the greatest of a type; of texts there is no greatest one. */
static struct item_value end_of(enum cql2_kind kind, bool high)
{
  if (kind == CQL2_NUMBER)
    return (struct item_value){.kind = ITEM_VALUE_REAL, .real = high ? HUGE_VAL : -HUGE_VAL};
  return high ? (struct item_value){.kind = ITEM_VALUE_NULL} : (struct item_value){.kind = ITEM_VALUE_TEXT, .text = ""};
}

static bool lies_before(const struct item_value *a, const struct item_value *b)
{
  return a->kind == ITEM_VALUE_TEXT ? strcmp(a->text, b->text) < 0 : a->real < b->real;
}

/* From the least to the greatest of a list of literals of one type. */
static bool list_range(const struct cql2_node *list, struct item_range *out)
{
  for (size_t i = 0; i < list->count; i++) {
    struct item_value value;
    if (!literal_value(list->parts[i], &value) || (i > 0 && value.kind != out->low.kind))
      return false;
    if (i == 0 || lies_before(&value, &out->low))
      out->low = value;
    if (i == 0 || lies_before(&out->high, &value))
      out->high = value;
  }
  return list->count > 0;
}

/* property OP literal: a range in which lies what it holds for. */
static bool read_range(const struct cql2_node *part, struct item_range *out)
{
  if (part->kind != CQL2_OPERATION || cql2_ops[part->op].family != CQL2_FAMILY_COMPARISON || part->count < 2 ||
      part->parts[0]->kind != CQL2_PROPERTY || cql2_is_own(part->parts[0]->text) ||
      !property_name_is_plain(part->parts[0]->text))
    return false;
  *out = (struct item_range){.property = part->parts[0]->text};
  if (part->op == CQL2_IN)
    return list_range(part->parts[1], out);
  if (part->op == CQL2_BETWEEN)
    return literal_value(part->parts[1], &out->low) && literal_value(part->parts[2], &out->high) &&
           out->low.kind == out->high.kind;
  const enum cql2_kind kind = part->parts[1]->kind;
  const bool lower = part->op == CQL2_GREATER || part->op == CQL2_AT_LEAST;
  const bool upper = part->op == CQL2_LESS || part->op == CQL2_AT_MOST;
  struct item_value value;
  if (!literal_value(part->parts[1], &value))
    return false;
  out->low = upper ? end_of(kind, false) : value;
  out->high = lower ? end_of(kind, true) : value;
  return lower || upper || part->op == CQL2_EQUAL;
}

static int find_ranges(struct arena *arena, const struct cql2_filter *filter, struct item_condition *out,
                       struct error *error)
{
  size_t parts = 0;
  while (part_at(filter, parts))
    parts++;
  struct item_range *ranges = ARENA_ARRAY(arena, struct item_range, parts + 1);
  if (!ranges)
    return error_memory(error);
  for (size_t i = 0; i < parts; i++)
    out->range_count += read_range(part_at(filter, i), &ranges[out->range_count]);
  out->ranges = ranges;
  out->is_range = parts == 1 && out->range_count == 1;
  return 0;
}

int cql2_condition(struct arena *arena, const struct cql2_filter *filter, struct item_condition *out,
                   struct error *error)
{
  struct cql2_sql sql = {.arena = arena};
  struct buffer identity = {0};
  *out = (struct item_condition){0};
  find_box(filter, out);
  if (find_ranges(arena, filter, out, error) != 0)
    return -1;
  const bool exact = cql2_sql_exact(&sql, filter->root);
  const bool said = exact || cql2_sql_needed(&sql, filter->root);
  cql2_write_json(filter, &(struct json_writer){.out = &identity});
  out->sql = said && !sql.text.failed ? arena_printf(arena, "(%s)", sql.text.data) : NULL;
  out->identity = identity.failed ? NULL : arena_strdup(arena, identity.data);
  out->values = sql.values;
  out->value_count = sql.count;
  const bool failed = sql.failed || sql.text.failed || !out->identity || (said && !out->sql);
  buffer_free(&sql.text);
  buffer_free(&identity);
  if (failed)
    return error_memory(error);
  return exact ? 0 : add_tester(arena, filter, out, error);
}

/* ---- narrowing --------------------------------------------------------------------------------------------------- */

static void narrow_start(struct item_search *search, int64_t start)
{
  if (start > -CQL2_FAR && (!search->has_start || start > search->start)) {
    search->start = start;
    search->has_start = true;
  }
}

static void narrow_end(struct item_search *search, int64_t end)
{
  if (end < CQL2_FAR && (!search->has_end || end < search->end)) {
    search->end = end;
    search->has_end = true;
  }
}

static bool literal_span(const struct cql2_node *node, struct cql2_span *out)
{
  *out = node->span;
  if (node->kind == CQL2_INSTANT)
    return true;
  if (node->kind != CQL2_INTERVAL || node->parts[0]->kind == CQL2_PROPERTY || node->parts[1]->kind == CQL2_PROPERTY)
    return false;
  out->first = node->parts[0]->kind == CQL2_OPEN ? -CQL2_FAR : node->parts[0]->span.first;
  out->last = node->parts[1]->kind == CQL2_OPEN ? CQL2_FAR : node->parts[1]->span.last;
  return true;
}

/* datetime OP literal; all that is not before or after something meets it. */
static void narrow_times(struct item_search *search, const struct cql2_node *part)
{
  struct cql2_span span;
  if (!is_property(part->parts[0], "datetime") || !literal_span(part->parts[1], &span) || part->op == CQL2_T_DISJOINT)
    return;
  if (part->op != CQL2_T_BEFORE)
    narrow_start(search, part->op == CQL2_T_AFTER ? span.last : span.first);
  if (part->op != CQL2_T_AFTER)
    narrow_end(search, part->op == CQL2_T_BEFORE ? span.first : span.last);
}

static void narrow_comparison(struct item_search *search, const struct cql2_node *part)
{
  const struct cql2_node *value = part->parts[1];
  const bool lower = part->op == CQL2_EQUAL || part->op == CQL2_GREATER || part->op == CQL2_AT_LEAST;
  const bool upper = part->op == CQL2_EQUAL || part->op == CQL2_LESS || part->op == CQL2_AT_MOST;
  if (!is_property(part->parts[0], "datetime") || value->kind != CQL2_INSTANT)
    return;
  if (lower || part->op == CQL2_BETWEEN)
    narrow_start(search, value->span.first);
  if (part->op == CQL2_BETWEEN && part->parts[2]->kind == CQL2_INSTANT)
    narrow_end(search, part->parts[2]->span.first);
  if (upper)
    narrow_end(search, value->span.first);
}

static bool is_listed(const char *const *list, size_t count, const char *text)
{
  for (size_t i = 0; i < count; i++)
    if (strcmp(list[i], text) == 0)
      return true;
  return count == 0;
}

/* property = 'text', or property IN ('text', …). A list that would become empty stays: it would mean all. */
static int narrow_list(struct arena *arena, const struct cql2_node *part, const char *const **list, size_t *count)
{
  const bool in = part->op == CQL2_IN;
  const struct cql2_node *const *values = in ? part->parts[1]->parts : &part->parts[1];
  const size_t most = in ? part->parts[1]->count : 1;
  const char **kept = ARENA_ARRAY(arena, const char *, most + 1);
  size_t left = 0;
  if (!kept)
    return -1;
  for (size_t i = 0; i < most; i++) {
    if (values[i]->kind != CQL2_TEXT)
      return 0;
    if (is_listed(*list, *count, values[i]->text))
      kept[left++] = values[i]->text;
  }
  if (left) {
    *list = kept;
    *count = left;
  }
  return 0;
}

int cql2_narrow(struct arena *arena, const struct cql2_filter *filter, struct item_search *search, struct error *error)
{
  const struct cql2_node *part;
  int status = 0;
  for (size_t i = 0; (part = part_at(filter, i)); i++) {
    if (part->kind != CQL2_OPERATION)
      continue;
    if (cql2_ops[part->op].family == CQL2_FAMILY_TEMPORAL)
      narrow_times(search, part);
    else if (cql2_ops[part->op].family == CQL2_FAMILY_COMPARISON && part->op != CQL2_IS_NULL)
      narrow_comparison(search, part);
    const bool lists = part->op == CQL2_EQUAL || part->op == CQL2_IN;
    if (lists && is_property(part->parts[0], "collection"))
      status |= narrow_list(arena, part, &search->collections, &search->collection_count);
    else if (lists && is_property(part->parts[0], "id"))
      status |= narrow_list(arena, part, &search->ids, &search->id_count);
  }
  return status == 0 ? 0 : error_memory(error);
}
