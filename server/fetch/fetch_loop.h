/* The fetcher: answers the questions of remote_protocol.h from any number of readers, on one thread.
 *
 * Readers' sockets and the network are waited for together. What is asked for by several is fetched once; pages that
 * lie close are one request, far ones go side by side, at most so many at a time, and fewer to one host: one that does
 * not answer keeps nobody from the others. */
#ifndef TWINCUBE_SERVER_FETCH_FETCH_LOOP_H
#define TWINCUBE_SERVER_FETCH_FETCH_LOOP_H

#include "server/fetch/fetch_account.h"

#include "datacube/base/error.h"

#include <stdint.h>

enum { FETCH_AT_ONCE = 256, FETCH_AT_ONCE_HOST = 48 };

struct fetch_loop_options {
  struct fetch_access access;
  const char *folder; /* of the cache: emptied at the beginning, removed at the end */
  uint64_t most;      /* bytes in it */
  int control;        /* socket over which readers' sockets come (SCM_RIGHTS), until its other end is closed; or -1. A
                         regular file that comes holds the accounts in force from then on */
  int reader;         /* the only reader where there is no control; the loop ends with it. Taken */
  int64_t patience;   /* milliseconds for a document; 0: FETCH_DOCUMENT_MS */
};

/* Until control, or the reader, is gone. Errors: StorageFailure (the folder), Internal. */
int fetch_loop_run(const struct fetch_loop_options *options, struct error *error);

#endif
