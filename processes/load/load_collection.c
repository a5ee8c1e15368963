/* load_collection: a source from the catalogue; box, dates and bands go into the reader. */
#include "processes/vector/vector_within.h"
#include "processes/cube/shape.h"
#include "processes/filter/extent.h"
#include "processes/graph/lower.h"
#include "processes/mask/polygons.h"
#include "stac/catalogue.h"

struct property_test {
  struct call *call;
  const struct value *conditions; /* object: property name -> callback */
};

static struct value property_value(const struct item_property *property)
{
  switch (property->kind) {
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
  const struct property_test *test = data;
  (void)error; /* the call's own error is the same */
  *accepted = true;
  for (size_t i = 0; i < test->conditions->count && *accepted; i++) {
    struct argument parameter = {"value", property_value(&values[i])};
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

static int read_properties(struct call *call, struct property_test *test, struct item_filter *filter)
{
  const struct value *conditions = call_argument(call, "properties");
  if (!conditions || conditions->kind != VALUE_OBJECT || conditions->count == 0)
    return 0;
  for (size_t i = 0; i < conditions->count; i++)
    if (conditions->items[i].kind != VALUE_CALLBACK)
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "properties",
                             "the condition on '%s' is not a process graph", conditions->keys[i]);
  *test = (struct property_test){.call = call, .conditions = conditions};
  *filter =
      (struct item_filter){.names = conditions->keys, .count = conditions->count, .accept = accept_item, .data = test};
  return 0;
}

/* The box or the polygons of the request; `polygons` is NULL without these. Where their box may be torn, because it
 * reaches round half the globe or past its edge, everything is described, and what lies outside is never read. */
static int read_space(struct call *call, struct load_request *request, struct extent *extent,
                      const struct geometry_set **polygons)
{
  *polygons = NULL;
  if (!call_has(call, "spatial_extent"))
    return 0;
  request->extent = extent;
  if (polygons_extent(call, "spatial_extent", polygons, extent) != 0)
    return -1;
  if (!*polygons)
    return extent_read(call, "spatial_extent", call_argument(call, "spatial_extent"), extent);
  if (crs_is_geographic(extent->crs) &&
      (extent->west < -180 || extent->east > 180 || extent->east - extent->west > 180))
    request->extent = NULL;
  return 0;
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

static int load_collection_call(struct call *call, struct value *result)
{
  struct load_request request = {0};
  struct extent extent;
  const struct geometry_set *polygons;
  const struct node *node;
  struct interval interval = {0};
  struct property_test test;
  struct item_filter filter = {0};
  const struct source *source;
  if (call_text(call, "id", &request.collection) != 0)
    return -1;
  if (!call->catalogue)
    return error_parameter(call->error, ERROR_CollectionNotFound, "id", "there is no collection '%s'",
                           request.collection);
  if (read_space(call, &request, &extent, &polygons) != 0)
    return -1;
  if (call_has(call, "temporal_extent") &&
      interval_read(call, "temporal_extent", call_argument(call, "temporal_extent"), CALENDAR_GREGORIAN, &interval) !=
          0)
    return -1;
  if (read_bands(call, &request) != 0 || read_properties(call, &test, &filter) != 0)
    return -1;
  request.has_start = interval.has_start;
  request.has_end = interval.has_end;
  request.start = interval.start;
  request.end = interval.end;
  request.filter = filter.accept ? &filter : NULL;
  request.cancel = call->lowering->options->cancel;
  if (catalogue_load(call->catalogue, call->arena, &request, &source, call->error) != 0)
    return -1;
  node = node_source(call->arena, call_origin(call), source);
  if (!node)
    return error_memory(call->error);
  bool features = cube_find_geometries(node->cube) != SIZE_MAX;
  if (features && keep_features(call, &node) != 0)
    return -1;
  if (!features && polygons && keep_polygons(call, polygons, &node) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_load_collection = {
    .id = "load_collection", .shape = PROCESS_CUBE, .call = load_collection_call, .spares_nulls = true};
