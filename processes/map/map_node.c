/* The walk down: each node under one extent once, so what is shared stays shared. */
#include "processes/map/map_node.h"

#include "processes/cube/shape.h"
#include "processes/resample/regrid.h"

#include "datacube/source/memory_source.h"

#include <math.h>
#include <stdint.h>

enum { MOST_DEPTH = 1000, LISTS = 1024 };

struct placed { /* a node that was put on the grid */
  struct placed *next;
  const struct node *from, *to;
  struct extent shown;
};

struct map_placing {
  struct arena *arena;
  const struct map_target *target;
  struct placed *placed[LISTS]; /* by the node's address */
  bool computes;                /* some kernel was put on the grid */
  unsigned depth;
  struct error *error;
};

static int place(struct map_placing *p, const struct node *node, struct extent shown, const struct node **out);

static struct node_origin origin_of(const struct node *node)
{
  return (struct node_origin){node->id, node->process};
}

static bool has_plane(const struct cube *cube)
{
  return cube_find_axis(cube, 'x') != SIZE_MAX && cube_find_axis(cube, 'y') != SIZE_MAX;
}

/* The cube's description on the grid, with room for what is missing. */
static struct cube *placed_cube(struct map_placing *p, const struct cube *from)
{
  const struct grid *grid = &p->target->grid;
  struct cube *cube = cube_copy(p->arena, from);
  if (!cube)
    return NULL;
  struct dimension *x = &cube->dimension[cube_find_axis(cube, 'x')], *y = &cube->dimension[cube_find_axis(cube, 'y')];
  *x = dimension_steps(x->name, 'x', grid->west + grid->res_x / 2, grid->res_x, grid->width);
  *y = dimension_steps(y->name, 'y', grid->north - grid->res_y / 2, -grid->res_y, grid->height);
  cube->crs = grid->crs;
  cube_admit_missing(cube);
  return cube;
}

/* What of the cube counts: nothing outside its own edges. */
static bool narrow(const struct cube *cube, struct extent *shown)
{
  struct extent own;
  if (!cube_bounds(cube, &own.west, &own.south, &own.east, &own.north))
    return false;
  shown->west = fmax(shown->west, own.west);
  shown->south = fmax(shown->south, own.south);
  shown->east = fmin(shown->east, own.east);
  shown->north = fmin(shown->north, own.north);
  return shown->east > shown->west && shown->north > shown->south;
}

/* ---- nodes that work pixel by pixel ------------------------------------------------------------------------------ */

/* Whether an input's x and y are the output's, position by position. */
static bool follows(const struct node *node, const struct kernel_input *input)
{
  static const char axes[] = {'x', 'y'};
  const struct cube *from = input->node->cube, *to = node->cube;
  for (size_t k = 0; k < 2; k++) {
    size_t in = cube_find_axis(from, axes[k]), out = cube_find_axis(to, axes[k]);
    if (in == SIZE_MAX || input->to_output[in] != (int)out || node->array_out == (int)out ||
        from->dimension[in].size != to->dimension[out].size)
      return false;
    for (size_t w = 0; w < input->window_count; w++)
      if (input->window[w].dimension == (int)in)
        return false;
  }
  return true;
}

static bool has_neither(const struct cube *cube)
{
  return cube_find_axis(cube, 'x') == SIZE_MAX && cube_find_axis(cube, 'y') == SIZE_MAX;
}

/* A value that is stored as an integer is rounded where it is made: it keeps its type, or is not moved. */
static bool keeps_values(const struct node *node)
{
  const struct cube *cube = node->cube;
  return cube->has_nodata || element_info(cube->type)->is_float || cube->type == node->result.type;
}

static bool is_pointwise(const struct node *node)
{
  bool some = false;
  for (size_t i = 0; i < node->input_count; i++) {
    bool plane = follows(node, &node->inputs[i]);
    if (!plane && !has_neither(node->inputs[i].node->cube))
      return false;
    some = some || plane;
  }
  return some && keeps_values(node);
}

static int place_kernel(struct map_placing *p, const struct node *node, struct extent shown, const struct node **out)
{
  struct cube *cube = placed_cube(p, node->cube);
  struct kernel_input *inputs = arena_copy(p->arena, node->inputs, node->input_count * sizeof *inputs);
  if (!cube || !inputs)
    return error_memory(p->error);
  for (size_t i = 0; i < node->input_count; i++)
    if (has_plane(inputs[i].node->cube) && place(p, inputs[i].node, shown, &inputs[i].node) != 0)
      return -1;
  p->computes = true;
  *out = node_kernel(p->arena, origin_of(node), cube, inputs, node->input_count, node->program, node->result,
                     node->array_out);
  return *out ? 0 : error_memory(p->error);
}

/* A view that shows a run of x and of y. */
static bool is_crop(const struct node *node)
{
  static const char axes[] = {'x', 'y'};
  for (size_t k = 0; k < 2; k++) {
    size_t in = cube_find_axis(node->input->cube, axes[k]), out = cube_find_axis(node->cube, axes[k]);
    if (in == SIZE_MAX || node->view[in].out != (int)out || node->view[in].indexes)
      return false;
  }
  return true;
}

static int place_view(struct map_placing *p, const struct node *node, struct extent shown, const struct node **out)
{
  const struct node *input;
  struct cube *cube = placed_cube(p, node->cube);
  struct view_dimension *view = arena_copy(p->arena, node->view, node->input->cube->dimensions * sizeof *node->view);
  if (!cube || !view)
    return error_memory(p->error);
  if (place(p, node->input, shown, &input) != 0)
    return -1;
  view[cube_find_axis(node->input->cube, 'x')].offset = view[cube_find_axis(node->input->cube, 'y')].offset = 0;
  cube->type = input->cube->type;
  cube->has_nodata = input->cube->has_nodata;
  cube->nodata = input->cube->nodata;
  *out = node_view(p->arena, origin_of(node), input, cube, view);
  return *out ? 0 : error_memory(p->error);
}

static bool stacks_planes(const struct node *node)
{
  size_t along = (size_t)node->stack_dimension;
  return node->child_count > 0 && along != cube_find_axis(node->cube, 'x') && along != cube_find_axis(node->cube, 'y');
}

static int place_stack(struct map_placing *p, const struct node *node, struct extent shown, const struct node **out)
{
  struct cube *cube = placed_cube(p, node->cube);
  const struct node **children = ARENA_ARRAY(p->arena, const struct node *, node->child_count);
  if (!cube || !children)
    return error_memory(p->error);
  for (size_t i = 0; i < node->child_count; i++)
    if (place(p, node->children[i], shown, &children[i]) != 0)
      return -1;
  cube_set_joint_type(cube, children, node->child_count);
  *out = node_stack(p->arena, origin_of(node), cube, node->stack_dimension, children);
  return *out ? 0 : error_memory(p->error);
}

/* ---- nodes with pixels of their own ------------------------------------------------------------------------------ */

/* *out stays NULL where the source cannot be put on the grid itself. */
static int place_source(struct map_placing *p, const struct node *node, const struct extent *shown,
                        const struct node **out)
{
  const struct source *source = node_source_of(node), *other;
  struct extent *clip = arena_copy(p->arena, shown, sizeof *shown);
  if (!source || !source->ops->regrid || !source->cube.crs)
    return 0;
  if (!clip)
    return error_memory(p->error);
  clip->crs = source->cube.crs;
  const struct regrid_request request = {
      .grid = &p->target->grid, .method = p->target->method, .clip = clip, .overviews = p->target->overviews};
  if (source->ops->regrid(source, p->arena, &request, &other, p->error) != 0)
    return -1;
  if (!other)
    return 0;
  *out = node_source(p->arena, origin_of(node), other);
  return *out ? 0 : error_memory(p->error);
}

static int warp(struct map_placing *p, const struct node *node, const struct node **out)
{
  const struct process process = {.id = node->process};
  struct call call = {.process = &process, .node = node->id, .arena = p->arena, .error = p->error};
  return regrid(&call, node, &p->target->grid, p->target->method, out);
}

/* ---- the walk ---------------------------------------------------------------------------------------------------- */

static int place_new(struct map_placing *p, const struct node *node, struct extent shown, const struct node **out)
{
  *out = NULL;
  bool is_shown = narrow(node->cube, &shown);
  if (is_shown && node->kind == NODE_KERNEL && is_pointwise(node))
    return place_kernel(p, node, shown, out);
  if (is_shown && node->kind == NODE_VIEW && is_crop(node))
    return place_view(p, node, shown, out);
  if (is_shown && node->kind == NODE_STACK && stacks_planes(node))
    return place_stack(p, node, shown, out);
  if (is_shown && node_source_of(node) && place_source(p, node, &shown, out) != 0)
    return -1;
  return *out ? 0 : warp(p, node, out);
}

static bool same_extent(const struct extent *a, const struct extent *b)
{
  return a->west == b->west && a->south == b->south && a->east == b->east && a->north == b->north;
}

static int place(struct map_placing *p, const struct node *node, struct extent shown, const struct node **out)
{
  struct placed **list = &p->placed[(uintptr_t)node / 64 % LISTS];
  for (const struct placed *done = *list; done; done = done->next)
    if (done->from == node && same_extent(&done->shown, &shown)) {
      *out = done->to;
      return 0;
    }
  if (p->target->cancel && *p->target->cancel)
    return error_set(p->error, ERROR_RequestTimeout, "the request was cancelled");
  if (p->depth == MOST_DEPTH)
    return error_set(p->error, ERROR_ProcessGraphComplexity, "more than %d cube processes follow one another",
                     (int)MOST_DEPTH);
  p->depth++;
  int status = place_new(p, node, shown, out);
  p->depth--;
  struct placed *done = ARENA_NEW(p->arena, struct placed);
  if (status != 0 || !done)
    return status != 0 ? error_at_node(p->error, node->id) : error_memory(p->error);
  *done = (struct placed){.next = *list, .from = node, .to = *out, .shown = shown};
  *list = done;
  return 0;
}

/* ---- the frame --------------------------------------------------------------------------------------------------- */

/* One pixel as large as the cube: 0 inside it, once it is on the grid, and missing outside. */
static const struct node *frame_of(struct map_placing *p, const struct node *node, enum element_type type)
{
  static const float zero[2]; /* the bits of a zero of either type */
  struct cube frame = {.dimensions = 2, .type = type, .has_nodata = true, .nodata = (double)NAN};
  double west, south, east, north;
  frame.crs = node->cube->crs;
  if (!cube_bounds(node->cube, &west, &south, &east, &north))
    return NULL;
  frame.dimension[0] = dimension_steps(node->cube->dimension[cube_find_axis(node->cube, 'y')].name, 'y',
                                       (north + south) / 2, south - north, 1);
  frame.dimension[1] = dimension_steps(node->cube->dimension[cube_find_axis(node->cube, 'x')].name, 'x',
                                       (west + east) / 2, east - west, 1);
  const struct source *source = memory_source(p->arena, &frame, zero, "the frame of the map");
  return source ? node_source(p->arena, origin_of(node), source) : NULL;
}

/* A kernel may make values of what is missing (a count of dates is 0): outside the cube there are none. */
static int put_in_frame(struct map_placing *p, const struct node *node, const struct node **out)
{
  enum element_type type = element_info((*out)->cube->type)->exact_in_f32 ? ELEMENT_F32 : ELEMENT_F64;
  struct kernel_input *inputs = ARENA_ARRAY(p->arena, struct kernel_input, 2);
  struct program *program = program_new(p->arena);
  const struct node *frame = frame_of(p, node, type);
  if (!frame || !inputs || !program)
    return error_memory(p->error);
  if (warp(p, frame, &frame) != 0)
    return -1;
  const struct node *nodes[] = {*out, frame};
  kernel_inputs_by_names((*out)->cube, nodes, 2, inputs);
  struct lanes value = program_binary(program, KOP_ADD, program_input(program, 0, false, 1, (*out)->cube->type, NULL),
                                      program_input(program, 1, false, 1, type, NULL));
  if (program_failed(program))
    return program_error(program, p->error);
  *out = node_kernel(p->arena, origin_of(node), (*out)->cube, inputs, 2, program, value, NO_DIMENSION);
  return *out ? 0 : error_memory(p->error);
}

int map_node(struct arena *arena, const struct node *node, const struct map_target *target, const struct node **out,
             struct error *error)
{
  struct map_placing placing = {.arena = arena, .target = target, .error = error};
  struct extent shown = {.west = -HUGE_VAL, .south = -HUGE_VAL, .east = HUGE_VAL, .north = HUGE_VAL};
  shown.crs = node->cube->crs;
  if (place(&placing, node, shown, out) != 0)
    return -1;
  return placing.computes ? put_in_frame(&placing, node, out) : 0;
}
