/* The result is a stack along the zones: each is a callback of its own over a view of the gathered pixels. What users'
 * scripts in it give is found once, with some pixels of the largest zone, and holds for all. */
#include "processes/aggregate/zone_arrays.h"

#include "datacube/geometry.h"

#include <string.h>

enum { ZONES_MOST = 4096 /* each has nodes of its own */, MODEL_PIXELS = 1024 };

static int check_count(struct call *call, const struct zone_pixels *pixels, size_t zones)
{
  size_t some = 0;
  for (size_t z = 0; z < zones; z++)
    some += pixels->start[z] < pixels->start[z + 1];
  return some <= ZONES_MOST
             ? 0
             : error_parameter(call->error, ERROR_ProcessGraphComplexity, "geometries",
                               "%zu geometries with pixels are more than the %d that a reducer with a user-defined "
                               "function can have",
                               some, (int)ZONES_MOST);
}

static size_t largest(const struct zone_pixels *pixels, size_t zones)
{
  size_t found = 0;
  for (size_t z = 1; z < zones; z++)
    if (pixels->start[z + 1] - pixels->start[z] > pixels->start[found + 1] - pixels->start[found])
      found = z;
  return found;
}

/* The first pixels of a zone, as the only zone. NULL: out of memory. */
static const struct zones *part_of(struct arena *arena, const struct zones *zones, size_t zone)
{
  struct zone_span *runs = ARENA_ARRAY(arena, struct zone_span, zones->run_count);
  struct zones *out = ARENA_NEW(arena, struct zones);
  size_t count = 0, left = MODEL_PIXELS;
  if (!runs || !out)
    return NULL;
  for (size_t i = 0; i < zones->run_count && left > 0; i++) {
    struct zone_span run = zones->runs[i];
    if (run.zone != zone)
      continue;
    run.zone = 0;
    if (run.last - run.first > left)
      run.last = run.first + (uint32_t)left;
    left -= run.last - run.first;
    runs[count++] = run;
  }
  *out = (struct zones){1, runs, count};
  return out;
}

static int along_zone(struct call *call, const struct zone_pixels *pixels, size_t zone, struct along *along)
{
  along->data = zone_pixels_of(call->arena, call_origin(call), pixels, zone);
  return along->data ? 0 : error_memory(call->error);
}

static int make_model(struct call *call, const struct zone_arrays *arrays, size_t zone, const struct along *along,
                      struct kernel_frame *model)
{
  const struct zones *part = part_of(call->arena, arrays->zones, zone);
  struct along some = *along;
  struct zone_pixels pixels;
  struct value value;
  if (!part)
    return error_memory(call->error);
  if (zone_pixels_make(call->arena, call_origin(call), arrays->data, part, &pixels, call->error) != 0 ||
      along_zone(call, &pixels, 0, &some) != 0)
    return -1;
  return along_run(call, &some, model, &value);
}

int zone_arrays_reduce(struct call *call, const struct zone_arrays *arrays, const struct node **out)
{
  const size_t zones = arrays->zones->count, last = arrays->data->cube->dimensions - 2;
  struct kernel_frame model = {.wants_single = true};
  struct along along = {.dimension = last, .callback = arrays->reducer, .parameter = "reducer", .model = &model};
  const struct node **children = ARENA_ARRAY(call->arena, const struct node *, zones), *nothing = NULL;
  struct dimension kept = *arrays->labels;
  struct zone_pixels pixels;
  if (zone_pixels_make(call->arena, call_origin(call), arrays->data, arrays->zones, &pixels, call->error) != 0 ||
      check_count(call, &pixels, zones) != 0)
    return -1;
  struct cube *cube = cube_copy(call->arena, pixels.node->cube);
  if (!children || !cube)
    return error_memory(call->error);
  if (pixels.start[zones] > 0 && make_model(call, arrays, largest(&pixels, zones), &along, &model) != 0)
    return -1;
  kept.size = 1;
  for (size_t z = 0; z < zones; z++) {
    const bool is_empty = pixels.start[z] == pixels.start[z + 1];
    children[z] = nothing;
    if (is_empty && nothing)
      continue;
    if (along_zone(call, &pixels, z, &along) != 0 ||
        (is_empty ? along_missing : along_reduce)(call, &along, &kept, &children[z]) != 0)
      return -1;
    nothing = is_empty ? children[z] : nothing;
  }
  cube->dimension[last] = *arrays->labels;
  cube->crs = arrays->labels->geometries->crs;
  cube_set_joint_type(cube, children, zones);
  cube_admit_missing(cube);
  *out = node_stack(call->arena, call_origin(call), cube, (int)last, children);
  return *out ? 0 : error_memory(call->error);
}
