#include "processes/cube/regrouping.h"

#include <string.h>

int regrouping_begin(struct call *call, const struct node *input, struct regrouping *out)
{
  *out = (struct regrouping){.call = call,
                             .input = input,
                             .cube = cube_copy(call->arena, input->cube),
                             .axes = ARENA_ARRAY(call->arena, struct regroup_axis, REGROUP_MAX_AXES)};
  if (!out->cube || !out->axes)
    return error_memory(call->error);
  out->cube->dimensions = 0;
  return 0;
}

int regrouping_add(struct regrouping *r, const struct dimension *dimension)
{
  if (r->cube->dimensions == CUBE_MAX_DIMENSIONS)
    return error_set(r->call->error, ERROR_ProcessGraphComplexity, "a cube has at most %d dimensions",
                     (int)CUBE_MAX_DIMENSIONS);
  r->cube->dimension[r->cube->dimensions++] = *dimension;
  return 0;
}

void regrouping_axis(struct regrouping *r, size_t d, size_t size)
{
  r->axes[r->count++] = (struct regroup_axis){size, (int)d, (int)r->cube->dimensions - 1};
}

int regrouping_keep(struct regrouping *r, size_t d)
{
  const struct dimension *dimension = &r->input->cube->dimension[d];
  if (regrouping_add(r, dimension) != 0)
    return -1;
  regrouping_axis(r, d, dimension->size);
  return 0;
}

int regrouping_end(struct regrouping *r, const struct node **out)
{
  struct regroup *regroup = ARENA_NEW(r->call->arena, struct regroup);
  if (!regroup)
    return error_memory(r->call->error);
  size_t old = cube_find_type(r->input->cube, DIMENSION_BANDS), bands = cube_find_type(r->cube, DIMENSION_BANDS);
  bool same = bands == SIZE_MAX
                  ? old == SIZE_MAX
                  : old != SIZE_MAX && strcmp(r->cube->dimension[bands].name, r->input->cube->dimension[old].name) == 0;
  r->cube->bands = same ? r->cube->bands : NULL;
  *regroup = (struct regroup){r->axes, r->count};
  *out = node_regroup(r->call->arena, call_origin(r->call), r->input, r->cube, regroup);
  return *out ? 0 : error_memory(r->call->error);
}

int plane_as_array(struct call *call, const struct node *input, const struct node **out)
{
  const struct cube *cube = input->cube;
  size_t y = cube_find_axis(cube, 'y'), x = cube_find_axis(cube, 'x');
  const struct dimension pixels =
      dimension_enumerated("pixel", DIMENSION_OTHER, cube->dimension[y].size * cube->dimension[x].size);
  struct regrouping r;
  if (regrouping_begin(call, input, &r) != 0)
    return -1;
  for (size_t d = 0; d < cube->dimensions; d++)
    if (d != y && d != x && regrouping_keep(&r, d) != 0)
      return -1;
  if (regrouping_add(&r, &pixels) != 0)
    return -1;
  regrouping_axis(&r, y, cube->dimension[y].size);
  regrouping_axis(&r, x, cube->dimension[x].size);
  return regrouping_end(&r, out);
}
