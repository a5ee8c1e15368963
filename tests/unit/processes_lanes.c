/* One implementation serves the scalar and the pixel: a process gives the same for host values and for lanes.
 *
 * Every value process is called on all combinations of telling operands, every reducer and series on telling arrays,
 * once with host values and once with the same values as lanes; both results are evaluated and compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datacube/base/missing.h"
#include "processes/graph/table.h"

#include <math.h>
#include <string.h>

enum { MAX_ARGUMENTS = 5, MAX_RESULT = 16 };

struct result { /* evaluated; a host text never occurs here */
  double numbers[MAX_RESULT];
  size_t count;
  bool is_array, failed;
  char code[64];
};

static double number_of(const struct value *value)
{
  if (value->kind == VALUE_NULL)
    return na_f64();
  assert_true(value->kind == VALUE_NUMBER || value->kind == VALUE_BOOLEAN);
  return value->kind == VALUE_NUMBER ? value->number : value->boolean;
}

static void evaluate(const struct program *program, const struct value *value, struct result *out)
{
  struct error error = {0};
  out->is_array = value->kind == VALUE_ARRAY || (value->kind == VALUE_LANES && value->lanes.is_array);
  out->count = value->kind == VALUE_LANES ? value->lanes.length : value->kind == VALUE_ARRAY ? value->count : 1;
  assert_true(out->count <= MAX_RESULT);
  if (value->kind == VALUE_LANES) {
    assert_int_equal(program_evaluate(program, value->lanes, out->numbers, &error), 0);
    return;
  }
  for (size_t i = 0; i < out->count; i++) {
    struct result item;
    if (value->kind == VALUE_ARRAY) {
      evaluate(program, &value->items[i], &item);
      out->numbers[i] = item.numbers[0];
    } else {
      out->numbers[i] = number_of(value);
    }
  }
}

/* Calls the process with the arguments as they are, or those of `as_lanes` (bits) turned into lanes. */
static struct result run(const char *id, const struct argument *given, size_t count, unsigned as_lanes)
{
  struct result out = {0};
  struct error error = {0};
  struct arena *arena = arena_new(0);
  struct argument arguments[MAX_ARGUMENTS];
  const struct process *process = process_table_find(id)->process;
  struct call call = {.process = process,
                      .node = "n",
                      .arguments = arguments,
                      .argument_count = count,
                      .arena = arena,
                      .program = program_new(arena),
                      .error = &error};
  for (size_t i = 0; i < count; i++) {
    const struct value *value = &given[i].value;
    arguments[i] = given[i];
    if ((as_lanes & 1u << i) != 0)
      arguments[i].value = value_lanes(value->kind == VALUE_ARRAY ? value_as_lanes_array(call.program, value)
                                                                  : value_as_lanes(call.program, value));
  }
  struct value value;
  out.failed = process->call(&call, &value) != 0;
  memcpy(out.code, error.code, sizeof out.code);
  if (!out.failed)
    evaluate(call.program, &value, &out);
  arena_free(arena);
  return out;
}

static bool same_number(double a, double b)
{
  if (is_na_f64(a) || is_na_f64(b))
    return is_na_f64(a) && is_na_f64(b);
  return isnan(a) ? isnan(b) : a == b;
}

/* Host results may be shorter where missing elements were dropped; lanes then end with missing ones. */
static bool same_result(const struct result *host, const struct result *lanes)
{
  if (host->failed || lanes->failed)
    return host->failed == lanes->failed && strcmp(host->code, lanes->code) == 0;
  if (host->is_array != lanes->is_array || host->count > lanes->count)
    return false;
  for (size_t i = 0; i < lanes->count; i++) {
    if (!same_number(i < host->count ? host->numbers[i] : na_f64(), lanes->numbers[i]))
      return false;
  }
  return true;
}

static void check(const char *id, const struct argument *arguments, size_t count, unsigned as_lanes)
{
  struct result host = run(id, arguments, count, 0);
  for (unsigned mask = 1; mask <= as_lanes; mask++) {
    if ((mask & ~as_lanes) != 0)
      continue;
    struct result lanes = run(id, arguments, count, mask);
    if (!same_result(&host, &lanes))
      fail_msg("%s: host %s%g (%zu) but lanes %s%g (%zu); first argument %s %g, second %s %g, mask %u", id, host.code,
               host.numbers[0], host.count, lanes.code, lanes.numbers[0], lanes.count,
               value_kind_name(&arguments[0].value), arguments[0].value.number,
               count > 1 ? value_kind_name(&arguments[1].value) : "-", count > 1 ? arguments[1].value.number : 0, mask);
  }
}

static size_t operands(struct value *out)
{
  const double numbers[] = {0, 0.5, -0.5, 1, -1, 2.5, 27, -27, 1e300, (double)NAN, (double)INFINITY, -(double)INFINITY};
  size_t count = 0;
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
    out[count++] = value_number(numbers[i]);
  out[count++] = value_null();
  out[count++] = value_boolean(true);
  out[count++] = value_boolean(false);
  return count;
}

static bool is_plain_number(const struct value *value)
{
  return value->kind == VALUE_NUMBER || value->kind == VALUE_NULL;
}

static void test_unary(void **state)
{
  (void)state;
  static const char *const ids[] = {"absolute", "sgn",       "floor",       "ceil",   "int",      "sqrt",   "exp",
                                    "ln",       "sin",       "cos",         "tan",    "arcsin",   "arccos", "arctan",
                                    "sinh",     "cosh",      "tanh",        "arsinh", "arcosh",   "artanh", "is_nan",
                                    "is_valid", "is_nodata", "is_infinite", "not",    "constant", "round"};
  struct value values[32];
  size_t count = operands(values);
  for (size_t k = 0; k < sizeof ids / sizeof ids[0]; k++) {
    for (size_t i = 0; i < count; i++) {
      struct argument x = {strcmp(ids[k], "exp") == 0 ? "p" : "x", values[i]};
      check(ids[k], &x, 1, 1);
    }
  }
}

static void test_binary(void **state)
{
  (void)state;
  static const char *const numeric[] = {
      "add", "subtract", "multiply", "divide", "mod", "arctan2", "normalized_difference"};
  static const char *const typed[] = {"eq", "neq", "gt", "gte", "lt", "lte", "and", "or", "xor"};
  struct value values[32];
  size_t count = operands(values);
  for (size_t i = 0; i < count * count; i++) {
    struct argument xy[] = {{"x", values[i / count]}, {"y", values[i % count]}};
    for (size_t k = 0; k < sizeof typed / sizeof typed[0]; k++)
      check(typed[k], xy, 2, 3);
    if (!is_plain_number(&xy[0].value) || !is_plain_number(&xy[1].value))
      continue;
    for (size_t k = 0; k < sizeof numeric / sizeof numeric[0]; k++)
      check(numeric[k], xy, 2, 3);
    struct argument power[] = {{"base", xy[0].value}, {"p", xy[1].value}};
    struct argument logarithm[] = {{"x", xy[0].value}, {"base", xy[1].value}};
    struct argument near[] = {xy[0], xy[1], {"delta", value_number(1)}};
    check("power", power, 2, 3);
    check("log", logarithm, 2, 3);
    check("eq", near, 3, 3);
  }
}

static void test_scaling(void **state)
{
  (void)state;
  struct value values[32];
  size_t count = operands(values);
  for (size_t i = 0; i < count * count; i++) {
    const struct value *low = &values[i / count], *x = &values[i % count];
    if (low->kind != VALUE_NUMBER || !is_plain_number(x))
      continue;
    struct argument range[] = {{"x", *x},
                               {"inputMin", *low},
                               {"inputMax", value_number(2)},
                               {"outputMin", value_number(-3)},
                               {"outputMax", value_number(5)}};
    check("linear_scale_range", range, 5, 31);
  }
}

static void test_choosing(void **state)
{
  (void)state;
  struct value values[32];
  size_t count = operands(values);
  const struct value conditions[] = {value_boolean(true), value_boolean(false), value_null()};
  for (size_t i = 0; i < count; i++) {
    struct argument range[] = {{"x", values[i]}, {"min", value_number(-1)}, {"max", value_number(1)}};
    check("between", range, 3, 7);
    if (is_plain_number(&values[i]))
      check("clip", range, 3, 7);
    for (size_t k = 0; k < 3; k++) {
      struct argument choice[] = {{"value", conditions[k]}, {"accept", values[i]}, {"reject", values[(i + 5) % count]}};
      check("if", choice, 3, 7);
      check("if", choice, 2, 3);
    }
  }
}

struct array_case {
  struct value items[8];
  size_t count;
};

static const struct value *arrays(size_t i)
{
  static struct array_case cases[] = {
      {{{.kind = VALUE_NUMBER, .number = 3},
        {.kind = VALUE_NUMBER, .number = -1},
        {.kind = VALUE_NUMBER, .number = 3},
        {.kind = VALUE_NUMBER, .number = 0.25}},
       4},
      {{{.kind = VALUE_NULL},
        {.kind = VALUE_NUMBER, .number = 7},
        {.kind = VALUE_NULL},
        {.kind = VALUE_NUMBER, .number = -2},
        {.kind = VALUE_NUMBER, .number = 9},
        {.kind = VALUE_NULL}},
       6},
      {{{.kind = VALUE_NUMBER, .number = 5},
        {.kind = VALUE_NUMBER, .number = (double)NAN},
        {.kind = VALUE_NUMBER, .number = 1}},
       3},
      {{{.kind = VALUE_NUMBER, .number = (double)INFINITY},
        {.kind = VALUE_NUMBER, .number = 2},
        {.kind = VALUE_NUMBER, .number = -(double)INFINITY}},
       3},
      {{{.kind = VALUE_NULL}, {.kind = VALUE_NULL}}, 2},
      {{{.kind = VALUE_NUMBER, .number = 42}}, 1},
      {{{.kind = VALUE_BOOLEAN, .boolean = true}, {.kind = VALUE_NULL}, {.kind = VALUE_BOOLEAN}}, 3},
      {{{.kind = VALUE_BOOLEAN}, {.kind = VALUE_NULL}}, 2},
      {{{.kind = VALUE_BOOLEAN, .boolean = true}, {.kind = VALUE_BOOLEAN, .boolean = true}}, 2},
  };
  static struct value value;
  if (i >= sizeof cases / sizeof cases[0])
    return NULL;
  value = value_array(cases[i].items, cases[i].count);
  return &value;
}

static bool has_booleans(const struct value *array)
{
  return array->items[0].kind == VALUE_BOOLEAN;
}

static void check_array(const char *const *ids, size_t count, const struct value *data)
{
  for (size_t k = 0; k < count; k++) {
    for (int ignore = 0; ignore < 2; ignore++) {
      struct argument arguments[] = {{"data", *data}, {"ignore_nodata", value_boolean(ignore == 1)}};
      check(ids[k], arguments, 2, 1);
    }
  }
}

static void test_reducers(void **state)
{
  (void)state;
  static const char *const numeric[] = {"sum", "product", "mean",   "min",        "max",    "median", "variance",
                                        "sd",  "extrema", "cumsum", "cumproduct", "cummin", "cummax"};
  static const char *const any[] = {"first", "last", "count"};
  static const char *const logic[] = {"all", "any"};
  for (size_t i = 0; arrays(i) != NULL; i++) {
    const struct value *data = arrays(i);
    check_array(any, 3, data);
    if (has_booleans(data))
      check_array(logic, 2, data);
    else
      check_array(numeric, sizeof numeric / sizeof numeric[0], data);
    struct argument quarters[] = {{"data", *data}, {"probabilities", value_number(4)}};
    check("quantiles", quarters, 2, 1);
  }
}

static void test_array_processes(void **state)
{
  (void)state;
  struct value values[32];
  size_t count = operands(values);
  for (size_t i = 0; arrays(i) != NULL; i++) {
    const struct value *data = arrays(i);
    for (size_t k = 0; k < count; k++) {
      struct argument search[] = {{"data", *data}, {"value", values[k]}, {"reverse", value_boolean(k % 2 == 1)}};
      check("array_contains", search, 2, 3);
      check("array_find", search, 3, 3);
    }
    struct argument two[] = {{"array1", *data}, {"array2", *data}};
    check("array_concat", two, 2, 3);
    struct argument repeat[] = {{"data", *data}, {"repeat", value_number(2)}};
    check("array_create", repeat, 2, 1);
    struct argument element[] = {{"data", *data}, {"index", value_number(1)}};
    check("array_element", element, 2, 1);
  }
}

static void test_sorting(void **state)
{
  (void)state;
  const struct value nodata[] = {value_null(), value_boolean(false), value_boolean(true)};
  for (size_t i = 0; arrays(i) != NULL; i++) {
    const struct value *data = arrays(i);
    if (has_booleans(data))
      continue;
    for (size_t k = 0; k < 6; k++) {
      struct argument arguments[] = {{"data", *data}, {"asc", value_boolean(k < 3)}, {"nodata", nodata[k % 3]}};
      check("sort", arguments, 3, 1);
      check("order", arguments, 3, 1);
    }
    check("array_interpolate_linear", &(struct argument){"data", *data}, 1, 1);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_unary),    cmocka_unit_test(test_binary),   cmocka_unit_test(test_scaling),
      cmocka_unit_test(test_choosing), cmocka_unit_test(test_reducers), cmocka_unit_test(test_array_processes),
      cmocka_unit_test(test_sorting),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
