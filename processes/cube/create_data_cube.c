/* create_data_cube: a data cube without dimensions, whose one element is no-data. */
#include "processes/cube/shape.h"

#include "datacube/base/missing.h"
#include "datacube/source/memory_source.h"

#include <math.h>

static int create_data_cube_call(struct call *call, struct value *result)
{
  static const struct cube nothing = {
      .type = ELEMENT_F32, .has_nodata = true, .nodata = NAN, .title = "empty data cube"};
  const float missing = na_f32();
  const float *element = arena_copy(call->arena, &missing, sizeof missing);
  const struct source *source = element ? memory_source(call->arena, &nothing, element, "no-data") : NULL;
  const struct node *node = source ? node_source(call->arena, call_origin(call), source) : NULL;
  *result = value_cube(node);
  return node ? 0 : error_memory(call->error);
}

const struct process process_create_data_cube = {
    .id = "create_data_cube", .shape = PROCESS_CUBE, .call = create_data_cube_call};
