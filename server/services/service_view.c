/* JSON texts of the store into structs, and a description of a cube into what is shown of it. */
#include "server/services/service_view.h"

#include <string.h>

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static const char *text_option(const struct service_view *view, const char *name, const char *otherwise)
{
  const char *text = json_string_value(json_object_get(view->configuration, name));
  return text != NULL ? text : otherwise;
}

static int read_style(struct service_view *view, struct error *error)
{
  const json_t *ranges = json_object_get(view->shown, "range");
  double range[STYLE_BANDS][2];
  for (size_t i = 0; i < STYLE_BANDS; i++) {
    const json_t *pair = json_array_get(ranges, i);
    range[i][0] = json_number_value(json_array_get(pair, 0));
    range[i][1] = pair != NULL ? json_number_value(json_array_get(pair, 1)) : 1;
  }
  return style_read(view->configuration, view->bands, (const double(*)[2])range, &view->style, error);
}

int service_view_read(const struct service *service, struct service_view *out, struct error *error)
{
  *out = (struct service_view){.type = service_type_find(service->type),
                               .configuration = json_loads(service->configuration, 0, NULL),
                               .shown = json_loads(service->shown, 0, NULL)};
  if (out->type == NULL || !json_is_object(out->configuration) || !json_is_object(out->shown))
    return error_set(error, ERROR_Internal, "what is stored of service '%s' makes no sense", service->id);
  const json_t *size = json_object_get(out->configuration, "tile_size");
  out->bands = json_array_size(json_object_get(out->shown, "bands")) == STYLE_BANDS ? STYLE_BANDS : 1;
  out->tile_size = json_is_integer(size) ? (unsigned)json_integer_value(size) : 256;
  out->format = tile_format_find(text_option(out, "format", "png"));
  out->method = resampling_from_name(text_option(out, "resampling", "near"));
  return read_style(out, error);
}

/* Names of the process's own parameters. */
static json_t *parameter_names(const char *process)
{
  json_t *object = json_loads(process, 0, NULL), *names = json_array();
  const json_t *parameter;
  size_t i;
  json_array_foreach(json_object_get(object, "parameters"), i, parameter)
      json_array_append(names, json_object_get(parameter, "name"));
  json_decref(object);
  return names;
}

int service_view_draft(const struct service *service, struct service_view *out, struct error *error)
{
  *out = (struct service_view){.type = service_type_find(service->type),
                               .configuration = json_loads(service->configuration, 0, NULL),
                               .shown = json_object()};
  if (out->configuration == NULL || out->shown == NULL)
    return error_memory(error);
  json_object_set_new(out->shown, "parameters", parameter_names(service->process));
  json_object_set(out->shown, "bands", json_object_get(out->configuration, "bands"));
  return 0;
}

void service_view_free(struct service_view *view)
{
  json_decref(view->configuration);
  json_decref(view->shown);
  *view = (struct service_view){0};
}

static const json_t *find_dimension(const json_t *cube, const char *type)
{
  const json_t *dimension;
  size_t i;
  json_array_foreach(json_object_get(cube, "dimensions"), i, dimension)
  {
    const char *own = json_string_value(json_object_get(dimension, "type"));
    if (own != NULL && strcmp(own, type) == 0)
      return dimension;
  }
  return NULL;
}

const json_t *service_dimension(const struct service_view *view, const char *type)
{
  return find_dimension(json_object_get(view->shown, "cube"), type);
}

/* ---- what is shown ----------------------------------------------------------------------------------------------- */

/* The bands that are shown, by name; an empty array for a cube without bands. */
static json_t *choose_bands(const json_t *configuration, const json_t *cube)
{
  const json_t *wanted = json_object_get(configuration, "bands"), *bands = find_dimension(cube, "bands");
  const json_t *labels = json_object_get(bands, "labels");
  if (json_is_array(wanted))
    return json_deep_copy(wanted);
  const bool single = json_is_object(json_object_get(configuration, "categories")) ||
                      json_is_string(json_object_get(configuration, "colormap"));
  const size_t all = json_array_size(labels), count = all >= STYLE_BANDS && !single ? STYLE_BANDS : all > 0;
  json_t *chosen = json_array();
  for (size_t i = 0; i < count; i++)
    json_array_append(chosen, json_array_get(labels, i));
  return chosen;
}

static int check_bands(const json_t *configuration, const json_t *cube, struct error *error)
{
  if (json_is_array(json_object_get(configuration, "bands")) && find_dimension(cube, "bands") == NULL)
    return error_parameter(error, ERROR_ServiceConfigInvalid, "bands", "the result has no bands to choose from");
  return 0;
}

char *service_shown(const struct service *service, const char *described, size_t length, struct error *error)
{
  json_t *answer = json_loadb(described, length, 0, NULL);
  json_t *configuration = json_loads(service->configuration, 0, NULL);
  const json_t *cube = json_object_get(answer, "cube");
  char *text = NULL;
  if (cube == NULL || configuration == NULL) {
    error_set(error, ERROR_Internal, "the worker's description of the map makes no sense");
  } else if (check_bands(configuration, cube, error) == 0) {
    json_object_set_new(answer, "bands", choose_bands(configuration, cube));
    json_object_set_new(answer, "parameters", parameter_names(service->process));
    text = json_dumps(answer, JSON_COMPACT);
    if (text == NULL)
      error_memory(error);
  }
  json_decref(configuration);
  json_decref(answer);
  return text;
}
