/* The arguments are read into a request before anything is looked up; box, dates and bands go into the reader. */
#include "processes/load/catalogue_cube.h"
#include "processes/load/property_filter.h"

#include "processes/graph/value_text.h"
#include "processes/vector/vector_within.h"
#include "processes/cube/shape.h"
#include "processes/filter/extent.h"
#include "processes/mask/polygons.h"

#include <string.h>

/* A property whose tree is too large to be a value is as good as none. */
static struct value tree_value(struct call *call, const struct item_property *property)
{
  struct value value;
  struct error ignored = {0};
  return value_read(call->arena, property->text, false, &value, &ignored) == 0 ? value : value_null();
}

static struct value property_value(struct call *call, const struct item_property *property)
{
  switch (property->kind) {
  case ITEM_PROPERTY_TREE:
    return tree_value(call, property);
  case ITEM_PROPERTY_BOOLEAN:
    return value_boolean(property->number != 0);
  case ITEM_PROPERTY_NUMBER:
    return value_number(property->number);
  case ITEM_PROPERTY_TEXT:
    return value_text(property->text);
  case ITEM_PROPERTY_ABSENT:
  case ITEM_PROPERTY_NULL:
    break;
  }
  return value_null();
}

/* All conditions must say true; an item without the property does not match. */
static int accept_item(void *data, const struct item_property *values, bool *accepted, struct error *error)
{
  const struct property_conditions *test = data;
  (void)error; /* the call's own error is the same */
  *accepted = true;
  for (size_t i = 0; i < test->conditions->count && *accepted; i++) {
    struct argument parameter = {"value", property_value(test->call, &values[i])};
    struct value verdict;
    if (values[i].kind == ITEM_PROPERTY_ABSENT) {
      *accepted = false;
      break;
    }
    if (call_run_callback(test->call, test->conditions->items[i].callback, NULL, &parameter, 1, &verdict) != 0)
      return error_at_parameter(test->call->error, "properties");
    *accepted = verdict.kind == VALUE_BOOLEAN && verdict.boolean;
  }
  return 0;
}

static int read_bands(struct call *call, struct load_request *request)
{
  const struct value *bands = call_argument(call, "bands");
  if (!bands || bands->kind != VALUE_ARRAY)
    return 0;
  const char **names = ARENA_ARRAY(call->arena, const char *, bands->count);
  if (!names)
    return error_memory(call->error);
  for (size_t i = 0; i < bands->count; i++) {
    if (bands->items[i].kind != VALUE_TEXT)
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "bands", "band names are text");
    names[i] = bands->items[i].text;
  }
  request->bands = names;
  request->band_count = bands->count;
  return 0;
}

static int read_properties(struct call *call, struct cube_request *out)
{
  const struct value *conditions = call_argument(call, "properties");
  if (!conditions || conditions->kind != VALUE_OBJECT || conditions->count == 0)
    return 0;
  for (size_t i = 0; i < conditions->count; i++)
    if (conditions->items[i].kind != VALUE_CALLBACK)
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "properties",
                             "the condition on '%s' is not a process graph", conditions->keys[i]);
  out->conditions = (struct property_conditions){call, conditions};
  out->filter = (struct item_filter){
      .names = conditions->keys, .count = conditions->count, .accept = accept_item, .data = &out->conditions};
  out->load.filter = &out->filter;
  return property_filter(call, conditions, &out->load.needed);
}

/* The box or the polygons of the request. Where their box may be torn, because it
 * reaches round half the globe or past its edge, everything is described, and what lies outside is never read. */
static int read_space(struct call *call, struct cube_request *out)
{
  struct extent *extent = &out->extent;
  if (!call_has(call, "spatial_extent"))
    return 0;
  out->load.extent = extent;
  if (polygons_extent(call, "spatial_extent", &out->polygons, extent) != 0)
    return -1;
  if (!out->polygons)
    return extent_read(call, "spatial_extent", call_argument(call, "spatial_extent"), extent);
  if (crs_is_geographic(extent->crs) &&
      (extent->west < -180 || extent->east > 180 || extent->east - extent->west > 180))
    out->load.extent = NULL;
  return 0;
}

static int read_time(struct call *call, struct load_request *request)
{
  struct interval interval = {0};
  if (call_has(call, "temporal_extent") &&
      interval_read(call, "temporal_extent", call_argument(call, "temporal_extent"), CALENDAR_GREGORIAN, &interval) !=
          0)
    return -1;
  request->has_start = interval.has_start;
  request->has_end = interval.has_end;
  request->start = interval.start;
  request->end = interval.end;
  return 0;
}

int cube_request_read(struct call *call, struct cube_request *out)
{
  *out = (struct cube_request){.load = {.cancel = call_cancel(call)}};
  if (read_space(call, out) != 0 || read_time(call, &out->load) != 0 || read_bands(call, &out->load) != 0)
    return -1;
  return read_properties(call, out);
}

/* Features lie wholly in the extent, whichever form it has. */
static int keep_features(struct call *call, const struct node **node)
{
  struct vector_cube cube;
  struct value kept;
  if (!call_has(call, "spatial_extent"))
    return 0;
  if (vector_cube_of(call, *node, &cube) != 0 || vector_within(call, "spatial_extent", &cube, &kept) != 0)
    return -1;
  *node = kept.cube;
  return 0;
}

static int keep_polygons(struct call *call, const struct geometry_set *polygons, const struct node **node)
{
  struct coverage coverage;
  if (geometries_lay_set(call, "spatial_extent", polygons, (*node)->cube, &coverage) != 0)
    return -1;
  if (coverage.run_count == 0)
    return error_parameter(call->error, ERROR_NoDataAvailable, "spatial_extent",
                           "no pixel of the collection has its centre in a polygon");
  return cover_filter(call, *node, &coverage, node);
}

static void tell_conditions(const struct call *call, const struct load_request *load)
{
  struct buffer text = {.limit = 4000};
  if (!load->needed || !call_has_log(call))
    return;
  cql2_write_text(load->needed, &text);
  const char *message = text.failed ? NULL
                                    : arena_printf(call->arena, "the index of '%s' is asked for items with %s",
                                                   load->collection, text.data);
  if (message)
    call_log(call, &(struct log_entry){.level = LOG_INFO, .message = message});
  buffer_free(&text);
}

static const char *name_in(const struct catalogue_names *names, const struct dimension *dimension)
{
  const char *name = dimension->type == DIMENSION_TEMPORAL ? names->t
                     : dimension->type == DIMENSION_BANDS  ? names->bands
                     : dimension->axis == 'x'              ? names->x
                     : dimension->axis == 'y'              ? names->y
                     : dimension->axis == 'z'              ? names->z
                                                           : NULL;
  return name ? name : dimension->name;
}

static bool has_twins(const struct cube *cube)
{
  for (size_t d = 1; d < cube->dimensions; d++)
    for (size_t k = 0; k < d; k++)
      if (strcmp(cube->dimension[d].name, cube->dimension[k].name) == 0)
        return true;
  return false;
}

/* Dimensions are called what the documents call them, unless two would have one name. */
static int rename_dimensions(struct call *call, const struct catalogue_names *names, const struct node **node)
{
  struct cube *cube = cube_copy(call->arena, (*node)->cube);
  struct view_dimension *view = view_identity(call->arena, (*node)->cube);
  bool is_other = false;
  if (!cube || !view)
    return error_memory(call->error);
  for (size_t d = 0; d < cube->dimensions; d++) {
    const char *name = name_in(names, &cube->dimension[d]);
    is_other = is_other || strcmp(name, cube->dimension[d].name) != 0;
    cube->dimension[d].name = name;
  }
  if (!is_other || has_twins(cube))
    return 0;
  *node = node_view(call->arena, call_origin(call), *node, cube, view);
  return *node ? 0 : error_memory(call->error);
}

int catalogue_cube(struct call *call, const struct catalogue *catalogue, const char *collection,
                   struct cube_request *request, struct value *result)
{
  const struct source *source;
  request->load.collection = collection;
  tell_conditions(call, &request->load);
  if (catalogue_load(catalogue, call->arena, &request->load, &source, call->error) != 0)
    return -1;
  const struct node *node = node_source(call->arena, call_origin(call), source);
  if (!node)
    return error_memory(call->error);
  bool features = cube_find_geometries(node->cube) != SIZE_MAX;
  if (features && keep_features(call, &node) != 0)
    return -1;
  if (!features && request->polygons && keep_polygons(call, request->polygons, &node) != 0)
    return -1;
  if (request->load.names && rename_dimensions(call, request->load.names, &node) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}
