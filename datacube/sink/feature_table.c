/* Feature tables: the columns of a vector cube, and their names. */
#include "datacube/sink/feature_table.h"

#include "datacube/base/buffer.h"
#include "datacube/base/checked.h"

#include <string.h>

enum { MOST_COLUMNS = 100 * 1000, MOST_ELEMENTS = 50 * 1000 * 1000 };

int feature_table_check(const struct cube *cube, const char *format, struct error *error)
{
  size_t geometry = cube_find_geometries(cube), columns = 1;
  if (geometry == SIZE_MAX)
    return error_set(error, ERROR_FormatUnsuitable,
                     "%s holds vector cubes; this cube has no dimension of geometries (aggregate_spatial makes one)",
                     format);
  if (element_info(cube->type)->is_complex)
    return error_set(error, ERROR_FormatUnsuitable, "%s has no complex numbers", format);
  for (size_t d = 0; d < cube->dimensions; d++)
    columns = d == geometry ? columns : saturated_mul(columns, cube->dimension[d].size);
  if (columns > MOST_COLUMNS)
    return error_set(error, ERROR_FormatUnsuitable,
                     "%s has a column for each combination of labels beside the geometries; %zu are more than %d",
                     format, columns, (int)MOST_COLUMNS);
  return whole_check(cube, format, MOST_ELEMENTS, error);
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static void add_label(struct buffer *name, const struct dimension *d, size_t i)
{
  char room[LABEL_TEXT_ROOM];
  const char *text = dimension_label_text(d, i, room);
  const char *midnight = d->labels == LABEL_TIME ? strstr(text, "T00:00:00Z") : NULL;
  buffer_text(name, name->length > 0 ? "~" : "");
  buffer_add(name, text, midnight ? (size_t)(midnight - text) : strlen(text));
}

/* Name of the column at the indexes; they are 0 for the geometries. */
static const char *column_name(const struct feature_table *table, const size_t *index)
{
  struct buffer name = {0};
  for (size_t d = 0; d < table->cube->dimensions; d++)
    if (d != table->geometry)
      add_label(&name, &table->cube->dimension[d], index[d]);
  const char *copy = name.failed ? NULL : arena_strdup(table->arena, name.length > 0 ? name.data : "value");
  buffer_free(&name);
  return copy;
}

static int name_columns(struct feature_table *table)
{
  size_t index[CUBE_MAX_DIMENSIONS] = {0}, stride[CUBE_MAX_DIMENSIONS] = {0}, step = 1;
  const char **names = ARENA_ARRAY(table->arena, const char *, table->columns);
  table->offsets = ARENA_ARRAY(table->arena, size_t, table->columns);
  if (!names || !table->offsets)
    return -1;
  for (size_t d = table->cube->dimensions; d-- > 0; step *= table->cube->dimension[d].size)
    stride[d] = step;
  table->stride = stride[table->geometry];
  for (size_t c = 0; c < table->columns; c++) {
    for (size_t d = 0; d < table->cube->dimensions; d++)
      table->offsets[c] += index[d] * stride[d];
    names[c] = column_name(table, index);
    if (!names[c])
      return -1;
    for (size_t d = table->cube->dimensions; d-- > 0;) {
      if (d != table->geometry && ++index[d] < table->cube->dimension[d].size)
        break;
      index[d] = 0;
    }
  }
  table->names = names;
  return 0;
}

int feature_table_open(const struct cube *cube, struct feature_table *out, struct error *error)
{
  *out =
      (struct feature_table){.cube = cube, .geometry = cube_find_geometries(cube), .arena = arena_new(0), .columns = 1};
  if (!out->arena)
    return error_memory(error);
  for (size_t d = 0; d < cube->dimensions; d++)
    out->columns *= d == out->geometry ? 1 : cube->dimension[d].size;
  out->set = cube->dimension[out->geometry].geometries;
  return name_columns(out) == 0 ? 0 : error_memory(error);
}

void feature_table_close(struct feature_table *table)
{
  arena_free(table->arena);
  *table = (struct feature_table){0};
}

/* ---- members of JSON objects ------------------------------------------------------------------------------------- */

/* Behind the text that begins with a quote. */
static const char *skip_text(const char *at)
{
  for (at++; *at && *at != '"'; at++)
    if (*at == '\\' && at[1])
      at++;
  return *at ? at + 1 : at;
}

/* Behind the value, which ends before a comma or bracket of the object around it. */
static const char *skip_value(const char *at)
{
  size_t depth = 0;
  while (*at) {
    if (*at == '"') {
      at = skip_text(at);
      continue;
    }
    if (depth == 0 && (*at == ',' || *at == '}'))
      return at;
    depth += *at == '{' || *at == '[';
    depth -= *at == '}' || *at == ']';
    at++;
  }
  return at;
}

bool json_member_next(const char **at, struct json_member *out)
{
  const char *p = *at + strspn(*at, "{, \n\t\r");
  if (*p != '"')
    return false;
  const char *end = skip_text(p), *value = end + strspn(end, ": ");
  *out = (struct json_member){.key = p, .key_length = (size_t)(end - p), .value = value};
  *at = skip_value(value);
  out->value_length = (size_t)(*at - value);
  return true;
}
