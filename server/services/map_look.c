/* What XYZ, WMTS and WMS have in common. */
#include "server/services/map_look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const double map_world_edge = 20037508.342789244;

void looking_end(struct looking *at)
{
  service_view_free(&at->view);
  service_free(&at->service);
}

int looking_begin(struct exchange *exchange, const char *type, struct looking *at)
{
  struct error error = {0};
  const char *id = exchange->parameters[0];
  *at = (struct looking){.view = {0}};
  int status = store_service_get(exchange->store, NULL, id, &at->service, &error);
  if (status == 0 && (!at->service.enabled || (type != NULL && strcmp(type, at->service.type) != 0)))
    status = error_set(&error, ERROR_ServiceNotFound, "web service '%s' is %s", id,
                       at->service.enabled ? "of another type" : "switched off");
  if (status == 0)
    status = service_view_read(&at->service, &at->view, &error);
  if (status == 0)
    return 0;
  looking_end(at);
  reply_error(exchange, &error);
  return -1;
}

/* A number up to `most`; *rest moves behind it. */
static int read_number(const char *text, long most, const char **rest, long *out)
{
  char *end;
  if (text[0] < '0' || text[0] > '9')
    return -1;
  *out = strtol(text, &end, 10);
  *rest = end;
  return *out <= most ? 0 : -1;
}

static int no_tile(const struct map_place *place, const char *part, struct error *error)
{
  return error_parameter(error, ERROR_NotFound, part, "there is no tile of zoom %.8s, column %.20s, row %.20s",
                         place->zoom, place->column, place->row);
}

/* The format that a request names, or that follows the number of its last text. */
static enum tile_format read_format(const struct service_view *view, const struct map_place *place, const char *rest)
{
  if (place->format != NULL)
    return *rest == '\0' ? tile_format_find(place->format) : TILE_FORMATS;
  return *rest == '.' ? tile_format_find(rest + 1) : *rest == '\0' ? view->format : TILE_FORMATS;
}

int map_tile_read(const struct service_view *view, const struct map_place *place, struct map_task *task,
                  struct error *error)
{
  enum { DEEPEST = 28 };
  const char *rest, *after_column, *after_row;
  long zoom, column, row;
  if (read_number(place->zoom, DEEPEST, &rest, &zoom) != 0 || *rest != '\0')
    return no_tile(place, "zoom", error);
  if (read_number(place->column, (1L << zoom) - 1, &after_column, &column) != 0)
    return no_tile(place, "column", error);
  if (read_number(place->row, (1L << zoom) - 1, &after_row, &row) != 0 || (*after_column != '\0' && *after_row != '\0'))
    return no_tile(place, "row", error);
  task->format = read_format(view, place, *after_column != '\0' ? after_column : after_row);
  if (task->format == TILE_FORMATS)
    return no_tile(place, "format", error);
  snprintf(task->crs, sizeof task->crs, "EPSG:3857");
  task->west = -map_world_edge;
  task->north = map_world_edge;
  task->res_x = task->res_y = 2 * map_world_edge / ((double)view->tile_size * (double)(1L << zoom));
  task->width = task->height = view->tile_size;
  task->column = column * (long)view->tile_size;
  task->row = row * (long)view->tile_size;
  return 0;
}

void map_look(struct exchange *exchange, const struct looking *at, const struct map_task *task)
{
  struct error error = {0};
  struct map_question question = {.service = &at->service, .task = *task};
  json_t *choice = map_choice_read(exchange, &at->view, &error);
  const struct colour missing = task->style.palette[0];
  question.task.operation = MAP_PICTURE;
  question.task.method = at->view.method;
  question.task.style = at->view.style;
  question.task.style.palette[0] = missing;
  question.choice = choice;
  if (choice == NULL)
    reply_error(exchange, &error);
  else
    map_reply_picture(exchange, &question);
  json_decref(choice);
}
