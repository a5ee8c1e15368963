/* An operand is asked for as of one type, and is NULL where it has another. So what is compared must have a type that
 * is known here: of two properties, none is. */
#include "stac/cql2/cql2_sql.h"

#include "stac/search/property_index.h"

#include <string.h>

enum cql2_operand { OPERAND_NONE, OPERAND_BOOLEAN, OPERAND_NUMBER, OPERAND_TEXT, OPERAND_INSTANT };

/* Arguments of functions of JSON: a property. Nothing else of the document is read. */
#define PROPERTY "item_properties(document.json), '$.\"%s\"'"

static void bind(struct cql2_sql *sql, struct item_value value)
{
  struct item_value *grown = arena_grow(sql->arena, sql->values, sql->count, &sql->room, sizeof *grown);
  if (!grown) {
    sql->failed = true;
    return;
  }
  sql->values = grown;
  sql->values[sql->count++] = value;
  buffer_text(&sql->text, "?");
}

static void bind_instant(struct cql2_sql *sql, int64_t instant)
{
  bind(sql, (struct item_value){.kind = ITEM_VALUE_INTEGER, .integer = instant});
}

/* ---- properties -------------------------------------------------------------------------------------------------- */

bool cql2_is_own(const char *name)
{
  return strcmp(name, "id") == 0 || strcmp(name, "collection") == 0 || strcmp(name, "geometry") == 0 ||
         strcmp(name, "bbox") == 0;
}

static bool add_text_property(struct cql2_sql *sql, const char *name)
{
  if (strcmp(name, "id") == 0)
    buffer_text(&sql->text, "item.id");
  else if (strcmp(name, "collection") == 0)
    buffer_text(&sql->text, "(SELECT id FROM collections WHERE key = item.collection)");
  else if (cql2_is_own(name))
    buffer_text(&sql->text, "NULL");
  else
    buffer_printf(&sql->text, "CASE json_type(" PROPERTY ") WHEN 'text' THEN json_extract(" PROPERTY ") END", name,
                  name);
  return true;
}

static bool add_property(struct cql2_sql *sql, const char *name, enum cql2_operand type)
{
  if (!property_name_is_plain(name))
    return false;
  if (type == OPERAND_TEXT)
    return add_text_property(sql, name);
  if (type == OPERAND_INSTANT) {
    buffer_text(&sql->text, "cql2_first(");
    add_text_property(sql, name);
    buffer_text(&sql->text, ")");
  } else if (cql2_is_own(name))
    buffer_text(&sql->text, "NULL");
  else if (type == OPERAND_NUMBER)
    buffer_printf(&sql->text,
                  "CASE WHEN json_type(" PROPERTY ") IN ('integer', 'real') THEN "
                  "CAST(json_extract(" PROPERTY ") AS REAL) END",
                  name, name);
  else
    buffer_printf(&sql->text, "CASE json_type(" PROPERTY ") WHEN 'true' THEN 1 WHEN 'false' THEN 0 END", name);
  return true;
}

/* ---- operands ---------------------------------------------------------------------------------------------------- */

static enum cql2_operand type_of(const struct cql2_node *node)
{
  switch (node->kind) {
  case CQL2_BOOLEAN:
    return OPERAND_BOOLEAN;
  case CQL2_NUMBER:
    return OPERAND_NUMBER;
  case CQL2_TEXT:
    return OPERAND_TEXT;
  case CQL2_INSTANT:
    return OPERAND_INSTANT;
  case CQL2_OPERATION:
    return cql2_ops[node->op].family == CQL2_FAMILY_TEXT         ? OPERAND_TEXT
           : cql2_ops[node->op].family == CQL2_FAMILY_ARITHMETIC ? OPERAND_NUMBER
                                                                 : OPERAND_BOOLEAN;
  default:
    return OPERAND_NONE;
  }
}

static bool add_operand(struct cql2_sql *sql, const struct cql2_node *node, enum cql2_operand type);

static bool add_arithmetic(struct cql2_sql *sql, const struct cql2_node *node)
{
  if (node->op > CQL2_DIVIDE)
    return false; /* SQLite has no such operators of real numbers */
  buffer_text(&sql->text, "(");
  if (!add_operand(sql, node->parts[0], OPERAND_NUMBER))
    return false;
  buffer_printf(&sql->text, " %s ", cql2_ops[node->op].text);
  if (!add_operand(sql, node->parts[1], OPERAND_NUMBER))
    return false;
  buffer_text(&sql->text, ")");
  return true;
}

static bool add_folded(struct cql2_sql *sql, const struct cql2_node *node)
{
  buffer_text(&sql->text, "cql2_fold(");
  if (!add_operand(sql, node->parts[0], OPERAND_TEXT))
    return false;
  buffer_text(&sql->text, node->op == CQL2_CASEI ? ", 'case')" : ", 'accents')");
  return true;
}

static bool add_truth(struct cql2_sql *sql, const struct cql2_node *node);

static bool add_operand(struct cql2_sql *sql, const struct cql2_node *node, enum cql2_operand type)
{
  switch (node->kind) {
  case CQL2_BOOLEAN:
    buffer_text(&sql->text, node->number != 0 ? "1" : "0");
    return true;
  case CQL2_NUMBER:
    bind(sql, (struct item_value){.kind = ITEM_VALUE_REAL, .real = node->number});
    return true;
  case CQL2_TEXT:
    bind(sql, (struct item_value){.kind = ITEM_VALUE_TEXT, .text = node->text});
    return true;
  case CQL2_INSTANT:
    bind_instant(sql, node->span.first);
    return true;
  case CQL2_PROPERTY:
    return add_property(sql, node->text, type);
  case CQL2_OPERATION:
    break;
  default:
    return false;
  }
  const enum cql2_family family = cql2_ops[node->op].family;
  return family == CQL2_FAMILY_TEXT         ? add_folded(sql, node)
         : family == CQL2_FAMILY_ARITHMETIC ? add_arithmetic(sql, node)
                                            : add_truth(sql, node);
}

/* ---- comparisons ------------------------------------------------------------------------------------------------- */

/* The type in which a value is compared with others; NONE: it is not known. */
static enum cql2_operand common_type(const struct cql2_node *value, const struct cql2_node *const *others, size_t count)
{
  enum cql2_operand type = type_of(value);
  for (size_t i = 0; i < count; i++) {
    const enum cql2_operand other = type_of(others[i]);
    if (type == OPERAND_NONE)
      type = other;
    if (value->kind == CQL2_PROPERTY && other == OPERAND_NONE)
      return OPERAND_NONE;
  }
  return type;
}

static bool add_comparison(struct cql2_sql *sql, const struct cql2_node *node)
{
  const enum cql2_operand type = common_type(node->parts[0], node->parts + 1, node->count - 1);
  if (type == OPERAND_NONE || !add_operand(sql, node->parts[0], type))
    return false;
  buffer_printf(&sql->text, " %s ", node->op == CQL2_BETWEEN ? "BETWEEN" : cql2_ops[node->op].text);
  if (!add_operand(sql, node->parts[1], type))
    return false;
  buffer_text(&sql->text, node->op == CQL2_BETWEEN ? " AND " : "");
  return node->op != CQL2_BETWEEN || add_operand(sql, node->parts[2], type);
}

static bool add_in(struct cql2_sql *sql, const struct cql2_node *value, const struct cql2_node *list)
{
  const enum cql2_operand type = common_type(value, list->parts, list->count);
  if (list->count == 0)
    buffer_text(&sql->text, "0");
  if (list->count == 0)
    return true;
  if (type == OPERAND_NONE || !add_operand(sql, value, type))
    return false;
  for (size_t i = 0; i < list->count; i++) {
    buffer_text(&sql->text, i ? ", " : " IN (");
    if (!add_operand(sql, list->parts[i], type))
      return false;
  }
  buffer_text(&sql->text, ")");
  return true;
}

static bool add_like(struct cql2_sql *sql, const struct cql2_node *node)
{
  buffer_text(&sql->text, "cql2_like(");
  if (!add_operand(sql, node->parts[0], OPERAND_TEXT))
    return false;
  buffer_text(&sql->text, ", ");
  if (!add_operand(sql, node->parts[1], OPERAND_TEXT))
    return false;
  buffer_text(&sql->text, ")");
  return true;
}

static bool add_is_null(struct cql2_sql *sql, const struct cql2_node *operand)
{
  if (operand->kind != CQL2_PROPERTY) {
    const bool added = type_of(operand) != OPERAND_NONE && add_operand(sql, operand, type_of(operand));
    buffer_text(&sql->text, " IS NULL");
    return added;
  }
  if (!property_name_is_plain(operand->text))
    return false;
  buffer_printf(&sql->text,
                cql2_is_own(operand->text) ? "coalesce(json_type(document.json, '$.%s'), 'null') = 'null'"
                                           : "coalesce(json_type(" PROPERTY "), 'null') = 'null'",
                operand->text);
  return true;
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

static void add_date(struct cql2_sql *sql, bool last, const char *name)
{
  buffer_printf(&sql->text, "cql2_%s(", last ? "last" : "first");
  add_text_property(sql, name);
  buffer_text(&sql->text, ")");
}

/* The first or last instant of an operand. */
static bool add_edge(struct cql2_sql *sql, const struct cql2_node *node, bool last)
{
  if (node->kind == CQL2_INTERVAL)
    return add_edge(sql, node->parts[last], last);
  if (node->kind == CQL2_OPEN)
    bind_instant(sql, last ? CQL2_FAR : -CQL2_FAR);
  else if (node->kind == CQL2_INSTANT)
    bind_instant(sql, last ? node->span.last : node->span.first);
  else if (node->kind != CQL2_PROPERTY || !property_name_is_plain(node->text))
    return false;
  else
    add_date(sql, last, node->text);
  return true;
}

/* "datetime" is an interval where it is null; inside other intervals that is left to documents. */
static bool add_property_edge(struct cql2_sql *sql, const struct cql2_node *node, bool last)
{
  if (node->kind != CQL2_PROPERTY || strcmp(node->text, "datetime") != 0)
    return add_edge(sql, node, last);
  buffer_text(&sql->text, "CASE coalesce(json_type(document.json, '$.properties.datetime'), 'null') WHEN 'text' THEN ");
  add_date(sql, last, "datetime");
  buffer_text(&sql->text, " WHEN 'null' THEN ");
  add_date(sql, last, last ? "end_datetime" : "start_datetime");
  buffer_text(&sql->text, " END");
  return true;
}

static bool has_datetime_inside(const struct cql2_node *node)
{
  for (size_t i = 0; i < node->count; i++)
    if (node->parts[i]->kind == CQL2_PROPERTY && strcmp(node->parts[i]->text, "datetime") == 0)
      return true;
  return false;
}

/* Of two spans: a is the first one's start, b its end, c and d those of the second. */
static const char *span_relation(enum cql2_op op)
{
  static const char *const texts[CQL2_OP_COUNT] = {
      [CQL2_T_AFTER] = "a > d",
      [CQL2_T_BEFORE] = "b < c",
      [CQL2_T_CONTAINS] = "a < c AND b > d",
      [CQL2_T_DISJOINT] = "a > d OR b < c",
      [CQL2_T_DURING] = "a > c AND b < d",
      [CQL2_T_EQUALS] = "a = c AND b = d",
      [CQL2_T_FINISHED_BY] = "a < c AND b = d",
      [CQL2_T_FINISHES] = "a > c AND b = d",
      [CQL2_T_INTERSECTS] = "a <= d AND b >= c",
      [CQL2_T_MEETS] = "b = c",
      [CQL2_T_MET_BY] = "a = d",
      [CQL2_T_OVERLAPPED_BY] = "a > c AND a < d AND b > d",
      [CQL2_T_OVERLAPS] = "a < c AND b > c AND b < d",
      [CQL2_T_STARTED_BY] = "a = c AND b > d",
      [CQL2_T_STARTS] = "a = c AND b < d",
  };
  return texts[op];
}

static bool add_times(struct cql2_sql *sql, const struct cql2_node *node)
{
  if (has_datetime_inside(node->parts[0]) || has_datetime_inside(node->parts[1]))
    return false;
  for (int i = 0; i < 2; i++) {
    buffer_text(&sql->text, i ? " AND " : "CASE WHEN ");
    if (!add_property_edge(sql, node->parts[i], false))
      return false;
    buffer_text(&sql->text, " <= ");
    if (!add_property_edge(sql, node->parts[i], true))
      return false;
  }
  buffer_text(&sql->text, " THEN ");
  for (const char *c = span_relation(node->op); *c; c++)
    if (*c >= 'a' && *c <= 'd')
      add_property_edge(sql, node->parts[*c >= 'c'], *c == 'b' || *c == 'd');
    else
      buffer_add(&sql->text, c, 1);
  buffer_text(&sql->text, " END");
  return true;
}

/* ---- truths ------------------------------------------------------------------------------------------------------ */

typedef bool (*add_part)(struct cql2_sql *, const struct cql2_node *);

/* As a balanced tree: SQLite's expressions have a depth. */
static bool add_joined(struct cql2_sql *sql, const char *word, const struct cql2_node *const *parts, size_t count)
{
  if (count == 1)
    return add_truth(sql, parts[0]);
  buffer_text(&sql->text, "(");
  if (!add_joined(sql, word, parts, count / 2))
    return false;
  buffer_printf(&sql->text, " %s ", word);
  if (!add_joined(sql, word, parts + count / 2, count - count / 2))
    return false;
  buffer_text(&sql->text, ")");
  return true;
}

static bool add_predicate(struct cql2_sql *sql, const struct cql2_node *node)
{
  switch (node->op) {
  case CQL2_NOT:
    buffer_text(&sql->text, "NOT ");
    return add_truth(sql, node->parts[0]);
  case CQL2_IN:
    return add_in(sql, node->parts[0], node->parts[1]);
  case CQL2_LIKE:
    return add_like(sql, node);
  case CQL2_IS_NULL:
    return add_is_null(sql, node->parts[0]);
  default:
    break;
  }
  if (cql2_ops[node->op].family == CQL2_FAMILY_COMPARISON)
    return add_comparison(sql, node);
  return cql2_ops[node->op].family == CQL2_FAMILY_TEMPORAL && add_times(sql, node);
}

static bool add_truth(struct cql2_sql *sql, const struct cql2_node *node)
{
  if (node->kind != CQL2_OPERATION)
    return add_operand(sql, node, OPERAND_BOOLEAN);
  if (node->op == CQL2_AND || node->op == CQL2_OR)
    return add_joined(sql, node->op == CQL2_AND ? "AND" : "OR", node->parts, node->count);
  buffer_text(&sql->text, "(");
  const bool added = add_predicate(sql, node);
  buffer_text(&sql->text, ")");
  return added;
}

/* Adds a part, or takes back what was added of it. */
static bool attempt(struct cql2_sql *sql, const struct cql2_node *node, add_part add)
{
  const size_t length = sql->text.length, count = sql->count;
  if (add(sql, node))
    return true;
  if (sql->text.data && !sql->text.failed)
    sql->text.data[length] = '\0';
  sql->text.length = length;
  sql->count = count;
  return false;
}

bool cql2_sql_exact(struct cql2_sql *sql, const struct cql2_node *node)
{
  return attempt(sql, node, add_truth);
}

/* Of "and" what can be said; of "or" all or nothing. */
static bool add_needed(struct cql2_sql *sql, const struct cql2_node *node)
{
  const bool is_and = node->kind == CQL2_OPERATION && node->op == CQL2_AND;
  size_t said = 0;
  if (!is_and && !(node->kind == CQL2_OPERATION && node->op == CQL2_OR))
    return false;
  for (size_t i = 0; i < node->count; i++) {
    const size_t length = sql->text.length, count = sql->count;
    buffer_text(&sql->text, said == 0 ? "(" : is_and ? " AND " : " OR ");
    if (cql2_sql_needed(sql, node->parts[i])) {
      said++;
      continue;
    }
    if (sql->text.data && !sql->text.failed)
      sql->text.data[length] = '\0';
    sql->text.length = length;
    sql->count = count;
    if (!is_and)
      return false;
  }
  buffer_text(&sql->text, said ? ")" : "");
  return said > 0;
}

bool cql2_sql_needed(struct cql2_sql *sql, const struct cql2_node *node)
{
  return cql2_sql_exact(sql, node) || attempt(sql, node, add_needed);
}
