/* Items as GeoJSON features: see the header. */
#include "stac/item_document.h"

#include "datacube/base/instant.h"
#include "stac/index.h"

#include <string.h>

static bool read_time(const json_t *properties, const char *name, int64_t *out)
{
  const char *text = json_tree_text(properties, name);
  return text && instant_parse(text, CALENDAR_GREGORIAN, out) == 0;
}

struct item_times item_times_of(const json_t *properties, int64_t instant, bool undated)
{
  struct item_times times = {instant, instant, instant};
  int64_t start, end;
  if (undated)
    return (struct item_times){instant, -INDEX_FAR, INDEX_FAR};
  if (read_time(properties, "start_datetime", &start) && start < instant)
    times.first = start;
  if (read_time(properties, "end_datetime", &end) && end > instant)
    times.last = end;
  return times;
}

int64_t item_times_span(const struct item_times *times)
{
  const int64_t before = times->instant - times->first, after = times->last - times->instant;
  return before > after ? before : after;
}

static void write_date(const struct item_common *common, int64_t instant, struct json_writer *writer)
{
  char text[40];
  instant_format(instant, CALENDAR_GREGORIAN, text);
  json_kv_string(writer, "datetime", common->undated ? NULL : text);
  if (common->undated && common->start[0]) {
    json_kv_string(writer, "start_datetime", common->start);
    json_kv_string(writer, "end_datetime", common->end);
  }
}

static bool is_date(const char *property)
{
  return strcmp(property, "datetime") == 0 || strcmp(property, "start_datetime") == 0 ||
         strcmp(property, "end_datetime") == 0;
}

static void write_properties(const struct item_common *common, int64_t instant, const json_t *properties,
                             struct json_writer *writer)
{
  json_t *own = (json_t *)properties; /* jansson iterates over what is not const */
  const bool dated = json_tree_text(properties, "datetime") || json_tree_text(properties, "start_datetime");
  json_key(writer, "properties");
  json_write_object(writer);
  if (!dated)
    write_date(common, instant, writer);
  for (void *at = json_object_iter(own); at; at = json_object_iter_next(own, at)) {
    if (!dated && is_date(json_object_iter_key(at)))
      continue;
    json_key(writer, json_object_iter_key(at));
    json_tree_write(writer, json_object_iter_value(at));
  }
  json_end_object(writer);
}

void item_document(const struct item_common *common, const struct item_facts *item, const json_t *properties,
                   struct buffer *out)
{
  struct json_writer writer = {.out = out};
  double edges[4];
  lonlat_edges(&item->box, edges);
  json_write_object(&writer);
  json_kv_string(&writer, "type", "Feature");
  json_kv_string(&writer, "stac_version", "1.0.0");
  json_kv_string(&writer, "id", item->id);
  json_kv_string(&writer, "collection", common->collection);
  json_key(&writer, "bbox");
  json_write_array(&writer);
  for (size_t i = 0; i < 4; i++)
    json_write_number(&writer, edges[i]);
  json_end_array(&writer);
  lonlat_write_geometry(&item->box, &writer);
  write_properties(common, item->instant, properties, &writer);
  json_key(&writer, "assets");
  json_write_object(&writer);
  json_end_object(&writer);
  json_end_object(&writer);
}
