/* The server's own state, and one exchange: a request on its way to its answer.
 *
 * Thread rule: the HTTP thread finds the route and queues the exchange; a handler thread runs the route's function with
 * a store and a catalogue of its own; the function answers, or hands the exchange to a worker's thread, which answers.
 */
#ifndef TWINCUBE_SERVER_SERVER_H
#define TWINCUBE_SERVER_SERVER_H

#include "server/auth/auth.h"
#include "server/http/api_version.h"
#include "server/http/http.h"
#include "server/jobs/job_queue.h"
#include "server/jobs/server_limits.h"
#include "server/store/store.h"
#include "server/workers/worker_pool.h"

#include "stac/catalogue.h"

#include <stdatomic.h>

enum {
  MAX_PATH_PARAMETERS = 4,
  ID_SIZE = 256,              /* of a placeholder but … */
  PATH_PARAMETER_SIZE = 1280, /* … a file's path */
  BASE_URL_SIZE = 512,
  HANDLER_THREADS = 10,
  SEARCH_THREADS = 6 /* beside these, of requests to the STAC API */
};

/* What a handler may wait for: each kind has a few of the handlers, so that none keeps them from the others. */
enum slow_kind {
  SLOW_LOGIN,   /* a password's hash */
  SLOW_START,   /* a job that may be done at once */
  SLOW_BACKEND, /* a document of a back-end of the federation */
  SLOW_SEARCH,  /* a search of its back-ends */
  SLOW_EDIT,    /* a change of the catalogue */
  SLOW_KINDS
};

struct export_hub;

struct server_settings {
  const char *data;                 /* folder of jobs and files */
  const char *catalogue;            /* folder of the catalogue */
  const char *shared_catalogue;     /* database of one that servers share, or NULL */
  const char *store;                /* place: see store.h */
  const char *public_url;           /* without a slash at its end, or NULL: from the Host header */
  const char *address;              /* "127.0.0.1:8080", as bound */
  bool is_secure;                   /* TLS is spoken there */
  const char *web_editor;           /* folder of a build of the openEO Web Editor, or NULL */
  const char *workspaces;           /* folder of users' workspaces, absolute, or NULL: there are none */
  const struct export_hub *exports; /* workspaces that the operator names (server/export/export_hub.h), or NULL */
  const char *published;            /* folder of results that users publish, absolute, or NULL: nobody does */
  uint64_t result_size;             /* bytes that a synchronous request may write */
  unsigned threads;                 /* of one request, 0: default */
  const char *udf_python;           /* JSON of the runtime Python, as in /udf_runtimes; or NULL: there is none */
  bool reads_namespaces;            /* graphs may use processes that are published on the web */
  const char *const *stac_editors;  /* users who may change collections and items through the STAC API */
  size_t stac_editor_count;
};

struct uploads;     /* server/files/upload.h */
struct service_hub; /* services/service_hub.h */

struct event_hub;
struct federation; /* server/federation/federation.h */
struct metrics;    /* server/http/metrics.h */

struct server {
  struct server_settings settings;
  struct server_limits limits; /* may change at any time */
  struct auth *auth;
  struct worker_pool *pool; /* synchronous requests */
  struct job_queue *jobs;
  struct event_hub *events;
  struct federation *federation; /* NULL: there is none */
  struct metrics *metrics;
  struct uploads *uploads;
  struct service_hub *services; /* what requests to web services share */
  unsigned char secret[32];     /* signs URLs */
  atomic_bool stopping;
  atomic_uint slow[SLOW_KINDS];        /* handlers that wait now */
  _Atomic(struct catalogue *) editing; /* open for changes, for who is next (stac_api/stac_edit.c); owned; or NULL */
};

struct route;
struct exchange;

/* Fills in body, media type and, where it is another than the code's, status of a reply that tells an error. */
typedef void error_writer(const struct exchange *exchange, const struct error *error, struct http_response *response);

struct exchange {
  struct server *server;
  struct http_request *http;
  const struct route *route;
  const struct api_version *api;                             /* that was asked for; without one the newest */
  struct store *store;                                       /* of the handler thread: NULL elsewhere */
  const struct catalogue *catalogue;                         /* likewise */
  char parameters[MAX_PATH_PARAMETERS][PATH_PARAMETER_SIZE]; /* decoded {placeholders} */
  char user[USER_NAME_SIZE];                                 /* "" on a public route */
  char host[BASE_URL_SIZE];                                  /* "http://host:port", without the API's root */
  char base[BASE_URL_SIZE];                                  /* "http://host:port/openeo/1.3": of `api` */
  double started;                                            /* steady_seconds */
  unsigned retry_seconds;                                    /* for Retry-After; 0: as usual */
  error_writer *write_error;                                 /* how errors are told; NULL: as openEO tells them */
  struct exchange *next;                                     /* in the handlers' queue */
};

/* For one whose request was handed on without an answer (http_stream). */
void exchange_free(struct exchange *exchange);
/* Answers. Each ends the exchange (frees it); nothing may touch it afterwards. */
void reply(struct exchange *exchange, struct http_response *response);
/* Takes the buffer; Internal where it failed. */
void reply_json(struct exchange *exchange, unsigned status, struct buffer *json);
/* The same where `status` is 0, as of what was to fill the buffer; else the error. */
void reply_made(struct exchange *exchange, int status, struct buffer *json, const struct error *error);
void reply_typed(struct exchange *exchange, const char *media_type, struct buffer *json); /* the same, status 200 */
void reply_empty(struct exchange *exchange, unsigned status);
/* The error, as JSON or as the exchange writes errors; a 500 gets a log id, which is also written to the log. */
void reply_error(struct exchange *exchange, const struct error *error);
void reply_code(struct exchange *exchange, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The error document {id, code, message, links}. */
void write_error(struct json_writer *writer, const char *id, const struct error *error);

/* A handler about to wait asks first: false when too many do already (answer InfrastructureBusy). */
bool slow_enter(struct server *server, enum slow_kind kind);
void slow_leave(struct server *server, enum slow_kind kind);

/* {"rel":…,"href":base+path,"type":…,"title":…}; type and title may be NULL. */
void write_link(struct json_writer *writer, const char *rel, const char *base, const char *path, const char *type,
                const char *title);
/* "2024-01-01T00:00:00Z" of Unix milliseconds. */
void write_time(struct json_writer *writer, const char *key, int64_t time);

/* Reads `limit`: 0 and *out = 0 where absent; an error code 400 where it is no positive integer. */
int read_limit(const struct exchange *exchange, long *out, struct error *error);

/* Handlers: threads that take exchanges from a queue. */
struct handlers;
int handlers_start(struct server *server, struct handlers **out, struct error *error);
void handlers_stop(struct handlers *handlers); /* finishes what is queued; later requests are refused */
void handlers_free(struct handlers *handlers); /* after http_stop */
/* The HTTP thread's callback: route, refuse or queue. `data` is struct handlers. */
void handlers_take(void *data, struct http_request *request);
bool handlers_want_body(void *data, const struct http_request *request);

#endif
