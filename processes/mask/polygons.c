/* Masks by geometry. Without a replacement the pixels left out are not even read (the clip stage); with one, a source
 * that draws the covered pixels tile by tile goes into the kernel that replaces. */
#include "processes/mask/polygons.h"

#include "datacube/source/coverage_source.h"
#include "hpc/stage/clip_stage.h"
#include "processes/vector/geojson.h"
#include "processes/vector/geometry_argument.h"

#include <math.h>

static int check_polygons(struct call *call, const char *parameter, const struct geometry_set *set)
{
  bool some = false;
  for (size_t i = 0; i < set->count; i++) {
    enum geometry_type type = set->items[i].type;
    if (type != GEOMETRY_NONE && type != GEOMETRY_POLYGON && type != GEOMETRY_MULTIPOLYGON)
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, parameter,
                             "geometry %zu is no Polygon or MultiPolygon", i);
    some = some || type != GEOMETRY_NONE;
  }
  return some ? 0
              : error_parameter(call->error, ERROR_ProcessParameterInvalid, parameter,
                                "there is no polygon among the %zu geometries", set->count);
}

static int read_polygons(struct call *call, const char *parameter, const struct geometry_set **out)
{
  struct dimension labels;
  if (call_geometries(call, parameter, &labels) != 0)
    return -1;
  *out = labels.geometries;
  return check_polygons(call, parameter, labels.geometries);
}

int geometries_lay_set(struct call *call, const char *parameter, const struct geometry_set *set,
                       const struct cube *cube, struct coverage *out)
{
  if (coverage_make(set, cube, call->arena, out, call->error) == 0)
    return 0;
  return error_at_parameter(call->error, parameter);
}

int geometries_lay(struct call *call, const char *parameter, const struct cube *cube, bool polygons_only,
                   struct coverage *out)
{
  struct dimension labels;
  if (polygons_only) {
    if (read_polygons(call, parameter, &labels.geometries) != 0)
      return -1;
  } else if (call_geometries(call, parameter, &labels) != 0)
    return -1;
  return geometries_lay_set(call, parameter, labels.geometries, cube, out);
}

int polygons_extent(struct call *call, const char *parameter, const struct geometry_set **set, struct extent *out)
{
  const struct value *value = call_argument(call, parameter);
  *set = NULL;
  if (!value || (value->kind != VALUE_CUBE && !geojson_is(value)))
    return 0;
  if (read_polygons(call, parameter, set) != 0)
    return -1;
  *out = (struct extent){INFINITY, INFINITY, -INFINITY, -INFINITY, (*set)->crs};
  for (size_t g = 0; g < (*set)->count; g++)
    for (size_t p = 0; p < (*set)->items[g].part_count; p++) {
      const struct geometry_part *part = &(*set)->items[g].parts[p];
      for (size_t i = 0; i < part->count; i++) {
        out->west = fmin(out->west, part->x[i]);
        out->east = fmax(out->east, part->x[i]);
        out->south = fmin(out->south, part->y[i]);
        out->north = fmax(out->north, part->y[i]);
      }
    }
  return 0;
}

static bool holds_all(const struct coverage *kept)
{
  size_t pixels = 0;
  for (size_t i = 0; i < kept->run_count; i++)
    pixels += kept->runs[i].last - kept->runs[i].first;
  return pixels == kept->rows * kept->columns;
}

int cover_keep(struct call *call, const struct node *data, const struct coverage *kept, const struct node **out)
{
  *out = data;
  if (holds_all(kept))
    return 0;
  if (node_admit_missing(call, data, out) != 0)
    return -1;
  *out = node_clip(call->arena, call_origin(call), *out, kept);
  return *out ? 0 : error_memory(call->error);
}

static int replace(struct call *call, const struct node *data, const struct coverage *kept,
                   const struct replacement *replacement, const struct node **out)
{
  struct program *program = program_new(call->arena);
  const struct coverage *own = arena_copy(call->arena, kept, sizeof *kept);
  const struct source *source = own ? coverage_source(call->arena, data->cube, own) : NULL;
  const struct node *inside = source ? node_source(call->arena, call_origin(call), source) : NULL;
  const struct node *const inputs[] = {data, inside};
  if (!program || !inside)
    return error_memory(call->error);
  struct lanes value = program_input(program, 0, false, 1, data->cube->type, NULL);
  struct lanes covered = program_input(program, 1, false, 1, ELEMENT_U8, NULL);
  struct lanes other = value_as_lanes(program, replacement->value);
  struct lanes where = program_binary(program, KOP_EQ, covered, program_constant(program, 0));
  if (replacement->untouched)
    where = program_binary(program, KOP_MASK, where, program_unary(program, KOP_IS_NODATA, value));
  struct lanes replaced = program_ternary(program, KOP_SELECT, other, value, where);
  if (program_failed(program)) {
    program_error(program, call->error);
    return error_at_parameter(call->error, replacement->parameter);
  }
  return kernel_by_names(call, data->cube, inputs, 2, program, replaced, out);
}

int cover_replace(struct call *call, const struct node *data, const struct coverage *kept,
                  const struct replacement *replacement, const struct node **out)
{
  const struct value *value = replacement->value;
  if (!value || value->kind == VALUE_NULL)
    return cover_keep(call, data, kept, out);
  if (value->kind != VALUE_NUMBER && value->kind != VALUE_BOOLEAN)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, replacement->parameter,
                           "only numbers, booleans and null can replace values, not %s", value_kind_name(value));
  return replace(call, data, kept, replacement, out);
}

static int crop_axis(struct call *call, size_t d, size_t start, size_t count, const struct node **node)
{
  size_t *indexes = ARENA_ARRAY(call->arena, size_t, count);
  struct value value;
  if (!indexes)
    return error_memory(call->error);
  if (start == 0 && count == (*node)->cube->dimension[d].size)
    return 0;
  for (size_t i = 0; i < count; i++)
    indexes[i] = start + i;
  if (view_pick(call, *node, d, indexes, count, &value) != 0)
    return -1;
  *node = value.cube;
  return 0;
}

int cover_crop(struct call *call, const struct node *data, const struct pixel_box *box, const struct node **out)
{
  static const char axes[] = {'y', 'x'};
  *out = data;
  for (size_t k = 0; k < 2; k++)
    if (crop_axis(call, cube_find_axis(data->cube, axes[k]), box->start[k], box->count[k], out) != 0)
      return -1;
  return 0;
}

int cover_filter(struct call *call, const struct node *data, const struct coverage *coverage, const struct node **out)
{
  struct coverage united, inside;
  if (coverage_unite(coverage, call->arena, &united, NULL, call->error) != 0 ||
      coverage_crop(&united, &coverage->box, call->arena, &inside, call->error) != 0 ||
      cover_crop(call, data, &coverage->box, out) != 0)
    return -1;
  return cover_keep(call, *out, &inside, out);
}
