#include "stac/items_extent.h"

#include "stac/json_tree.h"

#include <stdbool.h>
#include <string.h>

/* West, south, east, north of a box of four or six numbers; false where it is none. */
static bool read_box(const json_t *box, double out[4])
{
  const size_t count = json_array_size(box), half = count / 2;
  if (count != 4 && count != 6)
    return false;
  for (size_t i = 0; i < 4; i++)
    out[i] = json_number_value(json_array_get(box, i < 2 ? i : half + i - 2));
  return true;
}

static void grow_box(json_t **box, const json_t *by)
{
  double a[4], b[4];
  if (!read_box(by, b))
    return;
  if (read_box(*box, a))
    for (size_t i = 0; i < 4; i++)
      b[i] = (i < 2) == (a[i] < b[i]) ? a[i] : b[i];
  json_decref(*box);
  *box = json_pack("[f,f,f,f]", b[0], b[1], b[2], b[3]);
}

/* Dates in UTC with a Z order as texts do. */
static void grow_interval(const char *out[2], const json_t *properties)
{
  const char *date = json_tree_text(properties, "datetime"), *start = json_tree_text(properties, "start_datetime"),
             *end = json_tree_text(properties, "end_datetime");
  start = start != NULL ? start : date;
  end = end != NULL ? end : date;
  if (start != NULL && (out[0] == NULL || strcmp(start, out[0]) < 0))
    out[0] = start;
  if (end != NULL && (out[1] == NULL || strcmp(end, out[1]) > 0))
    out[1] = end;
}

json_t *items_extent(const json_t *before, json_t *const *items, size_t count)
{
  const json_t *boxes = json_object_get(json_object_get(before, "spatial"), "bbox");
  const json_t *intervals = json_object_get(json_object_get(before, "temporal"), "interval");
  const json_t *interval = json_array_get(intervals, 0);
  json_t *box = json_deep_copy(json_array_get(boxes, 0));
  const char *dates[2] = {json_string_value(json_array_get(interval, 0)),
                          json_string_value(json_array_get(interval, 1))};
  const bool is_open[2] = {interval != NULL && dates[0] == NULL, interval != NULL && dates[1] == NULL};
  for (size_t i = 0; i < count; i++) {
    grow_box(&box, json_object_get(items[i], "bbox"));
    grow_interval(dates, json_object_get(items[i], "properties"));
  }
  if (box == NULL)
    box = json_pack("[f,f,f,f]", -180.0, -90.0, 180.0, 90.0);
  return json_pack("{s:{s:[o]}, s:{s:[[s?,s?]]}}", "spatial", "bbox", box, "temporal", "interval",
                   is_open[0] ? NULL : dates[0], is_open[1] ? NULL : dates[1]);
}
