/* State of the HTTP server and of its requests, for the files that make it up: http.c drives the library, http_body.c
 * takes bodies within the budget, http_request.c tells of a request. */
#ifndef TWINCUBE_SERVER_HTTP_HTTP_STATE_H
#define TWINCUBE_SERVER_HTTP_HTTP_STATE_H

#include "server/http/access_log.h"
#include "server/http/http.h"
#include "server/http/http_client.h"
#include "server/http/pump.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

struct http_server {
  struct MHD_Daemon *daemon;
  struct http_options options;
  pthread_mutex_t lock;
  pthread_cond_t idle;
  unsigned open_requests; /* handed out and not yet answered */
  atomic_uint events;     /* requests that began or ended */
  struct patience *patience;
  struct http_clients *clients;
  struct drain *drain;
  struct pump *pump; /* writes pieces of streamed bodies */
  /* Bytes of bodies and answers that are kept now: all, and those of requests that nobody vouches for. */
  atomic_size_t kept, kept_of_strangers;
};

enum request_stage {
  STAGE_HEAD, /* handed out before its body was read */
  STAGE_BODY, /* the body is read, or there is none */
  STAGE_WHOLE /* handed out whole */
};

struct http_request {
  struct http_server *server;
  struct MHD_Connection *connection;
  const char *method, *path; /* memory of the connection */
  struct buffer body;        /* whole, or the piece that is being gathered */
  struct http_sink *sink;    /* of a streamed body, or NULL */
  struct buffer piece;       /* that the sink takes now */
  struct pump_item writing;
  bool is_writing, is_refused;     /* guarded by the server's lock: the sink has a piece; wants no more */
  uint64_t body_length, body_seen; /* as announced, 0: not known; so far */
  enum request_stage stage;
  bool has_body, keeps_body, is_known;
  bool has_come; /* the whole body, a small one, has come with its head: it has no place in the budget */
  enum http_body_state body_state;
  size_t held;                /* bytes in the budget */
  unsigned status;            /* of the answer; 0: none is on its way */
  struct http_client *client; /* the connection */
  unsigned number;            /* of the request on it, from 1 */
  char peer[CLIENT_ADDRESS_SIZE];
  char id[HTTP_ID_SIZE];
  struct http_note note;
  double started; /* steady_seconds */
  uint64_t sent;  /* bytes of the answer's body, as far as it was made */
  _Atomic(struct http_response *) response;
};

/* http.c. The connection waits until somebody hands the request in, on any thread, which wakes it. */
void http_suspend(struct http_request *request);
void http_hand_in(struct http_request *request);

/* http_body.c. Takes a part of a body, as the library's handler does; MHD_NO closes the connection. */
enum MHD_Result http_body_take(struct http_request *request, const char *data, size_t *size);
/* At the end of a streamed body: whether its sink still has to take something, for which the connection waits. */
bool http_body_rest(struct http_request *request);
/* What the request holds of the budget is free again. */
void http_give_back(struct http_request *request);

#endif
