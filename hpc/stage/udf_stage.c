/* The udf stage: parts of a cube go to an interpreter (hpc/udf), what its script makes of them comes back.
 *
 * A part has all of those dimensions that the script is to see as a whole, and a run of the others, which the result
 * has as well. What the result must be is part of the call: another shape, other labels or another type are an error
 * that the interpreter tells. An interpreter is taken for one call, after the input was pulled, so scripts behind each
 * other need one for each thread and no more. */
#include "hpc/stage/udf_stage.h"

#include "datacube/base/checked.h"
#include "hpc/plan/plan_internal.h"
#include "hpc/udf/udf_view.h"

#include <stdlib.h>
#include <string.h>

struct udf_state {
  struct room input;
  struct buffer view;
};

const struct node *node_udf(struct arena *arena, struct node_origin origin, const struct node *input,
                            const struct cube *cube, const struct udf *udf)
{
  const struct node **inputs = arena_copy(arena, &input, sizeof input);
  if (!inputs)
    return NULL;
  struct stage_node stage = {.ops = &udf_stage, .inputs = inputs, .input_count = 1, .data = udf};
  hash_text(&stage.data_hash, udf->script.message);
  hash_bytes(&stage.data_hash, udf->follows, sizeof udf->follows);
  return node_stage(arena, origin, cube, &stage);
}

/* ---- planning ---------------------------------------------------------------------------------------------------- */

/* A part with one index of all that comes in parts must fit what an interpreter can be given. */
static int check_least(const struct stage *stage, struct error *error)
{
  const struct udf *udf = stage->node->data;
  const struct cube *cubes[] = {stage->node->children[0]->cube, stage->cube};
  size_t bytes = 64;
  for (size_t i = 0; i < 2; i++) {
    size_t count[CUBE_MAX_DIMENSIONS];
    for (size_t d = 0; d < cubes[i]->dimensions; d++) {
      const size_t at = i ? cube_find_dimension(cubes[0], cubes[i]->dimension[d].name) : d;
      count[d] = at != SIZE_MAX && udf->follows[at] ? 1 : cubes[i]->dimension[d].size;
    }
    bytes = saturated_add(bytes, cube_part_bytes(cubes[i], count));
  }
  if (bytes <= interpreters_room())
    return 0;
  error_set(error, ERROR_ProcessGraphComplexity,
            "a user-defined function would be given and give %zu bytes at once, at most %zu are possible: select less, "
            "or call it from apply, reduce_dimension or apply_neighborhood",
            bytes, interpreters_room());
  return error_at_node(error, stage->node->id);
}

static int udf_make(struct stage_list *list, struct stage *stage, struct error *error)
{
  const struct udf *udf = stage->node->data;
  const struct cube *from = stage->node->children[0]->cube;
  struct stage_input *input =
      check_least(stage, error) == 0 ? stage_reads(list, stage->node->children[0], error) : NULL;
  if (!input)
    return -1;
  stage->data = udf;
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    stage->mode[d] = MODE_AXIS;
  for (size_t d = 0; d < from->dimensions; d++) {
    const size_t out = cube_find_dimension(stage->cube, from->dimension[d].name);
    if (!udf->follows[d] || out == SIZE_MAX)
      continue;
    stage->mode[out] = MODE_OUT;
    input->need[d] = (struct need){.kind = NEED_RUN, .out = (int)out, .size = from->dimension[d].size};
  }
  const struct stage_input *inputs[] = {input};
  return stage_set_inputs(list, stage, inputs, 1, error);
}

/* Elements here and in the memory of the interpreter; more than that has room for never fits. */
static size_t udf_bytes(const struct plan *plan, const struct stage *stage, const size_t *count)
{
  const size_t upstream = stage->inputs[0]->stage;
  const struct cube *from = plan_stage(plan, upstream)->cube;
  size_t in[CUBE_MAX_DIMENSIONS];
  input_counts(stage->inputs[0], from, count, in);
  const size_t input = cube_part_bytes(from, in),
               both = saturated_add(saturated_add(input, 64), cube_part_bytes(stage->cube, count));
  if (both > interpreters_room())
    return SIZE_MAX;
  return saturated_add(both, saturated_add(input, plan_stage_bytes(plan, upstream, in)));
}

/* ---- filling ----------------------------------------------------------------------------------------------------- */

static int udf_start(struct tile_worker *worker, const struct stage *stage, void **out, struct error *error)
{
  (void)worker;
  (void)stage;
  *out = calloc(1, sizeof(struct udf_state));
  return *out ? 0 : error_memory(error);
}

static void udf_stop(const struct stage *stage, void *data)
{
  struct udf_state *state = data;
  (void)stage;
  if (!state)
    return;
  room_free(&state->input);
  buffer_free(&state->view);
  free(state);
}

static struct box box_of(const struct region *region)
{
  struct box box = {.dimensions = region->dimensions};
  memcpy(box.start, region->start, sizeof box.start);
  memcpy(box.count, region->count, sizeof box.count);
  return box;
}

static int write_view(const struct stage *stage, const struct cube *from, const struct region *in,
                      const struct region *out, struct buffer *view)
{
  const struct box given = box_of(in), wanted = box_of(out);
  struct json_writer w = {.out = view};
  view->length = 0;
  json_write_object(&w);
  json_kv_integer(&w, "offset", (int64_t)udf_result_place(region_bytes(from, in)));
  json_key(&w, "input");
  udf_view_cube(&w, from, &given);
  json_key(&w, "want");
  json_write_object(&w);
  json_kv_string(&w, "type", udf_type_name(stage->cube->type));
  udf_view_dimensions(&w, stage->cube, &wanted);
  json_end_object(&w);
  json_end_object(&w);
  return view->failed ? -1 : 0;
}

static int udf_fill(struct tile_worker *worker, const struct stage *stage, void *data, const struct region *region,
                    void *out, struct error *error)
{
  const struct udf *udf = stage->data;
  const size_t upstream = stage->inputs[0]->stage;
  const struct cube *from = plan_stage(worker_plan(worker), upstream)->cube;
  struct udf_state *state = data;
  struct region in;
  input_region(stage->inputs[0], from->dimensions, region, &in);
  const size_t bytes = region_bytes(from, &in);
  if (room_for(&state->input, bytes, error) != 0 || worker_pull(worker, upstream, &in, state->input.data, error) != 0)
    return -1;
  if (write_view(stage, from, &in, region, &state->view) != 0)
    return error_memory(error);
  const struct udf_call call = {.script = &udf->script,
                                .view = state->view.data,
                                .input = state->input.data,
                                .input_size = bytes,
                                .output = out,
                                .output_size = region_bytes(stage->cube, region),
                                .offset = udf_result_place(bytes)};
  return interpreters_call(udf->interpreters, &call, NULL, error);
}

static void udf_print(const struct plan *plan, const struct stage *stage, struct buffer *out)
{
  const struct cube *from = stage->node->children[0]->cube;
  const struct udf *udf = stage->data;
  (void)plan;
  buffer_printf(out, " of stage %zu, seeing whole", stage->inputs[0]->stage);
  size_t whole = 0;
  for (size_t d = 0; d < from->dimensions; d++)
    if (!udf->follows[d])
      buffer_printf(out, "%s %s", whole++ ? "," : "", from->dimension[d].name);
  buffer_text(out, whole ? "" : " nothing");
}

const struct stage_ops udf_stage = {.name = "udf",
                                    .make = udf_make,
                                    .bytes = udf_bytes,
                                    .start = udf_start,
                                    .fill = udf_fill,
                                    .stop = udf_stop,
                                    .print = udf_print,
                                    .cost = 64};
