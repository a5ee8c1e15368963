/* Plain values as cubes: the description of a cube is put together as one would write it into a graph, and read like
 * that one. */
#include "processes/save/value_cube.h"

#include "processes/cube/inline_cube.h"
#include "processes/cube/shape.h"

#include <string.h>

enum { MAX_CELLS = 1 << 24 };

static int unsuitable(struct call *call)
{
  return error_parameter(call->error, ERROR_FormatUnsuitable, "data",
                         "this format holds numbers in rows and columns; write other values as JSON");
}

static struct value object_of(struct call *call, const char *const *keys, const struct value *values, size_t count)
{
  const char **names = ARENA_ARRAY(call->arena, const char *, count);
  struct value *items = ARENA_ARRAY(call->arena, struct value, count), object = value_null();
  if (names == NULL || items == NULL) {
    error_memory(call->error);
    return object;
  }
  memcpy(names, keys, count * sizeof *names);
  memcpy(items, values, count * sizeof *items);
  if (value_object(call->arena, names, items, count, &object) != 0)
    error_memory(call->error);
  return object;
}

/* A dimension with the labels, or with 0 … n - 1 where they are NULL. */
static struct value dimension_of(struct call *call, const char *name, const char *type, const struct value *labels,
                                 size_t count)
{
  struct value *values = ARENA_ARRAY(call->arena, struct value, count + 1);
  if (values == NULL) {
    error_memory(call->error);
    return value_null();
  }
  for (size_t i = 0; i < count; i++)
    values[i] = labels != NULL ? labels[i] : value_number((double)i);
  static const char *const keys[] = {"name", "type", "values"};
  const struct value items[] = {value_text(name), value_text(type), value_array(values, count)};
  return object_of(call, keys, items, 3);
}

static int make_cube(struct call *call, const struct value *dimensions, size_t count, struct value data,
                     const struct node **out)
{
  static const char *const keys[] = {"type", "dimensions", "data"};
  const struct value items[] = {value_text("datacube"), value_array(dimensions, count), data};
  struct value description = object_of(call, keys, items, 3), cube;
  if (error_is_set(call->error) ||
      inline_cube_value(call->arena, call_origin(call), &description, &cube, call->error) != 0)
    return -1;
  *out = cube.cube;
  return 0;
}

static bool is_number(const struct value *value)
{
  return value->kind == VALUE_NUMBER || value->kind == VALUE_BOOLEAN || value->kind == VALUE_NULL;
}

/* Arrays within arrays; their shapes are checked when the cube is read. */
static int array_cube(struct call *call, const struct value *value, const struct node **out)
{
  struct value dimensions[CUBE_MAX_DIMENSIONS];
  const struct value *inner = value;
  size_t count = 0;
  for (; inner->kind == VALUE_ARRAY && count < CUBE_MAX_DIMENSIONS; count++) {
    const char *name = count == 0 ? "index" : arena_printf(call->arena, "index%zu", count + 1);
    if (name == NULL)
      return error_memory(call->error);
    dimensions[count] = dimension_of(call, name, "other", inner->labels, inner->count);
    if (inner->count == 0) {
      count++;
      break;
    }
    inner = &inner->items[0];
  }
  if (inner->kind != VALUE_ARRAY && !is_number(inner))
    return unsuitable(call);
  return make_cube(call, dimensions, count, *value, out);
}

/* The cell of a table, NULL where there is none: of an array of rows, or of an object of columns, whose single values
 * hold for every row. */
static const struct value *cell_of(const struct value *table, const char *column, size_t row)
{
  if (table->kind == VALUE_ARRAY)
    return table->items[row].kind == VALUE_OBJECT ? value_member(&table->items[row], column) : NULL;
  const struct value *cells = value_member(table, column);
  if (cells->kind != VALUE_ARRAY)
    return cells;
  return row < cells->count ? &cells->items[row] : NULL;
}

/* Of the longest column; one where all are single values. */
static size_t rows_of(const struct value *table)
{
  size_t rows = 0;
  bool has_arrays = false;
  if (table->kind == VALUE_ARRAY)
    return table->count;
  for (size_t c = 0; c < table->count; c++) {
    if (table->items[c].kind != VALUE_ARRAY)
      continue;
    has_arrays = true;
    rows = table->items[c].count > rows ? table->items[c].count : rows;
  }
  return has_arrays ? rows : 1;
}

static int table_cube(struct call *call, const struct value *table, const struct node **out)
{
  const struct value *head = table->kind == VALUE_ARRAY ? &table->items[0] : table;
  const size_t rows = rows_of(table), columns = head->count;
  if (columns == 0 || rows > (size_t)MAX_CELLS / columns)
    return unsuitable(call);
  struct value *names = ARENA_ARRAY(call->arena, struct value, columns);
  struct value *lines = ARENA_ARRAY(call->arena, struct value, rows + 1);
  struct value *cells = ARENA_ARRAY(call->arena, struct value, rows * columns + 1);
  if (names == NULL || lines == NULL || cells == NULL)
    return error_memory(call->error);
  for (size_t c = 0; c < columns; c++)
    names[c] = value_text(head->keys[c]);
  for (size_t r = 0; r < rows; r++) {
    for (size_t c = 0; c < columns; c++) {
      const struct value *cell = cell_of(table, head->keys[c], r);
      if (cell == NULL || !is_number(cell))
        return unsuitable(call);
      cells[r * columns + c] = *cell;
    }
    lines[r] = value_array(cells + r * columns, columns);
  }
  const struct value dimensions[] = {dimension_of(call, "index", "other", NULL, rows),
                                     dimension_of(call, "column", "bands", names, columns)};
  return make_cube(call, dimensions, 2, value_array(lines, rows), out);
}

int value_cube_node(struct call *call, const struct value *value, const struct node **out)
{
  if (is_number(value))
    return make_cube(call, NULL, 0, *value, out);
  if (value->kind == VALUE_OBJECT ||
      (value->kind == VALUE_ARRAY && value->count > 0 && value->items[0].kind == VALUE_OBJECT))
    return table_cube(call, value, out);
  return value->kind == VALUE_ARRAY ? array_cube(call, value, out) : unsuitable(call);
}
