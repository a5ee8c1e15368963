/* From the text of a graph to its outcome, for tests. */
#ifndef TWINCUBE_TESTS_UNIT_GRAPH_FIXTURE_H
#define TWINCUBE_TESTS_UNIT_GRAPH_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hpc/plan/plan.h"
#include "processes/graph/graph.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lowered {
  struct arena *arena; /* to be freed */
  struct outcome outcome;
  struct error error;
  int status;
};

static inline struct lowered lower_with(const char *text, size_t length, const struct graph_parameter *parameters,
                                        size_t count)
{
  struct lowered l = {.arena = arena_new((size_t)1 << 30)};
  const struct graph *graph;
  const struct bound *bound;
  const struct graph_options options = {.parameters = parameters, .parameter_count = count, .official_encoding = true};
  l.status = graph_parse(l.arena, text, length, true, &graph, &l.error);
  if (l.status == 0)
    l.status = graph_bind(l.arena, graph, &options, &bound, &l.error);
  if (l.status == 0)
    l.status = graph_lower(l.arena, bound, &options, &l.outcome, &l.error);
  assert_true((l.status == 0) == !error_is_set(&l.error));
  return l;
}

static inline struct lowered lower_text(const char *text)
{
  return lower_with(text, strlen(text), NULL, 0);
}

static inline void expect_json(const char *text, const char *json)
{
  struct lowered l = lower_text(text);
  struct buffer out = {0};
  if (l.status != 0)
    fail_msg("%s: %s %s", text, l.error.code, l.error.message);
  assert_true(l.outcome.is_value);
  value_write(&l.outcome.value, &(struct json_writer){.out = &out, .nonfinite_tokens = true});
  assert_string_equal(out.data, json);
  buffer_free(&out);
  arena_free(l.arena);
}

/* part: what the message must contain, or NULL; parameter: its name, or NULL. */
static inline void expect_error(const char *text, const char *code, const char *part, const char *parameter)
{
  struct lowered l = lower_text(text);
  if (l.status == 0)
    fail_msg("no error: %.200s", text);
  assert_string_equal(l.error.code, code);
  assert_true(l.error.message[0] != '\0');
  if (part && !strstr(l.error.message, part))
    fail_msg("'%s' is not in '%s'", part, l.error.message);
  if (parameter)
    assert_string_equal(l.error.parameter, parameter);
  arena_free(l.arena);
}

#endif
