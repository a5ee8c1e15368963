#include "processes/graph/signature.h"

#include <string.h>

const struct parameter *signature_find(const struct signature *signature, const char *name)
{
  for (size_t i = 0; i < signature->count; i++)
    if (strcmp(signature->parameters[i].name, name) == 0)
      return &signature->parameters[i];
  return NULL;
}

int parameter_check(const struct parameter *parameter, const struct value *value, bool ranges, struct error *error)
{
  if (schema_fits(parameter->schema, value, ranges))
    return 0;
  bool text = value->kind == VALUE_TEXT;
  struct buffer wanted = {.limit = 4096};
  schema_describe(parameter->schema, &wanted);
  error_parameter(error, "ProcessParameterInvalid", parameter->name,
                  "the value of '%s' (%s%s%.40s%s) does not fit: expected %s", parameter->name, value_kind_name(value),
                  text ? " '" : "", text ? value->text : "", text ? "'" : "",
                  wanted.data && wanted.length ? wanted.data : "something else");
  buffer_free(&wanted);
  return -1;
}

bool parameter_left_out(const struct parameter *parameter, const struct value *value)
{
  return value->kind == VALUE_NULL && parameter->optional && !schema_fits(parameter->schema, value, false);
}
