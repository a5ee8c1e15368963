/* A small document from a web server that the operator named: within seconds, of bounded size, without redirects. */
#ifndef TWINCUBE_SERVER_AUTH_WEB_FETCH_H
#define TWINCUBE_SERVER_AUTH_WEB_FETCH_H

#include "datacube/base/buffer.h"
#include "datacube/base/error.h"

#include <stdatomic.h>

enum { WEB_FETCH_SECONDS = 5, WEB_FETCH_BYTES = 256 * 1024 };

struct web_fetch {
  const char *url;
  const char *bearer;          /* token for the Authorization header, or NULL */
  const char *ca_file;         /* or NULL: the system's certificates */
  const atomic_bool *stopping; /* gives up when it is set */
};

/* The answer's status and body; the caller frees the body. Error InfrastructureBusy where there is no answer: it names
 * the address, never the token. */
int web_fetch(const struct web_fetch *fetch, long *status, struct buffer *body, struct error *error);

#endif
