/* apply_neighborhood: a process on one block after the other. The process is lowered once, for a block that stands for
 * all; the chunk stage hands it each block with its overlap. */
#include "processes/cube/block_size.h"
#include "processes/cube/kernel_frame.h"
#include "processes/graph/lower.h"

#include "hpc/stage/chunk_stage.h"

#include <string.h>

struct neighborhood {
  struct call *call;
  const struct node *data;
  const struct callback *process;
  struct chunks *chunks;
};

static int read_blocks(struct neighborhood *n)
{
  const struct cube *cube = n->data->cube;
  size_t size[CUBE_MAX_DIMENSIONS], overlap[CUBE_MAX_DIMENSIONS];
  if (block_sizes_read(n->call, "size", cube, 1, size) != 0 ||
      block_sizes_read(n->call, "overlap", cube, 0, overlap) != 0)
    return -1;
  for (size_t d = 0; d < cube->dimensions; d++) {
    size_t whole = cube->dimension[d].size ? cube->dimension[d].size : 1;
    n->chunks->size[d] = size[d] < whole ? size[d] : whole;
    n->chunks->overlap[d] = overlap[d] == SIZE_MAX ? 0 : overlap[d];
  }
  return 0;
}

/* The one dimension along which a block has more than one element; SIZE_MAX where there are several. */
static size_t only_dimension(const struct cube *block)
{
  size_t found = SIZE_MAX, count = 0;
  for (size_t d = 0; d < block->dimensions; d++)
    if (block->dimension[d].size != 1) {
      found = d;
      count++;
    }
  if (count == 0 && block->dimensions == 1)
    return 0;
  return count == 1 ? found : SIZE_MAX;
}

static int changed(struct neighborhood *n, const char *what)
{
  return error_parameter(n->call->error, ERROR_DataCubePropertiesImmutable, "process",
                         "the process must return what it is given, with other values: %s", what);
}

/* A block along one dimension is an array, as for apply_dimension. */
static int run_on_array(struct neighborhood *n, size_t d, const struct node **out)
{
  struct call *call = n->call;
  const struct cube *block = n->chunks->chunk->cube;
  const struct dimension *labels = &block->dimension[d];
  struct kernel_frame frame = {
      .data = n->chunks->chunk, .array_dimension = (int)d, .program = program_new(call->arena)};
  struct value value;
  struct lanes lanes;
  if (!frame.program)
    return error_memory(call->error);
  struct lanes array = program_input(frame.program, 0, true, labels->size, block->type, labels);
  struct argument parameters[] = {{"data", value_lanes(array)}, {"context", call_context(call)}};
  if (frame_run(call, &frame, n->process, parameters, 2, &value) != 0 ||
      callback_lanes(call, frame.program, &value, true, "process", &lanes) != 0)
    return -1;
  if (lanes.length != labels->size)
    return changed(n, "the array has another length");
  struct cube *cube = frame_cube(call, &frame);
  struct kernel_input *inputs = cube ? frame_inputs(call, &frame, cube) : NULL;
  if (!inputs)
    return -1;
  inputs[0] = (struct kernel_input){.node = n->chunks->chunk, .array_dimension = (int)d};
  for (size_t k = 0; k < block->dimensions; k++)
    inputs[0].to_output[k] = k == d ? NO_DIMENSION : (int)k;
  cube_set_result_type(cube, &lanes, inputs, 1 + frame.count);
  if (cube_settle_packing(call, cube, frame.program, &lanes) != 0)
    return -1;
  *out = node_kernel(call->arena, call_origin(call), cube, inputs, 1 + frame.count, frame.program, lanes, (int)d);
  return *out ? 0 : error_memory(call->error);
}

static int run_on_cube(struct neighborhood *n, const struct node **out)
{
  struct call *call = n->call;
  const struct cube *block = n->chunks->chunk->cube;
  struct argument parameters[] = {{"data", value_cube(n->chunks->chunk)}, {"context", call_context(call)}};
  struct value value;
  if (call_run_callback(call, n->process, NULL, parameters, 2, &value) != 0)
    return -1;
  if (value.kind != VALUE_CUBE)
    return changed(n, "it returns no data cube");
  if (value.cube->cube->dimensions != block->dimensions)
    return changed(n, "the data cube has other dimensions");
  for (size_t d = 0; d < block->dimensions; d++) {
    const struct dimension *own = &block->dimension[d], *theirs = &value.cube->cube->dimension[d];
    if (strcmp(own->name, theirs->name) != 0 || own->type != theirs->type || !dimension_labels_equal(own, theirs))
      return changed(n, own->name);
  }
  *out = value.cube;
  return 0;
}

static int put_together(struct neighborhood *n, const struct node **out)
{
  struct call *call = n->call;
  struct cube *cube = cube_copy(call->arena, n->data->cube);
  const struct cube *body = n->chunks->body->cube;
  if (!cube)
    return error_memory(call->error);
  cube->type = body->type;
  cube->has_nodata = body->has_nodata;
  cube->nodata = body->nodata;
  size_t bands = cube_find_type(cube, DIMENSION_BANDS);
  bool whole = bands == SIZE_MAX || n->chunks->chunk->cube->dimension[bands].size == cube->dimension[bands].size;
  cube->bands = whole ? body->bands : NULL;
  *out = node_chunks(call->arena, call_origin(call), n->data, cube, n->chunks);
  return *out ? 0 : error_memory(call->error);
}

static int apply_neighborhood_call(struct call *call, struct value *result)
{
  struct neighborhood n = {.call = call, .chunks = ARENA_NEW(call->arena, struct chunks)};
  const struct node *node;
  if (!n.chunks)
    return error_memory(call->error);
  if (call_cube(call, "data", &n.data) != 0 || call_callback_argument(call, "process", &n.process) != 0 ||
      read_blocks(&n) != 0)
    return -1;
  n.chunks->chunk = node_chunk(call->arena, call_origin(call), n.data->cube, n.chunks->size, n.chunks->overlap);
  if (!n.chunks->chunk)
    return error_memory(call->error);
  size_t d = only_dimension(n.chunks->chunk->cube);
  const bool is_block = call->lowering->is_block;
  call->lowering->is_block = true;
  const int status = d == SIZE_MAX ? run_on_cube(&n, &n.chunks->body) : run_on_array(&n, d, &n.chunks->body);
  call->lowering->is_block = is_block;
  if (status != 0 || put_together(&n, &node) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_apply_neighborhood = {
    .id = "apply_neighborhood", .shape = PROCESS_CUBE, .call = apply_neighborhood_call};
