/* A filter looks at an item. The plain way, against which the SQL is tested.
 *
 * What is computed for one item lives in an arena of its own; literal geometries are prepared once, when one is first
 * asked for. */
#include "stac/cql2/cql2_tester.h"
#include "stac/cql2/cql2_value.h"
#include "stac/cql2/like_match.h"
#include "stac/cql2/text_fold.h"
#include "stac/geojson_shape.h"
#include "stac/json_tree.h"

#include <stdlib.h>
#include <string.h>

enum { ITEM_BYTES = 256 << 20 };

struct literal_shape {
  struct geometry_base *base; /* owned; NULL: not asked for yet, or none can be made */
  bool is_none;
};

struct cql2_tester {
  const struct cql2_filter *filter;
  struct literal_shape *literals; /* by number */
};

struct cql2_look { /* at one item */
  struct cql2_tester *tester;
  const json_t *item;
  struct arena *arena;
  struct error *error;
};

struct cql2_tester *cql2_tester_new(const struct cql2_filter *filter, struct error *error)
{
  struct cql2_tester *tester = calloc(1, sizeof *tester);
  if (tester)
    tester->literals = calloc(filter->shapes + 1, sizeof *tester->literals);
  if (!tester || !tester->literals) {
    free(tester);
    error_memory(error);
    return NULL;
  }
  tester->filter = filter;
  return tester;
}

void cql2_tester_free(struct cql2_tester *tester)
{
  if (!tester)
    return;
  for (size_t i = 0; i < tester->filter->shapes; i++)
    geometry_base_free(tester->literals[i].base);
  free(tester->literals);
  free(tester);
}

const json_t *cql2_property_of(const json_t *item, const char *name)
{
  static const char *const own[] = {"id", "collection", "geometry", "bbox"};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    if (strcmp(name, own[i]) == 0)
      return json_object_get(item, name);
  return json_object_get(json_object_get(item, "properties"), name);
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static int value_of(struct cql2_look *look, const struct cql2_node *node, struct cql2_value *out);

static int elements_of(struct cql2_look *look, const struct cql2_node *node, struct cql2_value *out)
{
  struct cql2_value *items = ARENA_ARRAY(look->arena, struct cql2_value, node->count + 1);
  if (!items)
    return error_memory(look->error);
  for (size_t i = 0; i < node->count; i++)
    if (value_of(look, node->parts[i], &items[i]) != 0)
      return -1;
  *out = (struct cql2_value){.kind = CQL2_VALUE_ARRAY, .items = items, .count = node->count};
  return 0;
}

static int folded(struct cql2_look *look, const struct cql2_node *node, struct cql2_value *out)
{
  if (value_of(look, node->parts[0], out) != 0)
    return -1;
  if (out->kind != CQL2_VALUE_TEXT) {
    out->kind = CQL2_VALUE_NULL;
    return 0;
  }
  out->text =
      node->op == CQL2_CASEI ? text_fold_case(look->arena, out->text) : text_fold_accents(look->arena, out->text);
  return out->text ? 0 : error_memory(look->error);
}

static int truth_of(struct cql2_look *look, const struct cql2_node *node, enum cql2_truth *out);

static int result_of(struct cql2_look *look, const struct cql2_node *node, struct cql2_value *out)
{
  struct cql2_value operands[2];
  enum cql2_truth truth;
  if (cql2_ops[node->op].family == CQL2_FAMILY_TEXT)
    return folded(look, node, out);
  if (cql2_ops[node->op].family != CQL2_FAMILY_ARITHMETIC) {
    if (truth_of(look, node, &truth) != 0)
      return -1;
    *out = (struct cql2_value){.kind = truth == CQL2_UNKNOWN ? CQL2_VALUE_NULL : CQL2_VALUE_BOOLEAN,
                               .number = truth == CQL2_TRUE};
    return 0;
  }
  for (size_t i = 0; i < 2; i++)
    if (value_of(look, node->parts[i], &operands[i]) != 0)
      return -1;
  *out = cql2_value_compute(node->op, &operands[0], &operands[1]);
  return 0;
}

static int value_of(struct cql2_look *look, const struct cql2_node *node, struct cql2_value *out)
{
  *out = (struct cql2_value){.kind = CQL2_VALUE_NULL};
  switch (node->kind) {
  case CQL2_BOOLEAN:
    *out = (struct cql2_value){.kind = CQL2_VALUE_BOOLEAN, .number = node->number};
    return 0;
  case CQL2_NUMBER:
    *out = (struct cql2_value){.kind = CQL2_VALUE_NUMBER, .number = node->number};
    return 0;
  case CQL2_TEXT:
    *out = (struct cql2_value){.kind = CQL2_VALUE_TEXT, .text = node->text};
    return 0;
  case CQL2_INSTANT:
    *out = (struct cql2_value){.kind = CQL2_VALUE_SPAN, .span = node->span};
    return 0;
  case CQL2_OPEN: /* these are read where they stand */
  case CQL2_INTERVAL:
  case CQL2_GEOMETRY:
    out->kind = CQL2_VALUE_OTHER;
    return 0;
  case CQL2_ARRAY:
    return elements_of(look, node, out);
  case CQL2_PROPERTY:
    return cql2_value_of_json(look->arena, cql2_property_of(look->item, node->text), out, look->error);
  case CQL2_OPERATION:
    break;
  }
  return result_of(look, node, out);
}

/* ---- comparisons ------------------------------------------------------------------------------------------------- */

static enum cql2_truth truth(bool holds)
{
  return holds ? CQL2_TRUE : CQL2_FALSE;
}

static enum cql2_truth negated(enum cql2_truth truth)
{
  return truth == CQL2_UNKNOWN ? CQL2_UNKNOWN : truth == CQL2_TRUE ? CQL2_FALSE : CQL2_TRUE;
}

static enum cql2_truth compared(enum cql2_op op, const struct cql2_value *a, const struct cql2_value *b)
{
  int order;
  if (!cql2_value_compare(a, b, &order))
    return CQL2_UNKNOWN;
  return truth(op == CQL2_EQUAL     ? order == 0
               : op == CQL2_UNEQUAL ? order != 0
               : op == CQL2_LESS    ? order < 0
               : op == CQL2_GREATER ? order > 0
               : op == CQL2_AT_MOST ? order <= 0
                                    : order >= 0);
}

static enum cql2_truth among(const struct cql2_value *value, const struct cql2_value *list)
{
  enum cql2_truth all = CQL2_FALSE;
  for (size_t i = 0; i < list->count && all != CQL2_TRUE; i++) {
    const enum cql2_truth one = compared(CQL2_EQUAL, value, &list->items[i]);
    all = one == CQL2_FALSE ? all : one;
  }
  return all;
}

static enum cql2_truth between(const struct cql2_value *values)
{
  const enum cql2_truth low = compared(CQL2_AT_LEAST, &values[0], &values[1]);
  const enum cql2_truth high = compared(CQL2_AT_MOST, &values[0], &values[2]);
  if (low == CQL2_FALSE || high == CQL2_FALSE)
    return CQL2_FALSE;
  return low == CQL2_UNKNOWN ? low : high;
}

static int compare(struct cql2_look *look, const struct cql2_node *node, enum cql2_truth *out)
{
  struct cql2_value values[3];
  for (size_t i = 0; i < node->count; i++)
    if (value_of(look, node->parts[i], &values[i]) != 0)
      return -1;
  const bool texts = values[0].kind == CQL2_VALUE_TEXT;
  if (node->op == CQL2_IS_NULL)
    *out = truth(values[0].kind == CQL2_VALUE_NULL);
  else if (node->op == CQL2_LIKE)
    *out = texts ? truth(like_matches(values[0].text, values[1].text)) : CQL2_UNKNOWN;
  else if (node->op == CQL2_IN)
    *out = among(&values[0], &values[1]);
  else
    *out = node->op == CQL2_BETWEEN ? between(values) : compared(node->op, &values[0], &values[1]);
  return 0;
}

/* ---- sets, time, space ------------------------------------------------------------------------------------------- */

static int compare_arrays(struct cql2_look *look, const struct cql2_node *node, enum cql2_truth *out)
{
  struct cql2_value values[2];
  bool holds;
  for (size_t i = 0; i < 2; i++)
    if (value_of(look, node->parts[i], &values[i]) != 0)
      return -1;
  *out = CQL2_UNKNOWN;
  if (values[0].kind != CQL2_VALUE_ARRAY || values[1].kind != CQL2_VALUE_ARRAY)
    return 0;
  if (cql2_value_sets(look->arena, node->op, &values[0], &values[1], &holds, look->error) != 0)
    return -1;
  *out = truth(holds);
  return 0;
}

static bool property_span(const struct cql2_look *look, const char *name, struct cql2_span *out)
{
  const char *text = json_string_value(cql2_property_of(look->item, name));
  bool is_date;
  return text && cql2_read_instant(text, &is_date, out);
}

/* False: it is unknown. */
static bool span_of(const struct cql2_look *look, const struct cql2_node *node, struct cql2_span *out)
{
  struct cql2_span start = {-CQL2_FAR, -CQL2_FAR}, end = {CQL2_FAR, CQL2_FAR};
  *out = node->span;
  if (node->kind == CQL2_INTERVAL) {
    if ((node->parts[0]->kind != CQL2_OPEN && !span_of(look, node->parts[0], &start)) ||
        (node->parts[1]->kind != CQL2_OPEN && !span_of(look, node->parts[1], &end)))
      return false;
    *out = (struct cql2_span){start.first, end.last};
    return out->first <= out->last;
  }
  if (node->kind != CQL2_PROPERTY)
    return node->kind == CQL2_INSTANT;
  const json_t *value = cql2_property_of(look->item, node->text);
  if (strcmp(node->text, "datetime") != 0 || (value && !json_is_null(value)))
    return property_span(look, node->text, out);
  if (!property_span(look, "start_datetime", &start) || !property_span(look, "end_datetime", &end))
    return false;
  *out = (struct cql2_span){start.first, end.last};
  return out->first <= out->last;
}

static enum cql2_truth compare_times(const struct cql2_look *look, const struct cql2_node *node)
{
  struct cql2_span a, b;
  if (!span_of(look, node->parts[0], &a) || !span_of(look, node->parts[1], &b))
    return CQL2_UNKNOWN;
  return truth(cql2_spans_stand(node->op, a, b));
}

/* NULL: there is none that makes sense, or an empty one. */
static const struct geometry_set *shape_of(struct cql2_look *look, const struct cql2_node *node)
{
  const struct geometry_set *set = node->shape;
  struct error ignored = {0};
  if (node->kind == CQL2_PROPERTY &&
      geojson_shape_read(look->arena, cql2_property_of(look->item, node->text), &set, &ignored) != 0)
    return NULL;
  return set && set->items[0].part_count ? set : NULL;
}

static enum geometry_relation relation_of(enum cql2_op op, bool swapped)
{
  switch (op) {
  case CQL2_S_DISJOINT:
    return RELATION_DISJOINT;
  case CQL2_S_EQUALS:
    return RELATION_EQUALS;
  case CQL2_S_TOUCHES:
    return RELATION_TOUCHES;
  case CQL2_S_CROSSES:
    return RELATION_CROSSES;
  case CQL2_S_OVERLAPS:
    return RELATION_OVERLAPS;
  case CQL2_S_CONTAINS:
    return swapped ? RELATION_WITHIN : RELATION_CONTAINS;
  case CQL2_S_WITHIN:
    return swapped ? RELATION_CONTAINS : RELATION_WITHIN;
  default:
    return RELATION_INTERSECTS;
  }
}

/* The one that is a literal is the base, prepared for all items; shapes that no library takes are unknown. */
static int compare_shapes(struct cql2_look *look, const struct cql2_node *node, enum cql2_truth *out)
{
  const bool swapped = node->parts[1]->kind != CQL2_GEOMETRY && node->parts[0]->kind == CQL2_GEOMETRY;
  const struct cql2_node *base_node = node->parts[!swapped];
  const struct geometry_set *base = shape_of(look, base_node), *shape = shape_of(look, node->parts[swapped]);
  struct literal_shape own = {.base = NULL};
  const bool is_literal = base_node->kind == CQL2_GEOMETRY;
  struct literal_shape *prepared = is_literal ? &look->tester->literals[base_node->shape_index] : &own;
  struct error reason = {0};
  bool holds = false;
  *out = CQL2_UNKNOWN;
  if (!base || !shape || prepared->is_none)
    return 0;
  if (!prepared->base)
    prepared->is_none = geometry_base_new(base, &prepared->base, &reason) != 0;
  if (!prepared->is_none &&
      geometry_base_stands(prepared->base, &shape->items[0], relation_of(node->op, swapped), &holds, &reason) == 0)
    *out = truth(holds);
  geometry_base_free(own.base);
  if (is_literal && error_is(&reason, ERROR_ProcessGraphComplexity))
    return error_parameter(look->error, ERROR_FilterInvalid, "filter", "%s", reason.message);
  return error_is(&reason, ERROR_Internal) ? error_memory(look->error) : 0;
}

/* ---- truths ------------------------------------------------------------------------------------------------------ */

/* "and" ends at the first false, "or" at the first true. */
static int join(struct cql2_look *look, const struct cql2_node *node, enum cql2_truth *out)
{
  const enum cql2_truth decides = node->op == CQL2_AND ? CQL2_FALSE : CQL2_TRUE;
  enum cql2_truth all = negated(decides), one;
  for (size_t i = 0; i < node->count && all != decides; i++) {
    if (truth_of(look, node->parts[i], &one) != 0)
      return -1;
    all = one == decides || one == CQL2_UNKNOWN ? one : all;
  }
  *out = all;
  return 0;
}

static int truth_of_value(struct cql2_look *look, const struct cql2_node *node, enum cql2_truth *out)
{
  struct cql2_value value;
  if (value_of(look, node, &value) != 0)
    return -1;
  *out = value.kind == CQL2_VALUE_BOOLEAN ? truth(value.number != 0) : CQL2_UNKNOWN;
  return 0;
}

static int truth_of(struct cql2_look *look, const struct cql2_node *node, enum cql2_truth *out)
{
  if (node->kind != CQL2_OPERATION)
    return truth_of_value(look, node, out);
  switch (cql2_ops[node->op].family) {
  case CQL2_FAMILY_COMPARISON:
    return compare(look, node, out);
  case CQL2_FAMILY_SPATIAL:
    return compare_shapes(look, node, out);
  case CQL2_FAMILY_TEMPORAL:
    *out = compare_times(look, node);
    return 0;
  case CQL2_FAMILY_ARRAY:
    return compare_arrays(look, node, out);
  default:
    break;
  }
  if (node->op != CQL2_NOT)
    return join(look, node, out);
  if (truth_of(look, node->parts[0], out) != 0)
    return -1;
  *out = negated(*out);
  return 0;
}

int cql2_test_node(struct cql2_tester *tester, const struct cql2_node *node, const json_t *item, enum cql2_truth *out,
                   struct error *error)
{
  struct cql2_look look = {tester, item, arena_new(ITEM_BYTES), error};
  if (!look.arena)
    return error_memory(error);
  int status = truth_of(&look, node, out);
  arena_free(look.arena);
  return status;
}

int cql2_test(struct cql2_tester *tester, const json_t *item, enum cql2_truth *out, struct error *error)
{
  return cql2_test_node(tester, tester->filter->root, item, out, error);
}
