/* An answer that grows: what is put into the feed is sent as it comes, until the feed ends or the client is gone. Both
 * ends hold it, on threads of their own. */
#ifndef TWINCUBE_SERVER_HTTP_HTTP_FEED_H
#define TWINCUBE_SERVER_HTTP_HTTP_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_feed;
struct MHD_Connection;
struct MHD_Response;

/* For one answer: given to it in http_response.feed, and kept by whoever puts. NULL when out of memory. */
struct http_feed *http_feed_new(void);
/* Sends bytes when the client takes them; never waits. false: the client is gone, or memory is short. */
bool http_feed_put(struct http_feed *feed, const char *bytes, size_t length);
/* Bytes that the client has not taken yet: one that puts without end looks at it first. */
size_t http_feed_waiting(struct http_feed *feed);
/* Whether there is still a client: false when it has hung up. */
bool http_feed_is_open(struct http_feed *feed);
/* Ends the answer, once what was put is sent, and gives up the end that puts. */
void http_feed_end(struct http_feed *feed);

/* For http.c: the library's answer, which takes the other end, also where it is NULL. For HEAD nothing is read. What
 * the library took is counted in *sent, on its thread, while the answer lasts. */
struct MHD_Response *http_feed_response(struct http_feed *feed, struct MHD_Connection *connection, uint64_t *sent);
void http_feed_drop(struct http_feed *feed); /* the other end of an answer that is not sent; NULL is allowed */

#endif
