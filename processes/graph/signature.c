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
  struct buffer reason = {.limit = 4096};
  schema_explain(parameter->schema, parameter->name, value, ranges, &reason);
  error_parameter(error, ERROR_ProcessParameterInvalid, parameter->name, "%s",
                  reason.length > 0 ? reason.data : "the value does not fit");
  buffer_free(&reason);
  return -1;
}

bool parameter_left_out(const struct parameter *parameter, const struct value *value)
{
  return value->kind == VALUE_NULL && parameter->optional && !schema_fits(parameter->schema, value, false);
}
