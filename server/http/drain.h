/* Connections that were answered before their body was read.
 *
 * Closing a socket with bytes unread resets the connection, and the reset may overtake the answer. So a second
 * descriptor of the socket is held for a few seconds, and what still comes is read and dropped. */
#ifndef TWINCUBE_SERVER_HTTP_DRAIN_H
#define TWINCUBE_SERVER_HTTP_DRAIN_H

struct drain;

/* NULL where it cannot be started: connections are then closed at once. */
struct drain *drain_start(void);
void drain_stop(struct drain *drain); /* NULL is allowed */
/* Lingers on a socket that somebody else is about to answer and close. Thread safe; does nothing where too many linger
 * already. */
void drain_add(struct drain *drain, int fd);

#endif
