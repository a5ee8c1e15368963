/* The file that a worker has left as the answer to one request. */
#ifndef TWINCUBE_SERVER_WORKERS_WORKER_FILE_H
#define TWINCUBE_SERVER_WORKERS_WORKER_FILE_H

#include "server/http/http.h"
#include "server/workers/worker_client.h"

/* A response with the reply's file, which lies in the worker's folder; it is unlinked as soon as it is open: the
 * descriptor is all that is left of it. NULL: there is none. */
struct http_response *worker_file_response(const char *folder, const struct worker_reply *worker);

#endif
