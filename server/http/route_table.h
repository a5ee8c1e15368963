/* Routes: rows of method, path and handler. The capabilities' list of endpoints is this table. */
#ifndef TWINCUBE_SERVER_HTTP_ROUTE_TABLE_H
#define TWINCUBE_SERVER_HTTP_ROUTE_TABLE_H

#include "server/server.h"

enum route_kind {
  ROUTE_ROOT,   /* below the host's root, not listed */
  ROUTE_API,    /* below the root of an API version, listed with {placeholders} as in the specification */
  ROUTE_HIDDEN, /* likewise, not listed */
  ROUTE_STAC    /* of the STAC API, below the host's root (server/stac_api/stac_api.h) */
};

enum route_body {                       /* of a request: what becomes of it */
                  BODY_DROPPED = false, /* nobody reads it */
                  BODY_READ = true,     /* it is in memory when the route is called */
                  BODY_STREAMED /* the route is called before it comes, too, and says where it goes (http_stream) */
};

struct route {
  const char *method;
  const char *path;
  enum route_kind kind;
  bool bearer; /* wants `Authorization: Bearer …` */
  enum route_body body;
  void (*handle)(struct exchange *exchange);
};

extern const struct route routes[];
extern const size_t route_count;

/* What a path offers. */
struct route_match {
  const struct route *route;     /* NULL: no such path, or not with this method */
  const struct api_version *api; /* that the path lies below; NULL: none */
  bool path_known;
  char methods[96]; /* "GET, POST": what the path takes, for 405 and OPTIONS */
};

/* Finds the route of a method and a path as sent (HEAD counts as GET). Double slashes and one at the end do not count.
 * Decoded placeholders are written to `parameters`. */
void route_find(const char *method, const char *path, struct route_match *match,
                char parameters[MAX_PATH_PARAMETERS][PATH_PARAMETER_SIZE]);

/* Whether row `i` is listed, and the first one with its path: ways to log in only where the server has them. */
bool route_is_first(size_t i, const struct server *server);

#endif
