/* load_geojson: features as the labels of a dimension, and the properties that were named as values in memory. */
#include "processes/cube/shape.h"
#include "processes/vector/geojson.h"

#include "datacube/base/checked.h"
#include "datacube/base/missing.h"
#include "datacube/source/memory_source.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_VALUES = 16 << 20 };

struct feature_values {
  struct call *call;
  const struct value *data, *names;
  const struct geometry_set *set;
  size_t columns;  /* values of a feature */
  bool is_array;   /* the one property holds arrays: its positions are the columns */
  bool is_boolean; /* all values that there are */
};

static const struct value missing = {.kind = VALUE_NULL};

/* Property `name` of feature i; null where it has none. */
static const struct value *property_of(const struct feature_values *t, size_t i, const char *name)
{
  const struct value *features = value_member(t->data, "features");
  const struct value *properties = value_member(features ? &features->items[i] : t->data, "properties");
  const struct value *value = properties ? value_member(properties, name) : NULL;
  return value ? value : &missing;
}

/* ---- what there is ---------------------------------------------------------------------------------------------- */

static bool is_scalar(const struct value *value)
{
  return value->kind == VALUE_NULL || value->kind == VALUE_NUMBER || value->kind == VALUE_BOOLEAN;
}

static int wrong_value(const struct feature_values *t, size_t i, const char *name, const struct value *value)
{
  return error_parameter(t->call->error, ERROR_ProcessParameterInvalid, "properties",
                         "property '%s' of feature %zu holds %s '%.40s': the values of a cube are numbers, booleans "
                         "and nulls (arrays of them where one property alone is named). Features keep their other "
                         "properties without being named.",
                         name, i, value_kind_name(value), value->kind == VALUE_TEXT ? value->text : "");
}

/* Scalars or arrays? How many, and are all of them booleans? */
static int survey(struct feature_values *t, size_t i, const char *name)
{
  const struct value *value = property_of(t, i, name);
  bool array = value->kind == VALUE_ARRAY && t->names->count == 1;
  const struct value *items = array ? value->items : value;
  size_t count = array ? value->count : 1;
  for (size_t k = 0; k < count; k++) {
    if (!is_scalar(&items[k]))
      return wrong_value(t, i, name, &items[k]);
    t->is_boolean = t->is_boolean && items[k].kind != VALUE_NUMBER;
  }
  if (array && count > t->columns)
    t->columns = count;
  t->is_array = t->is_array || array;
  return 0;
}

static int survey_all(struct feature_values *t)
{
  t->is_boolean = true;
  for (size_t p = 0; p < t->names->count; p++)
    for (size_t i = 0; i < t->set->count; i++)
      if (survey(t, i, t->names->items[p].text) != 0)
        return -1;
  if (!t->is_array)
    t->columns = t->names->count;
  for (size_t i = 0; t->is_array && i < t->set->count; i++) {
    const struct value *value = property_of(t, i, t->names->items[0].text);
    if (value->kind != VALUE_ARRAY && value->kind != VALUE_NULL)
      return error_parameter(t->call->error, ERROR_ProcessParameterInvalid, "properties",
                             "property '%s' is an array in some features and %s in feature %zu",
                             t->names->items[0].text, value_kind_name(value), i);
  }
  return 0;
}

/* ---- the cube --------------------------------------------------------------------------------------------------- */

static double element(const struct feature_values *t, size_t i, size_t column)
{
  const struct value *value = property_of(t, i, t->names->items[t->is_array ? 0 : column].text);
  if (t->is_array)
    value = value->kind == VALUE_ARRAY && column < value->count ? &value->items[column] : &missing;
  return value->kind == VALUE_NUMBER ? value->number : value->kind == VALUE_BOOLEAN ? value->boolean : na_f64();
}

static int fill(const struct feature_values *t, struct cube *cube, void **out)
{
  size_t columns = cube->dimensions > 1 ? t->columns : 1, count = saturated_mul(t->set->count, columns);
  if (count > MOST_VALUES)
    return error_parameter(t->call->error, ERROR_ProcessGraphComplexity, "properties",
                           "there are %zu values, more than %d", count, (int)MOST_VALUES);
  double *numbers = ARENA_ARRAY(t->call->arena, double, count);
  unsigned char *flags = numbers ? arena_alloc(t->call->arena, count + 1) : NULL;
  if (!flags)
    return error_memory(t->call->error);
  for (size_t k = 0; k < count; k++) {
    numbers[k] = cube->dimensions > 1 ? element(t, k / columns, k % columns) : na_f64();
    flags[k] = isnan(numbers[k]) ? 255 : numbers[k] != 0;
  }
  *out = cube->type == ELEMENT_BOOLEAN ? (void *)flags : (void *)numbers;
  return 0;
}

static int label_properties(const struct feature_values *t, struct dimension *out)
{
  const char **texts = ARENA_ARRAY(t->call->arena, const char *, t->names->count);
  if (!texts)
    return error_memory(t->call->error);
  for (size_t p = 0; p < t->names->count; p++)
    texts[p] = t->names->items[p].text;
  *out = t->is_array ? dimension_enumerated("properties", DIMENSION_OTHER, t->columns)
                     : dimension_texts("properties", DIMENSION_OTHER, texts, t->columns);
  return 0;
}

static int make_node(const struct feature_values *t, const struct node **out)
{
  struct call *call = t->call;
  bool boolean = t->columns > 0 && t->is_boolean;
  struct cube cube = {.dimensions = 1,
                      .type = boolean ? ELEMENT_BOOLEAN : ELEMENT_F64,
                      .has_nodata = true,
                      .nodata = boolean ? 255 : NAN,
                      .crs = t->set->crs};
  void *elements = NULL;
  if (geometry_dimension(call->arena, "geometry", t->set, &cube.dimension[0], call->error) != 0)
    return -1;
  if (t->columns > 0 && label_properties(t, &cube.dimension[cube.dimensions++]) != 0)
    return -1;
  if (fill(t, &cube, &elements) != 0)
    return -1;
  const struct source *source = memory_source(call->arena, &cube, elements, "GeoJSON of the graph");
  *out = source ? node_source(call->arena, call_origin(call), source) : NULL;
  return *out ? 0 : error_memory(call->error);
}

static int by_text(const void *a, const void *b)
{
  return strcmp(((const struct value *)a)->text, ((const struct value *)b)->text);
}

static int check_names(const struct feature_values *t)
{
  struct call *call = t->call;
  size_t values = saturated_mul(t->names->count, t->set->count);
  struct value *sorted = ARENA_ARRAY(call->arena, struct value, t->names->count);
  if (!sorted)
    return error_memory(call->error);
  if (t->names->count == 0)
    return 0;
  if (values > MOST_VALUES)
    return error_parameter(call->error, ERROR_ProcessGraphComplexity, "properties",
                           "%zu properties of %zu features are more than %d values", t->names->count, t->set->count,
                           (int)MOST_VALUES);
  memcpy(sorted, t->names->items, t->names->count * sizeof *sorted);
  qsort(sorted, t->names->count, sizeof *sorted, by_text);
  for (size_t p = 1; p < t->names->count; p++)
    if (strcmp(sorted[p - 1].text, sorted[p].text) == 0)
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "properties", "property '%s' is named twice",
                             sorted[p].text);
  return 0;
}

static int refuse_collections(const struct feature_values *t)
{
  for (size_t i = 0; i < t->set->count; i++)
    if (t->set->items[i].type == GEOMETRY_COLLECTION)
      return error_parameter(t->call->error, ERROR_ProcessParameterInvalid, "data",
                             "geometry %zu is a GeometryCollection, which is not taken: give its members as features",
                             i);
  return 0;
}

static int load_geojson_call(struct call *call, struct value *result)
{
  static const struct value none = {.kind = VALUE_ARRAY};
  const struct value *names = call_argument(call, "properties");
  struct feature_values t = {.call = call, .data = call_argument(call, "data"), .names = names ? names : &none};
  const struct node *node;
  if (geojson_read(call, "data", t.data, &t.set) != 0)
    return -1;
  if (!value_member(t.data, "features") && !value_member(t.data, "properties"))
    t.names = &none; /* a bare geometry has no properties */
  if (refuse_collections(&t) != 0 || check_names(&t) != 0 || survey_all(&t) != 0 || make_node(&t, &node) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_load_geojson = {.id = "load_geojson", .shape = PROCESS_CUBE, .call = load_geojson_call};
