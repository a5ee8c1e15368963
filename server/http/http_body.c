/* Bodies: kept in memory within the budget of all, handed on to a sink in pieces, or dropped. */
#include "server/http/http_state.h"

#include <stddef.h>
#include <stdlib.h>

enum { PIECE = 256 * 1024 };                          /* bytes of a streamed body that go to its sink at a time */
static const uint64_t drop_limit = UINT64_C(1) << 30; /* a body longer than this closes the connection */

/* ---- the budget ---- */

static bool take_room(atomic_size_t *kept, size_t bytes, size_t limit)
{
  if (atomic_fetch_add(kept, bytes) + bytes <= limit)
    return true;
  atomic_fetch_sub(kept, bytes);
  return false;
}

bool http_hold(struct http_request *request, size_t bytes)
{
  struct http_server *server = request->server;
  const size_t limit = server->options.kept_limit;
  if (!request->is_known && !take_room(&server->kept_of_strangers, bytes, limit / 4))
    return false;
  if (!take_room(&server->kept, bytes, limit)) {
    if (!request->is_known)
      atomic_fetch_sub(&server->kept_of_strangers, bytes);
    return false;
  }
  request->held += bytes;
  return true;
}

void http_give_back(struct http_request *request)
{
  atomic_fetch_sub(&request->server->kept, request->held);
  if (!request->is_known)
    atomic_fetch_sub(&request->server->kept_of_strangers, request->held);
  request->held = 0;
}

void http_set_known(struct http_request *request)
{
  if (request->held == 0) /* what is kept was counted as a stranger's, and is given back as such */
    request->is_known = true;
}

/* ---- streamed bodies ---- */

bool http_stream(struct http_request *request, struct http_sink *sink)
{
  if (request->server->pump == NULL || !http_hold(request, 2 * (size_t)PIECE))
    return false;
  request->sink = sink;
  request->body_state = HTTP_BODY_COMPLETE; /* its length is for the sink to judge */
  http_continue(request, true);
  return true;
}

/* On a thread of the pump. */
static void write_piece(struct pump_item *item)
{
  struct http_request *request = (struct http_request *)(void *)((char *)item - offsetof(struct http_request, writing));
  bool is_refused = request->sink->take(request->sink, &request->piece) != 0;
  pthread_mutex_lock(&request->server->lock);
  request->is_refused = is_refused;
  pthread_mutex_unlock(&request->server->lock);
  request->piece.length = 0;
  http_hand_in(request);
}

/* Whether the sink has a piece now; notes it where it wants no more. */
static bool sink_is_busy(struct http_request *request)
{
  pthread_mutex_lock(&request->server->lock);
  bool is_busy = request->is_writing;
  if (request->is_refused)
    request->body_state = HTTP_BODY_REFUSED;
  pthread_mutex_unlock(&request->server->lock);
  return is_busy;
}

/* Hands what was gathered to the sink. */
static void send_piece(struct http_request *request)
{
  const struct buffer empty = request->piece;
  request->piece = request->body;
  request->body = empty;
  request->is_writing = true;
  request->writing.work = write_piece;
  http_suspend(request);
  pump_put(request->server->pump, &request->writing);
}

/* A body of a known length gets its memory at once, which costs nothing before it is filled. */
static void reserve_body(struct http_request *request)
{
  request->body.data = malloc((size_t)request->body_length + 1);
  request->body.capacity = request->body.data != NULL ? (size_t)request->body_length + 1 : 0;
}

static void lose_body(struct http_request *request, enum http_body_state state)
{
  request->body_state = state;
  buffer_free(&request->body);
  http_give_back(request);
}

/* A part of a streamed body; what comes after the sink has refused is dropped. While the sink has a piece the library
 * may offer more all the same, as much as it has read. */
static void stream_body(struct http_request *request, const char *data, size_t count)
{
  const bool is_busy = sink_is_busy(request);
  if (request->body_state != HTTP_BODY_COMPLETE)
    return;
  request->body_seen = 0; /* counts what is dropped */
  buffer_add(&request->body, data, count);
  if (request->body.failed)
    lose_body(request, HTTP_BODY_NO_ROOM);
  else if (!is_busy && request->body.length >= PIECE)
    send_piece(request);
}

bool http_body_rest(struct http_request *request)
{
  if (sink_is_busy(request))
    return true;
  if (request->body_state != HTTP_BODY_COMPLETE || request->body.length == 0)
    return false;
  send_piece(request);
  return true;
}

enum MHD_Result http_body_take(struct http_request *request, const char *data, size_t *size)
{
  const size_t count = *size;
  request->body_seen += count;
  *size = 0;
  if (request->sink != NULL)
    stream_body(request, data, count);
  if (request->body_seen > drop_limit)
    return MHD_NO;
  if (request->sink != NULL)
    return MHD_YES;
  if (!request->keeps_body || request->body_state != HTTP_BODY_COMPLETE)
    return MHD_YES; /* read and dropped */
  if (!request->has_come && !http_hold(request, count)) {
    lose_body(request, HTTP_BODY_NO_ROOM);
    return MHD_YES;
  }
  if (request->body.data == NULL && request->body_length > 0)
    reserve_body(request);
  buffer_add(&request->body, data, count);
  if (request->body.failed)
    lose_body(request, HTTP_BODY_TOO_LARGE);
  return MHD_YES;
}
