/* Feature tables as GeoJSON: feature by feature, so that no more than one is held as text. */
#include "datacube/sink/feature_table.h"

#include "datacube/base/buffer.h"
#include "datacube/sink/output.h"
#include "datacube/sink/values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct feature_writer {
  const struct feature_collection *collection;
  struct json_writer json;
  const char **keys; /* of the columns, as JSON texts, sorted */
  bool has_values;
};

/* ---- geometries -------------------------------------------------------------------------------------------------- */

static void write_position(struct json_writer *w, const struct geometry_part *part, size_t i)
{
  json_write_array(w);
  json_write_number(w, part->x[i]);
  json_write_number(w, part->y[i]);
  json_end_array(w);
}

static void write_ring(struct json_writer *w, const struct geometry_part *ring, bool outer)
{
  size_t last = ring->count - 1;
  bool closed = last > 0 && ring->x[0] == ring->x[last] && ring->y[0] == ring->y[last];
  size_t corners = closed ? last : ring->count;
  double turns = geometry_ring_turn(ring);
  bool reversed = outer ? turns < 0 : turns > 0;
  json_write_array(w);
  for (size_t i = 0; i <= corners; i++)
    write_position(w, ring, (reversed ? corners - i : i) % corners);
  json_end_array(w);
}

/* Coordinates of the member from part `at` on; returns the first part behind it. */
static size_t write_member(struct json_writer *w, const struct geometry *geometry, size_t at)
{
  const struct geometry_part *parts = geometry->parts;
  size_t first = at++;
  if (parts[first].kind == PART_POINT) {
    write_position(w, &parts[first], 0);
    return at;
  }
  json_write_array(w);
  for (size_t i = 0; parts[first].kind == PART_LINE && i < parts[first].count; i++)
    write_position(w, &parts[first], i);
  if (parts[first].kind == PART_RING) {
    write_ring(w, &parts[first], true);
    for (; at < geometry->part_count && parts[at].kind == PART_RING && parts[at].polygon == parts[first].polygon; at++)
      write_ring(w, &parts[at], false);
  }
  json_end_array(w);
  return at;
}

static void write_geometry(struct json_writer *w, const struct geometry *geometry)
{
  static const char *const names[] = {NULL,      "Point",        "MultiPoint",        "LineString", "MultiLineString",
                                      "Polygon", "MultiPolygon", "GeometryCollection"};
  static const char *const members[] = {[PART_POINT] = "Point", [PART_LINE] = "LineString", [PART_RING] = "Polygon"};
  bool collection = geometry->type == GEOMETRY_COLLECTION;
  bool several = collection || geometry->type == GEOMETRY_MULTIPOINT || geometry->type == GEOMETRY_MULTILINE ||
                 geometry->type == GEOMETRY_MULTIPOLYGON;
  if (geometry->type == GEOMETRY_NONE) {
    json_write_null(w);
    return;
  }
  json_write_object(w);
  json_kv_string(w, "type", names[geometry->type]);
  json_key(w, collection ? "geometries" : "coordinates");
  if (several)
    json_write_array(w);
  for (size_t at = 0; at < geometry->part_count;) {
    if (collection) {
      json_write_object(w);
      json_kv_string(w, "type", members[geometry->parts[at].kind]);
      json_key(w, "coordinates");
    }
    at = write_member(w, geometry, at);
    if (collection)
      json_end_object(w);
  }
  if (several)
    json_end_array(w);
  json_end_object(w);
}

/* ---- properties -------------------------------------------------------------------------------------------------- */

static int compare_keys(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_column(const struct feature_writer *f, const struct json_member *member)
{
  size_t low = 0, high = f->has_values ? f->collection->table->columns : 0;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strncmp(f->keys[middle], member->key, member->key_length);
    order = order ? order : f->keys[middle][member->key_length] != '\0';
    if (order == 0)
      return true;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return false;
}

static void write_float(struct feature_writer *f, const char *text)
{
  bool whole = f->collection->for_tables && strspn(text, "-0123456789") == strlen(text);
  json_write_raw(&f->json, text, strlen(text));
  if (whole)
    buffer_text(f->json.out, ".0");
}

static void write_value(struct feature_writer *f, size_t i)
{
  const struct cube *cube = f->collection->table->cube;
  const void *data = f->collection->values->data;
  char text[32];
  if (value_missing(cube, data, i) || !isfinite(value_load(cube->type, data, i))) {
    json_write_null(&f->json);
  } else if (cube->type == ELEMENT_BOOLEAN) {
    json_write_bool(&f->json, ((const unsigned char *)data)[i] != 0);
  } else if (cube->type == ELEMENT_I64) {
    json_write_integer(&f->json, ((const int64_t *)data)[i]);
  } else if (cube->type == ELEMENT_F32) {
    float_format(((const float *)data)[i], text);
    write_float(f, text);
  } else if (cube->type == ELEMENT_F64) {
    number_format(((const double *)data)[i], text);
    write_float(f, text);
  } else {
    json_write_number(&f->json, value_load(cube->type, data, i));
  }
}

static void write_id(struct json_writer *w, const struct geometry *geometry)
{
  json_key(w, "id");
  if (geometry->id_is_number)
    json_write_raw(w, geometry->id, strlen(geometry->id));
  else
    json_write_string(w, geometry->id);
}

static bool is_id(const struct json_member *member)
{
  return member->key_length == 4 && memcmp(member->key, "\"id\"", 4) == 0;
}

static void write_properties(struct feature_writer *f, size_t row)
{
  struct json_writer *w = &f->json;
  const struct feature_table *table = f->collection->table;
  const char *at = table->set->items[row].properties;
  struct json_member member;
  json_write_object(w);
  if (f->collection->for_tables && table->set->items[row].id)
    write_id(w, &table->set->items[row]);
  while (at && json_member_next(&at, &member)) {
    bool replaced = f->collection->for_tables && is_id(&member) && table->set->items[row].id;
    if (replaced || is_column(f, &member))
      continue;
    json_write_raw(w, member.key, member.key_length);
    buffer_text(w->out, ":");
    w->need_comma = false;
    json_write_raw(w, member.value, member.value_length);
  }
  for (size_t c = 0; f->has_values && c < table->columns; c++) {
    json_key(w, table->names[c]);
    write_value(f, row * table->stride + table->offsets[c]);
  }
  json_end_object(w);
}

/* ---- features ---------------------------------------------------------------------------------------------------- */

static void write_feature(struct feature_writer *f, size_t row)
{
  const struct geometry *geometry = &f->collection->geometries->items[row];
  struct json_writer *w = &f->json;
  json_write_object(w);
  json_kv_string(w, "type", "Feature");
  if (geometry->id && !f->collection->for_tables)
    write_id(w, geometry);
  json_key(w, "geometry");
  write_geometry(w, geometry);
  json_key(w, "properties");
  write_properties(f, row);
  json_end_object(w);
}

static void write_head(const struct feature_collection *c, struct json_writer *w)
{
  json_write_object(w);
  json_kv_string(w, "type", "FeatureCollection");
  if (c->crs) {
    json_key(w, "crs");
    json_write_object(w);
    json_kv_string(w, "type", "name");
    json_key(w, "properties");
    json_write_object(w);
    json_kv_string(w, "name", c->crs);
    json_end_object(w);
    json_end_object(w);
  }
  if (c->history)
    json_kv_string(w, "history", c->history);
  json_key(w, "features");
  json_write_array(w);
}

/* What the buffer holds goes to the file. */
static int flush(struct feature_writer *f, FILE *file, struct error *error)
{
  struct buffer *text = f->json.out;
  if (text->failed)
    return error_memory(error);
  bool written = fwrite(text->data, 1, text->length, file) == text->length;
  text->length = 0;
  return written ? 0 : output_error(error, "cannot write the features");
}

/* A cube of geometries alone whose values are all missing has none. */
static bool has_values(const struct feature_collection *c)
{
  if (c->table->cube->dimensions > 1)
    return true;
  for (size_t i = 0; i < c->values->elements; i++)
    if (!value_missing(c->table->cube, c->values->data, i))
      return true;
  return false;
}

static int make_keys(struct feature_writer *f, struct error *error)
{
  const struct feature_table *table = f->collection->table;
  f->keys = ARENA_ARRAY(table->arena, const char *, table->columns);
  for (size_t c = 0; f->keys && c < table->columns; c++) {
    struct buffer text = {0};
    json_write_string(&(struct json_writer){.out = &text}, table->names[c]);
    f->keys[c] = text.failed ? NULL : arena_strdup(table->arena, text.data);
    buffer_free(&text);
    if (!f->keys[c])
      return error_memory(error);
  }
  if (!f->keys)
    return error_memory(error);
  qsort(f->keys, table->columns, sizeof *f->keys, compare_keys);
  return 0;
}

int feature_collection_write(const struct feature_collection *collection, FILE *file, struct error *error)
{
  struct buffer text = {0};
  struct feature_writer f = {.collection = collection, .json = {.out = &text}};
  f.has_values = has_values(collection);
  int status = make_keys(&f, error);
  write_head(collection, &f.json);
  for (size_t row = 0; status == 0 && row < collection->geometries->count; row++) {
    write_feature(&f, row);
    status = flush(&f, file, error);
  }
  json_end_array(&f.json);
  json_end_object(&f.json);
  buffer_text(&text, "\n");
  if (status == 0)
    status = flush(&f, file, error);
  buffer_free(&text);
  return status;
}
