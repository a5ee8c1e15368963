/* Facts that the documents of both kinds of coverage services tell. */
#include "server/services/coverage_documents.h"

#include "processes/map/map_part.h"

const json_t *coverage_cube(const struct ogc_document *d)
{
  return json_object_get(d->at->view.shown, "cube");
}

json_t *coverage_fields(const struct ogc_document *d)
{
  const json_t *labels = json_object_get(service_dimension(&d->at->view, "bands"), "labels");
  return json_array_size(labels) > 0 ? json_deep_copy(labels) : json_pack("[s]", MAP_PART_VALUE);
}

const char *coverage_unit(const struct ogc_document *d, size_t field)
{
  const json_t *units = json_object_get(json_object_get(coverage_cube(d), "stored"), "units");
  const char *unit = json_string_value(json_array_get(units, field));
  return unit != NULL && unit[0] != '\0' ? unit : "1";
}

const char *coverage_type(const struct ogc_document *d, const json_t **nodata)
{
  const json_t *stored = json_object_get(coverage_cube(d), "stored");
  const char *type = json_string_value(json_object_get(stored, "type"));
  *nodata = json_object_get(stored, "nodata");
  return type != NULL ? type : json_string_value(json_object_get(coverage_cube(d), "type"));
}
