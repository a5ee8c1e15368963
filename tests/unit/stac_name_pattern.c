/* Dates and bands in file names: names of real products with what a person reads in them. */
#include "datacube/base/instant.h"
#include "stac/name_pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_default_dates(void **state)
{
  (void)state;
  static const struct {
    const char *path, *instant;
  } cases[] = {
      {"LC08_L1TP_014031_20180106_20180119_01_T1/LC08_L1TP_014031_20180106_B4.TIF", "2018-01-06T00:00:00Z"},
      {"TERRA_MODIS_012010_NDVI_2013-09-14.jp2", "2013-09-14T00:00:00Z"},
      {"S2_20220601_B04.tif", "2022-06-01T00:00:00Z"},
      {"T32TPS_20220601T101559_B04_10m.jp2", "2022-06-01T10:15:59Z"},
      {"x_20220601101559_y.tif", "2022-06-01T10:15:59Z"},
      {"a/b/2022/06/01/B04.tif", "2022-06-01T00:00:00Z"},
      {"2022-06-01/B04.tif", "2022-06-01T00:00:00Z"},
      {"MOD13Q1.A2013257.h12v10.tif", "2013-09-14T00:00:00Z"},
      {"chirps-v2.0.2018.03.07.tif", "2018-03-07T00:00:00Z"},
      {"rain_2018-03.tif", "2018-03-01T00:00:00Z"},
      {"folder_20200229.tif", "2020-02-29T00:00:00Z"},
      {"folder_20190229.tif", NULL}, /* no leap year */
      {"folder_20191301.tif", NULL},
      {"scene_014031.tif", NULL},
      {"serial_1201806015.tif", NULL},
      {"nothing.tif", NULL},
  };
  struct name_pattern pattern = {0};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    int64_t instant, expected;
    bool found = name_find_datetime(&pattern, cases[i].path, &instant);
    if (found != (cases[i].instant != NULL))
      print_error("%s\n", cases[i].path);
    assert_int_equal(found, cases[i].instant != NULL);
    if (!found)
      continue;
    assert_int_equal(instant_parse(cases[i].instant, CALENDAR_GREGORIAN, &expected), 0);
    assert_true(instant == expected);
  }
}

static void test_default_bands(void **state)
{
  (void)state;
  static const char *const cases[][2] = {
      {"LC08_L1TP_014031_20180106_20180119_01_T1/LC08_L1TP_014031_20180106_B4.TIF", "B4"},
      {"d/LC08_L1TP_014031_20180106_BQA.TIF", "BQA"},
      {"TERRA_MODIS_012010_NDVI_2013-09-14.jp2", "NDVI"},
      {"S2_20220601_B8A.tif", "B8A"},
      {"T32TPS_20220601T101559_B04_10m.jp2", "B04"},
      {"B08/2022-06-01.tif", "B08"},
      {"L8-B1-Elkton-VA_2018-01-06.tif", "B1"},
      {"S1_20240123T084748Z_VH_cropped.tif", "VH"},
      {"soil_height_20200101.tif", "height"},
      {"20200101.tif", NULL},
  };
  struct name_pattern pattern = {0};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct name_span span;
    bool known, found = name_find_band(&pattern, cases[i][0], &span, &known);
    assert_int_equal(found, cases[i][1] != NULL);
    if (found) {
      assert_int_equal(span.end - span.start, strlen(cases[i][1]));
      assert_memory_equal(cases[i][0] + span.start, cases[i][1], span.end - span.start);
    }
  }
}

static void test_expressions(void **state)
{
  (void)state;
  struct name_pattern pattern;
  struct error error = {0};
  struct name_span span;
  int64_t instant, expected;
  bool known;
  assert_int_equal(name_pattern_new("doy([0-9]{7})", "_(b[0-9]+)_", &pattern, &error), 0);
  assert_true(name_find_datetime(&pattern, "a_b3_doy2016060.tif", &instant));
  instant_parse("2016-02-29", CALENDAR_GREGORIAN, &expected);
  assert_true(instant == expected);
  assert_true(name_find_band(&pattern, "a_b3_doy2016060.tif", &span, &known) && span.start == 2 && span.end == 4);
  assert_false(name_find_datetime(&pattern, "a_b3_20160229.tif", &instant));
  assert_false(name_find_band(&pattern, "a_c3_doy2016060.tif", &span, &known));
  name_pattern_free(&pattern);
  assert_int_equal(name_pattern_new("([0-9", NULL, &pattern, &error), -1);
  assert_string_equal(error.parameter, "datetime");
  error = (struct error){0};
  assert_int_equal(name_pattern_new(NULL, "B[0-9]", &pattern, &error), -1); /* no group */
  assert_string_equal(error.parameter, "band");
  static const char *const endless[] = {"(.*)(.*)\\2([0-9]{8})x", "((((a{1,100}){1,100}){1,100}){1,100})b",
                                        "(a{99999999})"};
  for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
    error = (struct error){0};
    assert_int_equal(name_pattern_new(endless[i], NULL, &pattern, &error), -1);
    assert_string_equal(error.parameter, "datetime");
  }
  error = (struct error){0};
  assert_int_equal(name_pattern_new("([0-9]{4}_[0-9]{2}_[0-9]{2})\\.tif", NULL, &pattern, &error), 0);
  name_pattern_free(&pattern);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_default_dates),
      cmocka_unit_test(test_default_bands),
      cmocka_unit_test(test_expressions),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
