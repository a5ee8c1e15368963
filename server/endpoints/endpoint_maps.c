/* What web services show. Their URLs are public: who knows the id, which cannot be guessed, may look. */
#include "server/endpoints/endpoints.h"

#include "server/services/map_exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Half the length of the equator in web mercator: the edge of its square world. */
static const double world_edge = 20037508.342789244;

struct looking { /* at a service, for one request */
  struct service service;
  struct service_view view;
};

static void looking_end(struct looking *at)
{
  service_view_free(&at->view);
  service_free(&at->service);
}

/* Reads the service of the path, or answers: -1. `type`: what it has to be; NULL: any. */
static int look_at(struct exchange *exchange, const char *type, struct looking *at)
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

/* A number of the path, up to `most`, with nothing behind it but the characters of `end`; *rest moves to them. */
static int read_number(const char *text, long most, const char **rest, long *out)
{
  char *end;
  if (text[0] < '0' || text[0] > '9')
    return -1;
  *out = strtol(text, &end, 10);
  *rest = end;
  return *out <= most ? 0 : -1;
}

static int no_tile(const struct exchange *exchange, struct error *error)
{
  return error_set(error, ERROR_NotFound, "there is no tile %.8s/%.12s/%.20s", exchange->parameters[1],
                   exchange->parameters[2], exchange->parameters[3]);
}

/* The tile of the path: {z}/{x}/{y}, {y} with or without the extension of a format. */
static int read_tile(const struct exchange *exchange, const struct service_view *view, struct map_task *task,
                     struct error *error)
{
  enum { DEEPEST = 28 };
  const char *rest;
  long zoom, column, row;
  if (read_number(exchange->parameters[1], DEEPEST, &rest, &zoom) != 0 || *rest != '\0' ||
      read_number(exchange->parameters[2], (1L << zoom) - 1, &rest, &column) != 0 || *rest != '\0' ||
      read_number(exchange->parameters[3], (1L << zoom) - 1, &rest, &row) != 0)
    return no_tile(exchange, error);
  task->format = *rest == '.' ? tile_format_find(rest + 1) : view->format;
  if ((*rest != '\0' && *rest != '.') || task->format == TILE_FORMATS)
    return no_tile(exchange, error);
  snprintf(task->crs, sizeof task->crs, "EPSG:3857");
  task->west = -world_edge;
  task->north = world_edge;
  task->res_x = task->res_y = 2 * world_edge / ((double)view->tile_size * (double)(1L << zoom));
  task->width = task->height = view->tile_size;
  task->column = column * (long)view->tile_size;
  task->row = row * (long)view->tile_size;
  return 0;
}

/* A picture of what the task says, as the service is set up. */
static void reply_map(struct exchange *exchange, const struct looking *at, const struct map_task *task)
{
  struct error error = {0};
  struct map_question question = {.service = &at->service, .task = *task};
  json_t *choice = map_choice_read(exchange, &at->view, &error);
  question.task.operation = MAP_PICTURE;
  question.task.method = at->view.method;
  question.task.style = at->view.style;
  question.choice = choice;
  if (choice == NULL)
    reply_error(exchange, &error);
  else
    map_reply_picture(exchange, &question);
  json_decref(choice);
}

void get_service_tile(struct exchange *exchange)
{
  struct looking at;
  struct error error = {0};
  struct map_task task = {.zero = 0};
  if (look_at(exchange, "XYZ", &at) != 0)
    return;
  if (read_tile(exchange, &at.view, &task, &error) != 0)
    reply_error(exchange, &error);
  else
    reply_map(exchange, &at, &task);
  looking_end(&at);
}

void get_service_legend(struct exchange *exchange)
{
  struct looking at;
  struct error error = {0};
  struct buffer picture = {0};
  if (look_at(exchange, NULL, &at) != 0)
    return;
  if (style_legend(&at.view.style, TILE_PNG, &picture, &error) != 0) {
    buffer_free(&picture);
    reply_error(exchange, &error);
  } else {
    struct hash tag = {0, 0};
    hash_bytes(&tag, picture.data, picture.length);
    map_reply_bytes(exchange, "image/png", &picture, tag);
  }
  looking_end(&at);
}
