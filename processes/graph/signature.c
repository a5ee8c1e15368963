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

const struct value *parameter_inner_list(const struct parameter *parameter, const struct value *value)
{
  const struct schema *schema = parameter->schema;
  bool plain = schema != NULL && schema->types == TYPE_ARRAY && schema->items != NULL && schema->items->types != 0 &&
               (schema->items->types & TYPE_ARRAY) == 0;
  if (!plain || value->kind != VALUE_ARRAY || value->count != 1)
    return NULL;
  const struct value *inner = &value->items[0];
  bool is_list = inner->kind == VALUE_ARRAY || (inner->kind == VALUE_LANES && inner->lanes.is_array);
  return is_list ? inner : NULL;
}

bool parameter_left_out(const struct parameter *parameter, const struct value *value)
{
  return value->kind == VALUE_NULL && parameter->optional && !schema_fits(parameter->schema, value, false);
}
