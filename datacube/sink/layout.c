/* A cube seen as a stack of pictures. */
#include "datacube/sink/layout.h"

#include "datacube/base/checked.h"

#include <math.h>
#include <string.h>

/* First pixel centre and step of a spatial dimension; false where the labels are not evenly spaced. */
static bool axis_steps(const struct dimension *axis, double *start, double *step)
{
  if (axis->labels == LABEL_STEP) {
    *start = axis->start;
    *step = axis->step;
    return isfinite(*start) && isfinite(*step);
  }
  if (axis->labels != LABEL_NUMBER || axis->size == 0)
    return false;
  *start = axis->numbers[0];
  *step = axis->size > 1 ? (axis->numbers[axis->size - 1] - *start) / (double)(axis->size - 1) : 0;
  for (size_t i = 0; i < axis->size; i++)
    if (!(fabs(axis->numbers[i] - (*start + (double)i * *step)) <= 1e-3 * fabs(*step)))
      return axis->size == 1;
  return true;
}

static int unsuitable(struct error *error, const struct cube *cube, const char *format, const char *instead,
                      const char *why)
{
  struct arena *arena = arena_new(0);
  const char *names = arena != NULL ? cube_dimension_names(arena, cube) : NULL;
  error_set(error, ERROR_FormatUnsuitable, "%s %s; the cube has the dimensions (%s). %s", format, why,
            names != NULL ? names : "", instead);
  arena_free(arena);
  return -1;
}

static void set_edges(struct layout *layout, double x, double step_x, double y, double step_y)
{
  layout->reverse_x = step_x < 0;
  layout->reverse_y = step_y > 0;
  layout->res_x = fabs(step_x);
  layout->res_y = fabs(step_y);
  double first_x = layout->reverse_x ? x + step_x * (double)(layout->width - 1) : x;
  double first_y = layout->reverse_y ? y + step_y * (double)(layout->height - 1) : y;
  layout->west = first_x - layout->res_x / 2;
  layout->north = first_y + layout->res_y / 2;
}

int layout_of_cube(const struct cube *cube, const char *format, const char *instead, struct layout *out,
                   struct error *error)
{
  *out = (struct layout){.x = cube_find_axis(cube, 'x'), .y = cube_find_axis(cube, 'y')};
  if (out->x == SIZE_MAX || out->y == SIZE_MAX)
    return unsuitable(error, cube, format, instead, "needs the spatial dimensions x and y");
  out->dimensions = cube->dimensions;
  out->width = cube->dimension[out->x].size;
  out->height = cube->dimension[out->y].size;
  out->planes = 1;
  for (size_t d = cube->dimensions; d-- > 0;) {
    if (d == out->x || d == out->y)
      continue;
    out->plane_step[d] = out->planes;
    out->planes = saturated_mul(out->planes, cube->dimension[d].size);
  }
  if (out->width == 0 || out->height == 0 || out->planes == 0)
    return unsuitable(error, cube, format, instead, "cannot hold a dimension without labels");
  double x, y, step_x, step_y;
  if (!axis_steps(&cube->dimension[out->x], &x, &step_x) || !axis_steps(&cube->dimension[out->y], &y, &step_y))
    return unsuitable(error, cube, format, instead, "needs x and y with evenly spaced labels");
  /* One pixel alone has no step of its own: it is as wide as high. */
  if (step_x == 0 && out->width == 1)
    step_x = step_y != 0 ? fabs(step_y) : 1;
  if (step_y == 0 && out->height == 1)
    step_y = -fabs(step_x);
  if (step_x == 0 || step_y == 0)
    return unsuitable(error, cube, format, instead, "needs x and y with steps other than 0");
  set_edges(out, x, step_x, y, step_y);
  return 0;
}

void plane_walk_start(struct plane_walk *walk, const struct layout *layout, const struct box *box, const void *data,
                      size_t element_size)
{
  *walk = (struct plane_walk){.layout = layout, .box = box, .data = data};
  size_t stride = element_size;
  for (size_t d = box->dimensions; d-- > 0;) {
    walk->stride[d] = stride;
    stride *= box->count[d];
  }
}

/* Next combination of the indexes beside x and y; false after the last. */
static bool advance(struct plane_walk *walk)
{
  const struct layout *layout = walk->layout;
  for (size_t d = walk->box->dimensions; d-- > 0;) {
    if (d == layout->x || d == layout->y)
      continue;
    if (++walk->index[d] < walk->box->count[d])
      return true;
    walk->index[d] = 0;
  }
  return false;
}

bool plane_walk_next(struct plane_walk *walk, struct plane_view *view)
{
  const struct layout *layout = walk->layout;
  const struct box *box = walk->box;
  if (walk->started ? !advance(walk) : box_elements(box) == 0)
    return false;
  walk->started = true;
  *view = (struct plane_view){.width = box->count[layout->x], .height = box->count[layout->y], .data = walk->data};
  for (size_t d = 0; d < box->dimensions; d++) {
    view->plane += (box->start[d] + walk->index[d]) * layout->plane_step[d];
    if (walk->data != NULL)
      view->data += walk->index[d] * walk->stride[d];
  }
  view->column = box->start[layout->x];
  view->row = box->start[layout->y];
  view->column_stride = (ptrdiff_t)walk->stride[layout->x];
  view->row_stride = (ptrdiff_t)walk->stride[layout->y];
  if (layout->reverse_x) {
    view->column = layout->width - view->column - view->width;
    if (walk->data != NULL)
      view->data += view->column_stride * (ptrdiff_t)(view->width - 1);
    view->column_stride = -view->column_stride;
  }
  if (layout->reverse_y) {
    view->row = layout->height - view->row - view->height;
    if (walk->data != NULL)
      view->data += view->row_stride * (ptrdiff_t)(view->height - 1);
    view->row_stride = -view->row_stride;
  }
  return true;
}

void layout_plane_index(const struct layout *layout, const struct cube *cube, size_t plane,
                        size_t index[CUBE_MAX_DIMENSIONS])
{
  for (size_t d = 0; d < cube->dimensions; d++)
    index[d] = layout->plane_step[d] == 0 ? 0 : plane / layout->plane_step[d] % cube->dimension[d].size;
}

void layout_plane_name(const struct layout *layout, const struct cube *cube, size_t plane, struct buffer *out)
{
  size_t index[CUBE_MAX_DIMENSIONS];
  layout_plane_index(layout, cube, plane, index);
  for (size_t d = 0; d < cube->dimensions; d++) {
    if (layout->plane_step[d] == 0)
      continue;
    const struct dimension *dimension = &cube->dimension[d];
    char room[LABEL_TEXT_ROOM];
    if (out->length > 0)
      buffer_text(out, " ");
    if (dimension->type != DIMENSION_TEMPORAL && dimension->type != DIMENSION_BANDS)
      buffer_printf(out, "%s=", dimension->name);
    buffer_text(out, dimension_label_text(dimension, index[d], room));
  }
}
