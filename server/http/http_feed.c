/* While nothing is there to be sent the connection is suspended; whoever puts resumes it. A suspended connection is
 * closed by nobody, so it may be resumed without the lock. The library does not look at it either: whoever puts asks
 * whether the client is still there. */
#include "server/http/http_feed.h"

#include "datacube/base/buffer.h"

#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 16 * 1024 };

struct http_feed {
  pthread_mutex_t lock;
  unsigned ends; /* that hold it */
  struct buffer bytes;
  bool has_ended; /* nothing more is put */
  bool is_closed; /* nothing more is sent */
  bool is_suspended;
  struct MHD_Connection *connection; /* NULL until the answer begins */
  int fd;                            /* its socket */
  uint64_t *sent;                    /* bytes that the library took */
};

struct http_feed *http_feed_new(void)
{
  struct http_feed *feed = calloc(1, sizeof *feed);
  if (feed == NULL)
    return NULL;
  pthread_mutex_init(&feed->lock, NULL);
  feed->ends = 2;
  return feed;
}

/* With the lock, which it lets go. */
static void let_go(struct http_feed *feed)
{
  const bool is_last = --feed->ends == 0;
  pthread_mutex_unlock(&feed->lock);
  if (!is_last)
    return;
  pthread_mutex_destroy(&feed->lock);
  buffer_free(&feed->bytes);
  free(feed);
}

/* With the lock: the connection that is to be resumed when the lock is let go, or NULL. */
static struct MHD_Connection *to_be_resumed(struct http_feed *feed)
{
  struct MHD_Connection *connection = feed->is_suspended ? feed->connection : NULL;
  feed->is_suspended = false;
  return connection;
}

bool http_feed_put(struct http_feed *feed, const char *bytes, size_t length)
{
  pthread_mutex_lock(&feed->lock);
  if (!feed->is_closed)
    buffer_add(&feed->bytes, bytes, length);
  const bool is_taken = !feed->is_closed && !feed->bytes.failed;
  struct MHD_Connection *connection = is_taken ? to_be_resumed(feed) : NULL;
  pthread_mutex_unlock(&feed->lock);
  if (connection != NULL)
    MHD_resume_connection(connection);
  return is_taken;
}

size_t http_feed_waiting(struct http_feed *feed)
{
  pthread_mutex_lock(&feed->lock);
  const size_t waiting = feed->bytes.length;
  pthread_mutex_unlock(&feed->lock);
  return waiting;
}

bool http_feed_is_open(struct http_feed *feed)
{
  struct pollfd client = {.fd = -1, .events = POLLRDHUP};
  pthread_mutex_lock(&feed->lock);
  client.fd = feed->fd;
  const bool is_open = !feed->is_closed && (feed->connection == NULL || poll(&client, 1, 0) == 0);
  pthread_mutex_unlock(&feed->lock);
  return is_open;
}

void http_feed_end(struct http_feed *feed)
{
  pthread_mutex_lock(&feed->lock);
  feed->has_ended = true;
  struct MHD_Connection *connection = to_be_resumed(feed);
  let_go(feed);
  if (connection != NULL)
    MHD_resume_connection(connection);
}

/* ---- the library's end ---- */

static ssize_t read_feed(void *data, uint64_t position, char *out, size_t room)
{
  (void)position;
  struct http_feed *feed = data;
  pthread_mutex_lock(&feed->lock);
  const size_t count = feed->bytes.length < room ? feed->bytes.length : room;
  if (count > 0) {
    memcpy(out, feed->bytes.data, count);
    memmove(feed->bytes.data, feed->bytes.data + count, feed->bytes.length - count);
    feed->bytes.length -= count;
    *feed->sent += count;
  } else if (!feed->has_ended) {
    MHD_suspend_connection(feed->connection);
    feed->is_suspended = true;
  }
  const bool is_over = count == 0 && feed->has_ended;
  pthread_mutex_unlock(&feed->lock);
  return is_over ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)count;
}

static void close_feed(void *data)
{
  struct http_feed *feed = data;
  pthread_mutex_lock(&feed->lock);
  feed->is_closed = true;
  feed->is_suspended = false;
  let_go(feed);
}

struct MHD_Response *http_feed_response(struct http_feed *feed, struct MHD_Connection *connection, uint64_t *sent)
{
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  pthread_mutex_lock(&feed->lock);
  feed->fd = info != NULL ? info->connect_fd : -1;
  feed->connection = connection;
  feed->sent = sent;
  pthread_mutex_unlock(&feed->lock);
  struct MHD_Response *made = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE, read_feed, feed, close_feed);
  if (made == NULL)
    close_feed(feed);
  return made;
}

void http_feed_drop(struct http_feed *feed)
{
  if (feed != NULL)
    close_feed(feed);
}
