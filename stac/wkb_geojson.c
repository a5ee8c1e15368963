/* See the header. Source: OGC 06-103r4 (types 1 to 7), ISO 13249-3 (a thousand more: heights), PostGIS (flags). */
#include "stac/wkb_geojson.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { DEEPEST = 16 };

enum { POINT = 1, LINE, POLYGON, MANY_POINTS, MANY_LINES, MANY_POLYGONS, COLLECTION };

struct wkb_reader {
  const unsigned char *at, *end;
  bool is_big; /* high bytes first */
  struct json_writer *w;
  struct error *error;
};

struct wkb_head {
  unsigned type, numbers; /* of a position in the bytes */
  bool has_height;
};

static int broken(struct wkb_reader *reader, const char *what)
{
  return error_set(reader->error, ERROR_StacInvalid, "a geometry is no sound well-known binary: %s", what);
}

static int read_u32(struct wkb_reader *reader, uint32_t *out)
{
  const unsigned char *b = reader->at;
  if (reader->end - reader->at < 4)
    return broken(reader, "it breaks off");
  *out = reader->is_big ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]
                        : (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
  reader->at += 4;
  return 0;
}

static double read_double(struct wkb_reader *reader)
{
  uint64_t bits = 0;
  double number;
  for (unsigned i = 0; i < 8; i++)
    bits |= (uint64_t)reader->at[i] << 8 * (reader->is_big ? 7 - i : i);
  reader->at += 8;
  memcpy(&number, &bits, sizeof number);
  return number;
}

static int read_head(struct wkb_reader *reader, struct wkb_head *head)
{
  static const uint32_t has_z = UINT32_C(0x80000000), has_m = UINT32_C(0x40000000), has_crs = UINT32_C(0x20000000);
  uint32_t type, ignored;
  if (reader->at == reader->end || *reader->at > 1)
    return broken(reader, "no order of bytes");
  reader->is_big = *reader->at++ == 0;
  if (read_u32(reader, &type) != 0 || (type & has_crs && read_u32(reader, &ignored) != 0))
    return -1;
  const uint32_t plain = type & ~(has_z | has_m | has_crs), thousands = plain / 1000;
  if (thousands > 3 || plain % 1000 < POINT || plain % 1000 > COLLECTION)
    return error_set(reader->error, ERROR_StacInvalid, "a geometry is of type %u, for which GeoJSON has no name",
                     (unsigned)plain);
  head->type = plain % 1000;
  head->has_height = type & has_z || thousands == 1 || thousands == 3;
  head->numbers = 2 + head->has_height + (type & has_m || thousands >= 2);
  return 0;
}

/* A position; one of no numbers is that of an empty point. */
static int write_position(struct wkb_reader *reader, const struct wkb_head *head)
{
  double numbers[4];
  if ((size_t)(reader->end - reader->at) < head->numbers * sizeof(double))
    return broken(reader, "it breaks off");
  for (unsigned i = 0; i < head->numbers; i++)
    numbers[i] = read_double(reader);
  const unsigned count = 2 + head->has_height;
  json_write_array(reader->w);
  if (head->type != POINT || !isnan(numbers[0]) || !isnan(numbers[1]))
    for (unsigned i = 0; i < count; i++) {
      if (!isfinite(numbers[i]))
        return broken(reader, "a position has no finite numbers");
      json_write_number(reader->w, numbers[i]);
    }
  json_end_array(reader->w);
  return 0;
}

static int write_positions(struct wkb_reader *reader, const struct wkb_head *head)
{
  uint32_t count;
  if (read_u32(reader, &count) != 0)
    return -1;
  json_write_array(reader->w);
  for (uint32_t i = 0; i < count; i++)
    if (write_position(reader, head) != 0)
      return -1;
  json_end_array(reader->w);
  return 0;
}

static int write_rings(struct wkb_reader *reader, const struct wkb_head *head)
{
  uint32_t count;
  if (read_u32(reader, &count) != 0)
    return -1;
  json_write_array(reader->w);
  for (uint32_t i = 0; i < count; i++)
    if (write_positions(reader, head) != 0)
      return -1;
  json_end_array(reader->w);
  return 0;
}

static int write_one(struct wkb_reader *reader, const struct wkb_head *head)
{
  return head->type == POINT  ? write_position(reader, head)
         : head->type == LINE ? write_positions(reader, head)
                              : write_rings(reader, head);
}

static int write_geometry(struct wkb_reader *reader, unsigned depth);

/* Members, each with a head of its own. */
static int write_members(struct wkb_reader *reader, const struct wkb_head *head, unsigned depth)
{
  struct wkb_head member;
  uint32_t count;
  if (read_u32(reader, &count) != 0)
    return -1;
  json_write_array(reader->w);
  for (uint32_t i = 0; i < count; i++)
    if (head->type == COLLECTION) {
      if (write_geometry(reader, depth + 1) != 0)
        return -1;
    } else {
      if (read_head(reader, &member) != 0)
        return -1;
      if (member.type != head->type - (MANY_POINTS - POINT))
        return broken(reader, "a member is of another type");
      if (write_one(reader, &member) != 0)
        return -1;
    }
  json_end_array(reader->w);
  return 0;
}

static int write_geometry(struct wkb_reader *reader, unsigned depth)
{
  static const char *const names[] = {"",           "Point",           "LineString",   "Polygon",
                                      "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"};
  struct wkb_head head;
  if (depth > DEEPEST)
    return broken(reader, "collections lie too deep in each other");
  if (read_head(reader, &head) != 0)
    return -1;
  json_write_object(reader->w);
  json_kv_string(reader->w, "type", names[head.type]);
  json_key(reader->w, head.type == COLLECTION ? "geometries" : "coordinates");
  if ((head.type >= MANY_POINTS ? write_members(reader, &head, depth) : write_one(reader, &head)) != 0)
    return -1;
  json_end_object(reader->w);
  return 0;
}

int wkb_geojson_write(const char *bytes, size_t length, struct json_writer *w, struct error *error)
{
  struct wkb_reader reader = {(const unsigned char *)bytes, (const unsigned char *)bytes + length, false, w, error};
  if (write_geometry(&reader, 0) != 0)
    return -1;
  return reader.at == reader.end ? 0 : broken(&reader, "it goes on behind its end");
}
