/* See scalar_first.h. */
#include "processes/lattice/scalar_first.h"

#include "processes/cube/shape.h"
#include "processes/lattice/chain_first.h"

#include <math.h>

static const char *const axis_names[] = {"x0", "x1", "x2", "x3"};

/* The axes last, in their order; all of the action's extents, and no other. */
static int sort_axes(struct call *call, struct chain_first *first, const struct scalar_action *action)
{
  const struct cube *cube = first->node->cube;
  size_t axis[SCALAR_FIELD_MAX_DIMENSIONS];
  bool same = element_info(cube->type)->is_float && !element_info(cube->type)->is_complex;
  for (size_t k = 0; k < SCALAR_FIELD_MAX_DIMENSIONS; k++) {
    size_t d = cube_find_dimension(cube, axis_names[k]);
    if (k < action->dimensions) {
      axis[k] = d;
      same = same && d != SIZE_MAX && cube->dimension[d].size == action->extent[k] &&
             dimension_counts(&cube->dimension[d]);
    } else {
      same = same && d == SIZE_MAX;
    }
  }
  if (!same) {
    const char *shape = chain_shape_text(call->arena, action->dimensions, action->extent);
    const char *names = cube_dimension_names(call->arena, cube);
    return chain_first_invalid(
        call, first,
        arena_printf(call->arena,
                     "on %s sites, of floating-point numbers with an axis x0, x1, … for each extent, labelled "
                     "0, 1, …",
                     shape ? shape : "?"),
        arena_printf(call->arena, "it has %s elements, %zu in all, and the dimensions %s",
                     element_info(cube->type)->name, cube_elements(cube), names ? names : "?"));
  }
  first->frames = cube->dimensions - action->dimensions;
  return view_last(call, first->node, axis, action->dimensions, &first->node);
}

static int check_values(struct call *call, const struct chain_first *first, const double *values)
{
  const struct cube *cube = first->node->cube;
  for (size_t i = 0, count = cube_elements(cube); i < count; i++) {
    if (!isfinite(values[i]) || (cube->has_nodata && values[i] == cube->nodata)) {
      return chain_first_invalid(call, first, "without missing or infinite values",
                                 arena_printf(call->arena, "value %zu of the last configuration is one", i));
    }
  }
  return 0;
}

int scalar_first_read(struct call *call, struct chain_parameters *parameters, size_t chains)
{
  struct chain_first first = {.what = "scalar fields", .apart = "chain"};
  double *values;
  bool computed;
  if (!call_has(call, "first")) {
    return 0;
  }
  if (call_cube(call, "first", &first.node) != 0 || sort_axes(call, &first, &parameters->action) != 0 ||
      chain_first_pick(call, &first, &chains) != 0 ||
      chain_first_values(call, &first, &values, &parameters->first_text, &computed) != 0) {
    return -1;
  }
  parameters->first = values;
  return computed ? check_values(call, &first, values) : 0;
}
