/* One element of an array, by index or by label. */
#include "processes/array/elements.h"
#include "processes/array/kept.h"

#include <math.h>

static int index_by_number(struct call *call, size_t length, size_t *out)
{
  const struct value *index = call_argument(call, "index");
  if (index->kind != VALUE_NUMBER || index->number != trunc(index->number))
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "index", "the index must be a whole number");
  *out = index->number >= 0 && index->number < (double)length ? (size_t)index->number : SIZE_MAX;
  return 0;
}

static int index_by_label(struct call *call, const struct value *data, size_t *out)
{
  const struct value *label = call_argument(call, "label");
  if (label->kind != VALUE_NUMBER && label->kind != VALUE_TEXT)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "label",
                           "the label must be a string or a number");
  if (!array_is_labelled(data))
    return error_parameter(call->error, ERROR_ArrayNotLabeled, "label",
                           "the array has no labels; give the 'index' of the element instead");
  *out = array_find_label(data, label);
  return 0;
}

static int not_available(struct call *call, const struct value *data)
{
  const struct value *label = call_has(call, "label") ? call_argument(call, "label") : NULL;
  if (label == NULL)
    return error_parameter(call->error, ERROR_ArrayElementNotAvailable, "index",
                           "there is no element %.17g in an array of %zu elements, counted from 0",
                           call_argument(call, "index")->number, array_length(data));
  if (label->kind == VALUE_NUMBER)
    return error_parameter(call->error, ERROR_ArrayElementNotAvailable, "label", "the array has no label %.17g",
                           label->number);
  return error_parameter(call->error, ERROR_ArrayElementNotAvailable, "label", "the array has no label '%s'",
                         label->text);
}

/* Of what a filter left at each pixel, the element may be there at one and not at the next. */
static int element_left(struct call *call, const struct value *data, bool return_nodata, struct value *result)
{
  struct program *p = call->program;
  size_t index = SIZE_MAX;
  if (!return_nodata)
    return error_parameter(call->error, ERROR_FeatureUnsupported, "return_nodata",
                           "the elements depend on the pixel, so that one may be there or not: set 'return_nodata'");
  if (call_has(call, "index") ? index_by_number(call, SIZE_MAX, &index) : index_by_label(call, data, &index))
    return -1;
  if (index == SIZE_MAX)
    *result = value_null();
  else if (call_has(call, "index"))
    *result = value_lanes(kept_element(p, data->lanes, *data->kept, index));
  else
    *result = value_lanes(kept_mask(p, program_element(p, data->lanes, index), program_element(p, *data->kept, index)));
  return 0;
}

static int array_element_call(struct call *call, struct value *result)
{
  const struct value *data = call_filtered(call, "data");
  bool by_index = call_has(call, "index"), by_label = call_has(call, "label"), return_nodata = false;
  size_t index = SIZE_MAX;
  if (data == NULL)
    return -1;
  if (!by_index && !by_label)
    return error_parameter(call->error, ERROR_ArrayElementParameterMissing, "index",
                           "either 'index' or 'label' must be given");
  if (by_index && by_label)
    return error_parameter(call->error, ERROR_ArrayElementParameterConflict, "index",
                           "only one of 'index' and 'label' can be given");
  if (call_has(call, "return_nodata") && call_boolean(call, "return_nodata", &return_nodata) != 0)
    return -1;
  if (data->kind == VALUE_LANES && data->kept != NULL)
    return element_left(call, data, return_nodata, result);
  if ((by_index ? index_by_number(call, array_length(data), &index) : index_by_label(call, data, &index)) != 0)
    return -1;
  if (index == SIZE_MAX && !return_nodata)
    return not_available(call, data);
  *result = index == SIZE_MAX ? value_null() : array_item(call, data, index);
  return 0;
}

const struct process process_array_element = {
    .id = "array_element", .shape = PROCESS_REDUCER, .call = array_element_call};
