/* Which part of a value does not fit its schema: the way down to the innermost item that is to blame. */
#include "processes/graph/schema.h"

#include <string.h>

struct misfit {
  const struct schema *schema;
  const struct value *value;
  const char *lacks;  /* member that an object should have; or NULL */
  struct buffer path; /* "data[2].west" */
};

static bool type_fits(const struct schema *schema, const struct value *value)
{
  const struct schema kind = {.types = schema->types,
                              .subtype = schema->subtype,
                              .takes_graph = schema->takes_graph,
                              .takes_cube = schema->takes_cube,
                              .takes_labelled = schema->takes_labelled};
  return schema_fits(&kind, value, false);
}

/* The one alternative of the value's type; NULL where there is none, or several. */
static const struct schema *meant(const struct schema *schema, const struct value *value)
{
  const struct schema *found = NULL;
  for (size_t i = 0; i < schema->alternative_count; i++) {
    const struct schema *one = &schema->alternatives[i];
    if (one->alternative_count > 0 || !type_fits(one, value))
      continue;
    if (found != NULL)
      return NULL;
    found = one;
  }
  return found;
}

static const char *lacking(const struct schema *schema, const struct value *value)
{
  for (size_t i = 0; value->kind == VALUE_OBJECT && i < schema->required_count; i++)
    if (value_member(value, schema->required[i]) == NULL)
      return schema->required[i];
  return NULL;
}

/* Index of the first element that does not fit; SIZE_MAX where they all do, or it is no array. */
static size_t bad_element(const struct schema *schema, const struct value *value, bool ranges)
{
  for (size_t i = 0; value->kind == VALUE_ARRAY && schema->items != NULL && i < value->count; i++)
    if (!schema_fits(schema->items, &value->items[i], ranges))
      return i;
  return SIZE_MAX;
}

static void descend(struct misfit *at, bool ranges)
{
  for (;;) {
    const struct schema *one = at->schema->alternative_count > 0 ? meant(at->schema, at->value) : at->schema;
    if (one == NULL || !type_fits(one, at->value))
      return;
    at->schema = one;
    at->lacks = lacking(one, at->value);
    bool length_fits = at->value->count >= one->least && (one->most == 0 || at->value->count <= one->most);
    size_t i = length_fits && at->lacks == NULL ? bad_element(one, at->value, ranges) : SIZE_MAX;
    if (i == SIZE_MAX)
      return;
    buffer_printf(&at->path, "[%zu]", i);
    at->schema = one->items;
    at->value = &at->value->items[i];
  }
}

void schema_explain(const struct schema *schema, const char *name, const struct value *value, bool ranges,
                    struct buffer *out)
{
  struct misfit at = {.schema = schema, .value = value, .path = {.limit = 256}};
  struct buffer wanted = {.limit = 4096};
  buffer_text(&at.path, name);
  descend(&at, ranges);
  buffer_printf(out, "%s is ", at.path.data != NULL ? at.path.data : name);
  value_describe(at.value, out);
  schema_describe(at.schema, &wanted);
  if (at.lacks != NULL)
    buffer_printf(out, "; the member '%s' is missing", at.lacks);
  else
    buffer_printf(out, "; expected %s", wanted.length > 0 ? wanted.data : "something else");
  buffer_free(&wanted);
  buffer_free(&at.path);
}
