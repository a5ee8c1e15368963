/* Reading planes from the cube extension's dimensions. */
#include "stac/file_planes.h"

#include "datacube/base/checked.h"
#include "datacube/base/instant.h"

#include <string.h>

static bool are_dates(const json_t *labels)
{
  int64_t ignored;
  for (size_t i = 0; i < json_array_size(labels); i++) {
    const char *text = json_string_value(json_array_get(labels, i));
    if (!text || instant_parse(text, CALENDAR_GREGORIAN, &ignored) != 0)
      return false;
  }
  return json_array_size(labels) > 0;
}

static bool are_texts(const json_t *labels)
{
  for (size_t i = 0; i < json_array_size(labels); i++)
    if (!json_is_string(json_array_get(labels, i)))
      return false;
  return json_array_size(labels) > 0;
}

/* Takes one dimension into account; those that come later lie further inside. */
static bool take_dimension(const json_t *dimension, struct file_planes *out)
{
  const char *type = json_tree_text(dimension, "type"), *axis = json_tree_text(dimension, "axis");
  const json_t *values = json_tree_array(dimension, "values");
  if (type && strcmp(type, "spatial") == 0 && axis && strcmp(axis, "z") != 0)
    return true;
  if (type && strcmp(type, "temporal") == 0 && !out->dates && are_dates(values)) {
    out->dates = values;
    return true;
  }
  if (type && strcmp(type, "bands") == 0 && !out->bands && are_texts(values)) {
    out->bands = values;
    out->band_step = out->dates ? 1 : 0; /* 0: the dates lie further inside */
    return true;
  }
  return false;
}

bool planes_of(const json_t *asset, size_t file_bands, struct file_planes *out)
{
  json_t *dimensions = json_object_get(asset, "cube:dimensions");
  size_t count;
  *out = (struct file_planes){.dates = NULL};
  for (void *at = json_object_iter(dimensions); at; at = json_object_iter_next(dimensions, at))
    if (!take_dimension(json_object_iter_value(at), out))
      return false;
  size_t dates = json_array_size(out->dates), bands = out->bands ? json_array_size(out->bands) : 1;
  bool by_date = !out->bands || out->band_step == 1;
  out->band_step = by_date ? 1 : dates;
  out->date_step = by_date ? bands : 1;
  return out->dates && !checked_mul(dates, bands, &count) && count == file_bands;
}

size_t planes_date(const struct file_planes *planes, size_t i)
{
  return i / planes->date_step % json_array_size(planes->dates);
}

const char *planes_band(const struct file_planes *planes, size_t i)
{
  size_t band = planes->bands ? i / planes->band_step % json_array_size(planes->bands) : 0;
  return planes->bands ? json_string_value(json_array_get(planes->bands, band)) : NULL;
}

int64_t planes_instant(const struct file_planes *planes, size_t date)
{
  int64_t instant = 0;
  instant_parse(json_string_value(json_array_get(planes->dates, date)), CALENDAR_GREGORIAN, &instant);
  return instant;
}
