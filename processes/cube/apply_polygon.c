/* apply_polygon: a process on the pixels of one polygon after the other. It is lowered once for each polygon, on a view
 * of the data that is clipped to it; the patch stage puts the results in their places. */
#include "processes/mask/polygons.h"

#include "hpc/plan/rewrite.h"
#include "hpc/stage/patch_stage.h"

#include <math.h>
#include <string.h>

enum { MOST_POLYGONS = 4096 }; /* each has nodes of its own */

struct segmenting {
  struct call *call;
  const struct node *data;
  const struct callback *process;
  struct coverage coverage;
  struct zone_span *runs; /* of the coverage, by zone */
  size_t *start;          /* first run of each zone, and behind the last */
  struct plane_patch *patches;
  size_t count; /* polygons that have pixels */
};

static int check_overlap(struct segmenting *s)
{
  struct coverage united;
  size_t shared[2];
  if (coverage_unite(&s->coverage, s->call->arena, &united, shared, s->call->error) != 0)
    return -1;
  if (shared[0] == SIZE_MAX)
    return 0;
  return error_parameter(s->call->error, ERROR_GeometriesOverlap, "geometries",
                         "geometries %zu and %zu share a pixel: its values would be computed twice", shared[0],
                         shared[1]);
}

/* A counting sort: runs of a zone stay in their order. */
static int sort_by_zone(struct segmenting *s)
{
  const struct coverage *coverage = &s->coverage;
  s->runs = ARENA_ARRAY(s->call->arena, struct zone_span, coverage->run_count);
  s->start = ARENA_ARRAY(s->call->arena, size_t, coverage->zones + 2);
  if (!s->runs || !s->start)
    return error_memory(s->call->error);
  for (size_t i = 0; i < coverage->run_count; i++)
    s->start[coverage->runs[i].zone + 2]++;
  for (size_t z = 2; z < coverage->zones + 2; z++) {
    s->count += s->start[z] > 0;
    s->start[z] += s->start[z - 1];
  }
  for (size_t i = 0; i < coverage->run_count; i++)
    s->runs[s->start[coverage->runs[i].zone + 1]++] = coverage->runs[i];
  return s->count <= MOST_POLYGONS
             ? 0
             : error_parameter(s->call->error, ERROR_ProcessGraphComplexity, "geometries",
                               "%zu polygons are more than %d in one request", s->count, (int)MOST_POLYGONS);
}

static int changed(struct segmenting *s, const char *what)
{
  return error_parameter(s->call->error, ERROR_ProcessParameterInvalid, "process",
                         "the process must return a data cube of the dimensions that it is given: %s", what);
}

static int check_result(struct segmenting *s, const struct cube *given, const struct value *value)
{
  if (value->kind != VALUE_CUBE)
    return changed(s, "it returns none");
  const struct cube *cube = value->cube->cube;
  if (cube->dimensions != given->dimensions)
    return changed(s, cube_dimension_names(s->call->arena, cube));
  for (size_t d = 0; d < given->dimensions; d++)
    if (strcmp(cube->dimension[d].name, given->dimension[d].name) != 0 ||
        cube->dimension[d].size != given->dimension[d].size)
      return changed(s, cube->dimension[d].name);
  return 0;
}

static int run_on_polygon(struct segmenting *s, size_t zone, struct plane_patch *patch)
{
  struct call *call = s->call;
  struct coverage own = {.rows = s->coverage.rows,
                         .columns = s->coverage.columns,
                         .zones = 1,
                         .runs = s->runs + s->start[zone],
                         .run_count = s->start[zone + 1] - s->start[zone]};
  const struct replacement outside = {.value = call_argument(call, "mask_value"), .parameter = "mask_value"};
  const struct node *part, *given;
  struct value value;
  patch->box = s->coverage.boxes[zone];
  if (coverage_crop(&own, &patch->box, call->arena, &patch->pixels, call->error) != 0 ||
      cover_crop(call, s->data, &patch->box, &part) != 0 ||
      cover_replace(call, part, &patch->pixels, &outside, &given) != 0)
    return -1;
  struct argument parameters[] = {{"data", value_cube(given)}, {"context", call_context(call)}};
  if (call_run_callback(call, s->process, NULL, parameters, 2, &value) != 0 ||
      check_result(s, given->cube, &value) != 0)
    return -1;
  patch->node = value.cube;
  return 0;
}

static int run_on_all(struct segmenting *s)
{
  s->patches = ARENA_ARRAY(s->call->arena, struct plane_patch, s->count);
  if (!s->patches)
    return error_memory(s->call->error);
  for (size_t zone = 0, i = 0; zone < s->coverage.zones; zone++)
    if (s->start[zone + 1] > s->start[zone] && run_on_polygon(s, zone, &s->patches[i++]) != 0)
      return -1;
  return 0;
}

/* The whole cube: the patches' type where they agree, else numbers of any kind. */
static struct cube *describe(struct segmenting *s)
{
  struct cube *cube = cube_copy(s->call->arena, s->data->cube);
  const struct cube *first = s->patches[0].node->cube;
  if (!cube)
    return NULL;
  cube->type = first->type;
  cube->has_nodata = first->has_nodata;
  cube->nodata = first->nodata;
  cube->bands = first->bands;
  for (size_t i = 1; i < s->count; i++)
    if (s->patches[i].node->cube->type != cube->type) {
      cube->type = ELEMENT_F64;
      cube->has_nodata = true;
      cube->nodata = NAN;
    }
  cube_admit_missing(cube);
  return cube;
}

static int put_together(struct segmenting *s, const struct node **out)
{
  struct call *call = s->call;
  struct cube *cube = describe(s);
  struct patches *patches = ARENA_NEW(call->arena, struct patches);
  if (!cube || !patches)
    return error_memory(call->error);
  for (size_t i = 0; i < s->count; i++) {
    s->patches[i].node = node_convert(call->arena, s->patches[i].node, cube);
    if (!s->patches[i].node)
      return error_memory(call->error);
  }
  *patches = (struct patches){s->count, s->patches};
  *out = node_patches(call->arena, call_origin(call), cube, patches);
  return *out ? 0 : error_memory(call->error);
}

static int apply_polygon_call(struct call *call, struct value *result)
{
  struct segmenting s = {.call = call};
  const struct node *node;
  if (call_cube(call, "data", &s.data) != 0 || call_callback_argument(call, "process", &s.process) != 0 ||
      geometries_lay(call, "geometries", s.data->cube, true, &s.coverage) != 0 || check_overlap(&s) != 0 ||
      sort_by_zone(&s) != 0 || run_on_all(&s) != 0)
    return -1;
  if ((s.count ? put_together(&s, &node) : cover_keep(call, s.data, &s.coverage, &node)) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_apply_polygon = {.id = "apply_polygon", .shape = PROCESS_CUBE, .call = apply_polygon_call};
