/* A request to a service's map: the service of the path, the tile that is asked for, the picture that answers. */
#ifndef TWINCUBE_SERVER_SERVICES_MAP_LOOK_H
#define TWINCUBE_SERVER_SERVICES_MAP_LOOK_H

#include "server/services/map_exchange.h"

struct looking { /* at a service, for one request */
  struct service service;
  struct service_view view;
};

/* Reads the service of the path, or answers: -1. `type`: what it has to be; NULL: any. */
int looking_begin(struct exchange *exchange, const char *type, struct looking *at);
void looking_end(struct looking *at);

/* Half the length of the equator in web mercator: the edge of its square world, metres. */
extern const double map_world_edge;

struct map_place { /* texts of a request */
  const char *zoom, *column, *row;
  const char *format; /* name or media type; NULL: an extension of the last text, else the service's */
};
/* The tile of web mercator at a place, as a window of a task. Error NotFound where there is none, naming
 * zoom, column, row or format. */
int map_tile_read(const struct service_view *view, const struct map_place *place, struct map_task *task,
                  struct error *error);

/* Answers with a picture of what the task says, as the service is set up. */
void map_look(struct exchange *exchange, const struct looking *at, const struct map_task *task);

#endif
