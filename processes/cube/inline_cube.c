/* Inline cubes: dimensions from their labels, elements as f64 in memory. */
#include "processes/cube/inline_cube.h"

#include "processes/cube/given_labels.h"
#include "processes/vector/geojson.h"

#include "datacube/base/missing.h"
#include "datacube/grid.h"
#include "datacube/sink/values.h"
#include "datacube/source/memory_source.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *text_member(const struct value *object, const char *key)
{
  const struct value *value = value_member(object, key);
  return value && value->kind == VALUE_TEXT ? value->text : NULL;
}

/* Equal steps become step labels, so that the cube has a grid. */
static void find_steps(struct dimension *d)
{
  if (d->size < 2 || d->type != DIMENSION_SPATIAL)
    return;
  double step = (d->numbers[d->size - 1] - d->numbers[0]) / (double)(d->size - 1);
  for (size_t i = 0; i < d->size; i++)
    if (!(fabs(d->numbers[i] - (d->numbers[0] + (double)i * step)) <= 1e-9 * fabs(step)))
      return;
  if (step == 0)
    return;
  d->labels = LABEL_STEP;
  d->start = d->numbers[0];
  d->step = step;
}

static bool is_enumeration(const struct dimension *d)
{
  for (size_t i = 0; i < d->size; i++)
    if (d->numbers[i] != (double)i)
      return false;
  return d->type != DIMENSION_SPATIAL;
}

static int read_labels(struct arena *arena, const struct value *values, struct dimension *d, struct error *error)
{
  if (dimension_give_labels(arena, values->items, values->count, d, error) != 0)
    return -1;
  if (d->labels == LABEL_TIME)
    d->texts = NULL; /* printed as instants */
  if (d->labels == LABEL_NUMBER) {
    d->enumerated = is_enumeration(d);
    find_steps(d);
  }
  return 0;
}

/* Labels as the official cases name them ("values"), or as the JSON format does. */
static const struct value *labels_member(const struct value *dimension)
{
  const struct value *values = value_member(dimension, "values");
  return values ? values : value_member(dimension, "labels");
}

static int read_crs(struct arena *arena, const struct value *system, const char **out, struct error *error)
{
  const char *text = !system                        ? NULL
                     : system->kind == VALUE_NUMBER ? arena_printf(arena, "EPSG:%.0f", system->number)
                     : system->kind == VALUE_TEXT   ? system->text
                                                    : NULL;
  return text && !*out ? crs_canonical(arena, text, out, error) : 0;
}

/* Geometries and features of GeoJSON as labels, in the dimension's reference system. */
static int read_geometries(struct arena *arena, const struct value *dimension, struct dimension *d, const char **crs,
                           struct error *error)
{
  struct call call = {.arena = arena, .error = error};
  const struct value *values = labels_member(dimension);
  struct geometry_set *set = ARENA_NEW(arena, struct geometry_set);
  if (!set)
    return error_memory(error);
  if (read_crs(arena, value_member(dimension, "reference_system"), &set->crs, error) != 0 ||
      geojson_read_items(&call, d->name, values->items, values->count, set) != 0)
    return -1;
  if (!set->crs)
    set->crs = "EPSG:4326";
  *crs = set->crs;
  return geometry_dimension(arena, d->name, set, d, error);
}

static int read_dimension(struct arena *arena, const char *name, const struct value *value, struct cube *cube,
                          struct error *error)
{
  struct dimension *d = &cube->dimension[cube->dimensions];
  const char *type = text_member(value, "type"), *axis = text_member(value, "axis");
  const struct value *values = labels_member(value), *system = value_member(value, "reference_system");
  if (cube->dimensions == CUBE_MAX_DIMENSIONS)
    return error_set(error, ERROR_ProcessGraphComplexity, "a cube has at most %d dimensions", (int)CUBE_MAX_DIMENSIONS);
  if (!name || !values || values->kind != VALUE_ARRAY)
    return error_set(error, ERROR_ProcessParameterInvalid,
                     "a dimension of a data cube needs a name and an array of values");
  if (cube_find_dimension(cube, name) != SIZE_MAX)
    return error_set(error, ERROR_ProcessParameterInvalid, "the data cube has two dimensions named '%s'", name);
  *d = (struct dimension){.name = name, .type = DIMENSION_OTHER};
  for (int t = DIMENSION_SPATIAL; type && t <= DIMENSION_OTHER; t++)
    if (strcmp(type, dimension_type_name((enum dimension_type)t)) == 0)
      d->type = (enum dimension_type)t;
  for (const char *known = "xyz"; d->type == DIMENSION_SPATIAL && *known; known++)
    if ((axis ? axis[0] : name[0]) == *known)
      d->axis = *known;
  if (d->axis && cube_find_axis(cube, d->axis) != SIZE_MAX)
    return error_set(error, ERROR_ProcessParameterInvalid, "the data cube has two dimensions of the axis %c", d->axis);
  cube->dimensions++;
  if (d->type == DIMENSION_GEOMETRY && values->count > 0 && values->items[0].kind == VALUE_OBJECT)
    return read_geometries(arena, value, d, &cube->crs, error);
  d->unit = text_member(value, "unit");
  if (d->axis == 'x' || d->axis == 'y') {
    if (read_crs(arena, system, &cube->crs, error) != 0)
      return -1;
  } else
    d->reference_system = text_member(value, "reference_system");
  return read_labels(arena, values, d, error);
}

static int read_dimensions(struct arena *arena, const struct value *value, struct cube *cube, struct error *error)
{
  const struct value *dimensions = value_member(value, "dimensions"), *order = value_member(value, "order");
  size_t count = order && order->kind == VALUE_ARRAY ? order->count : dimensions->count;
  for (size_t i = 0; i < count; i++) {
    const struct value *item;
    const char *name;
    if (dimensions->kind == VALUE_ARRAY) {
      item = i < dimensions->count ? &dimensions->items[i] : NULL;
      name = item ? text_member(item, "name") : NULL;
    } else {
      name = order && order->kind == VALUE_ARRAY ? order->items[i].text
             : dimensions->kind == VALUE_OBJECT  ? dimensions->keys[i]
                                                 : NULL;
      item = name ? value_member(dimensions, name) : NULL;
    }
    if (!name || !item)
      return error_set(error, ERROR_ProcessParameterInvalid,
                       "the data cube's order names a dimension that it does not describe");
    if (read_dimension(arena, name, item, cube, error) != 0)
      return -1;
  }
  return 0;
}

/* Numbers on their way into the cube; two each where they are complex. */
struct elements {
  const struct cube *cube;
  double *next;
  bool is_complex;
};

static int read_number(struct elements *to, const struct value *value, struct error *error)
{
  bool boolean = value->kind == VALUE_BOOLEAN;
  if (!boolean && value->kind != VALUE_NUMBER && value->kind != VALUE_NULL)
    return error_set(error, ERROR_ProcessParameterInvalid, "the data cube holds a %s where a number belongs",
                     value_kind_name(value));
  *to->next++ = value->kind == VALUE_NULL ? na_f64() : boolean ? value->boolean : value->number;
  return 0;
}

static int read_element(struct elements *to, const struct value *value, struct error *error)
{
  bool pair = to->is_complex && value->kind == VALUE_ARRAY && value->count == 2;
  if (read_number(to, pair ? &value->items[0] : value, error) != 0)
    return -1;
  if (pair)
    return read_number(to, &value->items[1], error);
  if (to->is_complex)
    *to->next++ = value->kind == VALUE_NULL ? na_f64() : 0;
  return 0;
}

static int read_elements(struct elements *to, const struct value *data, size_t d, struct error *error)
{
  const struct cube *cube = to->cube;
  if (d == cube->dimensions)
    return read_element(to, data, error);
  if (data->kind != VALUE_ARRAY || data->count != cube->dimension[d].size)
    return error_set(error, ERROR_ProcessParameterInvalid,
                     "the data of the cube do not have the shape of its dimensions (dimension '%s')",
                     cube->dimension[d].name);
  for (size_t i = 0; i < data->count; i++)
    if (read_elements(to, &data->items[i], d + 1, error) != 0)
      return -1;
  return 0;
}

/* The type that "dtype" names; f64 where nothing does. */
static int read_type(const struct value *value, struct cube *cube, struct error *error)
{
  const struct value *nodata = value_member(value, "nodata");
  const char *name = text_member(value, "dtype");
  cube->type = name ? element_from_name(name) : ELEMENT_F64;
  if (cube->type == ELEMENT_TYPE_COUNT)
    return error_set(error, ERROR_ProcessParameterInvalid, "the data cube has no type named '%s'", name);
  const struct element_info *info = element_info(cube->type);
  bool given = nodata && nodata->kind == VALUE_NUMBER;
  cube->has_nodata = given || info->is_float || info->is_complex || cube->type == ELEMENT_BOOLEAN;
  cube->nodata = cube->type == ELEMENT_BOOLEAN ? 255 : given ? nodata->number : NAN;
  if (!info->is_complex && !info->is_float && cube->has_nodata && !element_can_mark(cube->type, cube->nodata) &&
      cube->type != ELEMENT_BOOLEAN)
    return error_set(error, ERROR_ProcessParameterInvalid, "the no-data value %g of the data cube is no %s",
                     cube->nodata, info->name);
  return 0;
}

/* The numbers in the cube's type; f64 and complex128 are that already. */
static int pack_elements(struct arena *arena, const struct cube *cube, const double *numbers, size_t count,
                         const void **out, struct error *error)
{
  const struct element_info *info = element_info(cube->type);
  size_t parts = info->is_complex ? 2 : 1;
  enum element_type part = cube->type == ELEMENT_C64 ? ELEMENT_F32 : cube->type;
  *out = numbers;
  if (cube->type == ELEMENT_F64 || cube->type == ELEMENT_C128)
    return 0;
  void *data = arena_array(arena, count, info->size);
  if (!data)
    return error_memory(error);
  for (size_t i = 0; i < count * parts; i++) {
    bool missing = is_na_f64(numbers[i]);
    if (missing ? !cube->has_nodata : !element_holds(part, numbers[i]))
      return error_set(error, ERROR_ProcessParameterInvalid, "element %zu of the data cube is no %s", i / parts,
                       info->name);
    value_store(part, missing ? cube->nodata : numbers[i], data, i);
  }
  *out = data;
  return 0;
}

int inline_cube_value(struct arena *arena, struct node_origin origin, const struct value *value, struct value *out,
                      struct error *error)
{
  const struct value *data = value_member(value, "data");
  struct cube cube = {.title = "data cube in the process graph"};
  if (read_type(value, &cube, error) != 0 || read_crs(arena, value_member(value, "crs"), &cube.crs, error) != 0 ||
      read_dimensions(arena, value, &cube, error) != 0)
    return -1;
  size_t count = cube_elements(&cube), parts = element_info(cube.type)->is_complex ? 2 : 1;
  if (count > (size_t)16 << 20)
    return error_set(error, ERROR_ProcessGraphComplexity, "the data cube in the graph has too many elements");
  double *numbers = ARENA_ARRAY(arena, double, count *parts);
  struct elements elements = {.cube = &cube, .next = numbers, .is_complex = parts == 2};
  const void *packed;
  if (!numbers)
    return error_memory(error);
  for (size_t i = 0; i < count * parts; i++)
    numbers[i] = na_f64();
  bool nothing =
      !data || data->kind == VALUE_NULL || (cube.dimensions == 0 && data->kind == VALUE_ARRAY && data->count == 0);
  if ((!nothing && read_elements(&elements, data, 0, error) != 0) ||
      pack_elements(arena, &cube, numbers, count, &packed, error) != 0)
    return -1;
  const struct source *source = memory_source(arena, &cube, packed, "inline");
  const struct node *node = source ? node_source(arena, origin, source) : NULL;
  *out = value_cube(node);
  return node ? 0 : error_memory(error);
}
