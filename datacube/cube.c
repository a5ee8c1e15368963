/* Cube descriptions and boxes. */
#include "datacube/cube.h"

#include "datacube/base/checked.h"

#include <math.h>
#include <string.h>

size_t box_elements(const struct box *box)
{
  size_t n = 1;
  for (size_t i = 0; i < box->dimensions; i++)
    if (box->count[i] == 0)
      return 0;
  for (size_t i = 0; i < box->dimensions; i++)
    n = saturated_mul(n, box->count[i]);
  return n;
}

bool box_contains(const struct box *outer, const struct box *inner)
{
  for (size_t i = 0; i < outer->dimensions; i++)
    if (inner->start[i] < outer->start[i] || inner->count[i] > outer->count[i] ||
        inner->start[i] - outer->start[i] > outer->count[i] - inner->count[i])
      return false;
  return outer->dimensions == inner->dimensions;
}

size_t cube_find_dimension(const struct cube *cube, const char *name)
{
  for (size_t i = 0; i < cube->dimensions; i++)
    if (strcmp(cube->dimension[i].name, name) == 0)
      return i;
  return SIZE_MAX;
}

size_t cube_find_axis(const struct cube *cube, char axis)
{
  for (size_t i = 0; i < cube->dimensions; i++)
    if (cube->dimension[i].type == DIMENSION_SPATIAL && cube->dimension[i].axis == axis)
      return i;
  return SIZE_MAX;
}

size_t cube_find_type(const struct cube *cube, enum dimension_type type)
{
  for (size_t i = 0; i < cube->dimensions; i++)
    if (cube->dimension[i].type == type)
      return i;
  return SIZE_MAX;
}

size_t cube_find_geometries(const struct cube *cube)
{
  for (size_t i = 0; i < cube->dimensions; i++)
    if (cube->dimension[i].labels == LABEL_GEOMETRY)
      return i;
  return SIZE_MAX;
}

size_t cube_count_type(const struct cube *cube, enum dimension_type type)
{
  size_t n = 0;
  for (size_t i = 0; i < cube->dimensions; i++)
    n += cube->dimension[i].type == type;
  return n;
}

struct box cube_box(const struct cube *cube)
{
  struct box box = {.dimensions = cube->dimensions};
  for (size_t i = 0; i < cube->dimensions; i++)
    box.count[i] = cube->dimension[i].size;
  return box;
}

size_t cube_elements(const struct cube *cube)
{
  struct box box = cube_box(cube);
  return box_elements(&box);
}

size_t cube_bytes(const struct cube *cube)
{
  return saturated_mul(cube_elements(cube), element_info(cube->type)->size);
}

static void edges(const struct dimension *d, double *low, double *high)
{
  double first = dimension_label_number(d, 0), last = dimension_label_number(d, d->size - 1);
  double half = 0;
  if (d->labels == LABEL_STEP)
    half = fabs(d->step) / 2;
  else if (d->size > 1)
    half = fabs(last - first) / (double)(d->size - 1) / 2;
  *low = fmin(first, last) - half;
  *high = fmax(first, last) + half;
}

bool cube_bounds(const struct cube *cube, double *west, double *south, double *east, double *north)
{
  size_t x = cube_find_axis(cube, 'x'), y = cube_find_axis(cube, 'y');
  if (x == SIZE_MAX || y == SIZE_MAX || cube->dimension[x].size == 0 || cube->dimension[y].size == 0)
    return false;
  edges(&cube->dimension[x], west, east);
  edges(&cube->dimension[y], south, north);
  return true;
}

const char *cube_dimension_names(struct arena *arena, const struct cube *cube)
{
  const char *names = "";
  for (size_t i = 0; i < cube->dimensions && names; i++)
    names = arena_printf(arena, "%s%s%s", names, i ? ", " : "", cube->dimension[i].name);
  return names ? names : "";
}
