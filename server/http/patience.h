/* How long connections may be slow: nobody keeps one by sending a byte now and then.
 *
 * Four times a second each connection is looked at: one whose request has begun must have sent its headers within ten
 * seconds, one whose body is being read must bring so many bytes in each span of time. When there are almost as many
 * connections as there may be, the one that has been idle longest makes room. One that hung up in the middle of a
 * request is closed within a second. One that closes while it waits for an answer may have closed its own direction
 * only, which it may, or all: a piece of an answer that means nothing (100 Continue) finds out, as the kernel of one
 * who has gone resets the connection on it. What has arrived is asked of the kernel (TCP_INFO), so nothing is counted
 * on the way. Thread safe. */
#ifndef TWINCUBE_SERVER_HTTP_PATIENCE_H
#define TWINCUBE_SERVER_HTTP_PATIENCE_H

#include "datacube/base/error.h"

#include <stdbool.h>

enum {
  HEAD_SECONDS = 10,      /* from a request's first byte to the end of its headers */
  BODY_SPAN_SECONDS = 20, /* of a body that is read … */
  BODY_SPAN_BYTES = 10000 /* … at least so many bytes come in it */
};

struct patience;
struct patient; /* a connection */

/* `most`: connections beyond which the longest idle one is closed. */
int patience_start(unsigned most, struct patience **out, struct error *error);
void patience_stop(struct patience *patience); /* after the last connection has gone; NULL is allowed */
/* Whether a connection waits for its answer, or has sent what was not read yet. */
bool patience_has_askers(struct patience *patience);

/* A connection has come (NULL when out of memory), and goes before its descriptor is closed. */
struct patient *patient_new(struct patience *patience, int fd);
void patient_free(struct patience *patience, struct patient *patient); /* NULL is allowed, here and below */

enum patient_state {
  PATIENT_WAITING, /* for a request, or for the rest of its headers */
  PATIENT_READING, /* a body */
  PATIENT_SERVED,  /* it waits for us */
  PATIENT_ANSWERED /* it takes our answer */
};
void patient_is(struct patience *patience, struct patient *patient, enum patient_state state);
/* What the connection speaks: whether 100 Continue may be written to its socket. If not, who closes has gone. */
void patient_takes_interim(struct patience *patience, struct patient *patient, bool takes_interim);

#endif
