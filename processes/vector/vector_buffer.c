/* vector_buffer: what lies within a distance of each geometry. */
#include "processes/vector/vector_cube.h"

#include <math.h>

static int vector_buffer_call(struct call *call, struct value *result)
{
  const struct geometry_work work = vector_cube_work(call);
  struct vector_cube cube;
  const struct geometry_set *around;
  double distance;
  if (call_vector_cube(call, "geometries", &cube) != 0 || call_number(call, "distance", &distance) != 0)
    return -1;
  if (distance == 0 || !isfinite(distance))
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "distance",
                           "the distance is %g; expected a finite number of metres other than 0", distance);
  if (vector_cube_in_metres(call, &cube) != 0)
    return -1;
  if (geometry_buffer(&work, cube.set, distance, &around, call->error) != 0)
    return error_at_parameter(call->error, "geometries");
  return vector_cube_with(call, &cube, around, NULL, result);
}

const struct process process_vector_buffer = {.id = "vector_buffer", .shape = PROCESS_CUBE, .call = vector_buffer_call};
