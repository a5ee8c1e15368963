/* A warp over views of a source becomes the source on the warp's grid: resampled once, from the original pixels. A crop
 * stays a crop: what the views do not show is no-data, wherever the target lies. */
#include "hpc/plan/rewrite.h"

#include <string.h>

/* The source under views that select runs of x and y, and conversions; NULL where something else lies between. */
static const struct source *source_below(const struct node *node)
{
  while (node->kind == NODE_VIEW || node_is_conversion(node)) {
    if (node->kind == NODE_KERNEL) {
      node = node->inputs[0].node;
      continue;
    }
    size_t x = cube_find_axis(node->input->cube, 'x'), y = cube_find_axis(node->input->cube, 'y');
    if (x == SIZE_MAX || y == SIZE_MAX || node->view[x].indexes || node->view[y].indexes ||
        node->view[x].out == NO_DIMENSION || node->view[y].out == NO_DIMENSION)
      return NULL;
    node = node->input;
  }
  const struct source *source = node_source_of(node);
  return source && source->ops->regrid && source->cube.crs ? source : NULL;
}

/* The views of `node` again, over the new source; x and y are whole in each. */
static const struct node *rebuild(struct arena *arena, const struct node *node, const struct source *source)
{
  struct node_origin origin = {node->id, node->process};
  if (node_source_of(node))
    return node_source(arena, origin, source);
  if (node->kind == NODE_KERNEL)
    return rebuild(arena, node->inputs[0].node, source);
  const struct node *input = rebuild(arena, node->input, source);
  struct cube *cube = arena_copy(arena, node->cube, sizeof *cube);
  size_t dimensions = node->input->cube->dimensions;
  struct view_dimension *view = arena_copy(arena, node->view, dimensions * sizeof *view);
  if (!input || !cube || !view)
    return NULL;
  static const char axes[] = {'x', 'y'};
  for (size_t k = 0; k < 2; k++) {
    size_t d = cube_find_axis(node->input->cube, axes[k]);
    const struct dimension *on = &source->cube.dimension[cube_find_axis(&source->cube, axes[k])];
    struct dimension *of = &cube->dimension[view[d].out];
    view[d].offset = 0;
    *of = dimension_steps(of->name, of->axis, on->start, on->step, on->size);
  }
  cube->crs = source->cube.crs;
  cube->type = input->cube->type;
  cube->has_nodata = input->cube->has_nodata;
  cube->nodata = input->cube->nodata;
  return node_view(arena, origin, input, cube, view);
}

/* A resampled source is another one: resampling it again starts from its pixels, not from those it came from. */
static const struct source *resampled(struct arena *arena, const struct source *source)
{
  struct source *own = arena_copy(arena, source, sizeof *own);
  struct source_ops *ops = arena_copy(arena, source->ops, sizeof *ops);
  if (!own || !ops)
    return NULL;
  ops->regrid = NULL;
  own->ops = ops;
  return own;
}

int rewrite_warp(struct arena *arena, const struct node *node, const struct node **out, struct error *error)
{
  const struct warp_target *target = node_warp_of(node);
  const struct source *source = target ? source_below(node->children[0]) : NULL, *other;
  if (!source)
    return 0;
  struct extent *clip = ARENA_NEW(arena, struct extent);
  if (!clip)
    return error_memory(error);
  clip->crs = source->cube.crs;
  if (!cube_bounds(node->children[0]->cube, &clip->west, &clip->south, &clip->east, &clip->north))
    return 0;
  const struct regrid_request request = {.grid = &target->grid, .method = target->method, .clip = clip};
  if (source->ops->regrid(source, arena, &request, &other, error) != 0)
    return -1;
  if (!other)
    return 0;
  other = resampled(arena, other);
  const struct node *views = other ? rebuild(arena, node->children[0], other) : NULL;
  *out = views ? node_convert(arena, views, node->cube) : NULL;
  return *out ? 0 : error_memory(error);
}
