/* The line of the log that each request leaves: an info line of JSON, or a debug line of text. */
#ifndef TWINCUBE_SERVER_HTTP_ACCESS_LOG_H
#define TWINCUBE_SERVER_HTTP_ACCESS_LOG_H

#include "server/http/request_id.h"

#include <stdbool.h>
#include <stdint.h>

/* Texts may be "", numbers 0. Neither queries nor what a path holds beside its job is told: signatures and the ids of
 * services are keys. */
struct access_entry {
  const char *id, *peer, *method;
  const char *route; /* pattern; "": none fits, and the path is told */
  const char *path, *user, *job;
  unsigned status; /* 0: there was no answer */
  double seconds;  /* from the headers to the end of the answer */
  uint64_t bytes;  /* of the answer's body */
  bool is_cut_off; /* the client did not take all of it, or was told nothing */
};

void access_log_write(const struct access_entry *entry);

#endif
