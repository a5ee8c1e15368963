/* The elements of an array as one text, with a separator between them. */
#include "processes/process.h"

static int add_text(struct call *call, const char *name, const struct value *value, struct buffer *out)
{
  char room[32];
  switch (value->kind) {
  case VALUE_NULL:
    buffer_text(out, "null");
    return 0;
  case VALUE_BOOLEAN:
    buffer_text(out, value->boolean ? "true" : "false");
    return 0;
  case VALUE_NUMBER:
    number_format(value->number, room);
    buffer_text(out, room);
    return 0;
  case VALUE_TEXT:
    buffer_text(out, value->text);
    return 0;
  default:
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, name,
                           "only strings, numbers, booleans and null that do not depend on the pixel become text");
  }
}

static int join_texts(struct call *call, const struct value *data, struct buffer *out)
{
  const struct value *separator = call_argument(call, "separator");
  for (size_t i = 0; i < data->count; i++) {
    if (i > 0 && separator != NULL && add_text(call, "separator", separator, out) != 0)
      return -1;
    if (add_text(call, "data", &data->items[i], out) != 0)
      return -1;
  }
  if (!out->failed)
    return 0;
  return error_parameter(call->error, ERROR_ProcessGraphComplexity, "data", "the text would have more than %zu bytes",
                         out->limit);
}

static int text_concat_call(struct call *call, struct value *result)
{
  const struct value *data = call_argument(call, "data");
  struct buffer joined = {.limit = 16 * 1024 * 1024};
  if (data->kind != VALUE_ARRAY)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data",
                           "'data' must be an array of known values");
  int status = join_texts(call, data, &joined);
  const char *text =
      status == 0 ? arena_strndup(call->arena, joined.length > 0 ? joined.data : "", joined.length) : NULL;
  buffer_free(&joined);
  if (status != 0)
    return -1;
  if (text == NULL)
    return error_memory(call->error);
  *result = value_text(text);
  return 0;
}

const struct process process_text_concat = {.id = "text_concat", .shape = PROCESS_VALUE, .call = text_concat_call};
