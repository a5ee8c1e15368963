/* GeoJSON to geometry sets: every type, features, reference systems, and what is none. */
#include "graph_fixture.h"

#include "processes/graph/json.h"
#include "processes/vector/geojson.h"

struct reading {
  struct arena *arena; /* to be freed */
  const struct geometry_set *set;
  struct error error;
  int status;
};

static struct reading read_text(const char *text)
{
  struct reading r = {.arena = arena_new(0)};
  struct call call = {.arena = r.arena, .error = &r.error};
  struct value value;
  assert_int_equal(value_read(r.arena, text, true, &value, &r.error), 0);
  r.status = geojson_read(&call, "geometries", &value, &r.set);
  assert_true((r.status == 0) == !error_is_set(&r.error));
  return r;
}

static void expect_wkt(const char *text, size_t count, const char *const *wkt)
{
  struct reading r = read_text(text);
  if (r.status != 0)
    fail_msg("%s", r.error.message);
  assert_int_equal(r.set->count, count);
  for (size_t i = 0; i < count; i++)
    assert_string_equal(geometry_wkt(r.arena, &r.set->items[i]), wkt[i]);
  arena_free(r.arena);
}

#define GEOMETRY(type, coordinates) "{\"type\":\"" type "\",\"coordinates\":" coordinates "}"
#define EXPECT_WKT(text, ...)                                                                                          \
  expect_wkt(text, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), (const char *const[]){__VA_ARGS__})

static void every_type(void **state)
{
  (void)state;
  EXPECT_WKT(GEOMETRY("Point", "[1,2.5,3]"), "POINT (1 2.5)");
  EXPECT_WKT(GEOMETRY("MultiPoint", "[[1,2],[3,4]]"), "MULTIPOINT ((1 2), (3 4))");
  EXPECT_WKT(GEOMETRY("LineString", "[[1,2],[3,4]]"), "LINESTRING (1 2, 3 4)");
  EXPECT_WKT(GEOMETRY("MultiLineString", "[[[1,2],[3,4]],[[5,6],[7,8]]]"), "MULTILINESTRING ((1 2, 3 4), (5 6, 7 8))");
  EXPECT_WKT(GEOMETRY("Polygon", "[[[0,0],[9,0],[9,9],[0,0]],[[1,1],[2,1],[2,2],[1,1]]]"),
             "POLYGON ((0 0, 9 0, 9 9, 0 0), (1 1, 2 1, 2 2, 1 1))");
  EXPECT_WKT(GEOMETRY("MultiPolygon", "[[[[0,0],[9,0],[9,9]]],[[[1,1],[2,1],[2,2],[1,1]]]]"),
             "MULTIPOLYGON (((0 0, 9 0, 9 9, 0 0)), ((1 1, 2 1, 2 2, 1 1)))");
  EXPECT_WKT("{\"type\":\"GeometryCollection\",\"geometries\":[" GEOMETRY("Point", "[1,2]") "," GEOMETRY(
                 "Polygon", "[[[0,0],[9,0],[9,9]]]") "]}",
             "GEOMETRYCOLLECTION (POINT (1 2), POLYGON ((0 0, 9 0, 9 9, 0 0)))");
  EXPECT_WKT(GEOMETRY("Polygon", "[]"), "GEOMETRYCOLLECTION EMPTY");
}

static void features_keep_what_they_carry(void **state)
{
  (void)state;
  struct reading r =
      read_text("{\"type\":\"FeatureCollection\",\"crs\":{\"type\":\"name\",\"properties\":{\"name\":"
                "\"urn:ogc:def:crs:EPSG::32632\"}},\"features\":["
                "{\"type\":\"Feature\",\"id\":\"a\",\"properties\":{\"n\":1,\"s\":[null,\"x\"]},\"geometry\":" GEOMETRY(
                    "Point", "[1,2]") "},{\"type\":\"Feature\",\"id\":7,\"properties\":null,\"geometry\":null}]}");
  assert_int_equal(r.status, 0);
  assert_int_equal(r.set->count, 2);
  assert_string_equal(r.set->crs, "EPSG:32632");
  assert_string_equal(r.set->items[0].id, "a");
  assert_string_equal(r.set->items[0].properties, "{\"n\":1,\"s\":[null,\"x\"]}");
  assert_string_equal(r.set->items[1].id, "7");
  assert_null(r.set->items[1].properties);
  assert_int_equal(r.set->items[1].type, GEOMETRY_NONE);
  arena_free(r.arena);
  r = read_text("{\"type\":\"Feature\",\"properties\":{},\"geometry\":" GEOMETRY("Point", "[1,2]") "}");
  assert_int_equal(r.set->count, 1);
  assert_string_equal(r.set->crs, "EPSG:4326");
  arena_free(r.arena);
}

static void expect_wrong(const char *text, const char *code)
{
  struct reading r = read_text(text);
  assert_int_equal(r.status, -1);
  assert_string_equal(r.error.code, code);
  assert_string_equal(r.error.parameter, "geometries");
  arena_free(r.arena);
}

static void what_is_no_geojson(void **state)
{
  (void)state;
  static const char *const texts[] = {
      "{}",
      "[1,2]",
      "{\"type\":\"Circle\"}",
      "{\"type\":\"Point\"}",
      "{\"type\":\"FeatureCollection\"}",
      "{\"type\":\"FeatureCollection\",\"features\":[" GEOMETRY("Point", "[1,2]") "]}",
      "{\"type\":\"Feature\"}",
      "{\"type\":\"GeometryCollection\",\"geometries\":[null]}",
      GEOMETRY("Point", "[1]"),
      GEOMETRY("Point", "[1,\"2\"]"),
      GEOMETRY("Point", "[1,Infinity]"),
      GEOMETRY("Point", "[[1,2],[3,4]]"),
      GEOMETRY("LineString", "[[1,2]]"),
      GEOMETRY("MultiPoint", "[1,2]"),
      GEOMETRY("Polygon", "[[[1,2],[3,4]]]"),
      GEOMETRY("Polygon", "[[1,2],[3,4],[5,6]]"),
      GEOMETRY("MultiPolygon", "[[[1,2],[3,4],[5,6]]]"),
      GEOMETRY("Polygon", "7"),
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    expect_wrong(texts[i], "ProcessParameterInvalid");
  expect_wrong("{\"type\":\"Point\",\"coordinates\":[1,2],\"crs\":\"EPSG:1\"}", "CRSInvalid");
  expect_wrong("{\"type\":\"Point\",\"coordinates\":[1,2],\"crs\":{\"type\":\"link\"}}", "CRSInvalid");
}

static void nesting_has_an_end(void **state)
{
  (void)state;
  char text[4096] = "";
  size_t at = 0;
  for (size_t i = 0; i < 40; i++)
    at += (size_t)snprintf(text + at, sizeof text - at, "{\"type\":\"GeometryCollection\",\"geometries\":[");
  for (size_t i = 0; i < 40; i++)
    at += (size_t)snprintf(text + at, sizeof text - at, "]}");
  expect_wrong(text, "ProcessParameterInvalid");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_type),
      cmocka_unit_test(features_keep_what_they_carry),
      cmocka_unit_test(what_is_no_geojson),
      cmocka_unit_test(nesting_has_an_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
