/* aggregate_spatial: a reducer over the pixels of each geometry. The geometries are laid on the grid once, as runs of
 * pixels; a zones stage then reads each pixel once, however many geometries there are. Where the reducer runs a user's
 * script, its callback is lowered for each geometry on a node of its pixels instead. */
#include "processes/aggregate/zone_arrays.h"
#include "processes/cube/kernel_frame.h"
#include "processes/vector/geometry_argument.h"

#include "hpc/stage/zones_stage.h"

#include "datacube/coverage.h"
#include "datacube/source/memory_source.h"

#include <math.h>
#include <string.h>

struct task {
  struct call *call;
  const struct callback *reducer;        /* NULL: counts the valid pixels */
  const struct node *data;               /* y and x last */
  const struct geometry_set *geometries; /* as given */
  struct zones zones;
  struct dimension labels; /* of the geometries */
  const double *counts;    /* pixels of each geometry */
  bool wants_nodes;        /* the reducer works on nodes of pixels, not on the program's array alone */
};

/* ---- geometries ------------------------------------------------------------------------------------------------- */

static int read_geometries(struct task *z)
{
  if (call_geometries(z->call, "geometries", &z->labels) != 0)
    return -1;
  z->geometries = z->labels.geometries;
  return 0;
}

static int lay_on_grid(struct task *z)
{
  struct call *call = z->call;
  struct coverage coverage;
  if (coverage_make(z->geometries, z->data->cube, call->arena, &coverage, call->error) != 0)
    return error_at_parameter(call->error, "geometries");
  z->zones = (struct zones){coverage.zones, coverage.runs, coverage.run_count};
  return 0;
}

static int count_pixels(struct task *z)
{
  double *counts = ARENA_ARRAY(z->call->arena, double, z->zones.count);
  if (!counts)
    return error_memory(z->call->error);
  for (size_t i = 0; i < z->zones.run_count; i++)
    counts[z->zones.runs[i].zone] += (double)(z->zones.runs[i].last - z->zones.runs[i].first);
  z->counts = counts;
  return 0;
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

static int count_valid(struct task *z, struct program *program, struct lanes pixels, struct lanes *out)
{
  const double parameters[] = {1, 0};
  *out = program_reduce(program, KRED_COUNT, pixels, parameters, 2);
  return program_failed(program) ? program_error(program, z->call->error) : 0;
}

/* The reducer over an array of that many pixels. Nothing is reduced where there is no pixel. */
static int make_program(void *context, size_t length, struct zonal_program *out, struct error *error)
{
  struct task *z = context;
  struct program *program = program_new(z->call->arena);
  struct value value;
  if (!program)
    return error_memory(error);
  out->program = program;
  struct lanes pixels = program_input(program, 0, true, length, z->data->cube->type, NULL);
  if (!z->reducer)
    return count_valid(z, program, pixels, &out->result);
  if (length == 0) {
    out->result = program_missing(program);
    return 0;
  }
  struct argument parameters[] = {{"data", value_lanes(pixels)}, {"context", call_context(z->call)}};
  struct kernel_frame frame = {.array_dimension = NO_DIMENSION, .wants_single = true, .program = program};
  if (frame_run(z->call, &frame, z->reducer, parameters, 2, &value) != 0) {
    z->wants_nodes = frame.lacks_data;
    return -1;
  }
  return callback_lanes(z->call, program, &value, false, "reducer", &out->result);
}

/* The data's cube with the geometries in place of y and x, of the type of the program's result. */
static int describe(struct task *z, const struct zonal_program *program, struct cube **out)
{
  struct kernel_input input = {.node = z->data};
  struct cube *cube = cube_copy(z->call->arena, z->data->cube);
  if (!cube)
    return error_memory(z->call->error);
  cube->dimensions--;
  cube->dimension[cube->dimensions - 1] = z->labels;
  cube->crs = z->geometries->crs;
  cube_set_result_type(cube, &program->result, &input, 1);
  cube_admit_missing(cube);
  *out = cube;
  return cube_settle_packing(z->call, cube, program->program, &program->result);
}

/* Pixels of the largest zone; some where all are empty, so that there is a program at all. */
static size_t largest_zone(const struct task *z)
{
  double most = 0;
  for (size_t i = 0; i < z->zones.count; i++)
    most = fmax(most, z->counts[i]);
  return most > 0 ? (size_t)most : 2;
}

static int reduce_zones(struct task *z, const struct node **out)
{
  struct zonal_program probe;
  struct cube *cube = NULL;
  const struct error before = *z->call->error;
  const size_t length = largest_zone(z);
  if (make_program(z, length, &probe, z->call->error) != 0) {
    if (!z->wants_nodes)
      return -1;
    *z->call->error = before;
    const struct zone_arrays arrays = {z->data, &z->zones, &z->labels, z->reducer};
    return zone_arrays_reduce(z->call, &arrays, out);
  }
  if (describe(z, &probe, &cube) != 0)
    return -1;
  const struct zonal zonal = {
      .input = z->data, .cube = cube, .zones = &z->zones, .make = make_program, .context = z, .probe = length};
  *out = node_zones(z->call->arena, call_origin(z->call), &zonal, z->call->error);
  return *out ? 0 : -1;
}

static int counts_node(struct task *z, const struct node **out)
{
  struct call *call = z->call;
  struct cube *cube = ARENA_NEW(call->arena, struct cube);
  if (!cube)
    return error_memory(call->error);
  *cube = (struct cube){.dimensions = 1,
                        .dimension = {z->labels},
                        .type = ELEMENT_F64,
                        .has_nodata = true,
                        .nodata = NAN,
                        .crs = z->geometries->crs};
  const struct source *source = memory_source(call->arena, cube, z->counts, "pixels of geometries");
  *out = source ? node_source(call->arena, call_origin(call), source) : NULL;
  return *out ? 0 : error_memory(call->error);
}

/* No-data where a geometry has no pixel, whatever the reducer makes of nothing. */
static int without_empty(struct task *z, const struct node *values, const struct node *counts, const struct node **out)
{
  struct call *call = z->call;
  struct program *program = program_new(call->arena);
  struct kernel_input *inputs = ARENA_ARRAY(call->arena, struct kernel_input, 2);
  const struct node *const both[] = {values, counts};
  bool some = false;
  for (size_t i = 0; i < z->zones.count; i++)
    some = some || z->counts[i] == 0;
  *out = values;
  if (!some)
    return 0;
  if (!program || !inputs)
    return error_memory(call->error);
  struct lanes value = program_input(program, 0, false, 1, values->cube->type, NULL);
  struct lanes count = program_input(program, 1, false, 1, counts->cube->type, NULL);
  struct lanes empty = program_binary(program, KOP_EQ, count, program_constant(program, 0));
  struct lanes kept = program_binary(program, KOP_MASK, value, empty);
  if (program_failed(program))
    return program_error(program, call->error);
  kernel_inputs_by_names(values->cube, both, 2, inputs);
  *out = node_kernel(call->arena, call_origin(call), values->cube, inputs, 2, program, kept, NO_DIMENSION);
  return *out ? 0 : error_memory(call->error);
}

/* ---- counts beside the values ----------------------------------------------------------------------------------- */

/* The node under the cube of the stack: one label of the first dimension. */
static int as_layer(struct task *z, const struct node *node, const struct cube *stack, size_t i,
                    const struct node **out)
{
  struct call *call = z->call;
  struct program *program = program_new(call->arena);
  struct cube *cube = cube_copy(call->arena, stack);
  struct kernel_input *input = ARENA_NEW(call->arena, struct kernel_input);
  if (!program || !cube || !input)
    return error_memory(call->error);
  struct lanes value = program_input(program, 0, false, 1, node->cube->type, NULL);
  if (dimension_pick(call->arena, &stack->dimension[0], &i, 1, &cube->dimension[0]) != 0)
    return error_memory(call->error);
  kernel_inputs_by_names(cube, &node, 1, input);
  *out = node_kernel(call->arena, call_origin(call), cube, input, 1, program, value, NO_DIMENSION);
  return *out ? 0 : error_memory(call->error);
}

static int stack_layers(struct task *z, const char *name, const struct node *const *layers, const struct node **out)
{
  static const char *const labels[] = {"value", "total_count", "valid_count"};
  struct call *call = z->call;
  struct cube *cube = cube_copy(call->arena, layers[0]->cube);
  const struct node **children = ARENA_ARRAY(call->arena, const struct node *, 3);
  if (!cube || !children)
    return error_memory(call->error);
  memmove(&cube->dimension[1], &cube->dimension[0], cube->dimensions * sizeof cube->dimension[0]);
  cube->dimensions++;
  cube->dimension[0] = dimension_texts(name, DIMENSION_OTHER, labels, 3);
  cube_set_joint_type(cube, layers, 3);
  for (size_t i = 0; i < 3; i++)
    if (as_layer(z, layers[i], cube, i, &children[i]) != 0)
      return -1;
  *out = node_stack(call->arena, call_origin(call), cube, 0, children);
  return *out ? 0 : error_memory(call->error);
}

static int add_counts(struct task *z, const struct node *values, const struct node *counts, const struct node **out)
{
  struct task *valid = arena_copy(z->call->arena, z, sizeof *z);
  const struct node *layers[] = {values, counts, NULL};
  const char *name;
  if (!valid)
    return error_memory(z->call->error);
  if (call_text(z->call, "target_dimension", &name) != 0)
    return -1;
  if (cube_find_dimension(values->cube, name) != SIZE_MAX)
    return error_parameter(z->call->error, ERROR_TargetDimensionExists, "target_dimension",
                           "a dimension named '%s' exists already", name);
  valid->reducer = NULL;
  if (reduce_zones(valid, &layers[2]) != 0)
    return -1;
  return stack_layers(z, name, layers, out);
}

static int aggregate_spatial_call(struct call *call, struct value *result)
{
  struct task *z = ARENA_NEW(call->arena, struct task);
  const struct node *data, *values, *counts, *node;
  if (!z)
    return error_memory(call->error);
  z->call = call;
  if (call_cube(call, "data", &data) != 0 || call_callback_argument(call, "reducer", &z->reducer) != 0)
    return -1;
  if (cube_find_axis(data->cube, 'x') == SIZE_MAX || cube_find_axis(data->cube, 'y') == SIZE_MAX)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data",
                           "the cube has no x and y (its dimensions: %s)",
                           cube_dimension_names(call->arena, data->cube));
  if (view_plane_last(call, data, &z->data) != 0 || read_geometries(z) != 0 || lay_on_grid(z) != 0 ||
      count_pixels(z) != 0)
    return -1;
  if (reduce_zones(z, &values) != 0 || counts_node(z, &counts) != 0 || without_empty(z, values, counts, &node) != 0)
    return -1;
  if (call_has(call, "target_dimension") && add_counts(z, node, counts, &node) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_aggregate_spatial = {
    .id = "aggregate_spatial", .shape = PROCESS_CUBE, .call = aggregate_spatial_call};
