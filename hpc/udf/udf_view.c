/* Labels are told as what they are: numbers by start and step, dates as texts that NumPy reads, others as texts. */
#include "hpc/udf/udf_view.h"

#include "datacube/geometry.h"

#include <string.h>

const char *udf_type_name(enum element_type type)
{
  return type == ELEMENT_BOOLEAN ? "bool" : element_info(type)->name;
}

enum element_type udf_type_from_name(const char *name)
{
  return strcmp(name, "bool") == 0 ? ELEMENT_BOOLEAN : element_from_name(name);
}

static void write_date(struct json_writer *w, const struct dimension *dimension, size_t i)
{
  char text[LABEL_TEXT_ROOM];
  if (dimension->texts || dimension->calendar != CALENDAR_GREGORIAN) {
    json_write_string(w, dimension_label_text(dimension, i, text));
    return;
  }
  instant_format(dimension->times[i], dimension->calendar, text);
  json_write_string(w, text);
}

static void write_labels(struct json_writer *w, const struct dimension *dimension, size_t start, size_t count)
{
  char text[LABEL_TEXT_ROOM];
  json_key(w, "labels");
  json_write_array(w);
  for (size_t i = start; i < start + count; i++)
    if (dimension->labels == LABEL_NUMBER)
      json_write_number(w, dimension->numbers[i]);
    else if (dimension->labels == LABEL_TIME)
      write_date(w, dimension, i);
    else
      json_write_string(w, dimension_label_text(dimension, i, text));
  json_end_array(w);
}

/* Geometries, for scripts that take them. */
static void write_geometries(struct json_writer *w, const struct dimension *dimension, size_t start, size_t count)
{
  json_key(w, "wkt");
  json_write_array(w);
  for (size_t i = start; i < start + count; i++) {
    struct arena *arena = arena_new((size_t)64 << 20);
    const char *text = arena ? geometry_wkt(arena, &dimension->geometries->items[i]) : NULL;
    json_write_string(w, text ? text : "");
    arena_free(arena);
  }
  json_end_array(w);
}

void udf_view_dimensions(struct json_writer *w, const struct cube *cube, const struct box *part)
{
  static const char *const kinds[] = {[LABEL_STEP] = "step",
                                      [LABEL_NUMBER] = "number",
                                      [LABEL_TEXT] = "text",
                                      [LABEL_TIME] = "time",
                                      [LABEL_GEOMETRY] = "text"};
  json_key(w, "dims");
  json_write_array(w);
  for (size_t d = 0; d < cube->dimensions; d++) {
    const struct dimension *dimension = &cube->dimension[d];
    json_write_object(w);
    json_kv_string(w, "name", dimension->name);
    json_kv_string(w, "is", dimension_type_name(dimension->type));
    json_kv_string(w, "kind", kinds[dimension->labels]);
    json_kv_integer(w, "size", (int64_t)part->count[d]);
    if (dimension->labels == LABEL_STEP) {
      json_kv_number(w, "start", dimension->start + (double)part->start[d] * dimension->step);
      json_kv_number(w, "step", dimension->step);
    } else
      write_labels(w, dimension, part->start[d], part->count[d]);
    if (dimension->labels == LABEL_GEOMETRY)
      write_geometries(w, dimension, part->start[d], part->count[d]);
    json_end_object(w);
  }
  json_end_array(w);
}

void udf_view_cube(struct json_writer *w, const struct cube *cube, const struct box *part)
{
  json_write_object(w);
  json_kv_string(w, "type", udf_type_name(cube->type));
  json_kv_string(w, "crs", cube->crs);
  udf_view_dimensions(w, cube, part);
  json_end_object(w);
}
