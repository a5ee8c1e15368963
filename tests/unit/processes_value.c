/* Host values, the readers of arguments, and the case folding of texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datacube/base/missing.h"
#include "processes/array/elements.h"
#include "processes/compare/operands.h"
#include "processes/graph/signature.h"
#include "processes/text/fold.h"

#include <math.h>
#include <string.h>

static const struct process process_probe = {.id = "probe", .shape = PROCESS_VALUE};

struct fixture {
  struct arena *arena;
  struct error error;
  struct argument arguments[4];
  struct call call;
};

static int setup(void **state)
{
  static struct fixture fixture;
  fixture = (struct fixture){.arena = arena_new(0)};
  fixture.call = (struct call){.process = &process_probe,
                               .node = "n",
                               .arguments = fixture.arguments,
                               .arena = fixture.arena,
                               .program = program_new(fixture.arena),
                               .error = &fixture.error};
  *state = &fixture;
  return fixture.call.program == NULL ? -1 : 0;
}

static int teardown(void **state)
{
  arena_free(((struct fixture *)*state)->arena);
  return 0;
}

static struct call *give(struct fixture *f, const char *name, struct value value)
{
  f->arguments[f->call.argument_count++] = (struct argument){name, value};
  return &f->call;
}

static void assert_json(const struct value *value, const char *expected)
{
  struct buffer out = {0};
  struct json_writer writer = {.out = &out};
  value_write(value, &writer);
  assert_false(out.failed);
  assert_string_equal(out.data, expected);
  buffer_free(&out);
}

static void test_kinds(void **state)
{
  struct fixture *f = *state;
  struct program *p = f->call.program;
  struct value truth = value_lanes(program_boolean(p, true));
  struct value number = value_lanes(program_constant(p, 2.5));
  struct value array = value_lanes(program_input(p, 0, true, 3, ELEMENT_U16, NULL));
  struct value text = value_text("B4"), null = value_null();
  assert_string_equal(value_kind_name(&truth), "boolean");
  assert_string_equal(value_kind_name(&number), "number");
  assert_string_equal(value_kind_name(&array), "array");
  assert_string_equal(value_kind_name(&text), "string");
  assert_string_equal(value_kind_name(&null), "null");
}

static void test_host_is_deep(void **state)
{
  struct fixture *f = *state;
  struct value inner[] = {value_number(1), value_lanes(program_constant(f->call.program, 1))};
  struct value middle = value_array(inner, 2), known = value_array(inner, 1), object;
  const char *key = "a";
  assert_int_equal(value_object(f->arena, &key, &middle, 1, &object), 0);
  assert_false(value_is_host(&object));
  assert_true(value_has_lanes(&object));
  assert_int_equal(value_object(f->arena, &key, &known, 1, &object), 0);
  assert_true(value_is_host(&object));
  assert_int_equal(value_weight(&object), 3);
}

/* A value that holds the one before twice, sixty times over: its weight saturates, nothing is walked. */
static void test_weight_of_shared_values(void **state)
{
  (void)state;
  static struct value pair[80][2];
  struct value value = value_text("12345678");
  assert_int_equal(value_weight(&value), 2);
  for (size_t i = 0; i < 80; i++) {
    pair[i][0] = pair[i][1] = value;
    value = value_array(pair[i], 2);
    if (i < 60)
      assert_int_equal(value_weight(&value), ((size_t)3 << (i + 1)) - 1);
  }
  assert_true(value_weight(&value) == SIZE_MAX);
  assert_true(value_is_host(&value));
}

static void test_members_of_large_objects(void **state)
{
  struct fixture *f = *state;
  enum { COUNT = 1000 };
  const char **keys = ARENA_ARRAY(f->arena, const char *, COUNT),
             **reversed = ARENA_ARRAY(f->arena, const char *, COUNT);
  struct value *items = ARENA_ARRAY(f->arena, struct value, COUNT),
               *backwards = ARENA_ARRAY(f->arena, struct value, COUNT);
  struct value object, other;
  for (size_t i = 0; i < COUNT; i++) {
    keys[i] = reversed[COUNT - 1 - i] = arena_printf(f->arena, "k%zu", i);
    items[i] = backwards[COUNT - 1 - i] = value_number((double)i);
  }
  assert_int_equal(value_object(f->arena, keys, items, COUNT, &object), 0);
  assert_int_equal(value_object(f->arena, reversed, backwards, COUNT, &other), 0);
  for (size_t i = 0; i < COUNT; i++)
    assert_ptr_equal(value_member(&object, keys[i]), &items[i]);
  assert_null(value_member(&object, "k1000"));
  assert_true(value_equal(&object, &other));
}

static void test_equality(void **state)
{
  struct fixture *f = *state;
  struct value nan = value_number((double)NAN), null = value_null(), zero = value_number(0),
               falsity = value_boolean(false);
  assert_false(value_equal(&nan, &nan));
  assert_true(value_equal(&null, &null));
  assert_false(value_equal(&zero, &falsity));
  const char *ab[] = {"a", "b"}, *ba[] = {"b", "a"};
  struct value one_two[] = {value_number(1), value_text("2")}, two_one[] = {value_text("2"), value_number(1)};
  struct value x, y;
  assert_int_equal(value_object(f->arena, ab, one_two, 2, &x), 0);
  assert_int_equal(value_object(f->arena, ba, two_one, 2, &y), 0);
  assert_true(value_equal(&x, &y)); /* the order of keys does not count */
  y.keys = ab;
  assert_false(value_equal(&x, &y));
  struct value labels[] = {value_text("u"), value_text("v")};
  struct value plain = value_array(one_two, 2), labelled = plain;
  labelled.labels = labels;
  assert_false(value_equal(&plain, &labelled));
  assert_true(value_equal(&labelled, &labelled));
}

static void test_json(void **state)
{
  struct value items[] = {value_number(0.1), value_text("\"\n"), value_boolean(true), value_null()};
  struct value labels[] = {value_number(1), value_number(2), value_number(3), value_number(4)};
  struct value array = value_array(items, 4);
  array.labels = labels;
  assert_json(&array, "[0.1,\"\\\"\\n\",true,null]");
  const char *keys[] = {"k", "l"};
  struct value members[] = {array, value_array(NULL, 0)};
  struct value object;
  assert_int_equal(value_object(((struct fixture *)*state)->arena, keys, members, 2, &object), 0);
  assert_json(&object, "{\"k\":[0.1,\"\\\"\\n\",true,null],\"l\":[]}");
  assert_ptr_equal(value_member(&object, "l"), &members[1]);
  assert_null(value_member(&object, "m"));
  assert_null(value_member(&array, "k"));
}

static void test_readers(void **state)
{
  struct fixture *f = *state;
  int64_t whole = 0;
  double number = 0;
  give(f, "a", value_number(3));
  give(f, "b", value_number(2.5));
  struct call *call = give(f, "c", value_null());
  assert_int_equal(call_integer(call, "a", 0, 3, &whole), 0);
  assert_int_equal(whole, 3);
  assert_int_equal(call_number(call, "b", &number), 0);
  assert_true(number == 2.5);
  assert_false(call_has(call, "c"));
  assert_non_null(call_argument(call, "c"));
  assert_false(call_has(call, "d"));
  assert_false(error_is_set(&f->error));
}

static void expect_error(struct fixture *f, int status, const char *code, const char *parameter)
{
  assert_int_equal(status, -1);
  assert_string_equal(f->error.code, code);
  assert_string_equal(f->error.parameter, parameter);
  f->error = (struct error){0};
}

static void test_reader_errors(void **state)
{
  struct fixture *f = *state;
  int64_t whole;
  double number;
  struct lanes lanes;
  const char *text;
  struct value mixed[] = {value_number(1), value_text("x")};
  give(f, "half", value_number(0.5));
  give(f, "nan", value_number((double)NAN));
  give(f, "pixel", value_lanes(program_constant(f->call.program, 1)));
  struct call *call = give(f, "mixed", value_array(mixed, 2));
  expect_error(f, call_integer(call, "half", 0, 9, &whole), "ProcessParameterInvalid", "half");
  expect_error(f, call_integer(call, "nan", 0, 9, &whole), "ProcessParameterInvalid", "nan");
  expect_error(f, call_number(call, "pixel", &number), "ProcessParameterInvalid", "pixel");
  expect_error(f, call_text(call, "half", &text), "ProcessParameterInvalid", "half");
  expect_error(f, call_number(call, "absent", &number), "ProcessParameterRequired", "absent");
  expect_error(f, call_lanes(call, "mixed", &lanes), "ProcessParameterInvalid", "mixed");
  expect_error(f, call_lanes_array(call, "mixed", &lanes), "ProcessParameterInvalid", "mixed");
  expect_error(f, call_lanes_array(call, "half", &lanes), "ProcessParameterInvalid", "half");
}

/* A handle goes where a schema names its subtype, and is called by its name. */
static void test_handles(void **state)
{
  (void)state;
  static const struct handle_type geometries = {"a geometry set", "geojson"}, models = {"a model", "ml-model"};
  const struct schema takes_model = {.types = TYPE_OBJECT, .subtype = "ml-model"};
  const struct schema either[] = {{.types = TYPE_OBJECT, .subtype = "datacube", .takes_cube = true},
                                  {.types = TYPE_OBJECT, .subtype = "geojson"}};
  const struct schema takes_geometries = {.alternatives = either, .alternative_count = 2};
  const struct parameter parameter = {.name = "model", .schema = &takes_model, .cost = 1};
  struct value geometry = value_handle(&geometries, NULL), model = value_handle(&models, NULL);
  struct value both[] = {geometry, model}, array = value_array(both, 2);
  struct error error = {0};
  assert_true(schema_fits(&takes_model, &model, true));
  assert_false(schema_fits(&takes_model, &geometry, true));
  assert_true(schema_fits(&takes_geometries, &geometry, true));
  assert_false(schema_fits(&takes_geometries, &model, true));
  assert_false(value_is_host(&model));
  assert_false(value_is_host(&array));
  assert_false(value_has_lanes(&array));
  assert_int_equal(parameter_check(&parameter, &geometry, true, &error), -1);
  assert_non_null(strstr(error.message, "a geometry set"));
  assert_non_null(strstr(error.message, "ml-model"));
}

/* A host array becomes lanes with its values, labels and class. */
static void test_array_as_lanes(void **state)
{
  struct fixture *f = *state;
  struct value items[] = {value_boolean(true), value_null(), value_boolean(false)};
  struct value labels[] = {value_text("u"), value_number(7), value_text("w")};
  struct value array = value_array(items, 3);
  array.labels = labels;
  assert_true(value_is_lanes_array_like(&array));
  struct lanes lanes = value_as_lanes_array(f->call.program, &array);
  double out[3];
  assert_int_equal(program_evaluate(f->call.program, lanes, out, &f->error), 0);
  assert_true(out[0] == 1 && is_na_f64(out[1]) && out[2] == 0);
  assert_int_equal(lanes.class, LANES_BOOLEAN);
  assert_int_equal(lanes.length, 3);
  struct value as_value = value_lanes(lanes), label = value_text("w"), seven = value_number(7), none = value_text("v");
  assert_int_equal(array_find_label(&as_value, &label), 2);
  assert_int_equal(array_find_label(&as_value, &seven), 1);
  assert_int_equal(array_find_label(&array, &seven), 1);
  assert_true(array_find_label(&as_value, &none) == SIZE_MAX);
}

/* eq of a boolean and a number is false, but missing where an operand that a program computes is missing. */
static void test_types_decide(void **state)
{
  struct fixture *f = *state;
  struct program *p = f->call.program;
  struct value truth = value_boolean(true), one = value_number(1), null = value_null();
  struct value missing = value_lanes(program_missing(p)), present = value_lanes(program_constant(p, 1));
  double out;
  struct value a = values_equal(&f->call, &truth, &one, (struct equality){0});
  assert_true(a.kind == VALUE_BOOLEAN && !a.boolean);
  assert_int_equal(values_equal(&f->call, &null, &one, (struct equality){0}).kind, VALUE_NULL);
  a = values_equal(&f->call, &truth, &missing, (struct equality){0});
  assert_int_equal(program_evaluate(p, a.lanes, &out, &f->error), 0);
  assert_true(is_na_f64(out));
  a = values_equal(&f->call, &truth, &present, (struct equality){0});
  assert_int_equal(program_evaluate(p, a.lanes, &out, &f->error), 0);
  assert_true(out == 0);
}

static void test_fold(void **state)
{
  struct fixture *f = *state;
  static const char *const pairs[][2] = {
      {"Abc", "aBC"}, {"ÄÖÜ", "äöü"},       {"ŁÓDŹ", "łódź"}, {"ΣΊΣΥΦΟΣ", "σίσυφος"},
      {"ЁЖ", "ёж"},   {"STRAẞE", "straße"}, {"ＡＢ", "ａｂ"}, {"ŸÿŽ", "ÿŸž"},
  };
  for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
    assert_true(text_equal_folded(pairs[i][0], pairs[i][1]));
    assert_string_equal(text_folded(f->arena, pairs[i][0]), text_folded(f->arena, pairs[i][1]));
  }
  assert_false(text_equal_folded("a", "ab"));
  assert_false(text_equal_folded("×", "÷")); /* signs between the letters of Latin-1 have no case */
  assert_false(text_equal_folded("ä", "a"));
  assert_string_equal(text_folded(f->arena, "日本 1×÷"), "日本 1×÷");
  assert_string_equal(text_folded(f->arena, "\xC3"), "\xC3"); /* cut off in mid-letter */
  assert_string_equal(text_folded(f->arena, "\xFF"
                                            "A\x80"),
                      "\xFF"
                      "a\x80");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_kinds, setup, teardown),
      cmocka_unit_test_setup_teardown(test_host_is_deep, setup, teardown),
      cmocka_unit_test(test_weight_of_shared_values),
      cmocka_unit_test_setup_teardown(test_members_of_large_objects, setup, teardown),
      cmocka_unit_test_setup_teardown(test_equality, setup, teardown),
      cmocka_unit_test_setup_teardown(test_json, setup, teardown),
      cmocka_unit_test_setup_teardown(test_readers, setup, teardown),
      cmocka_unit_test_setup_teardown(test_reader_errors, setup, teardown),
      cmocka_unit_test(test_handles),
      cmocka_unit_test_setup_teardown(test_array_as_lanes, setup, teardown),
      cmocka_unit_test_setup_teardown(test_types_decide, setup, teardown),
      cmocka_unit_test_setup_teardown(test_fold, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
