/* HTTP: libmicrohttpd behind a small door. Only http.c, http_feed.c and tls.c know the library.
 *
 * One thread of the library polls all connections; it never waits. When a request is complete the connection is
 * suspended and `handle` is called with the request; anyone, on any thread, later answers it once with http_respond.
 * Where a body is announced `handle` is called before it is read, too: who asks, and for what, is judged by the headers
 * alone, and the answer is http_respond, or http_continue to have the body read. A small body that has come with its
 * head is read first where `wants_body` says so. Bodies and answers of all requests, small ones apart, share one
 * budget; a body past it, or past its own limit, is read and dropped. A body that is too long for memory is
 * streamed (http_stream): only a piece of it is held at a time. Every response gets the CORS headers.
 *
 * What is no request of HTTP/1.1 comes to `handle`, too, as one with a fault (http_fault): it is answered like the
 * rest, and the connection closed.
 */
#ifndef TWINCUBE_SERVER_HTTP_HTTP_H
#define TWINCUBE_SERVER_HTTP_HTTP_H

#include "datacube/base/buffer.h"
#include "datacube/base/error.h"
#include "server/auth/client_address.h"
#include "server/http/head_check.h"
#include "server/http/pump.h"
#include "server/http/request_id.h"

#include <stdatomic.h>

struct http_feed;
struct tls; /* tls.h */
struct http_server;
struct http_request;

enum { HTTP_QUERY_VALUE = 8192 }; /* bytes of a value of the query that http_query_each hands on */
enum { HTTP_MAX_HEADERS = 8, HTTP_HEADER_NAME = 32, HTTP_HEADER_VALUE = 1024 };

struct http_response {
  unsigned status;
  struct buffer body;          /* sent unless fd >= 0; http_respond takes it */
  struct http_feed *feed;      /* sent in its place, as it comes; or NULL; http_respond takes an end of it */
  int fd;                      /* file to send, or -1; http_respond takes it */
  uint64_t fd_offset, fd_size; /* part of the file */
  char media_type[128];        /* "" : no Content-Type */
  size_t header_count;
  struct {
    char name[HTTP_HEADER_NAME];
    char value[HTTP_HEADER_VALUE];
  } headers[HTTP_MAX_HEADERS];
};

enum http_body_state {
  HTTP_BODY_COMPLETE,  /* or, before it is read, nothing is known against it */
  HTTP_BODY_TOO_LARGE, /* past its own limit */
  HTTP_BODY_NO_ROOM,   /* past the budget */
  HTTP_BODY_REFUSED    /* by its sink */
};

/* Where a streamed body goes, piece by piece, on threads that may wait for a disk. Embedded in its owner's struct. */
struct http_sink {
  int (*take)(struct http_sink *sink, const struct buffer *piece); /* -1: no more is wanted */
  struct pump_item ending; /* `work` is called once, when the request is over, answered or cut off */
};

struct http_options {
  int listen_fd;        /* bound and listening; taken */
  size_t body_limit;    /* bytes of one body */
  size_t kept_limit;    /* bytes of all bodies and answers that wait; a quarter of it for requests of strangers */
  unsigned connections; /* at most so many, … */
  unsigned per_address; /* … and of one address, or /64 network of IPv6 */
  struct tls *tls;      /* borrowed; NULL: plain HTTP */
  struct proxy_networks proxies; /* whose X-Forwarded-For is believed */
  const atomic_bool *stopping;   /* borrowed: from then on each answer is the last of its connection */
  /* Called on the library's thread: must not wait. */
  void (*handle)(void *data, struct http_request *request);
  /* Likewise, for a small body that has come with its head: whether to read it before `handle` is asked. */
  bool (*wants_body)(void *data, const struct http_request *request);
  void *data;
};

/* Binds "HOST:PORT" ("[::1]:8080", port 0: any). The address in use is written as "host:port". Returns the socket or
 * -1. */
int http_listen(const char *address, char out[128], struct error *error);
/* Who comes from now on is not answered, and so not deceived: it tries again, or a server after this one takes it. Who
 * is connected already can still be accepted; whether somebody waits for that. */
void http_listen_no_more(int fd);
bool http_listen_has_waiting(int fd);

int http_start(const struct http_options *options, struct http_server **out, struct error *error);
/* Takes no new connections, waits until every request handed out is answered and, for half a minute, until answers have
 * been taken and nobody asks any more: each answer says that its connection closes. Ends. */
void http_stop(struct http_server *server);

/* The request. Texts live until it is answered. */
const struct head_fault *http_fault(const struct http_request *request); /* NULL: none; else what it is, and not more */
const char *http_method(const struct http_request *request);
const char *http_path(const struct http_request *request); /* as sent: percent signs are not decoded */
const char *http_header(const struct http_request *request, const char *name); /* or NULL */
const struct buffer *http_body(const struct http_request *request); /* empty where the state is not COMPLETE */
enum http_body_state http_body_state(const struct http_request *request);
uint64_t http_body_length(const struct http_request *request);   /* as announced; 0: not known, or none */
struct http_sink *http_sink(const struct http_request *request); /* of http_stream, or NULL */
bool http_body_is_pending(const struct http_request *request);   /* the body has not been read */
/* Address of the client, for limits; behind a proxy that is believed: as that tells it. */
const char *http_peer(const struct http_request *request);
const char *http_id(const struct http_request *request); /* see request_id.h */
int http_fd(const struct http_request *request); /* the client's socket: poll it for a hang-up, do not touch it */
/* Decoded value of a query argument. 1: there is one; 0: none, or empty; -1: longer than room, or badly encoded. */
int http_query(const struct http_request *request, const char *name, char *out, size_t room);

/* Calls `visit` with the name and the decoded value of each argument of the query, in its order, until it answers
 * false; the value is NULL where it is badly encoded or longer than HTTP_QUERY_VALUE. */
void http_query_each(const struct http_request *request, bool (*visit)(void *data, const char *name, const char *value),
                     void *data);

/* Decodes %XX. -1 on a bad sequence, a control character, or lack of room. */
int http_decode(const char *text, size_t length, char *out, size_t room);
/* Writes text as part of an address: all but letters, digits, "-._~" and slashes as %XX. */
void http_encode(const char *text, struct buffer *out);

/* Empty response with a status. Allocated by malloc: http_respond takes it. NULL when out of memory. */
struct http_response *http_response_new(unsigned status);
void http_response_free(struct http_response *response); /* one that was not sent */
void http_response_header(struct http_response *response, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The request is a user's, no stranger's: for the budget. Call it before anything of the request is kept. */
void http_set_known(struct http_request *request);
/* Has a pending body read, and kept or dropped; `handle` is called again when it is complete. The request may not be
 * touched afterwards. */
void http_continue(struct http_request *request, bool keeps_body);
/* Has a pending body of any length read into a sink, which is taken; `handle` is called again when all of it was
 * taken or the sink has refused. false: the budget is exhausted, and nothing was done. */
bool http_stream(struct http_request *request, struct http_sink *sink);
/* Counts bytes, kept elsewhere for a request that is not answered yet, in the budget until the request ends. false: it
 * is exhausted. */
bool http_hold(struct http_request *request, size_t bytes);
/* What the log tells of a request; texts that are cut are cut. */
struct http_note {
  const char *route; /* pattern that fits, or NULL; not copied */
  char user[128], job[64];
};
void http_note(struct http_request *request, const struct http_note *note); /* at the latest before the answer */
/* Answers; NULL answers 500. What the budget has no room for becomes a 503. Neither request nor response may be touched
 * afterwards. */
void http_respond(struct http_request *request, struct http_response *response);

#endif
