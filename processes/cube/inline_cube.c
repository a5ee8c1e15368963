/* Inline cubes: dimensions from their labels, elements as f64 in memory. */
#include "processes/cube/inline_cube.h"

#include "datacube/base/missing.h"
#include "datacube/grid.h"
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
  double *numbers = ARENA_ARRAY(arena, double, values->count);
  const char **texts = ARENA_ARRAY(arena, const char *, values->count);
  int64_t *times = ARENA_ARRAY(arena, int64_t, values->count);
  bool all_numbers = true, all_times = d->type == DIMENSION_TEMPORAL;
  if (!numbers || !texts || !times)
    return error_memory(error);
  d->size = values->count;
  for (size_t i = 0; i < d->size; i++) {
    bool is_number = values->items[i].kind == VALUE_NUMBER;
    if (!is_number && values->items[i].kind != VALUE_TEXT)
      return error_set(error, "ProcessParameterInvalid", "dimension '%s': labels are numbers or text", d->name);
    all_numbers = all_numbers && is_number;
    numbers[i] = values->items[i].number;
    texts[i] = is_number ? arena_printf(arena, "%.15g", numbers[i]) : values->items[i].text;
    all_times = all_times && instant_parse(texts[i], CALENDAR_GREGORIAN, &times[i]) == 0;
  }
  d->labels = all_times && d->size ? LABEL_TIME : all_numbers ? LABEL_NUMBER : LABEL_TEXT;
  d->numbers = numbers;
  d->times = times;
  d->texts = d->labels == LABEL_TIME ? NULL : texts;
  if (d->labels == LABEL_NUMBER) {
    d->enumerated = is_enumeration(d);
    find_steps(d);
  }
  return 0;
}

static int read_dimension(struct arena *arena, const char *name, const struct value *value, struct cube *cube,
                          struct error *error)
{
  struct dimension *d = &cube->dimension[cube->dimensions];
  const char *type = text_member(value, "type"), *axis = text_member(value, "axis");
  const struct value *values = value_member(value, "values"), *system = value_member(value, "reference_system");
  if (cube->dimensions == CUBE_MAX_DIMENSIONS)
    return error_set(error, "ProcessGraphComplexity", "a cube has at most %d dimensions", (int)CUBE_MAX_DIMENSIONS);
  if (!name || !values || values->kind != VALUE_ARRAY)
    return error_set(error, "ProcessParameterInvalid", "a dimension of a data cube needs a name and values");
  if (cube_find_dimension(cube, name) != SIZE_MAX)
    return error_set(error, "ProcessParameterInvalid", "the data cube has two dimensions named '%s'", name);
  *d = (struct dimension){.name = name, .type = DIMENSION_OTHER};
  for (int t = DIMENSION_SPATIAL; type && t <= DIMENSION_OTHER; t++)
    if (strcmp(type, dimension_type_name((enum dimension_type)t)) == 0)
      d->type = (enum dimension_type)t;
  for (const char *known = "xyz"; d->type == DIMENSION_SPATIAL && *known; known++)
    if ((axis ? axis[0] : name[0]) == *known)
      d->axis = *known;
  if (d->axis && cube_find_axis(cube, d->axis) != SIZE_MAX)
    return error_set(error, "ProcessParameterInvalid", "the data cube has two dimensions of the axis %c", d->axis);
  cube->dimensions++;
  if (system && !cube->crs && d->type == DIMENSION_SPATIAL) {
    const char *text = system->kind == VALUE_NUMBER ? arena_printf(arena, "EPSG:%.0f", system->number) : system->text;
    if (text && crs_canonical(arena, text, &cube->crs, error) != 0)
      return -1;
  }
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
      return error_set(error, "ProcessParameterInvalid",
                       "the data cube's order names a dimension that it does not describe");
    if (read_dimension(arena, name, item, cube, error) != 0)
      return -1;
  }
  return 0;
}

static int read_elements(const struct value *data, const struct cube *cube, size_t d, double **at, struct error *error)
{
  if (d == cube->dimensions) {
    bool boolean = data->kind == VALUE_BOOLEAN;
    if (!boolean && data->kind != VALUE_NUMBER && data->kind != VALUE_NULL)
      return error_set(error, "ProcessParameterInvalid", "the data cube holds a %s where a number belongs",
                       value_kind_name(data));
    *(*at)++ = data->kind == VALUE_NULL ? na_f64() : boolean ? data->boolean : data->number;
    return 0;
  }
  if (data->kind != VALUE_ARRAY || data->count != cube->dimension[d].size)
    return error_set(error, "ProcessParameterInvalid",
                     "the data of the cube do not have the shape of its dimensions (dimension '%s')",
                     cube->dimension[d].name);
  for (size_t i = 0; i < data->count; i++)
    if (read_elements(&data->items[i], cube, d + 1, at, error) != 0)
      return -1;
  return 0;
}

int inline_cube_value(struct arena *arena, struct node_origin origin, const struct value *value, struct value *out,
                      struct error *error)
{
  const struct value *data = value_member(value, "data"), *nodata = value_member(value, "nodata");
  struct cube cube = {
      .type = ELEMENT_F64, .has_nodata = true, .nodata = NAN, .title = "data cube in the process graph"};
  if (read_dimensions(arena, value, &cube, error) != 0)
    return -1;
  if (nodata && nodata->kind == VALUE_NUMBER)
    cube.nodata = nodata->number;
  size_t count = cube_elements(&cube);
  if (count > (size_t)16 << 20)
    return error_set(error, "ProcessGraphComplexity", "the data cube in the graph has too many elements");
  double *elements = ARENA_ARRAY(arena, double, count), *at = elements;
  if (!elements)
    return error_memory(error);
  for (size_t i = 0; i < count; i++)
    elements[i] = na_f64();
  if (data && data->kind != VALUE_NULL && read_elements(data, &cube, 0, &at, error) != 0)
    return -1;
  const struct source *source = memory_source(arena, &cube, elements, "inline");
  const struct node *node = source ? node_source(arena, origin, source) : NULL;
  *out = value_cube(node);
  return node ? 0 : error_memory(error);
}
