/* Gauge cubes: finding their dimensions, and their configurations one by one. See gauge_cube.h. */
#include "processes/lattice/gauge_cube.h"

#include "datacube/base/checked.h"
#include "datacube/base/missing.h"
#include "processes/cube/shape.h"
#include "processes/lattice/gauge_crew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const axis_names[LATTICE_MAX_DIMENSIONS] = {"x0", "x1", "x2", "x3"};

/* ---- finding ---------------------------------------------------------------------------------------------------- */

struct places { /* dimensions of the cube as it was given */
  size_t axis[LATTICE_MAX_DIMENSIONS], direction, row, column;
};

static int no_gauge_cube(struct call *call, const char *parameter, const struct cube *cube, const char *why)
{
  const char *names = cube_dimension_names(call->arena, cube);
  return error_parameter(call->error, ERROR_ProcessParameterInvalid, parameter,
                         "parameter '%s' of process '%s' must be a cube of gauge fields, complex elements with the "
                         "dimensions x0, x1, … (2 to 4), direction, row and column: %s; it has %s elements and the "
                         "dimensions %s",
                         parameter, call->process->id, why, element_info(cube->type)->name, names ? names : "?");
}

/* NULL, or why the cube is none. */
static const char *find_places(const struct cube *cube, struct gauge_cube *out, struct places *places)
{
  for (out->dimensions = 0; out->dimensions < LATTICE_MAX_DIMENSIONS; out->dimensions++) {
    size_t d = cube_find_dimension(cube, axis_names[out->dimensions]);
    if (d == SIZE_MAX)
      break;
    if (!dimension_counts(&cube->dimension[d]))
      return "the labels of an axis are not 0, 1, …, as lattices are whole and periodic";
    places->axis[out->dimensions] = d;
    out->extent[out->dimensions] = cube->dimension[d].size;
  }
  places->direction = cube_find_dimension(cube, "direction");
  places->row = cube_find_dimension(cube, "row");
  places->column = cube_find_dimension(cube, "column");
  if (out->dimensions < 2)
    return "an axis is missing";
  if (places->direction == SIZE_MAX || places->row == SIZE_MAX || places->column == SIZE_MAX)
    return "direction, row or column is missing";
  if (!element_info(cube->type)->is_complex)
    return "the elements are not complex";
  out->colours = cube->dimension[places->row].size;
  if (out->colours < 1 || out->colours > GAUGE_MAX_COLOURS || cube->dimension[places->column].size != out->colours)
    return "the matrices are not square, of 1 to 8 colours";
  if (cube->dimension[places->direction].size != out->dimensions)
    return "there is not one direction for each axis";
  return lattice_bytes(out->dimensions, out->extent) ? NULL : "the lattice is empty or too large";
}

/* The directions in the order of the axes. */
static int sort_directions(struct call *call, const char *parameter, struct gauge_cube *cube,
                           const struct places *places)
{
  const struct dimension *direction = &cube->node->cube->dimension[places->direction];
  size_t *order = ARENA_ARRAY(call->arena, size_t, cube->dimensions);
  bool sorted = true;
  if (!order)
    return error_memory(call->error);
  for (size_t k = 0; k < cube->dimensions; k++) {
    order[k] = dimension_find_text(direction, axis_names[k]);
    if (order[k] == SIZE_MAX)
      return no_gauge_cube(call, parameter, cube->node->cube, "the labels of direction are not those of the axes");
    sorted = sorted && order[k] == k;
  }
  struct value picked;
  if (sorted)
    return 0;
  if (view_pick(call, cube->node, places->direction, order, cube->dimensions, &picked) != 0)
    return -1;
  cube->node = picked.cube;
  return 0;
}

/* Frames' dimensions first, the field's behind them in their order. */
static int sort_dimensions(struct call *call, struct gauge_cube *cube, const struct places *places)
{
  size_t last[LATTICE_MAX_DIMENSIONS + 3], count = cube->dimensions;
  memcpy(last, places->axis, count * sizeof *last);
  last[count++] = places->direction;
  last[count++] = places->row;
  last[count++] = places->column;
  cube->frames = cube->node->cube->dimensions - count;
  return view_last(call, cube->node, last, count, &cube->node);
}

int call_gauge_cube(struct call *call, const char *parameter, struct gauge_cube *out)
{
  struct places places;
  *out = (struct gauge_cube){0};
  if (call_cube(call, parameter, &out->node) != 0)
    return -1;
  const char *why = find_places(out->node->cube, out, &places);
  if (why)
    return no_gauge_cube(call, parameter, out->node->cube, why);
  if (sort_directions(call, parameter, out, &places) != 0)
    return -1;
  return sort_dimensions(call, out, &places);
}

struct lattice gauge_cube_lattice(const struct gauge_cube *cube)
{
  struct lattice lattice;
  lattice_describe(&lattice, cube->dimensions, cube->extent); /* was found to be in range */
  return lattice;
}

void gauge_cube_map(const struct gauge_cube *cube, int *to_output)
{
  for (size_t d = 0; d < cube->node->cube->dimensions; d++)
    to_output[d] = d < cube->frames ? (int)d : NO_DIMENSION;
}

/* ---- workspaces ------------------------------------------------------------------------------------------------- */

static size_t rounded(size_t bytes)
{
  return bytes > SIZE_MAX - 63 ? SIZE_MAX : (bytes + 63) / 64 * 64;
}

struct work_sizes { /* bytes, multiples of 64; saturated */
  size_t tables, links, wide, scratch;
};

static struct work_sizes work_sizes(const struct gauge_cube *cube, size_t scratch)
{
  const struct lattice lattice = gauge_cube_lattice(cube);
  size_t numbers = cube->dimensions * cube->colours * cube->colours * 2 * sizeof(double);
  size_t wide = cube->node->cube->type == ELEMENT_C64 ? saturated_mul(lattice.sites, numbers) : 0;
  return (struct work_sizes){.tables = rounded(lattice_bytes(cube->dimensions, cube->extent)),
                             .links = saturated_mul(lattice.blocks, LATTICE_LANES * numbers),
                             .wide = rounded(wide),
                             .scratch = rounded(scratch)};
}

static size_t sum_of(const struct work_sizes *sizes)
{
  return saturated_add(saturated_add(sizes->tables, sizes->links), saturated_add(sizes->wide, sizes->scratch));
}

size_t gauge_work_bytes(const struct gauge_cube *cube, size_t scratch)
{
  const struct work_sizes sizes = work_sizes(cube, scratch);
  return sum_of(&sizes);
}

int gauge_work_open(const struct gauge_cube *cube, size_t scratch, struct gauge_work *out, struct error *error)
{
  const struct work_sizes sizes = work_sizes(cube, scratch);
  size_t bytes = sum_of(&sizes);
  unsigned char *memory = bytes == SIZE_MAX ? NULL : aligned_alloc(64, bytes);
  if (memory == NULL)
    return error_memory(error);
  *out = (struct gauge_work){.memory = memory};
  lattice_init(&out->lattice, cube->dimensions, cube->extent, memory);
  out->field = gauge_field_over(&out->lattice, cube->colours, memory + sizes.tables);
  out->wide = sizes.wide ? (double *)(void *)(memory + sizes.tables + sizes.links) : NULL;
  out->scratch = memory + sizes.tables + sizes.links + sizes.wide;
  return 0;
}

void gauge_work_close(struct gauge_work *work)
{
  free(work->memory);
}

static size_t numbers_of(const struct gauge_work *work)
{
  const struct gauge_field *field = &work->field;
  return work->lattice.sites * work->lattice.dimensions * field->colours * field->colours * 2;
}

/* "chain 0, configuration 3": where the frame is. */
static void print_place(const struct gauge_cube *cube, const size_t *at, char *text, size_t size)
{
  size_t used = 0;
  text[0] = '\0';
  for (size_t d = 0; d < cube->frames && used < size; d++)
    used += (size_t)snprintf(text + used, size - used, "%s%s %zu", d ? ", " : " of ",
                             cube->node->cube->dimension[d].name, at[d]);
}

int gauge_cube_blame(const struct gauge_cube *cube, const size_t *at, const struct gauge_fault *fault,
                     struct error *error)
{
  char place[160];
  print_place(cube, at, place, sizeof place);
  if (fault->turned)
    return error_parameter(error, ERROR_ProcessParameterInvalid, "data",
                           "parameter 'data' must be a cube of gauge fields, whose links are in SU(%zu), with the "
                           "determinant 1: the link of direction x%zu at site %zu%s is unitary, but |det U - 1| is "
                           "%.3g",
                           cube->colours, fault->mu, fault->site, place, fault->off);
  return error_parameter(error, ERROR_ProcessParameterInvalid, "data",
                         "parameter 'data' must be a cube of gauge fields, whose links are unitary, or zero where they "
                         "leave an open axis: the link of direction x%zu at site %zu%s is not, an entry of U U^dagger "
                         "- 1 is %.3g",
                         fault->mu, fault->site, place, fault->off);
}

static int check_links(const struct gauge_cube *cube, const struct gauge_work *work, const struct frame_job *frame,
                       bool *missing, struct error *error)
{
  struct gauge_fault fault;
  *missing = false;
  if (gauge_links_of_group(&work->field, frame->threads, &fault))
    return 0;
  *missing = gauge_links_missing(&work->field);
  return *missing ? 0 : gauge_cube_blame(cube, frame->at, &fault, error);
}

int gauge_work_set(const struct gauge_cube *cube, struct gauge_work *work, const struct frame_job *frame, bool *missing,
                   struct error *error)
{
  if (work->wide) {
    const float *narrow = frame->inputs[0];
    for (size_t i = 0; i < numbers_of(work); i++)
      work->wide[i] = (double)narrow[i];
  }
  gauge_field_set(&work->field, frame->threads, work->wide ? work->wide : frame->inputs[0]);
  return check_links(cube, work, frame, missing, error);
}

void gauge_missing(void *output, size_t numbers, bool narrow)
{
  for (size_t i = 0; i < numbers; i++) {
    if (narrow)
      ((float *)output)[i] = na_f32();
    else
      ((double *)output)[i] = na_f64();
  }
}

void gauge_work_get(struct gauge_work *work, unsigned threads, void *elements)
{
  gauge_field_get(&work->field, threads, work->wide ? work->wide : elements);
  if (work->wide) {
    float *narrow = elements;
    for (size_t i = 0; i < numbers_of(work); i++)
      narrow[i] = (float)work->wide[i];
  }
}

/* ---- configurations one by one ---------------------------------------------------------------------------------- */

struct gauge_frames { /* frames.data */
  struct gauge_cube cube;
  const struct gauge_op *op;
  const void *parameters;
  bool gives_field;
  size_t numbers; /* of a frame of the result */
};

static size_t scratch_of(const struct gauge_frames *g)
{
  return g->op->scratch ? g->op->scratch(&g->cube, g->parameters) : 0;
}

static size_t gauge_bytes(const void *data)
{
  const struct gauge_frames *g = data;
  return gauge_work_bytes(&g->cube, scratch_of(g));
}

static int gauge_open(const void *data, void **work, struct error *error)
{
  const struct gauge_frames *g = data;
  struct gauge_work *out = malloc(sizeof *out);
  if (out == NULL)
    return error_memory(error);
  if (gauge_work_open(&g->cube, scratch_of(g), out, error) != 0) {
    free(out);
    return -1;
  }
  *work = out;
  return 0;
}

/* ---- configurations on devices ----------------------------------------------------------------------------------- */

struct gauge_on_device {
  struct science *science;
  struct gauge_device *device; /* NULL before the first configuration */
};

static int gauge_device_checked(const void *data, struct error *why)
{
  const struct gauge_frames *g = data;
  return gauge_device_check(g->cube.colours, g->cube.dimensions, why);
}

/* A link takes about 20 ns times the colours squared, in each of a step's three stages. */
static double gauge_device_rough(const void *data)
{
  const struct gauge_frames *g = data;
  const struct lattice lattice = gauge_cube_lattice(&g->cube);
  const double links = (double)lattice.sites * (double)lattice.dimensions;
  return 3 * 20e-9 * links * (double)(g->cube.colours * g->cube.colours) * g->op->flow_steps(g->parameters);
}

static int gauge_device_measured(const void *data, struct science *science, double seconds[2], struct error *why)
{
  const struct gauge_frames *g = data;
  const struct lattice lattice = gauge_cube_lattice(&g->cube);
  const double steps = g->op->flow_steps(g->parameters);
  if (gauge_device_try_flow(science, &lattice, g->cube.colours, seconds, why) != 0)
    return -1;
  seconds[0] *= steps;
  seconds[1] *= steps;
  return 0;
}

static int gauge_device_open(const void *data, struct science *science, void **device, struct error *why)
{
  struct gauge_on_device *out = calloc(1, sizeof *out);
  (void)data;
  if (out == NULL)
    return error_memory(why);
  out->science = science;
  *device = out;
  return 0;
}

static int put_on_device(struct gauge_on_device *on, const struct gauge_field *field, struct gauge_device **out,
                         struct error *error)
{
  const int status = on->device ? gauge_device_put(on->device, field, error)
                                : gauge_device_new(on->science, field, &on->device, error);
  *out = on->device;
  return status;
}

static void gauge_device_close(void *device)
{
  struct gauge_on_device *on = device;
  gauge_device_free(on->device);
  free(on);
}

static const struct frame_device_ops gauge_devices = {gauge_device_checked, gauge_device_rough, gauge_device_measured,
                                                      gauge_device_open, gauge_device_close};

/* ---- frames ------------------------------------------------------------------------------------------------------ */

static int gauge_compute(const void *data, const struct frame_job *frame, struct error *error)
{
  const struct gauge_frames *g = data;
  struct gauge_work *work = frame->work;
  struct gauge_job job = {.scratch = work->scratch,
                          .out = g->gives_field ? NULL : frame->output,
                          .threads = frame->threads,
                          .cancel = frame->cancel};
  bool missing;
  if (gauge_work_set(&g->cube, work, frame, &missing, error) != 0)
    return -1;
  if (missing) {
    gauge_missing(frame->output, g->numbers, g->gives_field && work->wide);
    return 0;
  }
  job.field = work->field;
  if (frame->device && put_on_device(frame->device, &work->field, &job.device, error) != 0)
    return -1;
  if (g->op->compute(g->parameters, &job, error) != 0 || frame_cancelled(frame, error) != 0)
    return -1;
  if (g->gives_field)
    gauge_work_get(work, frame->threads, frame->output);
  return 0;
}

static void gauge_close(void *work)
{
  gauge_work_close(work);
  free(work);
}

/* One name for all in EXPLAIN: the process is named beside it. */
#define GAUGE_FRAMES .bytes = gauge_bytes, .open = gauge_open, .compute = gauge_compute, .close = gauge_close
static const struct frame_ops gauge_measure_ops = {.name = "measure", GAUGE_FRAMES};
static const struct frame_ops gauge_change_ops = {.name = "change", GAUGE_FRAMES};
static const struct frame_ops flow_measure_ops = {.name = "measure", GAUGE_FRAMES, .device = &gauge_devices};
static const struct frame_ops flow_change_ops = {.name = "change", GAUGE_FRAMES, .device = &gauge_devices};

static const struct frame_ops *frame_ops_of(const struct gauge_op *op, bool gives_field)
{
  return op->flow_steps ? (gives_field ? &flow_change_ops : &flow_measure_ops)
                        : (gives_field ? &gauge_change_ops : &gauge_measure_ops);
}

static int make_frames(struct call *call, const struct gauge_cube *cube, const struct gauge_measure *measure,
                       const struct cube *to, struct value *result)
{
  struct gauge_frames *data = ARENA_NEW(call->arena, struct gauge_frames);
  void *parameters = arena_copy(call->arena, measure->parameters, measure->size);
  bool gives_field = to == cube->node->cube;
  if (data == NULL || (parameters == NULL && measure->size > 0))
    return error_memory(call->error);
  *data =
      (struct gauge_frames){*cube, measure->op, parameters, gives_field, element_info(to->type)->is_complex ? 2 : 1};
  for (size_t d = cube->frames; d < to->dimensions; d++)
    data->numbers *= to->dimension[d].size;
  struct frames frames = {.ops = frame_ops_of(measure->op, gives_field),
                          .data = data,
                          .leading = cube->frames,
                          .reduces = !gives_field,
                          .cancel = call_cancel(call)};
  hash_bytes(&frames.hash, measure->op->name, strlen(measure->op->name) + 1);
  hash_bytes(&frames.hash, measure->parameters, measure->size);
  gauge_cube_map(cube, frames.to_output[0]);
  if (gauge_crew_frames(call, cube, measure, data->numbers, &frames) != 0)
    return -1;
  const struct node *node = node_frames(call->arena, call_origin(call), to, &cube->node, 1, &frames);
  *result = value_cube(node);
  return node ? 0 : error_memory(call->error);
}

int gauge_cube_measure(struct call *call, const struct gauge_cube *cube, const struct gauge_measure *measure,
                       const struct dimension *others, size_t count, struct value *result)
{
  struct cube *to = ARENA_NEW(call->arena, struct cube);
  if (to == NULL)
    return error_memory(call->error);
  to->type = measure->op->is_complex ? ELEMENT_C128 : ELEMENT_F64;
  to->title = cube->node->cube->title;
  to->dimensions = cube->frames + count;
  memcpy(to->dimension, cube->node->cube->dimension, cube->frames * sizeof *to->dimension);
  memcpy(to->dimension + cube->frames, others, count * sizeof *others);
  return make_frames(call, cube, measure, to, result);
}

int gauge_cube_change(struct call *call, const struct gauge_cube *cube, const struct gauge_measure *measure,
                      struct value *result)
{
  return make_frames(call, cube, measure, cube->node->cube, result);
}
